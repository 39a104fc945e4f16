"""Forced alignment: durations add up, boundaries are found, pauses are found or passed over."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from data.align import align_corpus, alignment_features, best_state_path
from vits.config import AudioConfig
from vits.text.symbols import SYMBOL_IDS, SYMBOLS, encode

D = 6


def sentence(rng: np.random.Generator) -> list[str]:
    """A language mark, two to four words of two to four phones, a comma, a full stop."""
    words = [
        list(rng.choice(list("aeioukmnst"), rng.integers(2, 5))) for _ in range(rng.integers(2, 5))
    ]
    symbols = ["‹en›"]
    for index, word in enumerate(words):
        if index:
            symbols += [",", " "] if index == 2 else [" "]
        symbols += ["ˈ", *word]
    return [*symbols, "."]


def spoken(
    symbols: list[str], rng: np.random.Generator, colours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Features (T, D) in which every phone has a colour of its own, and the true frames (S,).

    There are pauses at the edges and at commas; spaces are not heard, stress neither.
    """
    frames = {"‹en›": rng.integers(10, 40), ".": rng.integers(10, 40), ",": rng.integers(12, 20)}
    true = np.array([frames.get(s, 0 if s in " ˈ" else rng.integers(4, 12)) for s in symbols])
    heard = [SYMBOL_IDS["."] if s in frames else SYMBOL_IDS[s] for s in symbols]
    clean = np.repeat(colours[heard], true, axis=0)
    return (clean + rng.normal(0, 0.5, clean.shape)).astype(np.float32), true


@pytest.fixture(scope="module")
def corpus() -> tuple[list[list[str]], list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    colours = rng.normal(0, 2, (len(SYMBOLS), D))
    colours[:, 0] = 4
    colours[SYMBOL_IDS["."]] = -8  # pauses are quiet
    texts = [sentence(rng) for _ in range(120)]
    features, true = zip(*(spoken(text, rng, colours) for text in texts), strict=True)
    return texts, list(features), list(true)


@pytest.fixture(scope="module")
def durations(corpus: tuple) -> list[np.ndarray]:
    texts, features, _ = corpus
    return align_corpus(features, [np.array(encode(text)) for text in texts], len(SYMBOLS))


def test_every_symbol_has_a_frame_and_all_frames_are_used(
    corpus: tuple, durations: list[np.ndarray]
) -> None:
    for text, features, row in zip(corpus[0], corpus[1], durations, strict=True):
        assert row.shape == (len(text),)
        assert row.dtype == np.int32
        assert row.min() >= 1
        assert row.sum() == len(features)


def test_known_boundaries_are_found_within_two_frames(
    corpus: tuple, durations: list[np.ndarray]
) -> None:
    errors = []
    for text, true, found in zip(corpus[0], corpus[2], durations, strict=True):
        phones = [i for i, symbol in enumerate(text) if symbol not in ("ˈ", " ", ",", ".", "‹en›")]
        starts = [np.cumsum(frames) - frames for frames in (true, found)]
        errors += list(np.abs(starts[0] - starts[1])[phones])
    assert np.mean(np.array(errors) <= 2) > 0.95
    assert np.median(errors) <= 1


def test_pauses_go_to_the_comma_and_the_edges(corpus: tuple, durations: list[np.ndarray]) -> None:
    for text, true, found in zip(corpus[0], corpus[2], durations, strict=True):
        for index, symbol in enumerate(text):
            if symbol in ("‹en›", ".", ","):
                assert abs(int(true[index]) - int(found[index])) <= 3, (symbol, index)


def test_a_space_without_a_pause_and_a_stress_mark_take_one_frame(
    corpus: tuple, durations: list[np.ndarray]
) -> None:
    taken = [
        int(frames)
        for text, row in zip(corpus[0], durations, strict=True)
        for symbol, frames in zip(text, row, strict=True)
        if symbol in (" ", "ˈ")
    ]
    assert max(taken) == 1


def test_the_same_corpus_gives_the_same_durations(corpus: tuple) -> None:
    texts, features, _ = corpus
    ids = [np.array(encode(text)) for text in texts[:10]]
    once, again = (align_corpus(features[:10], ids, len(SYMBOLS), 3) for _ in range(2))
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_utterance_with_just_enough_frames_gives_each_symbol_one() -> None:
    ids = np.array(encode(["‹en›", "ˈ", "a", "ː", " ", "k", "a", "t", "."]))
    features = np.random.default_rng(0).normal(0, 1, (len(ids), D)).astype(np.float32)
    (row,) = align_corpus([features], [ids], len(SYMBOLS))
    np.testing.assert_array_equal(row, np.ones(len(ids)))


def test_an_utterance_of_marks_only_is_one_long_pause() -> None:
    ids = np.array(encode(["‹en›", "."]))
    (row,) = align_corpus([np.zeros((9, D), np.float32)], [ids], len(SYMBOLS))
    assert row.tolist() == [8, 1]


def test_fewer_frames_than_symbols_are_refused() -> None:
    ids = np.array(encode(["‹en›", "a", "."]))
    with pytest.raises(ValueError, match="utterance 0"):
        align_corpus([np.zeros((2, D), np.float32)], [ids], len(SYMBOLS))


def test_no_utterances_give_no_durations() -> None:
    assert align_corpus([], [], len(SYMBOLS)) == []


def test_the_search_finds_the_best_of_all_paths() -> None:
    rng = np.random.default_rng(1)
    optional = np.array([True, False, False, True, False, True, True])
    cost = rng.uniform(0, 2, len(optional)).astype(np.float32)
    for n_frames in (3, 5, 8):
        scores = rng.normal(0, 1, (n_frames, len(optional))).astype(np.float32)
        found = best_state_path(scores, optional, cost)
        choices = [range(0 if may else 1, n_frames + 1) for may in optional]
        paths = [p for p in itertools.product(*choices) if sum(p) == n_frames]
        best = max(path_score(np.array(p), scores, cost) for p in paths)
        assert path_score(found, scores, cost) == pytest.approx(best, abs=1e-4)
        assert (found[~optional] > 0).all()


def path_score(path: np.ndarray, scores: np.ndarray, cost: np.ndarray) -> float:
    states = np.repeat(np.arange(len(path)), path)
    return float(scores[np.arange(len(states)), states].sum() - cost[path > 0].sum())


@pytest.mark.parametrize(("rate", "n_samples"), [(22_050, 22_050), (16_000, 9_999), (22_050, 300)])
def test_there_are_as_many_frames_as_in_the_spectrogram(rate: int, n_samples: int) -> None:
    hop = AudioConfig().hop_length
    noise = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    features = alignment_features(noise, rate, hop)
    assert features.shape == (n_samples // hop, 26)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_features_do_not_depend_on_level() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050).astype(np.float32)
    quiet, loud = (alignment_features(gain * noise, 22_050, 256) for gain in (0.1, 1.0))
    np.testing.assert_allclose(quiet, loud, atol=1e-2)


def test_digital_silence_has_finite_features() -> None:
    assert np.isfinite(alignment_features(np.zeros(22_050, np.float32), 22_050, 256)).all()


def test_a_click_shows_in_the_frame_it_falls_into() -> None:
    wave = np.zeros(256 * 40, np.float32)
    wave[256 * 20 + 128] = 1.0
    assert alignment_features(wave, 22_050, 256)[:, 0].argmax() == 20

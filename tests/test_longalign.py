"""A long text laid along a long recording: each word at its time, the rest passed over."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from voices import joined, reader, save

from data.acoustic import shipped, spelled
from data.longalign import AlignedText, align_long
from data.longpath import REST, best_words
from data.slicing import Piece
from data.speech import track

GAP_S = 1.0
CLIPS = 8


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    return save(path, joined([audio for audio, _ in reader(CLIPS)], gap_s=GAP_S))


@pytest.fixture(scope="module")
def aligned(talk: Path) -> AlignedText:
    return align_long(talk, " ".join(text for _, text in reader(CLIPS)), "en", track(talk))


def spans() -> list[tuple[float, float]]:
    now, result = GAP_S, []
    for audio, _ in reader(CLIPS):
        result.append((now, now + audio.duration_s))
        now += audio.duration_s + GAP_S
    return result


def right_share(found: AlignedText, texts: list[str], places: list[tuple[float, float]]) -> float:
    """Share of the words of `texts` that were found within the clip they are said in."""
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    right = 0
    for word in found.found:
        clip = int(np.searchsorted(starts, found.said[word.index].char_start, side="right")) - 1
        begin, end = places[clip]
        right += begin - 0.1 <= (word.start_s + word.end_s) / 2 <= end + 0.1
    return right / len(found.said)


def test_words_are_found_in_the_clips_they_are_said_in(aligned: AlignedText) -> None:
    assert right_share(aligned, [text for _, text in reader(CLIPS)], spans()) > 0.98
    assert not aligned.notes


def test_words_are_in_order_and_do_not_overlap(aligned: AlignedText) -> None:
    assert all(
        a.end_s <= b.start_s + 1e-6 and a.index < b.index for a, b in pairwise(aligned.found)
    )
    assert all(0 <= word.confidence <= 1 for word in aligned.found)


def test_pieces_get_their_text_with_its_marks(aligned: AlignedText) -> None:
    texts, sure = aligned.of_pieces([Piece(a - 0.3, b + 0.3) for a, b in spans()])
    assert texts == [" ".join(text.split()) for _, text in reader(CLIPS)]
    assert min(value for value in sure if value is not None) > 0.3


def test_windows_do_not_show(
    talk: Path, aligned: AlignedText, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.longalign.WINDOW_S", 25.0)
    monkeypatch.setattr("data.longalign.UNSURE_S", 8.0)
    other = align_long(talk, aligned.text, "en", track(talk))
    both = {w.index: w.start_s for w in aligned.found}
    close = [abs(both[w.index] - w.start_s) < 0.1 for w in other.found if w.index in both]
    assert len(close) > 0.95 * len(aligned.found)
    assert np.mean(close) > 0.9


def test_text_that_nobody_says_is_passed_over_and_told(talk: Path) -> None:
    texts = [text for _, text in reader(CLIPS)]
    extra = "Completely different sentences about yellow bicycles and enormous breakfast tables."
    found = align_long(talk, " ".join([*texts[:4], extra, *texts[4:]]), "en", track(talk))
    assert any("yellow bicycles" in text for text in found.unheard)
    heard = {w.index for w in found.found}
    said = [i for i, w in enumerate(found.said) if not 0 <= found.text.find(extra) <= w.char_start]
    assert len(heard & set(said)) > 0.95 * len(said)


def test_speech_that_is_not_in_the_text_is_passed_over(talk: Path) -> None:
    texts = [text for _, text in reader(CLIPS)]
    places = spans()
    kept = [i for i in range(CLIPS) if i != 3]
    found = align_long(talk, " ".join(texts[i] for i in kept), "en", track(talk))
    assert right_share(found, [texts[i] for i in kept], [places[i] for i in kept]) > 0.95


def test_a_language_without_a_reader_says_so(talk: Path) -> None:
    found = align_long(talk, "Merhaba. " * 30, "tr", track(talk))
    assert not found.words
    assert "cannot be laid along" in found.notes[0]


def test_the_path_finds_planted_words() -> None:
    table = np.full((40, 5), -8.0, np.float32)
    rest = np.full(40, -1.0, np.float32)
    for word, start in enumerate((5, 20)):
        table[start : start + 4, 1 + 2 * word] = 0.0
        table[start + 4 : start + 8, 2 + 2 * word] = 0.0
        rest[start : start + 8] = -6.0
    words = [np.array([1, 2]), np.array([3, 4])]
    path = best_words(table, rest, words)
    assert path.begins.tolist() == [5, 20]
    assert path.ends.tolist() == [13, 28]
    assert (path.states[:5] == REST).all()


def test_a_word_that_is_missing_is_jumped_over() -> None:
    table = np.full((300, 7), -8.0, np.float32)
    rest = np.full(300, -0.5, np.float32)
    for states, start in (((1, 2), 20), ((5, 6), 200)):
        table[start : start + 30, states[0]] = table[start + 30 : start + 60, states[1]] = 0.0
        rest[start : start + 60] = -6.0
    path = best_words(table, rest, [np.array([1, 2]), np.array([3, 4] * 8), np.array([5, 6])])
    assert path.begins.tolist() == [20, -1, 200]


def test_phones_of_a_word_and_their_states() -> None:
    assert spelled(("ˈ", "h", "ə", "l", "ˈ", "o", "ː", "ʊ")) == ["h", "ə", "l", "oː", "ʊ"]
    phones = shipped()
    states = phones.states(["h", "ə", "unheard-of"])
    assert states[:2].tolist() == [phones.rows["h"], phones.rows["h"] + 1]
    assert len(states) == 6
    assert phones.states(["ǃ"]).tolist() == [1, 1]

"""Scores of a voice: repeatable, bounded, honest about what was not measured."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from data.speaker import centroid, embed_clips
from pipelines import evaluate
from pipelines.evaluate import (
    Pocketsphinx,
    Scores,
    error_rates,
    evaluate_voice,
    load_sentences,
    quick_scores,
    recogniser,
    said,
)
from tests.conftest import speech
from vits.audio import Audio, read_audio
from vits.errors import UserError
from vits.text.normalize import READERS
from vits.voice import Voice

CLIP = Path(__file__).parents[1] / "examples" / "clips" / "lj" / "LJ001-0013.flac"
CLIP_TEXT = "than in the same operations with ugly ones."


class Parrot:
    """A recogniser that always hears the same."""

    name = "parrot 1"

    def hear(self, audio: Audio) -> str:
        return "Good evening."


@pytest.fixture(scope="module")
def voice(tiny_voice: Path) -> Voice:
    return Voice.load(tiny_voice)


@pytest.fixture(autouse=True)
def parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "_pocketsphinx", Parrot)


CLIPS = [speech(1.7, seed=seed) for seed in (1, 2, 3)]
TEXTS = ["Good evening.", "Good morning."]


# ---------------------------------------------------------------- scores


@pytest.fixture(scope="module")
def scores(voice: Voice) -> Scores:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "_pocketsphinx", Parrot)
        return evaluate_voice(voice, CLIPS, ["Good evening."] * 3, sentences=TEXTS)


def test_each_sentence_is_scored_and_the_voice_is_their_mean(scores: Scores) -> None:
    rows = scores.sentences
    assert [row.text for row in rows] == TEXTS
    assert scores.similarity == pytest.approx(np.mean([row.similarity for row in rows]))
    assert scores.similarity_lowest == min(row.similarity for row in rows)
    assert 0 <= scores.similarity <= scores.similarity_ceiling <= 1
    assert all(row.seconds > 0 for row in rows)
    assert scores.real_time_factor > 0


def test_what_is_heard_right_has_no_errors_and_what_is_not_has(scores: Scores) -> None:
    right, wrong = scores.sentences
    assert (right.cer, right.wer) == (0, 0)
    assert (wrong.cer, wrong.wer) == (pytest.approx(4 / 12, abs=0.1), 0.5)
    assert scores.wer == 0.25
    assert scores.reference_cer == 0
    assert scores.asr == "parrot 1"


def test_scores_survive_json(scores: Scores) -> None:
    assert Scores.from_json(json.loads(json.dumps(scores.to_json()))) == scores


def test_a_card_holds_no_time_and_repeats_exactly(voice: Voice, scores: Scores) -> None:
    again = evaluate_voice(voice, CLIPS, ["Good evening."] * 3, sentences=TEXTS)
    assert again.for_card() == scores.for_card()
    assert not {"real_time_factor", "threads"} & set(scores.for_card())
    json.dumps(scores.for_card())


def test_another_seed_gives_another_reading(voice: Voice, scores: Scores) -> None:
    other = evaluate_voice(voice, CLIPS, sentences=TEXTS, seed=1)
    assert other.similarity != scores.similarity
    assert other.seed == 1


def test_without_a_recogniser_errors_are_not_measured(voice: Voice) -> None:
    scores = evaluate_voice(
        voice, CLIPS, TEXTS + TEXTS[:1], sentences=["Guten Abend."], speaker="Ben"
    )
    assert (scores.cer, scores.wer, scores.reference_cer, scores.asr) == (None, None, None, "")
    assert scores.sentences[0].heard is None
    assert scores.for_card()["cer"] == "not measured"


def test_the_ceiling_comes_from_held_out_clips_or_from_each_against_the_others(
    voice: Voice,
) -> None:
    def ceiling(clips: list[Audio], held_out: list[Audio]) -> float | None:
        scores = evaluate_voice(voice, clips, held_out=held_out, sentences=TEXTS[:1])
        return scores.similarity_ceiling

    rows = embed_clips(CLIPS)
    assert ceiling(CLIPS[:2], CLIPS[2:]) == pytest.approx(rows[2] @ centroid(rows[:2]), abs=1e-4)
    assert ceiling(CLIPS[:2], []) == pytest.approx(rows[0] @ rows[1], abs=1e-4)
    assert ceiling(CLIPS[:1], []) is None


def test_a_voice_that_says_nothing_is_unlike_anybody() -> None:
    silent = Audio(np.zeros(22_050, np.float32), 22_050)
    assert evaluate._similarities([silent], centroid(embed_clips(CLIPS))).tolist() == [0]


def test_progress_counts_up_to_its_total(voice: Voice) -> None:
    events: list[tuple[int, int]] = []
    evaluate_voice(
        voice, CLIPS, [*TEXTS, ""], sentences=TEXTS, on_event=lambda *event: events.append(event)
    )
    assert all(b[0] == a[0] + 1 for a, b in pairwise(events))
    assert events[-1] == (6, 6)  # two spoken, heard, and two real clips with words heard


def test_quick_scores_are_those_of_the_select_sentences(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = load_sentences("en", "select")[:2]
    full = evaluate_voice(voice, CLIPS, sentences=texts)

    def first_two(language: str, purpose: str) -> list[str]:
        assert (language, purpose) == ("en", "select")
        return texts

    monkeypatch.setattr(evaluate, "load_sentences", first_two)
    similarity, cer = quick_scores(voice, centroid(embed_clips(CLIPS)))
    assert similarity == pytest.approx(full.similarity)
    assert cer == pytest.approx(full.cer)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop — now!", "don't stop now"),
        ("There were 25 people.", "there were twenty five people"),
        ("On May 3, 1984.", "on may third nineteen eighty four"),
        ("“It’s Mr. Hall’s.”", "it's mister hall's"),
        ("...", ""),
    ],
)
def test_a_text_is_compared_as_it_is_said(text: str, words: str) -> None:
    assert said(text, "en") == words


def test_numbers_and_their_words_are_the_same() -> None:
    rates = error_rates(["There were 25 people."], ["there were twenty five people"])
    assert (rates.cer, rates.wer) == (0, 0)


def test_error_rates_weigh_texts_by_their_length_and_leave_out_empty_ones() -> None:
    rates = error_rates(["one two three", "...", "four"], ["one two three", "what", ""])
    assert rates.wer == pytest.approx(1 / 4)
    assert error_rates(["..."], ["what"]).cer is None


@pytest.mark.parametrize("language", sorted(READERS))
def test_the_sets_of_sentences_are_whole_and_share_nothing(language: str) -> None:
    report, select = load_sentences(language), load_sentences(language, "select")
    assert (len(report), len(select)) == (20, 12)
    assert len({said(line, language) for line in report + select}) == 32
    assert all(line[-1] in ".!?。！？" and line == line.strip() for line in report + select)


def test_the_english_sentences_hold_every_english_sound() -> None:
    from vits.text import phonemize_lines

    for purpose in ("report", "select"):
        sounds = "".join(
            s for row in phonemize_lines(load_sentences("en", purpose), "en") for s in row
        )
        missing = [p for p in "pbtdkɡmnŋfvθðszʃʒhlɹwj" if p not in sounds]
        missing += [v for v in ("iː", "ɪ", "ɛ", "æ", "ʌ", "uː", "ʊ", "ɑː", "ɜː", "ə", "ɚ", "eɪ",
                                "aɪ", "aʊ", "oʊ", "ɔɪ", "tʃ", "dʒ") if v not in sounds]  # fmt: skip
        assert not missing, purpose


def test_a_language_without_sentences_says_so() -> None:
    with pytest.raises(UserError, match="'xx'"):
        load_sentences("xx")


# ---------------------------------------------------------------- the recogniser


@pytest.fixture(scope="module")
def asr() -> Pocketsphinx:
    return Pocketsphinx()


def test_the_recogniser_understands_a_real_clip(asr: Pocketsphinx) -> None:
    assert error_rates([CLIP_TEXT], [asr.hear(read_audio(CLIP))]).cer < 0.4


def test_the_recogniser_forgets_what_it_heard_before(asr: Pocketsphinx) -> None:
    clip = read_audio(CLIP)
    short = Audio(clip.samples[: clip.sample_rate], clip.sample_rate)
    asr.hear(short)
    first = asr._decoder.hyp().best_score
    asr.hear(Audio(0.1 * speech(0.5).samples, 22_050))
    asr.hear(short)
    assert asr._decoder.hyp().best_score == first


def test_silence_and_nothing_are_heard_as_no_words(asr: Pocketsphinx) -> None:
    assert asr.hear(Audio(np.zeros(0, np.float32), 22_050)) == ""
    assert len(asr.hear(Audio(np.zeros(22_050, np.float32), 22_050))) < 10


def test_only_english_has_a_recogniser() -> None:
    assert recogniser("en") is not None
    assert recogniser("de") is None

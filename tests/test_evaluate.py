"""Scores of a voice: repeatable, bounded, honest about what was not measured."""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from data import recognisers
from data.recognisers import Pocketsphinx, recogniser, whisper_folder
from data.speaker import centroid, embed_clips
from data.words import error_rates, said
from pipelines.evaluate import (
    Evaluation,
    Scores,
    evaluate,
    evaluate_voice,
    load_sentences,
    measure,
    mos,
    quick_scores,
)
from pipelines.evaluate.delivery import delivery, pause_lengths
from pipelines.evaluate.distortion import mel_cepstral_distortion
from pipelines.evaluate.likeness import similarities
from pipelines.evaluate.measure import other_people
from tests.conftest import require, speech
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
    monkeypatch.setattr(recognisers, "pocketsphinx", Parrot)
    monkeypatch.setattr(recognisers, "_fetched_models", lambda: [])
    monkeypatch.delenv("CLONE_VOICE_WHISPER", raising=False)


CLIPS = [speech(1.7, seed=seed) for seed in (1, 2, 3)]
TEXTS = ["Good evening.", "Good morning."]


# ---------------------------------------------------------------- scores


@pytest.fixture(scope="module")
def evaluation(voice: Voice) -> Evaluation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognisers, "pocketsphinx", Parrot)
        patch.setattr(recognisers, "_fetched_models", lambda: [])
        return evaluate(
            voice,
            CLIPS,
            ["Good evening."] * 3,
            others=other_people(voice, without="Anna"),
            sentences=TEXTS,
        )


@pytest.fixture(scope="module")
def scores(evaluation: Evaluation) -> Scores:
    return evaluation.scores


def test_each_sentence_is_scored_and_the_voice_is_their_mean(scores: Scores) -> None:
    rows = scores.sentences
    assert [row.text for row in rows] == TEXTS
    assert scores.similarity == pytest.approx(np.mean([row.similarity for row in rows]))
    assert scores.similarity_lowest == min(row.similarity for row in rows)
    assert 0 <= scores.similarity <= scores.similarity_ceiling <= 1
    assert all(row.seconds > 0 for row in rows)
    assert scores.speeds[0].threads == 1
    assert all(speed.real_time_factor > 0 for speed in scores.speeds)


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
    others = other_people(voice, without="Anna")
    again = evaluate_voice(voice, CLIPS, ["Good evening."] * 3, others=others, sentences=TEXTS)
    assert again.for_card() == scores.for_card()
    assert not {"real_time_factor", "threads", "speeds"} & set(scores.for_card())
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
    assert similarities([silent], centroid(embed_clips(CLIPS))).tolist() == [0]


def test_progress_counts_up_to_its_total(voice: Voice) -> None:
    events: list[tuple[int, int]] = []
    evaluate_voice(
        voice, CLIPS, [*TEXTS, ""], sentences=TEXTS, on_event=lambda *event: events.append(event)
    )
    assert all(b[0] == a[0] + 1 for a, b in pairwise(events))
    # two spoken, two heard, two real clips with words heard, and what they say said by the voice
    assert events[-1] == (8, 8)


def test_quick_scores_are_those_of_the_select_sentences(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = load_sentences("en", "select")[:2]
    full = evaluate_voice(voice, CLIPS, sentences=texts)

    def first_two(language: str, purpose: str) -> list[str]:
        assert (language, purpose) == ("en", "select")
        return texts

    monkeypatch.setattr(measure, "load_sentences", first_two)
    person = centroid(embed_clips(CLIPS))
    quick = quick_scores(voice, person)
    assert quick.similarity == pytest.approx(full.similarity, abs=1e-3)
    assert quick.cer == pytest.approx(full.cer)
    assert quick_scores(voice, person, sentences=["Good morning."], listen=False).cer is None


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


def test_chinese_is_compared_by_its_characters_and_has_no_words() -> None:
    rates = error_rates(["今天 天气很好。"], ["今天天汽很好"], "zh")
    assert (rates.cer, rates.wer) == (pytest.approx(1 / 6), None)


def test_numbers_and_their_words_are_the_same() -> None:
    rates = error_rates(["There were 25 people."], ["there were twenty five people"])
    assert (rates.cer, rates.wer) == (0, 0)


def test_error_rates_weigh_texts_by_their_length_and_leave_out_empty_ones() -> None:
    rates = error_rates(["one two three", "...", "four"], ["one two three", "what", ""])
    assert rates.wer == pytest.approx(1 / 4)
    assert error_rates(["..."], ["what"]).cer is None


@pytest.mark.parametrize("language", sorted({*READERS, "zh", "ja"}))
def test_the_sets_of_sentences_are_whole_and_share_nothing(language: str) -> None:
    report, select = load_sentences(language), load_sentences(language, "select")
    assert (len(report), len(select)) == (20, 12)
    assert len({said(line, language) for line in report + select}) == 32
    assert all(line[-1] in ".!?。！？" and line == line.strip() for line in report + select)


def test_the_chinese_sentences_hold_every_initial_final_and_tone() -> None:
    from pypinyin import Style, pinyin

    initials = "b p m f d t n l g k h j q x zh ch sh r z c s"
    finals = (
        "a o e i u v ai ei ao ou an en ang eng ong ia ie iao iou ian in iang ing iong "
        "ua uo uai uei uan uen uang ve van vn er"
    )
    for purpose in ("report", "select"):
        text = "".join(load_sentences("zh", purpose))

        def heard(style: Style, text: str = text) -> set[str]:
            return {p[0] for p in pinyin(text, style=style, strict=True, errors="ignore")}

        assert set(initials.split()) <= heard(Style.INITIALS)
        assert set(finals.split()) <= heard(Style.FINALS)
        assert {"1", "2", "3", "4"} <= {p[-1] for p in heard(Style.TONE3)}


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


def test_without_whispers_weights_only_english_has_a_recogniser() -> None:
    assert recogniser("en") is not None
    assert recogniser("de") is None
    assert recogniser("zh") is None


def test_whisper_listens_to_every_language_where_its_weights_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLONE_VOICE_WHISPER", str(tmp_path))
    with pytest.raises(UserError, match="holds no Whisper weights"):
        recogniser("zh")
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_text("{}")
    assert whisper_folder() == tmp_path
    made: list[tuple[Path, str | None]] = []
    monkeypatch.setattr(recognisers, "open_whisper", lambda *given: made.append(given))
    recogniser("zh")
    assert made == [(tmp_path, "zh")]


def test_weights_that_are_none_are_named_in_one_line(tmp_path: Path) -> None:
    require(find_spec("faster_whisper"), "the extra asr is not installed")
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match="Whisper weights in"):
        recognisers.Whisper(tmp_path, "zh")


# ---------------------------------------------------------------- naturalness


def test_pitch_pace_and_pauses_are_those_of_the_sound() -> None:
    rate, pitch = 22_050, 180.0
    t = np.arange(rate) / rate
    tone = 0.3 * sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 8))
    gap = np.zeros(rate // 2)
    sound = Audio(np.concatenate([tone, gap, tone]).astype(np.float32), rate)
    told = delivery([sound], ["Good evening."], "en")
    assert told.pitch_hz == pytest.approx(pitch, rel=0.02)
    assert told.pitch_spread is not None
    assert told.pitch_spread < 0.5
    assert pause_lengths(sound) == [pytest.approx(0.5, abs=0.05)]
    assert told.pauses_per_min == pytest.approx(60 / 2.5, rel=0.05)
    assert told.sounds_per_s is not None
    assert 3 < told.sounds_per_s * 2.5 < 12  # the phonemes of two words


def test_nothing_of_silence_is_measured() -> None:
    silent = Audio(np.zeros(22_050, np.float32), 22_050)
    told = delivery([silent], ["Good evening."], "en")
    assert (told.pitch_hz, told.sounds_per_s, told.pause_s) == (None, None, None)
    assert mos.opinion(silent) is None


def test_opinions_of_a_real_clip_are_higher_than_of_the_same_in_noise() -> None:
    require(mos.available(), "the extra eval is not installed")
    clip = read_audio(CLIP)
    noise = np.random.default_rng(0).normal(0, 0.05, len(clip.samples)).astype(np.float32)
    clean, noisy = mos.opinion(clip), mos.opinion(Audio(clip.samples + noise, clip.sample_rate))
    assert clean is not None
    assert noisy is not None
    assert 3.3 < clean.p808 < 4.6
    assert noisy.p808 < clean.p808
    assert noisy.overall < clean.overall


def test_a_reading_is_at_no_distance_from_itself_and_at_some_from_others() -> None:
    clip = speech(1.7, seed=1)
    quiet = Audio(0.3 * clip.samples, clip.sample_rate)
    assert mel_cepstral_distortion(clip, clip) == pytest.approx(0, abs=1e-6)
    assert mel_cepstral_distortion(quiet, clip) < 0.5
    noise = Audio(
        np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32), clip.sample_rate
    )
    assert 3 < mel_cepstral_distortion(noise, clip) < 30


def test_what_is_read_twice_is_the_persons_own_sentences(evaluation: Evaluation) -> None:
    assert [pair.text for pair in evaluation.pairs] == ["Good evening."] * 3
    assert evaluation.scores.distortion_clips == 3
    assert evaluation.scores.mel_cepstral_distortion == pytest.approx(
        np.mean([pair.distortion for pair in evaluation.pairs])
    )


def test_other_people_are_the_floor(scores: Scores, voice: Voice) -> None:
    assert scores.similarity_floor is not None
    others = other_people(voice, without="Anna")
    assert len(others) == 2  # Ben's two sentences
    person = centroid(embed_clips(CLIPS))
    assert scores.similarity_floor == pytest.approx(similarities(others, person).mean(), abs=1e-4)

"""The benchmarks of preparing: what they take for the truth is the truth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from voices import reader, save

from bench.gathering import READER, SOUNDS, Hour, mixed_hour, sound
from bench.preparing import OTHERS, Spoken, Word, cuts_a_word, joined, words_in_place
from bench.settings import Settings
from vits.audio import read_audio

WORDS = [Word("one", 1.0, 1.4), Word("two", 1.4, 1.8), Word("three", 2.5, 3.0)]


@pytest.mark.parametrize(
    ("at_s", "inside"), [(0.5, False), (1.2, True), (1.4, False), (2.1, False), (2.99, False)]
)
def test_a_cut_is_in_a_word_or_between_two(at_s: float, inside: bool) -> None:
    assert cuts_a_word(WORDS, at_s) == inside


def test_only_words_that_are_said_in_a_clip_count_for_it() -> None:
    assert words_in_place(WORDS, 0.9, 2.0, "One, two, three!") == 2
    assert words_in_place(WORDS, 0.9, 3.1, "one three") == 2
    assert words_in_place(WORDS, 2.0, 3.1, "one two") == 0


def test_who_speaks_most_of_a_span_owns_it() -> None:
    clips = (Spoken(Path("a"), "ann", "", 2, 0, 2), Spoken(Path("b"), "ben", "", 3, 2.5, 5.5))
    hour = Hour(clips, 6.0)
    assert [hour.owner(*span) for span in ((0, 2), (1.5, 4), (5.6, 6))] == ["ann", "ben", ""]


@pytest.mark.parametrize("kind", SOUNDS)
def test_sounds_between_begin_and_end_softly(kind: str) -> None:
    made = sound(kind, 2.0, np.random.default_rng(0))
    assert len(made) == 44100
    assert abs(made[[0, -1]]).max() < 1e-3
    assert 0.01 < made.std() < 0.3


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """The reader's and two others' corpora, of the example's clips."""
    for corpus, speaker in zip((READER, *OTHERS), (READER, "LS1", "SO1"), strict=True):
        folder = tmp_path / corpus
        rows = []
        for index, (audio, text) in enumerate(reader(3)):
            save(folder / f"{index}.wav", audio)
            rows.append((f"{index}.wav", speaker, text, f"{audio.duration_s:.2f}"))
        with (folder / "manifest.tsv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t").writerows(
                [("path", "speaker", "text", "seconds"), *rows]
            )
    return tmp_path


def test_clips_lie_in_an_hour_where_it_says(corpora: Path, tmp_path: Path) -> None:
    settings = Settings(corpora=corpora, minutes=0.4)
    hour = mixed_hour(settings, tmp_path / "hour.wav")
    whole = read_audio(tmp_path / "hour.wav")
    assert whole.duration_s == pytest.approx(hour.seconds, abs=1e-3)
    assert READER in {clip.speaker for clip in hour.clips}
    assert len({clip.speaker for clip in hour.clips}) > 1
    for clip in hour.clips:
        first = round(clip.start_s * 22050)
        samples = read_audio(clip.path).samples
        assert np.corrcoef(samples, whole.samples[first : first + len(samples)])[0, 1] > 0.99
    again = mixed_hour(settings, tmp_path / "again.wav")
    assert again == hour
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "hour.wav").read_bytes()


def test_joined_clips_lie_where_it_says(corpora: Path, tmp_path: Path) -> None:
    clips = [Spoken(corpora / READER / f"{i}.wav", READER, "") for i in range(3)]
    placed = joined(clips, tmp_path / "joined.wav")
    whole = read_audio(tmp_path / "joined.wav").samples
    for clip in placed:
        first = round(clip.start_s * 22050)
        samples = read_audio(clip.path).samples
        assert np.corrcoef(samples, whole[first : first + len(samples)])[0, 1] > 0.99

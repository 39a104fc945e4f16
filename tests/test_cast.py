"""Voices that a text names in marks speak their passages, in place and at one rate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vits.cast import Cast, Part
from vits.errors import UserError
from vits.voice import Voice

TEXT = "One lamp. [voice:ben]Two lamps.[/voice] Three lamps."


@pytest.fixture
def voice(tiny_voice: Path) -> Voice:
    return Voice.load(tiny_voice)


def samples(voice: Voice, text: str, **manner: object) -> np.ndarray:
    return np.concatenate([s.audio.samples for s in voice.speak(text, **manner)])  # type: ignore[arg-type]


def test_a_marked_passage_is_spoken_by_the_speaker_it_names(voice: Voice) -> None:
    speeches = list(Cast(voice).speak(TEXT, seed=3))
    expected = [
        samples(voice, "One lamp.", seed=3),
        samples(voice, "Two lamps.", seed=3, speaker="Ben"),
        samples(voice, "Three lamps.", seed=3),
    ]
    for speech, sound in zip(speeches, expected, strict=True):
        assert np.array_equal(speech.audio.samples, sound)


def test_words_keep_their_place_in_the_whole_text(voice: Voice) -> None:
    speeches = list(Cast(voice).speak(iter([TEXT[:15], TEXT[15:]])))
    words = [word for speech in speeches for word in speech.words]
    assert [TEXT[w.char_start : w.char_end] for w in words] == [w.text for w in words]
    assert [w.text for w in words] == ["One", "lamp", "Two", "lamps", "Three", "lamps"]
    assert [TEXT[s.char_start : s.char_end].strip() for s in speeches] == [
        "One lamp.",
        "Two lamps.",
        "Three lamps.",
    ]


def test_text_without_marks_is_what_the_voice_speaks(voice: Voice) -> None:
    text = "One lamp. Two lamps."
    said = np.concatenate([s.audio.samples for s in Cast(voice).speak(text)])
    assert np.array_equal(said, samples(voice, text))


def test_names_are_speakers_then_voices_of_the_library(voice: Voice, tiny_voice: Path) -> None:
    cast = Cast(voice)
    assert cast.part("BEN") == Part(voice, "Ben")
    other = cast.part(f"{tiny_voice}:Ben")
    assert other.voice.speaker.name == other.speaker == "Ben"
    with pytest.raises(UserError, match="nobody"):
        cast.part("nobody")


def test_another_voice_is_brought_to_the_rate_of_the_first(voice: Voice) -> None:
    audio = replace(voice.config.audio, sample_rate=16_000)
    slow = replace(voice, config=replace(voice.config, audio=audio))
    cast = Cast(voice, find=lambda name: Part(slow, "Ben", speed=2.0))
    marked = next(iter(cast.speak("[voice:x]Two lamps.")))
    alone = next(iter(slow.speak("Two lamps.", speaker="Ben", speed=2.0)))
    assert marked.audio.sample_rate == voice.sample_rate
    assert marked.audio.duration_s == pytest.approx(alone.audio.duration_s, abs=0.001)

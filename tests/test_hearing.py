"""Sentences that went wrong are noticed, and those that did not are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import speech

from pipelines.books.hearing import listen
from vits.audio import Audio

RATE = 22050
SYMBOLS = ["<en>", *"ðəlæmpbɜɹndɔlnaɪtnoʊbədikeɪm", "."]  # 28 sounds, about 2 s

WORD = speech(0.5, RATE).samples


def test_ordinary_speech_passes() -> None:
    for seed in range(5):
        heard = listen(speech(2.2, RATE, seed=seed), SYMBOLS)
        assert heard.fine, heard.faults


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (speech(0.3, RATE).samples, "too short"),
        (speech(20.0, RATE).samples, "too long"),
        (np.zeros(2 * RATE, np.float32), "silent"),
        (np.sign(speech(2.0, RATE).samples).astype(np.float32) * 0.999, "clipped"),
        (
            np.concatenate(
                [
                    speech(0.5, RATE).samples,
                    np.zeros(2 * RATE, np.float32),
                    speech(0.5, RATE).samples,
                ]
            ),
            "a gap of",
        ),
        (np.tile(speech(0.2, RATE, seed=3).samples, 14), "again and again"),
        (np.sin(np.arange(3 * RATE) * 0.05).astype(np.float32) * 0.5, "again and again"),
    ],
)
def test_each_fault_has_its_name(samples: np.ndarray, fault: str) -> None:
    heard = listen(Audio(samples, RATE), SYMBOLS)
    assert any(fault in found for found in heard.faults), heard.faults


def test_the_speed_asked_for_is_no_fault() -> None:
    slow = speech(8.5, RATE)
    assert not listen(slow, SYMBOLS).fine
    assert listen(slow, SYMBOLS, speed=0.5).fine


def test_a_recogniser_that_hears_other_words_is_a_fault() -> None:
    class Deaf:
        name = "deaf"

        def hear(self, audio: Audio) -> str:
            return "something else entirely"

    class Good(Deaf):
        def hear(self, audio: Audio) -> str:
            return "the lamp burned all night nobody came"

    text = "The lamp burned all night. Nobody came."
    audio = speech(2.2, RATE)
    assert listen(audio, SYMBOLS, text=text, recogniser=Good()).fine
    assert "heard otherwise" in listen(audio, SYMBOLS, text=text, recogniser=Deaf()).faults[0]

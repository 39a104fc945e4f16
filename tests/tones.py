"""A narrator for tests: a tone for each word, at once and always the same."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pipelines.story.script import Line, Role, Scene, Story
from vits.audio import Audio
from vits.text.marks import MARK
from vits.voice import Speech, WordTiming

RATE = 8000
WORD_S = 0.05
PAUSE_S = 0.05


@dataclass
class Tones:
    """Speaks every sentence as an utterance; `spoken` counts the lines it was asked for."""

    name: str = "tones"
    spoken: list[str] = field(default_factory=list)

    def fingerprint(self, line: Line) -> dict[str, object]:
        return {"tones": 1, "speaker": line.speaker, "text": line.text, "seed": line.seed}

    def speak(self, line: Line) -> Iterator[Speech]:
        self.spoken.append(line.text)
        text = MARK.sub(lambda mark: " " * len(mark[0]), line.text)
        for sentence in re.finditer(r"[^.!?]+[.!?]*", text):
            words = list(re.finditer(r"[\w']+", sentence[0]))
            if words:
                yield self._utterance(sentence, words)

    def _utterance(self, sentence: re.Match[str], words: list[re.Match[str]]) -> Speech:
        pieces, timings = [], []
        for number, word in enumerate(words):
            pitch = 200 + zlib.crc32(word[0].encode()) % 600
            t = np.arange(round(WORD_S * RATE)) / RATE
            pieces.append(0.3 * np.sin(2 * np.pi * pitch * t))
            start, end = (sentence.start() + at for at in word.span())
            times = (number * WORD_S, (number + 1) * WORD_S)
            timings.append(WordTiming(word[0], start, end, *times))
        pieces.append(np.zeros(round(PAUSE_S * RATE)))
        samples = np.concatenate(pieces).astype(np.float32)
        return Speech(
            Audio(samples, RATE), tuple(timings), sentence[0], sentence.start(), sentence.end()
        )


def small_story(**changes: object) -> Story:
    """Two scenes, a narrator and Pim."""
    fields: dict[str, object] = {
        "title": "The Lamp",
        "author": "A. Bee",
        "cast": {"Pim": Role()},
        "scenes": (
            Scene(
                title="Night",
                lines=(
                    Line(text="A lamp stood on a rock. It was old."),
                    Line(speaker="Pim", text="Is it [pause:1.0] dark?"),
                ),
            ),
            Scene(title="", lines=(Line(text="It was not."),)),
        ),
        **changes,
    }
    return Story.model_validate(fields)

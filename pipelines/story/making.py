"""The two long stages of a render, pictures and narration, with their progress and their past."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipelines.assets import Assets
from pipelines.books.book import word_count
from pipelines.progress import OnProgress, Progress
from pipelines.story.narrator import Narration
from pipelines.story.past import Past
from pipelines.story.script import Line, Scene
from pipelines.story.workshop import Workshop

WORDS_PER_S = 2.6  # of reading aloud, to tell how long a line will be before it is spoken
NARRATION = "narration"  # what the past calls it

T = TypeVar("T")


def draw_all(
    workshop: Workshop, scenes: Sequence[Scene], past: Past, on_event: OnProgress
) -> list[Path]:
    weights = [1.0] * len(scenes)
    clock = _Clock("pictures", "pictures", weights, workshop.pictures, on_event)

    def drawn(scene: Scene) -> Path:
        return clock.timed(lambda: workshop.picture(scene), scene.title)

    paths = [drawn(scene) for scene in scenes]
    clock.remember(past, picture_kind(workshop))
    return paths


def narrate_all(
    workshop: Workshop, scenes: Sequence[Scene], past: Past, on_event: OnProgress
) -> list[list[Narration]]:
    """Every line of every scene, spoken. Progress counts seconds of sound, as estimated."""
    weights = [spoken_s(line) for scene in scenes for line in scene.lines]
    clock = _Clock("narration", "s", weights, workshop.audio, on_event)

    def spoken(scene: Scene, line: Line) -> Narration:
        return clock.timed(lambda: workshop.spoken(scene, line), line.shown)

    spoken_lines = [[spoken(scene, line) for line in scene.lines] for scene in scenes]
    clock.remember(past, NARRATION)
    return spoken_lines


def spoken_s(line: Line) -> float:
    """About how long the line will be, in seconds, before it is spoken."""
    return max(0.5, word_count(line.text) / WORDS_PER_S)


def picture_kind(workshop: Workshop) -> str:
    """What the past calls the drawing: pictures of one illustrator take alike."""
    facts = workshop.artist.fingerprint(workshop.story.scenes[0], workshop.story)
    return f"picture:{facts.get('illustrator', type(workshop.artist).__name__)}"


@dataclass
class _Clock:
    """Reports a stage of several items, with the time left by what the made ones took."""

    stage: str
    unit: str
    weights: Sequence[float]
    assets: Assets
    on_event: OnProgress
    _number: int = 0
    _done: float = 0.0
    _made: float = 0.0  # weight of the items that were not there
    _spent_s: float = 0.0

    def timed(self, make: Callable[[], T], note: str) -> T:
        """Make the next item, between two reports."""
        self._report(note)
        before, started = self.assets.made, time.monotonic()
        result = make()
        weight = self.weights[self._number]
        if self.assets.made > before:
            self._made += weight
            self._spent_s += time.monotonic() - started
        self._number += 1
        self._done += weight
        self._report(note)
        return result

    def remember(self, past: Past, kind: str) -> None:
        """What was made here, for the next estimate."""
        past.note(kind, self._made, self._spent_s)

    def _report(self, note: str) -> None:
        total = sum(self.weights)
        rate = self._spent_s / self._made if self._made else None
        eta_s = None if rate is None else rate * (total - self._done)
        short = note if len(note) <= 50 else note[:49] + "…"
        self.on_event(Progress(self.stage, self._done, total, self.unit, short, eta_s))

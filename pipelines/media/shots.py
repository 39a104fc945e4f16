"""What a film shows, cut into runs of frames that can be drawn and encoded on their own.

A run is the middle of a scene or the cross-fade between two. It counts its frames from its own
beginning and holds nothing of its place in the film: the same run of another telling of the story
has the same frames, bit for bit, wherever it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipelines.assets import file_hash
from pipelines.media.motion import Camera, Move, Plane, plan_move
from pipelines.media.timeline import Timeline

FADE_FRAMES = 18  # of a cross-fade, half of them before the cut: 0.7 s
VERSION = 1  # of what a run shows: another number draws all frames anew

Size = tuple[int, int]


@dataclass(frozen=True)
class View:
    """One picture while the camera moves: frame k of a run is step `first + k` of `steps`."""

    picture: Path
    move: Move
    first: float
    steps: int

    def progress(self, frame: int) -> float:
        return min(1.0, max(0.0, (self.first + frame) / self.steps))


@dataclass(frozen=True)
class Run:
    """`count` frames from frame `start` of the film on. A second view is faded in."""

    start: int
    count: int
    views: tuple[View, ...]

    @property
    def facts(self) -> dict[str, object]:
        """Everything that decides its frames but their size."""
        views = [
            [_picture_hash(view.picture), repr(view.move), view.first, view.steps]
            for view in self.views
        ]
        return {"frames": self.count, "views": views, "version": VERSION}


def _picture_hash(path: Path) -> str:
    """By which a picture is known; one that is not there is told by who draws it."""
    return file_hash(path) if path.is_file() else path.name


class Studio:
    """Draws runs. The last pictures stay before the camera: the next run begins with one."""

    def __init__(self, size: Size) -> None:
        self._camera = lru_cache(maxsize=2)(lambda picture: Camera(picture, size))
        width, height = size
        self._frame, self._other = (np.empty((height * 3 // 2, width), np.uint8) for _ in "ab")

    def frames(self, run: Run) -> Iterator[Plane]:
        """The frames, (H * 3 / 2, W) planes of YUV 4:2:0; the array is used again. UserError for
        a picture that cannot be read."""
        first, *others = run.views
        for number in range(run.count):
            self._shoot(first, number, self._frame)
            for view in others:
                self._shoot(view, number, self._other)
                _blend(self._frame, self._other, (number + 0.5) / run.count)
            yield self._frame

    def _shoot(self, view: View, number: int, frame: Plane) -> None:
        self._camera(view.picture).shoot(view.move.at(view.progress(number)), frame)


def runs(timeline: Timeline, size: Size, fps: int) -> list[Run]:
    """The whole film: every scene's middle, and between two of them their fade."""
    cuts = _cuts(timeline, fps)
    halves = [0, *(_half(*lengths) for lengths in pairwise(b - a for a, b in pairwise(cuts))), 0]
    views = _Views(timeline, size, fps, cuts)
    found: list[Run] = []
    for index, (begin, end) in enumerate(pairwise(cuts)):
        before, after = halves[index], halves[index + 1]
        if before:
            start = begin - before
            pair = (views.of(index - 1, start), views.of(index, start))
            found.append(Run(start, 2 * before, pair))
        if count := end - after - begin - before:
            found.append(Run(begin + before, count, (views.of(index, begin + before),)))
    return found


@dataclass(frozen=True)
class _Views:
    timeline: Timeline
    size: Size
    fps: int
    cuts: Sequence[int]

    def of(self, index: int, start: int) -> View:
        """Scene `index` as it is seen from frame `start` of the film on.

        Its picture moves from half a fade before the scene to half a fade after it.
        """
        begin, count = self.cuts[index], self.cuts[index + 1] - self.cuts[index]
        move = plan_move(index, count / self.fps, self.size)
        first = start - begin + FADE_FRAMES / 2
        return View(self.timeline.scenes[index].picture, move, first, count + FADE_FRAMES)


def _cuts(timeline: Timeline, fps: int) -> list[int]:
    """Frames at which scenes begin, and the number of all: the last may reach past the sound."""
    starts = [frame_from(scene.start_s, fps) for scene in timeline.scenes]
    return [*starts, max(starts[-1], 1, frame_from(timeline.duration_s, fps))]


def _half(before: int, after: int) -> int:
    """Frames of a fade on each side of its cut: short scenes keep most of their time."""
    return min(FADE_FRAMES // 2, before // 4, after // 4)


def frame_from(seconds: float, fps: int) -> int:
    """Number of the first frame at or after `seconds`, give or take the last binary digits."""
    return math.ceil(round(seconds * fps, 6))


def _blend(frame: Plane, other: Plane, share: float) -> None:
    """Mix `share` of `other` into `frame`, slow at both ends."""
    weight = np.int32(round(256 * share * share * (3 - 2 * share)))
    frame[:] = (frame * (256 - weight) + other * weight + 128) >> 8

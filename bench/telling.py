"""A story of twelve scenes with collage pictures, told: how long it takes against how long it is.

Everything is made from nothing, then again after one line was changed. Our own overhead is what
is left of the run beside drawing, speaking and encoding. Word times are held against pocketsphinx's
forced alignment of the same sound, on lines whose every word is in its dictionary.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.settings import LANGUAGE, Settings, tell
from bench.table import Row, Target

if TYPE_CHECKING:
    from pipelines.media.timeline import Timeline
    from pipelines.story.render import RenderResult
    from pipelines.story.script import Line, Scene, Story

FORMATS = ("mp4", "epub", "html")
SENTENCES_A_SCENE = 4
MOST_SHARE, MOST_OVERHEAD, MOST_AGAIN, MOST_ERROR_MS = 0.5, 5.0, 10.0, 40.0
SPHINX_RATE = 16_000
_PLACES = ("forest at night", "lake in the evening", "village in the snow", "castle on a hill")
_WHO = ("fox", "bear and a girl", "owl", "rabbit and a frog", "old man", "three little pigs")


def telling(settings: Settings) -> list[Row]:
    """The share of the playing time, the overhead, a re-render, and the error of word times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "story.md"
        source.write_text(_text(settings), "utf-8")
        first = _told(source, folder / "out", settings)
        story = folder / "out" / "story.yaml"
        changed = story.read_text("utf-8").replace("evening", "morning", 1)
        story.write_text(changed + "\n", "utf-8")
        again = _told(folder / "out", folder / "out", settings)
        tall = _told(folder / "out", folder / "out", settings, ("mp4",), (1920, 1080))
        errors = word_errors(first.result.timeline)
    return _rows(settings, first, again, tall, errors)


def _rows(
    settings: Settings, first: Run, again: Run, tall: Run, errors: Sequence[float]
) -> list[Row]:
    lasts = first.result.duration_s
    what = f"a story of {settings.scenes} scenes ({lasts:.0f} s), collage, to {', '.join(FORMATS)}"
    note = f"{first.total_s:.0f} s: drawing {first.parts['draw']:.0f}, speaking "
    note += f"{first.parts['speak']:.0f}, files {first.parts['ship']:.0f}; {settings.voice_name}"
    share = 100 * again.total_s / first.total_s
    error = 1000 * statistics.median(errors) if errors else None
    return [
        Row(f"{what}: share of its playing time", first.total_s / lasts, "",
            Target(MOST_SHARE), note),
        Row(f"{what}: our overhead", first.overhead_percent, "%", Target(MOST_OVERHEAD)),
        Row(f"{what}: again after one line changed, of the first run", share, "%",
            Target(MOST_AGAIN), f"{again.total_s:.0f} s"),
        Row("the same film in 1080p: share of its playing time", tall.total_s / lasts, ""),
        Row("word times against pocketsphinx's alignment, median error", error, "ms",
            Target(MOST_ERROR_MS), f"{len(errors)} words" if errors else "no line was aligned"),
    ]  # fmt: skip


def _text(settings: Settings) -> str:
    """A tale in Markdown, of the bench's sentences with somebody to draw in every scene."""
    sentences, parts = list(settings.sentences), ["# The long way home\n"]
    for scene in range(settings.scenes):
        who, place = _WHO[scene % len(_WHO)], _PLACES[scene % len(_PLACES)]
        lines = [sentences[(scene * SENTENCES_A_SCENE + n) % len(sentences)]
                 for n in range(SENTENCES_A_SCENE)]  # fmt: skip
        parts.append(f"## Part {scene + 1}\n\nIn the {place} there was a {who}, that evening.\n")
        parts += [f"{line}\n" for line in lines]
    return "\n".join(parts)


# ---------------------------------------------------------------- a run, timed


@dataclass(frozen=True)
class Run:
    """One render: seconds in all, and of its parts."""

    result: RenderResult
    total_s: float
    parts: dict[str, float]

    @property
    def overhead_percent(self) -> float:
        return 100 * max(0.0, self.total_s - sum(self.parts.values())) / self.total_s


@dataclass
class _Clock:
    parts: dict[str, float] = field(
        default_factory=lambda: {"load": 0.0, "draw": 0.0, "speak": 0.0, "ship": 0.0}
    )

    def timed(self, part: str, call: Any, *args: Any, **more: Any) -> Any:
        started = time.monotonic()
        try:
            return call(*args, **more)
        finally:
            self.parts[part] += time.monotonic() - started


def _told(
    source: Path,
    out: Path,
    settings: Settings,
    formats: Sequence[str] = FORMATS,
    size: tuple[int, int] = (1280, 720),
) -> Run:
    from pipelines.story import render as module
    from pipelines.story import ship
    from pipelines.story.illustrators import Collage
    from pipelines.story.narrator import VoiceNarrator
    from pipelines.story.writer import story_from

    tell(f"telling: {', '.join(formats)}")
    clock, story = _Clock(), story_from(source, language=LANGUAGE)
    started = time.monotonic()
    narrator = _Timed(VoiceNarrator(story, settings.voice), clock)
    clock.timed("load", lambda: narrator.name)
    kept = module.ship
    module.ship = lambda *args, **more: clock.timed("ship", kept, *args, **more)
    try:
        result = module.render(
            source, out, formats=formats, narrator=narrator, artist=_Drawn(Collage(), clock),
            settings=ship.Settings(size), language=LANGUAGE,
        )  # fmt: skip
    finally:
        module.ship = kept
    return Run(result, time.monotonic() - started, clock.parts)


class _Timed:
    """A narrator whose speaking is timed."""

    def __init__(self, inner: Any, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock

    @property
    def name(self) -> str:
        return str(self._inner.name)

    def fingerprint(self, line: Line) -> dict[str, object]:
        return dict(self._inner.fingerprint(line))

    def speak(self, line: Line) -> Iterator[Any]:
        speeches = self._inner.speak(line)
        while (speech := self._clock.timed("speak", next, speeches, None)) is not None:
            yield speech


class _Drawn:
    """An illustrator whose drawing is timed."""

    def __init__(self, inner: Any, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock

    def draw(self, scene: Scene, story: Story, previous: Any) -> Any:
        return self._clock.timed("draw", self._inner.draw, scene, story, previous)

    def fingerprint(self, scene: Scene, story: Story) -> dict[str, object]:
        return dict(self._inner.fingerprint(scene, story))


# ---------------------------------------------------------------- word times


def word_errors(told: Timeline) -> list[float]:
    """How far each word's start is from where pocketsphinx has it, in seconds."""
    from pocketsphinx import Decoder

    from vits.audio import read_audio, resample

    decoder = Decoder(loglevel="FATAL")
    track = resample(read_audio(told.audio), SPHINX_RATE).samples
    errors: list[float] = []
    for line in told.lines:
        words = [re.sub(r"[^a-z']", "", word.text.lower()) for word in line.words]
        if not words or any(not word or decoder.lookup_word(word) is None for word in words):
            continue
        start, end = (round(at * SPHINX_RATE) for at in (line.start_s, line.end_s))
        starts = _aligned(decoder, track[start:end], words)
        if len(starts) == len(words):
            errors += (
                abs(at + line.start_s - word.start_s)
                for at, word in zip(starts, line.words, strict=True)
            )
    return errors


def _aligned(decoder: Any, samples: np.ndarray, words: Sequence[str]) -> list[float]:
    """Where each word begins in seconds; empty where the recogniser finds no way."""
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
    decoder.set_align_text(" ".join(words))
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    segments = decoder.seg() or ()
    found = [segment for segment in segments if not segment.word.startswith(("<", "["))]
    rate = float(decoder.config["frate"])
    return [segment.start_frame / rate for segment in found]

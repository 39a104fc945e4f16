"""When everything in a told story happens: scenes, lines and words on one clock.

The clock starts with the first sample of the whole sound track. Every writer of this package
(film, page, subtitles, sound file) reads a `Timeline` and nothing else, so that they agree.
Scenes touch: each begins where the one before it ends, the first at 0 and the last ending with
the sound, which leaves no moment without a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the speech side of the house needs torch, the media side does not
    from vits.voice import WordTiming

# Frames of film (25 a second, 8 of them) and packets of AAC (1024 samples at 48 kHz, 15 of them)
# begin together on this grid: what begins on it can be encoded by itself and joined anywhere.
GRID_S = 0.32
SLACK_S = 0.05  # rounding to samples and video frames; more than that is a mistake

# what XML 1.0 (and so HTML, XMP and every player's tag reader) cannot hold
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

_ISO_639_2 = {
    "ar": "ara", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa",
    "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita",
    "ja": "jpn", "ko": "kor", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron",
    "ru": "rus", "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "yue": "yue",
    "zh": "zho",
}  # fmt: skip


@dataclass(frozen=True)
class TimedLine:
    """One spoken line. `words` carry times of the whole track and spans of `text`."""

    scene_id: str
    speaker: str
    text: str
    start_s: float
    end_s: float
    words: tuple[WordTiming, ...] = ()

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class TimedScene:
    """One picture and what is said while it shows."""

    id: str
    title: str
    picture: Path
    start_s: float
    end_s: float
    lines: tuple[TimedLine, ...] = ()

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Timeline:
    """A whole story, told. `audio` is its sound track, a mono wav of `duration_s` seconds.

    `language` is a BCP 47 tag. Raises ValueError where the parts do not fit together: that is a
    mistake of the program that built it, never of the user.
    """

    title: str
    author: str
    language: str
    narrator: str
    scenes: tuple[TimedScene, ...]
    audio: Path
    duration_s: float
    credits: tuple[str, ...] = ()  # who and what else had a part in it, a line each

    def __post_init__(self) -> None:
        _check(self)

    @property
    def lines(self) -> Iterator[TimedLine]:
        """Every line of every scene, in order."""
        return (line for scene in self.scenes for line in scene.lines)


def writable(text: str) -> str:
    """`text` without the control characters that no markup or tag can carry."""
    return _UNWRITABLE.sub("", text)


def chapter_titles(timeline: Timeline) -> list[str]:
    """One title per scene; a scene without one has its number, from 1."""
    return [
        " ".join(writable(scene.title).split()) or str(number)
        for number, scene in enumerate(timeline.scenes, start=1)
    ]


def language_code(tag: str) -> str:
    """ISO 639-2 code, as film and sound files want it, of a BCP 47 tag; "und" if unknown."""
    primary = tag.replace("_", "-").split("-")[0].lower()
    return _ISO_639_2.get(primary, primary if len(primary) == 3 else "und")


def _check(timeline: Timeline) -> None:
    scenes = timeline.scenes
    if not scenes:
        raise ValueError("a timeline needs at least one scene")
    _touch(0.0, scenes[0].start_s, f"scene {scenes[0].id} does not begin at 0")
    for before, after in pairwise(scenes):
        _touch(before.end_s, after.start_s, f"a gap between {before.id} and {after.id}")
    _touch(scenes[-1].end_s, timeline.duration_s, "the last scene does not end with the sound")
    for scene in scenes:
        _inside(scene.id, scene.start_s, scene.end_s, scene.lines)
        for line in scene.lines:
            _inside(f"line {line.text!r}", line.start_s, line.end_s, line.words)
            _spans(line)


def _touch(a: float, b: float, message: str) -> None:
    if abs(a - b) > SLACK_S:
        raise ValueError(f"{message}: {a:.3f} s and {b:.3f} s")


def _inside(
    name: str, start_s: float, end_s: float, parts: Iterable[TimedLine | WordTiming]
) -> None:
    """Parts are in order, do not overlap and do not reach out of their whole."""
    now = start_s
    for part in parts:
        if part.start_s < now - SLACK_S or part.end_s < part.start_s:
            raise ValueError(f"{name}: {part.text!r} begins at {part.start_s:.3f} s, too early")
        now = part.end_s
    if now > end_s + SLACK_S:
        raise ValueError(f"{name} ends at {end_s:.3f} s, its parts at {now:.3f} s")


def _spans(line: TimedLine) -> None:
    """Word spans are in order, do not overlap and lie in the line's text."""
    at = 0
    for word in line.words:
        if not at <= word.char_start <= word.char_end <= len(line.text):
            raise ValueError(f"{word.text!r} is not at {word.char_start} of {line.text!r}")
        at = word.char_end

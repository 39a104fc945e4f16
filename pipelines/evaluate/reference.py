"""Recordings of a person to compare a voice with: in every form that clips have, words or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.checks import guess_language
from data.cleaning import clean
from data.intake import Found, find_clips
from vits.audio import AUDIO_SUFFIXES, Audio, read_audio
from vits.errors import UserError

LONGEST_S = 600.0  # of a person: more changes no score


@dataclass(frozen=True)
class RealClip:
    """A recording of the person, trimmed and levelled as clips are; `text` '' if not known."""

    name: str
    audio: Audio
    text: str = ""


@dataclass(frozen=True)
class Reference:
    """The recordings of one person, and the language that their words are in ('' without words)."""

    source: Path
    clips: tuple[RealClip, ...]
    language: str

    @property
    def sounds(self) -> list[Audio]:
        return [clip.audio for clip in self.clips]

    @property
    def texts(self) -> list[str]:
        return [clip.text for clip in self.clips]

    @property
    def seconds(self) -> float:
        return sum(clip.audio.duration_s for clip in self.clips)


def read_reference(source: Path, sample_rate: int) -> Reference:
    """The recordings in a folder, a list or a file, about 10 minutes of them.

    Raises UserError where there are none, or one cannot be read.
    """
    found = list(find_clips(source).found) or list(_without_words(source))
    clips, seconds = [], 0.0
    for item in found:
        if seconds > LONGEST_S:
            break
        audio = clean(read_audio(item.path), sample_rate)
        seconds += audio.duration_s
        clips.append(RealClip(item.name, audio, item.text))
    if not clips:
        raise UserError(
            f"There are no recordings in {source} to compare with.",
            "Name a folder of recordings of the person.",
        )
    told = next((item.language for item in found if item.language), "")
    texts = [clip.text for clip in clips if clip.text]
    return Reference(source, tuple(clips), told or (guess_language(texts) if texts else ""))


def _without_words(source: Path) -> Iterator[Found]:
    """Bare recordings, in the order of their names."""
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    for path in files:
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        if path.is_file() and path.suffix.lower() in AUDIO_SUFFIXES and not hidden:
            yield Found(path, path.name, "")

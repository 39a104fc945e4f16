"""What a user hands over: files and folders of any kind, and who speaks in which of them.

Speakers come from the lists, or from how the files lie: a folder of folders, one for each person,
or names like `Anna_1.wav, Ben_2.mp4`, as the users of fast fine-tuning have them. Otherwise
everything is taken for one person's, with others perhaps between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from data.intake import Dropped, Found, Intake, find_clips
from vits.audio import AUDIO_SUFFIXES
from vits.errors import UserError

Layout = Literal["one", "folders", "names", "listed"]

PROTECTED_SUFFIXES = (".m4p", ".aax", ".aaxc", ".wvm")
NUMBERED = re.compile(r"(?P<name>.*[^\W\d_].*?)_+\d+$")
PLAIN_FOLDERS = {"wavs", "wav", "audio", "clips", "raw", "data", "sound", "sounds", "recordings"}
FEWEST_OF_A_NAME = 2


@dataclass(frozen=True)
class Sources:
    """Everything that was found, in a stable order, and how its speakers are told apart."""

    found: tuple[Found, ...]
    dropped: tuple[Dropped, ...]
    layout: Layout


def find_sources(
    sources: Sequence[Path], *, without: Path | None = None, speaker: str = "auto"
) -> Sources:
    """All recordings of files, lists and folders.

    speaker: `auto` looks at how the files lie; `folders` and `names` say it; anything else puts
    everything together. Raises UserError for a source that is not there or holds no sound.
    """
    intakes = [_intake(source, without, alone=len(sources) == 1) for source in sources]
    names = [_prefix(source, len(sources) > 1) for source in sources]
    found = [
        _under(item, name)
        for intake, name in zip(intakes, names, strict=True)
        for item in intake.found
    ]
    dropped = [item for intake in intakes for item in intake.dropped]
    for source in sources:
        dropped += _protected(source)
    if not found and not dropped:
        raise UserError(
            f"There are no recordings in {', '.join(map(str, sources))}.",
            f"Name sound or video files ({' '.join(AUDIO_SUFFIXES[:3])} .mp3 .m4a .mp4 ...) or "
            "folders that hold some.",
        )
    return _with_speakers(_unique(found), tuple(dropped), speaker)


def _intake(source: Path, without: Path | None, *, alone: bool) -> Intake:
    """What one source holds; where there are others, a bad one is left out."""
    if source.exists() and not source.is_dir() and source.suffix.lower() in PROTECTED_SUFFIXES:
        return Intake((), (Dropped(source.name, "is protected (DRM)"),))
    try:
        return find_clips(source, without=without, wordless=True)
    except UserError as error:
        if alone or not source.exists():
            raise
        reason = error.cause.removeprefix(f"{source} ").rstrip(".")
        return Intake((), (Dropped(source.name, reason),))


def _prefix(source: Path, several: bool) -> str:
    return source.resolve().name if several and source.is_dir() else ""


def _under(item: Found, prefix: str) -> Found:
    return replace(item, name=f"{prefix}/{item.name}") if prefix else item


def _unique(found: Sequence[Found]) -> list[Found]:
    """Each file once, though two sources hold it, and no two of one name."""
    seen: set[Path] = set()
    names: set[str] = set()
    result = []
    for item in found:
        path = item.path.resolve()
        if path in seen:
            continue
        name, number = item.name, 2
        while name in names:
            name, number = f"{number}/{item.name}", number + 1
        seen.add(path)
        names.add(name)
        result.append(replace(item, name=name))
    return result


def _protected(source: Path) -> list[Dropped]:
    if not source.is_dir():
        return []
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in PROTECTED_SUFFIXES)
    return [Dropped(p.relative_to(source).as_posix(), "is protected (DRM)") for p in files]


# ---------------------------------------------------------------- speakers


def _with_speakers(found: Sequence[Found], dropped: tuple[Dropped, ...], speaker: str) -> Sources:
    if any(item.speaker for item in found) and speaker == "auto":
        return Sources(tuple(found), dropped, "listed")
    by_folder = [_folder(item) for item in found]
    by_name = [_numbered(item) for item in found]
    if speaker == "folders" or (speaker == "auto" and _are_people(by_folder)):
        return Sources(_named(found, by_folder), dropped, "folders")
    if speaker == "names" or (speaker == "auto" and _are_people(by_name)):
        return Sources(_named(found, by_name), dropped, "names")
    plain = tuple(replace(item, speaker="") for item in found)
    return Sources(plain, dropped, "one")


def _named(found: Sequence[Found], names: Sequence[str]) -> tuple[Found, ...]:
    return tuple(
        replace(f, speaker=name or f.speaker) for f, name in zip(found, names, strict=True)
    )


def _folder(item: Found) -> str:
    """The innermost folder that is more than a place for sounds; '' at the top."""
    parts = [
        part for part in PurePosixPath(item.name).parts[:-1] if part.lower() not in PLAIN_FOLDERS
    ]
    return parts[-1] if parts else ""


def _numbered(item: Found) -> str:
    match = NUMBERED.match(PurePosixPath(item.name).stem)
    return match["name"].strip() if match else ""


def _are_people(names: Sequence[str]) -> bool:
    """Whether every recording has one of several names, each with a few recordings."""
    counts = {name: names.count(name) for name in set(names)}
    return "" not in counts and len(counts) > 1 and min(counts.values()) >= FEWEST_OF_A_NAME

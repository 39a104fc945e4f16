"""The dataset folder: prepared clips with their words, and what became of every other one.

manifest.tsv    path, text, speaker, language, verdict, ...; UTF-8, one header line, no quoting
metadata.csv    the same in LJSpeech's convention, id|text|text, for other programs
wavs/           16-bit WAV, one channel, one rate
report.json     what was measured of each clip, and each dropped one with its reason
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from data.checks import Verdict
from data.encodings import read_text
from data.intake import tidy
from vits.errors import UserError
from vits.files import write_text

MANIFEST, METADATA, REPORT, WAVS = "manifest.tsv", "metadata.csv", "report.json", "wavs"
ASIDE = ".aside"  # clips that are not used, kept to be heard
NEEDED = ("path", "text", "speaker", "language", "verdict", "seconds", "bandwidth_hz")
COLUMNS = (*NEEDED, "source", "reason")


@dataclass(frozen=True)
class Clip:
    """One recording that is used, prepared, with its words.

    `bandwidth_hz` is where its sound ends (see `data.checks.bandwidth_hz`); `source` is the name
    it had where it came from; `reason` is empty unless the verdict is doubt.
    """

    path: Path
    text: str
    speaker: str
    language: str
    seconds: float
    bandwidth_hz: int
    verdict: Verdict = "use"
    reason: str = ""
    source: str = ""


def write_manifest(folder: Path, clips: Iterable[Clip]) -> None:
    """Write manifest.tsv; paths are relative to `folder`, with slashes on every system."""
    rows = [COLUMNS, *(_row(folder, clip) for clip in clips)]
    write_text(folder / MANIFEST, "".join("\t".join(row) + "\n" for row in rows))


def _row(folder: Path, clip: Clip) -> tuple[str, ...]:
    texts = map(tidy, (clip.text, clip.speaker, clip.language, clip.verdict))
    numbers = (f"{clip.seconds:.3f}", str(clip.bandwidth_hz))
    path = clip.path.relative_to(folder).as_posix()
    return (path, *texts, *numbers, tidy(clip.source), tidy(clip.reason))


def read_clips(folder: str | Path) -> list[Clip]:
    """The clips of a dataset folder, without those that a person has marked `drop`.

    Raises UserError, with the line, for a manifest that is missing or wrong, and for a clip that
    it lists and that is not there.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise UserError(
            f"{folder} is not a dataset folder: it has no {MANIFEST}.", "Prepare the clips first."
        )
    header, *lines = read_text(path).replace("\r\n", "\n").split("\n")
    names = header.split("\t")
    if missing := [name for name in NEEDED if name not in names]:
        raise UserError(
            f"{path} has no column {missing[0]!r}.", "Prepare the clips again, into a new folder."
        )
    clips = []
    for number, line in enumerate(lines, 2):
        if line.strip():
            row = dict(zip(names, line.split("\t"), strict=False))
            clips.append(_clip(path, number, row))
    return [clip for clip in clips if clip.verdict != "drop"]


def _clip(manifest: Path, number: int, row: Mapping[str, str]) -> Clip:
    try:
        if row["verdict"] not in get_args(Verdict):
            raise ValueError(f"verdict {row['verdict']!r}")
        clip = Clip(
            path=manifest.parent / row["path"],
            text=row["text"],
            speaker=row["speaker"],
            language=row["language"],
            seconds=float(row["seconds"]),
            bandwidth_hz=int(row["bandwidth_hz"]),
            verdict=cast(Verdict, row["verdict"]),
            reason=row.get("reason", ""),
            source=row.get("source", ""),
        )
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{manifest}, line {number}, cannot be understood ({error}).",
            "Mend the line, or prepare the clips again.",
        ) from error
    if not clip.path.is_file():
        raise UserError(
            f"{manifest}, line {number}: there is no file {clip.path}.",
            "Remove the line, or prepare the clips again.",
        )
    return clip


def write_ljspeech(folder: Path, clips: Iterable[Clip]) -> None:
    """Write metadata.csv as LJSpeech does; '|' in a text, which it cannot hold, becomes ','."""
    rows = [(clip.path.stem, tidy(clip.text.replace("|", ","))) for clip in clips]
    write_text(folder / METADATA, "".join(f"{name}|{text}|{text}\n" for name, text in rows))


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Write report.json, readable by people, the same bytes for the same content."""
    write_text(folder / REPORT, json.dumps(report, ensure_ascii=False, indent=1) + "\n")

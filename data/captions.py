"""Subtitles as transcripts: the words of .srt, .vtt and .ass files and when they stand there.

What is not said goes: markup, names of speakers, [music], lines between notes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from data.encodings import read_text
from data.intake import tidy
from vits.errors import UserError

ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|（[^）]*）|【[^】]*】|\*[^*]*\*|<[^>]*>")
SPEAKER = re.compile(r"^(?:[-–—>]+\s*)?(?:[A-Z][A-Z .'-]{1,30}:\s+|[一-鿿]{1,4}：)(?=\S)")
DASH = re.compile(r"^[-–—>]+\s*")
SONG = "♪♫♬#"


@dataclass(frozen=True)
class Caption:
    """Words that stand on the screen from `start_s` to `end_s`."""

    text: str
    start_s: float
    end_s: float


def read_captions(path: Path) -> list[Caption]:
    """The captions of a file that say something, by their time.

    Raises UserError if the file cannot be understood or has none.
    """
    import pysubs2

    try:
        file = pysubs2.SSAFile.from_string(read_text(path))
    except (pysubs2.exceptions.Pysubs2Error, ValueError, IndexError, KeyError) as error:
        raise UserError(
            f"{path} is not subtitles that can be read ({type(error).__name__}).",
            "Save them as .srt, or take them away.",
        ) from error
    found = []
    for event in sorted(file.events, key=lambda event: (event.start, event.end)):
        text = "" if event.is_comment or event.is_drawing else _said(event.plaintext)
        if text and event.end > event.start >= 0:
            found.append(Caption(text, event.start / 1000, event.end / 1000))
    if not found:
        raise UserError(f"{path} has no subtitles in it.", "Mend it, or take it away.")
    return [c for i, c in enumerate(found) if i == 0 or c != found[i - 1]]


def _said(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if any(mark in line for mark in SONG):
            continue
        line = SPEAKER.sub("", ASIDE.sub(" ", line).strip())
        lines.append(DASH.sub("", line))
    return tidy(" ".join(lines))

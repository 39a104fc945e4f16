"""Where the studio keeps what it is given and what it makes: below the library's folder.

    HOME/studio/recordings/NAME/   files as they were dropped     datasets/NAME/   prepared
    HOME/studio/stories/NAME/      a story folder each            books/, shelf/   books, audiobooks
    HOME/studio/people/NAME/       a persona each                 spoken/          what was spoken
    HOME/studio/reports/NAME/      reports of voices              jobs/            long work

Everything is found by a name that is checked; no name can be a path.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from vits.errors import UserError
from vits.library import check_name, home

AREAS = ("recordings", "datasets", "stories", "books", "shelf", "people", "spoken", "reports")
LONGEST = 120
_BAD = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')


def studio() -> Path:
    """The studio's own folder."""
    return home() / "studio"


def area(name: str) -> Path:
    assert name in AREAS
    return studio() / name


def place(area_name: str, name: str) -> Path:
    """The folder of something by its name, there or not. UserError for what can be no name."""
    return area(area_name) / check_name(name)


def existing(area_name: str, name: str) -> Path:
    """The same, where it has to be there."""
    folder = place(area_name, name)
    if not folder.is_dir():
        raise UserError(f"There is no {name!r} here.", "Load the page again.")
    return folder


def names_in(area_name: str) -> list[str]:
    """The names of what there is, sorted."""
    folder = area(area_name)
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def file_name(given: str) -> str:
    """A file's own name out of whatever a browser says it is called: no folders, nothing hidden."""
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    plain = _BAD.sub("_", last).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not plain:
        raise UserError(f"{given[:80]!r} can be no file's name.", "Rename the file.")
    room = LONGEST - len(suffix) - 1
    return f"{stem[:room]}{dot}{suffix}" if dot and room > 0 else plain[:LONGEST]


def listed(folder: Path, pattern: str) -> dict[str, Path]:
    """Files of a folder by their names: what may be asked for, and nothing else."""
    if not folder.is_dir():
        return {}
    return {path.name: path for path in sorted(folder.glob(pattern)) if path.is_file()}


def one_of(folder: Path, pattern: str, name: str) -> Path:
    """One of the listed files. UserError for any other."""
    found = listed(folder, pattern).get(name)
    if found is None:
        raise UserError(f"There is no file {name[:80]!r} here.", "Load the page again.")
    return found

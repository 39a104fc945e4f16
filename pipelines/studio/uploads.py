"""Files on their way in: streamed to the disk, under a name of our making, within limits."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from fastapi import Request

from pipelines.studio.places import file_name
from vits.audio import AUDIO_SUFFIXES
from vits.errors import UserError
from vits.files import atomic_file

MOST_BYTES = 1_000_000_000  # of one file
MOST_FILES = 2_000  # of one set
SPARE_BYTES = 2_000_000_000  # of the disk, that stay free
WORDS = (".txt", ".lab", ".srt", ".vtt", ".ass", ".csv", ".tsv")
KINDS = {
    "recordings": (*AUDIO_SUFFIXES, *WORDS),
    "books": (".txt", ".md", ".html", ".htm", ".epub", ".pdf", ".docx", ".fb2"),
    "given": (".txt", ".json", ".jsonl", ".csv", ".tsv", ".mbox", ".md", ".docx"),
    "documents": (".txt", ".md", ".html", ".htm", ".epub", ".pdf", ".docx", ".fb2"),
    "voices": (".voice",),
}


async def receive(request: Request, folder: Path, given: str, kind: str) -> Path:
    """The body of `request` as a file of `folder`; the same name replaces what was there.

    UserError for a kind of file that has no use here, too many, or a disk that would be full.
    """
    name = file_name(given)
    suffix = Path(name).suffix.lower()
    if suffix not in KINDS[kind]:
        raise UserError(
            f"{name}: files of this kind have no use here.", f"Give {' '.join(KINDS[kind])}."
        )
    _check_room(folder, name, int(request.headers.get("content-length", 0)))
    with atomic_file(folder / name) as file:
        async for piece in request.stream():
            file.write(piece)
        if not file.tell():
            raise UserError(f"{name} is empty (0 bytes).", "Choose another file.")
    return folder / name


def _check_room(folder: Path, name: str, size: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        there = sum(1 for path in folder.iterdir() if path.name != name)
        if there >= MOST_FILES:
            raise UserError(
                f"There are {there} files already, and no more than {MOST_FILES} go together.",
                "Make a second set of the others.",
            )
    standing = next(p for p in (folder, *folder.parents) if p.exists())
    if shutil.disk_usage(standing).free < size + SPARE_BYTES:
        raise UserError("The disk is nearly full.", "Free some space and try again.")

"""Finished books to where a shelf is kept: any place that fsspec knows (s3://, gs://, sftp://).

Books are made in a folder here and copied when they are whole: each file under a temporary name
that is then moved, where the place can do that, and `report.json` last. A book whose report is
there, and the same, is not copied again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vits.errors import UserError

REPORT = "report.json"


def is_remote(place: str) -> bool:
    """Whether an output is a place for fsspec rather than a folder."""
    scheme, found, _ = place.partition("://")
    return bool(found) and len(scheme) > 1  # one letter is a drive of Windows


def scratch_folder(place: str) -> Path:
    """Where books for a place are made: the same for every run to it, in the user's cache."""
    from platformdirs import user_cache_path

    name = hashlib.sha256(place.encode()).hexdigest()[:16]
    return user_cache_path("clone-voice") / "shelves" / name


class Place:
    """A place for finished books. UserError where it cannot be reached."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            import fsspec
        except ImportError as error:
            raise UserError(
                f"{url} needs fsspec ({error}).",
                "Install it with: pip install 'clone-voice[scale]'",
            ) from error
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise UserError(
                f"{url} cannot be reached: {error}", "Install the package that it names."
            ) from error

    def put_book(self, files: Sequence[Path], base: Path) -> int:
        """Copy a book's files, those below `base`; how many were copied. UserError."""
        report = next((path for path in files if path.name == REPORT), None)
        ordered = [path for path in files if path != report]
        if report is not None:
            if self._same(report, base):
                return 0
            ordered.append(report)
        try:
            for path in ordered:
                self._put(path, self._target(path, base))
        except Exception as error:  # every store raises its own
            raise UserError(
                f"{self.url} could not be written ({type(error).__name__}: {error}).",
                "Check address, rights and connection, and run it again: nothing is made twice.",
            ) from error
        return len(ordered)

    def _target(self, path: Path, base: Path) -> str:
        return f"{self._root}/{path.relative_to(base).as_posix()}"

    def _same(self, report: Path, base: Path) -> bool:
        try:
            there: Any = self._files.cat_file(self._target(report, base))
        except (
            Exception
        ):  # not there, or not to be had: it is copied, or that says why it cannot be
            return False
        return bool(there == report.read_bytes())

    def _put(self, path: Path, target: str) -> None:
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        part = f"{target}.part"
        self._files.put_file(str(path), part)
        if self._files.exists(target):
            self._files.rm_file(target)
        self._files.mv(part, target)

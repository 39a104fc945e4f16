"""Content-addressed results: what is already made is never made again.

A made thing is named by the SHA-256 of everything that decides it: its text, parameters, seed,
model, and the version of the code that makes it. Nothing else goes in, no clock time and no path,
so that the same wish has the same name on every day and every machine.

    FOLDER/<key>.flac                   a result, whole
    FOLDER/.work/<first digit>/...      what is being made now, and the lock on it

A result is written below `.work`, brought to the disk and renamed: a kill or a power cut at any
moment loses the item in work and nothing else. Runs on the same folder wait for each other item
by item and use each other's results. The operating system gives a killed run's lock back, hence
whatever a lock's holder finds beside the lock is a dead run's leaving.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from vits.files import cannot_write

KEY_DIGITS = 32  # 128 bits: no collision to fear, and paths stay short enough for Windows
WORK = ".work"


def asset_key(stage: str, version: int, decides: Mapping[str, object]) -> str:
    """Name of the result that `stage`, at `version` of its code, makes of `decides`.

    `decides` holds plain JSON values; the order of its keys does not matter. Raises TypeError
    for anything whose text form is not settled (a path, a set) and ValueError for NaN.
    """
    whole = {"stage": stage, "version": version, "decides": decides}
    text = json.dumps(
        whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_DIGITS]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, for an input that decides a result."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Assets:
    """The results in one folder. Made when needed; UserError if the folder cannot be written.

    `made` and `reused` count what this object did, for a run's last line.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.made = 0
        self.reused = 0
        self._clean()

    def path(self, key: str, suffix: str) -> Path:
        """Where the result is, or would be."""
        return self.folder / f"{key}{suffix}"

    def has(self, key: str, suffix: str) -> bool:
        """Whether the result is made."""
        return self.path(key, suffix).is_file()

    def get_or_make(self, key: str, suffix: str, make: Callable[[Path], object]) -> Path:
        """The result `key`; if it is not there, `make` writes it to the path it is given.

        That path ends in `suffix` too, since writers choose the format by it. `make` must not
        ask the same folder for another result: it would wait for its own lock.
        """
        return self.get_or_make_all(key, (suffix,), lambda paths: make(paths[0]))[0]

    def get_or_make_all(
        self, key: str, suffixes: Sequence[str], make: Callable[[tuple[Path, ...]], object]
    ) -> tuple[Path, ...]:
        """As `get_or_make` for a result of several files, which are there together or not."""
        paths = tuple(self.path(key, suffix) for suffix in suffixes)
        if self._found(paths):
            return paths
        with self._work(key) as work:
            if self._found(paths):  # another run made it while this one waited
                return paths
            parts = tuple(work / path.name for path in paths)
            make(parts)
            self._move(parts, paths)
        self.made += 1
        return paths

    def publish(self, key: str, name: str, make: Callable[[Path], object]) -> Path:
        """A result under a name of its own (`story.mp4`), remade when `key` is another.

        A note below `.work` remembers which key and bytes the file had when it was made, so that
        a file that was changed since is made again.
        """
        path = self.folder / name
        if self.is_published(key, name):
            self.reused += 1
            return path
        with self._work(hashlib.sha256(name.encode()).hexdigest()) as work:
            part = work / name
            make(part)
            self._note(name).unlink(missing_ok=True)
            self._move((part,), (path,))
            self._write_note(key, name, work)
        self.made += 1
        return path

    def is_published(self, key: str, name: str) -> bool:
        """Whether the file `name` is there as `publish` made it for `key`."""
        noted = self._noted(name)
        return noted[:1] == [key] and noted[1:] == [_hash_or_none(self.folder / name)]

    def was_made_for(self, key: str, name: str) -> bool:
        """Whether the file `name` is there and began as `publish` made it for `key`; it may have
        been edited since."""
        return self._noted(name)[:1] == [key] and (self.folder / name).is_file()

    def is_ours(self, name: str) -> bool:
        """Whether the file `name`, if there, is as `publish` left it: nobody edited it."""
        digest = _hash_or_none(self.folder / name)
        return digest is None or self._noted(name)[1:] == [digest]

    # ------------------------------------------------------------ inside

    def _found(self, paths: Sequence[Path]) -> bool:
        found = all(path.is_file() for path in paths)
        self.reused += found
        return found

    @contextlib.contextmanager
    def _work(self, key: str) -> Iterator[Path]:
        """An empty folder below `.work` that this run alone may write to, for the block."""
        work = self.folder / WORK / key[0]
        lock = FileLock(work / "lock")
        try:
            work.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        try:
            _empty(work)
            yield work
        except OSError as error:
            if self._is_ours_to_tell(error):
                raise cannot_write(self.folder, error) from error
            raise
        finally:
            with contextlib.suppress(OSError):
                _empty(work)
            lock.release()

    def _is_ours_to_tell(self, error: OSError) -> bool:
        """Whether writing here failed, rather than something else that `make` did."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        name = error.filename
        return full or (isinstance(name, str) and Path(name).is_relative_to(self.folder))

    def _clean(self) -> None:
        """Remove what killed runs left; what a living one works on is locked and stays."""
        for lock in (self.folder / WORK).glob("?/lock"):
            with contextlib.suppress(Timeout, OSError), FileLock(lock, timeout=0):
                _empty(lock.parent)

    def _move(self, parts: Sequence[Path], paths: Sequence[Path]) -> None:
        for part, path in zip(parts, paths, strict=True):
            _to_disk(part)
            os.replace(part, path)
        _to_disk(self.folder)

    def _note(self, name: str) -> Path:
        return self.folder / WORK / f"{name}.json"

    def _noted(self, name: str) -> list[object]:
        try:
            noted = json.loads(self._note(name).read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return noted if isinstance(noted, list) else []

    def _write_note(self, key: str, name: str, work: Path) -> None:
        part = work / "note"
        part.write_text(json.dumps([key, file_hash(self.folder / name)]), "utf-8")
        _to_disk(part)
        os.replace(part, self._note(name))


def _hash_or_none(path: Path) -> str | None:
    return file_hash(path) if path.is_file() else None


def _empty(work: Path) -> None:
    """Remove everything beside the lock."""
    for entry in work.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until the file, or the folder's list of names, is on the disk itself."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

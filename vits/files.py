"""Writing files so that a reader sees the whole file or none of it.

Everything is written under a temporary name in the folder of its target and renamed at the end:
a kill or a full disk leaves what was there before. The temporary name follows from the target's,
so that the next run overwrites what a killed one left.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from vits.errors import UserError


def temporary_name(path: Path) -> Path:
    """Where `path` is written until it is whole: same folder, same suffix, short and hidden."""
    digest = hashlib.sha256(path.name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return path.with_name(f".{digest}.part{path.suffix}")


def cannot_write(path: Path, error: OSError) -> UserError:
    """The clear line for a write that the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"The disk is full: {path} could not be written.",
            "Free some space, or choose an output folder on another disk, and run it again.",
        )
    reason = error.strerror or str(error) or type(error).__name__
    return UserError(
        f"{path} cannot be written ({reason}).",
        "Choose an output folder that you may write to.",
    )


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that becomes `path` when the block ends well and vanishes when it does not.

    Folders that are missing are made. A write that fails raises UserError, inside the block too;
    every other exception of the block passes, an OSError that names another file among them.
    """
    temporary = temporary_name(path)
    ours = {None, str(temporary), str(path), *map(str, path.parents)}
    file: IO[bytes] | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("w+b")
        yield file
        file.close()
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            if file is not None:
                file.close()  # flushes what a full disk did not take: fails once more
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in ours:
            raise cannot_write(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with plain newlines, whole or not at all."""
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))

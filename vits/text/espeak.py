"""espeak-ng from the package espeakng-loader, through phonemizer: nothing on the system is used.

espeak keeps its state in globals, so calls are made one at a time.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from vits.errors import UserError

_LONGEST_PATH = 150  # bytes; espeak 1.52 has room for 160 and ends the process beyond
_lock = threading.Lock()


def read_aloud(lines: list[str], voice: str) -> list[str]:
    """IPA of each line, words apart by ' ', stress marked; '' for what espeak cannot say.

    `voice` is espeak's name of a language ('en-us'). Raises UserError if espeak does not load.
    """
    from phonemizer.separator import Separator

    separator = Separator(phone="", word=" ", syllable=None)
    kept = [index for index, line in enumerate(lines) if line.strip()]
    result = [""] * len(lines)
    if not kept:
        return result
    with _lock:
        said = _backend(voice).phonemize([lines[i] for i in kept], separator=separator, strip=True)
    for index, line in zip(kept, said, strict=True):
        result[index] = line
    return result


@lru_cache(maxsize=8)
def _backend(voice: str) -> Any:
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    quiet = logging.getLogger("vits.text.phonemizer")
    quiet.setLevel(logging.ERROR)
    try:
        EspeakWrapper.set_library(espeakng_loader.get_library_path())
        EspeakWrapper.set_data_path(_readable_path(espeakng_loader.get_data_path()))
        return EspeakBackend(
            voice,
            # Lines come without punctuation; a pattern that matches nothing keeps phonemizer
            # from cutting words at hyphens and apostrophes.
            punctuation_marks="\x00",
            with_stress=True,
            language_switch="remove-flags",
            words_mismatch="ignore",
            logger=quiet,
        )
    except (RuntimeError, OSError) as error:
        raise UserError(
            f"The pronunciation library espeak-ng does not load: {error}.",
            "Install it again: pip install --force-reinstall espeakng-loader phonemizer",
        ) from error


def _readable_path(path: str) -> str:
    """`path`, or another name for it that espeak can open: short, and on Windows ASCII."""
    if _is_readable(path):
        return path
    if sys.platform == "win32":
        path = _short_windows_name(path)
        if _is_readable(path):
            return path
    folder = tempfile.mkdtemp(prefix="espeak-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    other = Path(folder) / "espeak-ng-data"
    try:
        other.symlink_to(path, target_is_directory=True)
    except OSError:  # Windows lets only some users make links
        shutil.copytree(path, other)
    return str(other)


def _is_readable(path: str) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_PATH and (sys.platform != "win32" or path.isascii())


def _short_windows_name(path: str) -> str:
    """The 8.3 name that Windows keeps beside a long one; `path` itself where it keeps none."""
    import ctypes

    buffer = ctypes.create_unicode_buffer(1024)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (absent elsewhere, for the checker)
    return buffer.value if kernel.GetShortPathNameW(path, buffer, len(buffer)) else path

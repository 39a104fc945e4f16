"""Encoded parts of what is shipped (a picture, a scene's sound, a run of frames), kept.

A part's name is the hash of what it is made of, so that a story with one changed line encodes
what changed. Whoever keeps nothing has them in a folder that is gone afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from pipelines.assets import Assets, asset_key, file_hash
from pipelines.media import labels
from pipelines.media.picture import read_picture
from vits.errors import UserError

VERSION = 1  # of the pictures
_SUFFIXES = {"JPEG": ".jpg", "WEBP": ".webp"}


@contextmanager
def kept_parts(kept: Assets | None, path: Path, *, beside: bool = False) -> Iterator[Assets]:
    """`kept`, or a passing folder (`beside` the file `path`, which errors then name)."""
    if kept is not None:
        yield kept
        return
    folder = path.parent if beside else None
    with tempfile.TemporaryDirectory(dir=folder, prefix=".parts") as name:
        try:
            yield Assets(Path(name))
        except UserError as error:
            cause = error.cause.replace(f"{Path(name).resolve()}", str(path))
            raise UserError(cause.replace(name, str(path)), error.remedy) from error


def picture_part(
    path: Path,
    kind: str,
    pixels: tuple[int, int],
    parts: Assets,
    how: Mapping[str, Any],
    label: labels.Label = labels.DEFAULT_LABEL,
) -> Path:
    """The picture as a labelled JPEG or WEBP, at most `pixels` large. UserError if unreadable.

    `how` are Pillow's settings.
    """
    facts = {"kind": kind, "pixels": list(pixels), "label": label.json, "how": dict(how)}
    if not path.is_file():
        read_picture(path)  # tells
    key = asset_key("picture part", VERSION, {**facts, "picture": file_hash(path)})

    def write(part: Path) -> None:
        picture = read_picture(path)
        picture.thumbnail(pixels, Image.Resampling.LANCZOS)
        part.write_bytes(labels.encode_image(picture, kind, label=label, **how))

    return parts.get_or_make(key, _SUFFIXES[kind], write)

"""A sound file, written piece by piece, that says in its own way that a machine made it."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipelines.media import id3, labels, mp4
from pipelines.media.labels import DEFAULT_LABEL, Label
from vits.audio import AudioWriter
from vits.errors import UserError
from vits.files import atomic_file, temporary_name

ID3_NAMES = {"title": "TIT2", "artist": "TPE1"}


@contextmanager
def labelled_writer(
    path: str | Path,
    sample_rate: int,
    *,
    tags: Mapping[str, str] | None = None,
    label: Label = DEFAULT_LABEL,
) -> Iterator[AudioWriter]:
    """An AudioWriter whose file carries both marks; `tags` are title and artist.

    The file appears when the block ends well. Raises UserError for a format that cannot be
    written and for a full disk.
    """
    path, tags = Path(path), dict(tags or {})
    finish = _FINISH.get(path.suffix.lower())
    if finish is None:  # Vorbis comments hold anything; other suffixes are AudioWriter's to refuse
        with AudioWriter(path, sample_rate, metadata=tags | labels.comments(label)) as writer:
            yield writer
        return
    staged = temporary_name(path.with_name(f"{path.name}.plain{path.suffix}"))
    try:
        with AudioWriter(staged, sample_rate, metadata=tags) as writer:
            yield writer
        with staged.open("rb") as source, atomic_file(path) as target:
            finish(source, target, tags, label)
    except UserError as error:  # who asked for `path` knows nothing of the other
        cause = error.cause.replace(str(staged), str(path))
        raise UserError(cause, error.remedy) from error
    finally:
        with suppress(OSError):  # where the folder is none, there is nothing to clean up
            staged.unlink()


def label_wav(source: IO[bytes], target: IO[bytes], tags: Mapping[str, str], label: Label) -> None:
    """Copy a WAV and put the marks behind its sound."""
    chunks = labels.wav_chunks(label)
    shutil.copyfileobj(source, target)
    target.write(chunks)
    target.seek(4)
    (size,) = struct.unpack("<I", target.read(4))
    target.seek(4)
    target.write(struct.pack("<I", size + len(chunks)))


def _label_mp3(source: IO[bytes], target: IO[bytes], tags: Mapping[str, str], label: Label) -> None:
    texts = {ID3_NAMES[name]: text for name, text in tags.items()}
    xmp = labels.xmp_packet()
    target.write(id3.tag(texts, own_texts={"AIGC": label.json}, private={"XMP": xmp}))
    source.seek(id3.tag_bytes(source.read(10)))
    shutil.copyfileobj(source, target)


def _label_m4a(source: IO[bytes], target: IO[bytes], tags: Mapping[str, str], label: Label) -> None:
    mp4.finish(source, target, {"AIGC": label.json}, labels.xmp_packet())


_FINISH: dict[str, Callable[[IO[bytes], IO[bytes], Mapping[str, str], Label], None]] = {
    ".wav": label_wav,
    ".mp3": _label_mp3,
    ".m4a": _label_m4a,
}

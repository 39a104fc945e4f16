"""The sounds of a book's sentences, kept so that an edit costs a sentence: packs of FLAC records.

    work/sentences/<name>.pack      magic, then records: key, length, CRC, FLAC bytes

What was wrong with a sentence is a record too, of JSON, written together with its sound: a report
names it however often the book is made again.

A record is appended in one write and is whole or not there: a kill leaves at most one torn record
at the end, which the next writer cuts off. A pack has one writer at a time (its chapter's) and any
number of readers. One file for each chapter, since a file for each sentence would be 12,000 a book.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from vits.files import cannot_write

MAGIC = b"clone-voice pack 1\n"
_HEAD = struct.Struct("<32sII")  # key, bytes, CRC of the bytes

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class _Place:
    path: Path
    start: int
    size: int


@dataclass
class Packs:
    """All packs of one folder, read; `writer` appends to one of them."""

    folder: Path
    _seen: dict[Path, int] = field(default_factory=dict)  # bytes indexed so far
    _places: dict[str, _Place] = field(default_factory=dict)

    def refresh(self) -> None:
        """Look for records that were written since."""
        for path in sorted(self.folder.glob("*.pack")):
            size = path.stat().st_size
            if size < self._seen.get(path, 0):
                self._seen.pop(path)
            if size > self._seen.get(path, 0):
                self._index(path)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def read(self, key: str) -> Samples | None:
        """The sound of a sentence at the rate it was written, None if it is not (rightly) there."""
        data = self._bytes_of(key)
        if data is None:
            return None
        import soundfile

        samples: Samples = soundfile.read(io.BytesIO(data), dtype="float32")[0]
        return samples

    def faults(self, key: str) -> list[str]:
        """What was wrong with a sentence when it was kept."""
        data = self._bytes_of(_faults_key(key))
        return list(map(str, json.loads(data))) if data else []

    def _bytes_of(self, key: str) -> bytes | None:
        place = self._places.get(key)
        if place is None:
            return None
        try:
            with place.path.open("rb") as file:
                file.seek(place.start - _HEAD.size)
                head = file.read(_HEAD.size)
                data = file.read(place.size)
        except OSError:
            return None
        name, size, crc = _HEAD.unpack(head)
        if name.decode("ascii", "replace") != key or size != len(data) or zlib.crc32(data) != crc:
            self._places.pop(key, None)
            return None
        return data

    @contextmanager
    def writer(self, name: str) -> Iterator[PackWriter]:
        """Append to the pack `name`, of which there is no other writer now. UserError."""
        path = self.folder / f"{name}.pack"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("a+b") as file:
                _mend(file)
                yield PackWriter(file, path, self._places)
                self._seen[path] = file.tell()
        except OSError as error:
            if error.filename in (None, str(path), str(self.folder)):
                raise cannot_write(path, error) from error
            raise

    def _index(self, path: Path) -> None:
        with path.open("rb") as file:
            end = self._seen.get(path, 0)
            for key, start, size in _records(file, end):
                self._places[key] = _Place(path, start, size)
                end = start + size
        self._seen[path] = end


@dataclass
class PackWriter:
    """Where new sentences go."""

    file: IO[bytes]
    path: Path
    places: dict[str, _Place]

    def add(self, key: str, samples: Samples, sample_rate: int, faults: Sequence[str] = ()) -> None:
        """Keep a sentence and what is wrong with it; there for other readers when this returns."""
        import soundfile

        buffer = io.BytesIO()
        pcm = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
        soundfile.write(buffer, pcm, sample_rate, format="FLAC", subtype="PCM_16")
        records = [(key, buffer.getvalue())]
        if faults:  # before the sound: one that is there has its faults there
            text = json.dumps(list(faults), ensure_ascii=False)
            records.insert(0, (_faults_key(key), text.encode()))
        start, whole = self.file.seek(0, 2), b""
        for name, data in records:
            whole += _HEAD.pack(name.encode("ascii"), len(data), zlib.crc32(data)) + data
            self.places[name] = _Place(self.path, start + len(whole) - len(data), len(data))
        self.file.write(whole)
        self.file.flush()  # to the system: a kill does not take it back


def _faults_key(key: str) -> str:
    return hashlib.sha256(f"faults of {key}".encode()).hexdigest()[: len(key)]


def _records(file: IO[bytes], start: int) -> Iterator[tuple[str, int, int]]:
    """(key, where the sound begins, its size) of each whole record from `start` on."""
    end = file.seek(0, 2)
    file.seek(start)
    if start == 0:
        if file.read(len(MAGIC)) != MAGIC:
            return
        start = len(MAGIC)
    while start + _HEAD.size <= end:
        file.seek(start)
        key, size, _ = _HEAD.unpack(file.read(_HEAD.size))
        start += _HEAD.size
        if start + size > end:
            return
        yield key.decode("ascii", "replace"), start, size
        start += size


def record_count(path: Path) -> int:
    """How many whole sentences a pack holds."""
    with path.open("rb") as file:
        return sum(1 for _ in _records(file, 0))


def _mend(file: IO[bytes]) -> None:
    """Cut a torn record off the end; begin a pack that is new or none."""
    end = len(MAGIC)
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        file.truncate(0)
        file.write(MAGIC)
        file.flush()
        return
    last = None
    for record in _records(file, 0):
        last, end = record, record[1] + record[2]
    if last and not _is_whole(file, *last):  # written in part where the system wrote out of order
        end = last[1] - _HEAD.size
    file.truncate(end)
    file.seek(0, 2)


def _is_whole(file: IO[bytes], key: str, start: int, size: int) -> bool:
    file.seek(start - _HEAD.size)
    _, _, crc = _HEAD.unpack(file.read(_HEAD.size))
    return zlib.crc32(file.read(size)) == crc

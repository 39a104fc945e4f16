"""The last touch to an MP4: the index moves to the front, and labels go in.

FFmpeg can write either the tags that players show (iTunes atoms) or keys of one's own, not both,
and its way to put the index first needs a second file name. Both are a walk over the boxes of
ISO/IEC 14496-12, done here: `moov` goes before the media, gets the keys (a `meta` box with the
`mdta` handler), and the chunk offsets follow the media to its new place. XMP has a top-level
`uuid` box (XMP specification, part 3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")

_FULL_BOX = b"\0\0\0\0"  # version and flags
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}  # on the way to chunk offsets
_UTF8 = 1


@dataclass(frozen=True)
class Box:
    """Where a box lies in its file: `start` of the header, `data` of the content, `end`."""

    kind: bytes
    start: int
    data: int
    end: int


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def keys_box(keys: Mapping[str, str]) -> bytes:
    """A `meta` box with keys of one's own, as QuickTime and FFmpeg read them."""
    handler = box(b"hdlr", _FULL_BOX + b"\0\0\0\0mdta" + b"\0" * 13)
    names = b"".join(box(b"mdta", name.encode()) for name in keys)
    values = b"".join(
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", _UTF8, 0) + text.encode()))
        for number, text in enumerate(keys.values(), start=1)
    )
    index = box(b"keys", _FULL_BOX + struct.pack(">I", len(keys)) + names)
    return box(b"meta", _FULL_BOX + handler + index + box(b"ilst", values))


def freeform_atom(name: str, text: str) -> bytes:
    """An iTunes atom with a name of one's own, to stand beside the tags that players show."""
    mean = box(b"mean", _FULL_BOX + b"com.apple.iTunes")
    data = box(b"data", struct.pack(">II", _UTF8, 0) + text.encode())
    return box(b"----", mean + box(b"name", _FULL_BOX + name.encode()) + data)


def finish(
    source: IO[bytes],
    target: IO[bytes],
    keys: Mapping[str, str],
    xmp: bytes,
    *,
    freeform: Mapping[str, str] | None = None,
) -> None:
    """Copy the MP4 `source` to `target`, index first, with `keys` and an XMP packet.

    `freeform` go beside the iTunes tags, which must be there; without keys there is no box of them.
    """
    boxes = list(_boxes(source))
    moov = next(found for found in boxes if found.kind == b"moov")
    first_media = next(found for found in boxes if found.kind == b"mdat").start
    assert moov.start > first_media, "the index is at the front already"

    content = _read(source, moov.data, moov.end) + (keys_box(keys) if keys else b"")
    if freeform:
        atoms = b"".join(freeform_atom(name, text) for name, text in freeform.items())
        content = _with_tags(content, (b"udta", b"meta", b"ilst"), atoms)
    index = bytearray(box(b"moov", content))
    _move_chunks(index, 0, len(index), len(index))
    _copy(source, target, 0, first_media)
    target.write(index)
    _copy(source, target, first_media, moov.start)
    _copy(source, target, moov.end, boxes[-1].end)
    target.write(box(b"uuid", XMP_UUID + xmp))


def read_xmp(file: IO[bytes]) -> bytes | None:
    """The XMP packet of an MP4, None if there is none."""
    for found in _boxes(file):
        if found.kind == b"uuid":
            content = _read(file, found.data, found.end)
            if content.startswith(XMP_UUID):
                return content[len(XMP_UUID) :]
    return None


def _boxes(file: IO[bytes]) -> Iterator[Box]:
    """The boxes of the top level, in order."""
    end = file.seek(0, 2)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,), header = struct.unpack(">Q", file.read(8)), 16
        size = size or end - at
        yield Box(kind, at, at + header, at + size)
        at += max(size, header)  # a damaged size must not stop the walk in place


def _move_chunks(index: bytearray, start: int, end: int, by: int) -> None:
    """Add `by` to every chunk offset in the boxes of index[start:end]."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", index, start)
        if kind in _CONTAINERS:
            _move_chunks(index, start + 8, start + size, by)
        elif kind in (b"stco", b"co64"):
            (count,) = struct.unpack_from(">I", index, start + 12)
            layout = f">{count}{'I' if kind == b'stco' else 'Q'}"
            offsets = struct.unpack_from(layout, index, start + 16)
            struct.pack_into(layout, index, start + 16, *(offset + by for offset in offsets))
        start += size


def _with_tags(content: bytes, way: tuple[bytes, ...], atoms: bytes) -> bytes:
    """`content` of a box with `atoms` behind what is in the box at the end of `way`."""
    if not way:
        return content + atoms
    start = 4 if content[8:12] == b"hdlr" else 0  # a `meta` box begins with its version
    while start + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        if kind == way[0]:
            inner = _with_tags(content[start + 8 : start + size], way[1:], atoms)
            return content[:start] + box(kind, inner) + content[start + size :]
        start += size
    raise ValueError(f"no box {way[0]!r}")


def _read(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _copy(source: IO[bytes], target: IO[bytes], start: int, end: int) -> None:
    source.seek(start)
    left = end - start
    while left:
        piece = source.read(min(left, 1 << 20))
        if not piece:
            raise EOFError("the film ends before its index says so")
        target.write(piece)
        left -= len(piece)

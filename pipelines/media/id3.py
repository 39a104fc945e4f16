"""An ID3v2.3 tag with chapters (id3.org: ID3v2.3.0, and the chapter frame addendum 1.0).

Version 2.3 with UTF-16 is what every player reads, old cars included. FFmpeg writes chapters too,
but no table of contents, without which some players show none.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_UTF16 = b"\x01"
_LATIN1 = b"\x00"
_FRONT_COVER = b"\x03"
_NO_OFFSET = 0xFFFFFFFF  # times count, byte positions do not
_TOP_LEVEL_ORDERED = 0x03
MOST_CHAPTERS = 255  # the table of contents counts them in one byte


@dataclass(frozen=True)
class Chapter:
    title: str
    start_s: float
    end_s: float


def tag(
    texts: Mapping[str, str],
    *,
    own_texts: Mapping[str, str],
    private: Mapping[str, bytes],
    chapters: Sequence[Chapter] = (),
    cover: bytes | None = None,
    lyrics: str = "",
    language: str = "und",
) -> bytes:
    """A whole tag, to stand before the sound of an mp3.

    `texts` are text frames by their names (TIT2, TPE1, ...), empty ones left out; `own_texts`
    TXXX, `private` PRIV; `cover` a JPEG; `language` ISO 639-2.
    """
    frames = [_frame(name, _UTF16 + _utf16(text)) for name, text in texts.items() if text]
    frames += [
        _frame("TXXX", _UTF16 + _utf16(name) + b"\0\0" + _utf16(text))
        for name, text in own_texts.items()
    ]
    frames += [
        _frame("PRIV", owner.encode("latin-1") + b"\0" + data) for owner, data in private.items()
    ]
    frames += _chapter_frames(chapters[:MOST_CHAPTERS])
    if lyrics:
        head = _UTF16 + language.encode("ascii") + _utf16("") + b"\0\0"
        frames.append(_frame("USLT", head + _utf16(lyrics)))
    if cover:
        head = _LATIN1 + b"image/jpeg\0" + _FRONT_COVER + b"\0"
        frames.append(_frame("APIC", head + cover))
    body = b"".join(frames)
    return b"ID3\x03\x00\x00" + _syncsafe(len(body)) + body


def _chapter_frames(chapters: Sequence[Chapter]) -> list[bytes]:
    if not chapters:
        return []
    names = [f"ch{number}".encode() + b"\0" for number in range(1, len(chapters) + 1)]
    contents = b"toc\0" + bytes([_TOP_LEVEL_ORDERED, len(names)]) + b"".join(names)
    frames = [_frame("CTOC", contents)]
    for name, chapter in zip(names, chapters, strict=True):
        times = struct.pack(
            ">IIII",
            round(chapter.start_s * 1000),
            round(chapter.end_s * 1000),
            _NO_OFFSET,
            _NO_OFFSET,
        )
        frames.append(_frame("CHAP", name + times + _frame("TIT2", _UTF16 + _utf16(chapter.title))))
    return frames


def _frame(name: str, data: bytes) -> bytes:
    return struct.pack(">4sIH", name.encode("ascii"), len(data), 0) + data


def _utf16(text: str) -> bytes:
    return b"\xff\xfe" + text.encode("utf-16-le")


def _syncsafe(size: int) -> bytes:
    """Four bytes of seven bits each."""
    return bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))


def tag_bytes(head: bytes) -> int:
    """Length of the tag at the beginning of an mp3, given its first ten bytes; 0 without one."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size

"""Bytes -> text, the one place for it: the mark at their beginning, UTF-8, UTF-16 without a mark,
then a Chinese or another encoding by how its letters are spread (charset-normalizer).
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from vits.errors import UserError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""(?:encoding|charset)\s*=\s*["']?\s*([A-Za-z0-9._-]+)""", re.I)
SAMPLE_BYTES = 1 << 18  # enough to tell an encoding by
TOO_SHORT_TO_TELL = 64  # bytes
_PAIR = re.compile(rb"[\x80-\xff]{2}")
_UTF16 = ("utf-16-le", "utf-16-be")
_LETTERS = re.compile(
    "[\\s\x20-\x7e\xa0-\u04ff\u2010-\u203a\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uffee]"
)
_DAMAGED_SHARE = 0.001  # of characters: a book with a broken letter is still a book
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read_text(path: Path) -> str:
    """The text of a file, whichever of the usual encodings it has; line ends are \\n."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}).", "Name a file that you may read."
        ) from error
    return decode(raw, str(path))


def decode(raw: bytes, name: str) -> str:
    """The text of `raw`. Raises UserError, naming `name`, for bytes that are no text."""
    for bom, codec in _BOMS:
        if raw.startswith(bom):
            return _checked(raw.decode(codec, "replace"), name)
    for found in ("utf-8", _utf16_without_mark(raw), by_letters(raw)):
        if found:
            text = raw.decode(found, "replace")
            if text.count("\ufffd") <= _DAMAGED_SHARE * len(text):
                return _checked(text, name)
    raise _no_text(name)


def decode_markup(raw: bytes, name: str) -> str:
    """As `decode`, for HTML and XML, which may say in what encoding they are."""
    declared = _DECLARED.search(raw[:2048])
    if declared and not raw.startswith(tuple(bom for bom, _ in _BOMS)):
        codec = declared[1].decode("ascii").lower()
        codec = "gb18030" if codec in ("gb2312", "gbk") else codec
        try:
            return raw.decode(codec)
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(raw, name)


def _utf16_without_mark(raw: bytes) -> str | None:
    """UTF-16 has zeros (its spaces and line ends), and read the right way round it is letters."""
    sample = raw[: SAMPLE_BYTES & ~1]
    if not sample.count(0) or len(raw) % 2:
        return None
    shares = {codec: _plausible(sample.decode(codec, "replace")) for codec in _UTF16}
    best = max(shares, key=lambda codec: shares[codec])
    return best if shares[best] > 0.95 else None


def _plausible(text: str) -> float:
    """The share of characters that texts are made of."""
    return len(_LETTERS.findall(text)) / max(1, len(text))


def by_letters(raw: bytes) -> str | None:
    """The encoding of bytes that are no Unicode; their last letter may be cut off."""
    if raw[:SAMPLE_BYTES].count(0):
        return None
    for codec, common in (("gb18030", "gb2312"), ("big5", "big5")):
        if _is_chinese(raw, codec, common):
            return codec
    if len(raw) < TOO_SHORT_TO_TELL and not _PAIR.search(raw):
        # a letter with an accent here and there, or a rare sign as a Chinese system writes it
        return next(filter(lambda codec: _decodes(raw, codec), ("cp1252", "gb18030")), None)
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:SAMPLE_BYTES]).best()
    return best.encoding if best else None


def _decodes(raw: bytes, codec: str) -> bool:
    """Whether every byte means something in it; the last letter may be cut off."""
    try:
        codecs.getincrementaldecoder(codec)().decode(raw)
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(raw: bytes, codec: str, common: str) -> bool:
    """Whether text decoded so consists of frequent characters and not of another encoding's bytes.

    Of the 20,000 characters of GB 18030 the 3,755 in the first part of GB 2312 make up nearly all
    of a text; Big5 keeps its frequent ones first too.
    """
    text = raw[:SAMPLE_BYTES].decode(codec, "ignore")
    foreign = [char for char in text if ord(char) > 127]
    if len(foreign) < 0.2 * len(text):
        return False
    frequent = sum(_frequent(char, common) for char in foreign)
    return frequent >= 0.92 * len(foreign)


def _frequent(char: str, codec: str) -> bool:
    try:
        code = char.encode(codec)
    except UnicodeEncodeError:
        return False
    if len(code) != 2:
        return False
    first = 0xD7 if codec == "gb2312" else 0xC6
    return code[0] <= first


def _checked(text: str, name: str) -> str:
    """The text without its mark and stray nulls; UserError where it is full of control codes."""
    if len(_CONTROL.findall(text)) > max(3, len(text) // 100):
        raise _no_text(name)
    return _CONTROL.sub("", text.lstrip("\ufeff")).replace("\r\n", "\n").replace("\r", "\n")


def _no_text(name: str) -> UserError:
    return UserError(
        f"{name} is not text in an encoding that can be told.",
        "Open it in an editor and save it as UTF-8.",
    )

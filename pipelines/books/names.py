"""File names from titles: legal on every system, short, and the same on every run."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from pipelines.books.book import one_line

LONGEST_BYTES = 120  # of 255 that systems allow: numbers and suffixes are added
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


def safe_name(title: str, otherwise: str = "untitled") -> str:
    """A title as a file name without its suffix."""
    text = _FORBIDDEN.sub(" ", unicodedata.normalize("NFC", title))
    text = one_line("".join(c for c in text if not "\ud800" <= c <= "\udfff")).strip(" .")
    text = _short(text)
    return f"_{text}" if _RESERVED.match(text) else text or otherwise


def _short(text: str) -> str:
    """At most LONGEST_BYTES in UTF-8; what was cut off leaves its hash."""
    if len(text.encode()) <= LONGEST_BYTES:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    cut = text.encode()[: LONGEST_BYTES - 10].decode("utf-8", "ignore").rstrip(" .")
    return f"{cut} {digest}"


def job_name(source: str) -> str:
    """A job's name, from its book's: letters of the file's name and a hash of the whole."""
    stem = re.split(r"[/\\]", source.rstrip("/\\"))[-1].rpartition(".")[0] or source
    word = re.sub(r"[^\w-]+", "-", stem).strip("-_")
    word = word.encode()[:40].decode("utf-8", "ignore")
    return f"{word or 'book'}-{hashlib.sha256(source.encode('utf-8', 'replace')).hexdigest()[:8]}"

"""How wide a text is where characters have fixed columns: terminals, subtitles (UAX #11)."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


def is_wide(character: str) -> bool:
    """Whether a character takes two columns."""
    return east_asian_width(character) in "WF"


def text_columns(text: str) -> int:
    """Columns on the screen: full-width characters take two, combining ones none."""
    return sum(0 if combining(char) else 2 if is_wide(char) else 1 for char in text)

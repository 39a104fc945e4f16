"""Text in a terminal's columns: how wide it is, tables, and lines that break where they may.

East Asian characters take two columns (UAX #11). Between them a line may break anywhere, but not
before a mark that closes or after one that opens (the rules of UAX #14 that matter for help).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.i18n.width import is_wide, text_columns

CLOSING = set("。，、；：？！）」』】》〉…％ー·,.;:?!)]}%")
OPENING = set("（「『【《〈([{")


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns, wide characters counted as two."""
    widths = [max(map(text_columns, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (whole - text_columns(cell))
            for cell, whole in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def wrapped(text: str, most: int) -> list[str]:
    """A text in lines of at most `most` columns, where no single word is wider."""
    lines, line = list[str](), ""
    for piece in _pieces(text):
        if line and text_columns(line + piece.rstrip()) > most:
            lines.append(line.rstrip())
            line = ""
        line += piece.lstrip() if not line else piece
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> Iterator[str]:
    """What a line may not break within: words with the space after them, single wide characters."""
    piece = ""
    for char in text:
        if piece and _may_break(piece[-1], char):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _may_break(before: str, after: str) -> bool:
    if after == " " or after in CLOSING or before in OPENING:
        return False
    return before == " " or is_wide(before) or is_wide(after)

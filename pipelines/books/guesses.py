"""Headings of books that do not mark them: lines that say 'Chapter', that count up, that stand out.

What stands out is for the readers to say: bold or centred paragraphs of a page, lines of capitals
in a text. One line proves nothing; a row of them with text between does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from pipelines.books.book import Block, one_line
from pipelines.books.headings import (
    LONGEST_HEADING,
    PART,
    heading_of,
    is_number_alone,
    number_of,
    style_of_number,
)

ENOUGH = 3  # headings make a row
LEAST_GAP = 3  # blocks from one to the next, in the middle: items of a list stand closer
RESTART_COST = 1.5  # headings that beginning to count again must gain
LEAST_DIFFERENT = 0.8  # of titles; the same line again and again is no heading


def guess_headings(blocks: list[Block], prominent: Collection[int] = ()) -> None:
    """Turn what must be headings into such, in place, where there are few or none.

    `prominent` are the places of short paragraphs that stand out from the text; those in capitals
    do so anyhow.
    """
    capitals = (i for i, b in enumerate(blocks) if b.kind == "text" and b.text.isupper())
    prominent = {*prominent, *capitals}
    _by_words(blocks)
    if _count(blocks) < ENOUGH:
        _by_numbers(blocks)
    if _count(blocks) < ENOUGH:
        _by_looks(blocks, prominent)
    _second_lines(blocks, prominent)


def _count(blocks: Sequence[Block]) -> int:
    """Headings with text below them; those of parts and of the whole book divide little."""
    return sum(
        above.kind == "heading" and below.kind != "heading" and not PART.match(above.text)
        for above, below in pairwise(blocks)
    )


def _to_heading(block: Block) -> Block:
    text = one_line(block.text)
    return Block("heading", text, 1 if PART.match(text) else 2)


def _by_words(blocks: list[Block]) -> None:
    """Paragraphs 'Chapter 3', where there are more of them than headings that say so."""
    said = [i for i, b in enumerate(blocks) if b.kind == "text" and heading_of(b.text)]
    marked = sum(b.kind == "heading" and heading_of(b.text) for b in blocks)
    if len(said) >= 2 and len(said) > marked:
        for index in said:
            blocks[index] = _to_heading(blocks[index])


# ---------------------------------------------------------------- numbers that count up


def _by_numbers(blocks: list[Block]) -> None:
    """Lines that are or begin with 1, 2, 3 ...; those of another kind right above them are parts.

    A line is no heading by its number alone; a row of them that counts up is.
    """
    rows: dict[str, list[tuple[int, int]]] = {}
    for index, block in enumerate(blocks):
        if block.kind in ("text", "page-number") and _may_be_heading(block.text):
            number = number_of(block.text)
            if number is not None:
                rows.setdefault(style_of_number(block.text), []).append((index, number))
    alone = {style: _apart(found) for style, found in rows.items()}
    runs = {style: _counting(found) for style, found in alone.items()}
    style = max(runs, key=lambda name: len(runs[name]), default="")
    run = runs.get(style, [])
    if len(run) < ENOUGH or _too_close(run):
        return
    for index in run:
        blocks[index] = Block("heading", one_line(blocks[index].text), 2)
    for index in _parts(alone, style, set(run)):
        blocks[index] = Block("heading", one_line(blocks[index].text), 1)


def _may_be_heading(text: str) -> bool:
    return "\n" not in text and len(text) <= LONGEST_HEADING and not re.search(r"[,;，；]$", text)


def _apart(rows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without the items of lists and of contents, which stand side by side."""
    known = set(rows)
    return [(i, n) for i, n in rows if not {(i - 1, n - 1), (i + 1, n + 1)} & known]


def _counting(rows: Sequence[tuple[int, int]]) -> list[int]:
    """The longest row that counts up by one, beginning again at 1 where that makes it longer."""
    ends: dict[int, tuple[float, int]] = {}  # by number: (worth, place in `rows`) of the best row
    before: dict[int, int] = {}
    best: tuple[float, int] | None = None
    for place, (_, number) in enumerate(rows):
        chosen = ends.get(number - 1)
        if number == 1 and best and best[0] > RESTART_COST:
            chosen = (best[0] - RESTART_COST, best[1])
        if number != 1 and chosen is None:
            continue
        worth, last = chosen if chosen else (0.0, -1)
        before[place] = last
        if number not in ends or worth + 1 > ends[number][0]:
            ends[number] = (worth + 1, place)
        if best is None or worth + 1 > best[0]:
            best = (worth + 1, place)
    run = []
    at = best[1] if best else -1
    while at >= 0:
        run.append(rows[at][0])
        at = before[at]
    return run[::-1]


def _too_close(run: Sequence[int]) -> bool:
    """A list's items stand side by side; chapters have text between them."""
    gaps = [after - before for before, after in pairwise(run)]
    return sorted(gaps)[len(gaps) // 2] < LEAST_GAP


def _parts(
    rows: Mapping[str, Sequence[tuple[int, int]]], style: str, run: Collection[int]
) -> Iterator[int]:
    for name, found in rows.items():
        above = [index for index, _ in found if index + 1 in run]
        if name != style and len(above) >= 2:
            yield from above


# ---------------------------------------------------------------- what stands out


def _by_looks(blocks: list[Block], prominent: Collection[int]) -> None:
    """Short paragraphs that stand out, if they are a row of different titles."""
    found = [
        index
        for index in sorted(prominent)
        if blocks[index].kind == "text" and _may_be_title(blocks[index].text)
    ]
    firsts = [index for index in found if index - 1 not in found]
    titles = {one_line(blocks[index].text).casefold() for index in firsts}
    if len(firsts) < ENOUGH or _too_close(firsts) or len(titles) < LEAST_DIFFERENT * len(firsts):
        return
    for index in found:
        blocks[index] = _to_heading(blocks[index])


def _may_be_title(text: str) -> bool:
    text = one_line(text)
    ends = re.search(r"[.,;:，。；：][\"”’」』]*$", text)
    return bool(re.search(r"\w{2}", text)) and len(text) <= LONGEST_HEADING and not ends


def _second_lines(blocks: list[Block], prominent: Collection[int]) -> None:
    """What stands out below a number alone is its name."""
    for index in sorted(prominent):
        above = heading_above(blocks, index)
        if above is None or blocks[index].kind != "text" or not _may_be_title(blocks[index].text):
            continue
        if is_number_alone(blocks[above].text):
            blocks[index] = replace(_to_heading(blocks[index]), level=blocks[above].level)


def heading_above(blocks: Sequence[Block], index: int) -> int | None:
    """The heading right above a block, an empty line between them or none."""
    above = index - 1
    if above > 0 and blocks[above].kind == "break":
        above -= 1
    return above if above >= 0 and blocks[above].kind == "heading" else None

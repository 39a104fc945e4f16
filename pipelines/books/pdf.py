"""PDF -> a draft, by pypdf. A PDF knows letters at places, no paragraphs: lines are joined again,
what stands on every page is left out, larger letters are headings, smaller ones below are notes.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.books.book import Block, Draft, Mark, Metadata, bare, one_line
from pipelines.books.headings import LONGEST_HEADING, PART, heading_of
from pipelines.books.plain import join_lines
from vits.errors import UserError

log = logging.getLogger(__name__)

EDGE_LINES = 2  # at the top and the bottom of a page, where running heads stand
FEW_WORDS = 5.0  # a page with fewer, on average, is a picture
LARGER, SMALLER = 1.15, 0.9  # times the letters of the text


@dataclass(frozen=True)
class _Line:
    """A line of a page: `size` of its letters in points."""

    text: str
    size: float


def read_pdf(path: Path) -> Draft:
    """The draft of a PDF. UserError for a password, damage, and scans without text."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it tells of every mended fault
    reader = _open(path)
    draft = Draft(meta=_metadata(reader))
    pages = _pages(reader, path, draft)
    words = sum(len(line.text.split()) + len(line.text) // 20 for page in pages for line in page)
    if words < FEW_WORDS * max(1, len(pages)):
        raise UserError(
            f"{path} has no text: its {len(pages)} pages are pictures (a scan).",
            "Run a text recogniser (OCR) over it first, 'ocrmypdf' for example.",
        )
    outline = [entry for entry in _outline(reader) if 0 <= entry[1] < len(pages)]
    titles: dict[int, set[str]] = {}
    for title, page, _ in outline:
        titles.setdefault(page, set()).add(bare(title))
    starts = [*_join(pages, draft, titles), len(draft.blocks)]
    draft.marks = [
        Mark(title, _place(title, draft.blocks, starts[page], starts[page + 1]), depth)
        for title, page, depth in outline
    ]
    return draft


def _place(title: str, blocks: Sequence[Block], start: int, end: int) -> int:
    """The heading of a page that a bookmark means, else where the page begins."""
    for index in range(start, min(end + 1, len(blocks))):
        if blocks[index].kind == "heading" and bare(blocks[index].text) == bare(title):
            return index
    return start


def _open(path: Path) -> Any:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(str(path))
        locked = reader.is_encrypted and not reader.decrypt("")
        count = 0 if locked else len(reader.pages)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}).", "Check the name of the file."
        ) from error
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path} is damaged and cannot be read ({error}).", "Download or export it again."
        ) from error
    if locked:
        raise UserError(f"{path} is protected by a password.", "Save a copy without one.")
    if not count:
        raise UserError(f"{path} has no pages.", "Download or export it again.")
    return reader


def _metadata(reader: Any) -> Metadata:
    info = reader.metadata
    if info is None:
        return Metadata()
    authors = re.split(r"\s*[;&]\s*", one_line(str(info.get("/Author") or "")))
    title = one_line(str(info.get("/Title") or ""))
    if re.search(r"\.(?:docx?|tex|dvi|indd|pdf)$|^untitled|^microsoft word", title, re.I):
        title = ""  # what programs write there
    return Metadata(title=title, authors=tuple(name for name in authors if name))


def _pages(reader: Any, path: Path, draft: Draft) -> list[list[_Line]]:
    """The lines of each page; a page that cannot be read is noted and empty."""
    pages = []
    for number, page in enumerate(reader.pages, 1):
        try:
            pages.append(_lines(page))
        except Exception as error:  # pypdf raises whatever broken content makes it stumble over
            draft.notes.append(f"page {number} cannot be read ({type(error).__name__})")
            log.warning("%s: page %d cannot be read: %s", path, number, error)
            pages.append([])
    return pages


def _lines(page: Any) -> list[_Line]:
    """Lines with the size that most of their letters have; raised small numbers are notes'."""
    parts: list[tuple[str, float]] = []

    def visit(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        scale = abs(tm[3] or tm[0]) * abs(cm[3] or cm[0]) if tm and cm else 1.0
        parts.append((text, round(size * scale, 1)))

    page.extract_text(visitor_text=visit)
    usual = _usual_size(parts)
    lines: list[_Line] = []
    text, sizes = "", Counter[float]()
    for part, size in parts:
        if size < 0.8 * usual and re.fullmatch(r"\s*\d{1,3}\s*", part) and text.strip():
            continue
        for index, piece in enumerate(part.split("\n")):
            if index:
                lines.append(_Line(one_line(text), sizes.most_common(1)[0][0] if sizes else usual))
                text, sizes = "", Counter()
            text += piece
            sizes[size] += len(piece.strip())
    lines.append(_Line(one_line(text), sizes.most_common(1)[0][0] if sizes else usual))
    return [line for line in lines if line.text]


def _usual_size(parts: Sequence[tuple[str, float]]) -> float:
    sizes = Counter[float]()
    for text, size in parts:
        sizes[size] += len(text.strip())
    return sizes.most_common(1)[0][0] if sizes else 0.0


# ---------------------------------------------------------------- lines -> paragraphs


def _join(
    pages: Sequence[Sequence[_Line]], draft: Draft, titles: Mapping[int, set[str]]
) -> list[int]:
    """Fill `draft.blocks`; the block at which each page begins.

    `titles` are those of the outline by page: their lines are headings, and a page whose title is
    not found on it begins anew.
    """
    running = _running(pages)
    usual = _usual_size([(line.text, line.size) for page in pages for line in page])
    lengths = sorted(len(line.text) for page in pages for line in page if line.size == usual)
    width = lengths[int(0.8 * len(lengths))] if lengths else 60
    held: list[str] = []
    starts: list[int] = []

    def flush() -> None:
        if held:
            draft.blocks.append(Block("text", join_lines(held)))
            held.clear()

    for number, page in enumerate(pages):
        known = titles.get(number, set())
        body, notes = _without_notes(_without_running(page, running, usual), usual)
        if known and not known <= {bare(line.text) for line in body}:
            flush()
        starts.append(len(draft.blocks) + (1 if held else 0))
        for index, line in enumerate(body):
            level = 2 if bare(line.text) in known else _heading_level(line, usual)
            if level:
                flush()
                _add_heading(draft, line.text, level, index > 0)
            else:
                held.append(line.text)
                if _ends(line, width):
                    flush()
        if notes:
            draft.blocks.append(Block("footnote", join_lines([line.text for line in notes])))
    flush()
    return starts


def _add_heading(draft: Draft, text: str, level: int, follows: bool) -> None:
    """A heading of two lines is one, unless each is one by its words."""
    last = draft.blocks[-1] if draft.blocks else None
    joins = follows and last and last.kind == "heading" and last.level == level
    if joins and last and not heading_of(text):
        draft.blocks[-1] = Block("heading", f"{last.text} {one_line(text)}", level)
    else:
        draft.blocks.append(Block("heading", one_line(text), level))


def _heading_level(line: _Line, usual: float) -> int:
    """1 or 2 for letters larger than the text's or the words of a heading, else 0."""
    if len(line.text) > LONGEST_HEADING or not re.search(r"\w", line.text):
        return 0
    if heading_of(line.text):
        return 1 if PART.match(line.text) else 2
    if usual and line.size >= LARGER * usual and not re.search(r"[,;]$", line.text):
        return 1 if line.size >= 1.8 * usual else 2
    return 0


def _ends(line: _Line, width: int) -> bool:
    """A short line that ends a sentence ends its paragraph."""
    return len(line.text) < 0.85 * width and bool(
        re.search(r"[.!?…。！？:：][\"'”’»」』)]*$", line.text)
    )


def _running(pages: Sequence[Sequence[_Line]]) -> set[str]:
    """What stands at the edge of many pages, numbers apart."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(line.text) for line in _edges(page)})
    return {shape for shape, count in seen.items() if count >= max(3, 0.15 * len(pages))}


def _edges(page: Sequence[_Line]) -> list[_Line]:
    return [*page[:EDGE_LINES], *page[-EDGE_LINES:]]


def _shape(text: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", one_line(text).casefold())


def _without_running(page: Sequence[_Line], running: set[str], usual: float) -> list[_Line]:
    """Without running heads and page numbers, which are never larger than the text."""
    last = len(page) - EDGE_LINES
    return [
        line
        for index, line in enumerate(page)
        if not (
            (index < EDGE_LINES or index >= last)
            and line.size < LARGER * usual
            and _is_running(line.text, running)
        )
    ]


def _is_running(text: str, running: set[str]) -> bool:
    if heading_of(text):
        return False
    return _shape(text) in running or bool(re.fullmatch(r"[-–—\s]*\d{1,4}[-–—\s]*", text))


def _without_notes(page: list[_Line], usual: float) -> tuple[list[_Line], list[_Line]]:
    """(the page, the small lines at its end)."""
    cut = len(page)
    while cut and page[cut - 1].size < SMALLER * usual:
        cut -= 1
    starts_as_note = cut < len(page) and re.match(r"^\s*[\d*†‡\[]", page[cut].text)
    return (page[:cut], page[cut:]) if starts_as_note else (page, [])


# ---------------------------------------------------------------- outline


def _outline(reader: Any) -> list[tuple[str, int, int]]:
    """The bookmarks as (title, page, depth); [] where they cannot be read."""
    try:
        return list(_bookmarks(reader, reader.outline, 0))
    except Exception as error:  # an outline that points nowhere, in one of pypdf's many ways
        log.info("the outline cannot be read: %s", error)
        return []


def _bookmarks(reader: Any, entries: Any, depth: int) -> Iterator[tuple[str, int, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _bookmarks(reader, entry, depth + 1)
            continue
        page = reader.get_destination_page_number(entry)
        if page is not None:
            yield one_line(str(entry.title)), page, depth

"""Draft -> book: which parts are its chapters.

The book's own navigation leads, if it is one; else the headings; else length. A part that only
groups chapters gives way to them; what is divided further stays whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pipelines.books.book import (
    Block,
    Book,
    Chapter,
    Draft,
    Mark,
    Matter,
    Metadata,
    bare,
    one_line,
    word_count,
)
from pipelines.books.headings import CHAPTER, PART, matter_of, number_of
from pipelines.books.plain import marks_of

PIECE_WORDS = 4000.0  # of a book without chapters: 25 minutes
LONGEST_WORDS = 30_000.0  # a longer chapter, with nothing to divide it, is cut into pieces
PART_WORDS = 120.0  # at most so much stands under a part's own heading
CHAPTER_WORDS = 700.0  # sections are shorter than that, chapters longer
WHOLE = 0.9  # of the book is under its title
TITLE_WORDS = 30.0  # at most so much stands on a title page
CONTENTS_WORDS = 400.0  # and so much in a table of contents below it
COVERED = 0.5  # the navigation is believed if its longest chapter is no larger share, or so
PIECE_NAMES = {"zh": "第{}部分", "ja": "第{}部", "de": "Teil {}", "fr": "Partie {}"}


@dataclass
class _Node:
    """A mark with what is under it: blocks `start` to `end`."""

    mark: Mark
    end: int
    children: list[_Node] = field(default_factory=list)


@dataclass(frozen=True)
class _Section:
    title: str
    start: int
    matter: Matter | None = None


def book_of(draft: Draft) -> Book:
    """The book with its chapters."""
    blocks = tuple(draft.blocks)
    lengths = _Lengths(blocks)
    sections = _choose(draft, lengths)
    chapters = list(_chapters(sections, blocks, lengths, draft))
    return Book(draft.meta, blocks, tuple(chapters), draft.cover, tuple(draft.notes))


class _Lengths:
    """Words between two blocks, from sums made once."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._sums = [0.0]
        for block in blocks:
            counts = block.kind in ("text", "verse", "item")
            self._sums.append(self._sums[-1] + (word_count(block.text) if counts else 0.0))

    def between(self, start: int, end: int) -> float:
        return self._sums[end] - self._sums[start]

    @property
    def total(self) -> float:
        return self._sums[-1]


# ---------------------------------------------------------------- which marks


def _choose(draft: Draft, lengths: _Lengths) -> list[_Section]:
    """Sections by the navigation, or by headings where those divide the book much better."""
    by_nav = _sections(draft.marks, draft, lengths)
    headings = _without_contents(marks_of(draft.blocks), draft.blocks, lengths)
    by_headings = _sections(headings, draft, lengths)
    if not by_nav:
        return by_headings
    if _bodies(by_headings) > 2 * _bodies(by_nav) and _largest(by_nav, draft, lengths) > COVERED:
        return by_headings
    return by_nav


def _bodies(sections: Sequence[_Section]) -> int:
    return sum(section.matter in (None, "body") for section in sections)


def _largest(sections: Sequence[_Section], draft: Draft, lengths: _Lengths) -> float:
    """The share of the book that its longest section has."""
    bounds = [section.start for section in sections] + [len(draft.blocks)]
    longest = max(lengths.between(a, b) for a, b in pairwise(bounds))
    return longest / max(1.0, lengths.total)


def _without_contents(marks: list[Mark], blocks: Sequence[Block], lengths: _Lengths) -> list[Mark]:
    """Headings without those of a table of contents: titles that come again, with text then."""
    names = [tuple(re.findall(r"\w+", mark.title.casefold())) for mark in marks]
    bounds = [mark.block for mark in marks] + [len(blocks)]
    kept, after = [], set[tuple[str, ...]]()
    listed = _listed(names, bounds)
    for index in reversed(range(len(marks))):
        name = names[index]
        again = any(name[:n] in after for n in range(2, len(name) + 1)) or name in after
        empty = lengths.between(bounds[index], bounds[index + 1]) < 8
        if index not in listed and not (empty and again):
            kept.append(marks[index])
            after.update(name[:n] for n in range(2, len(name) + 1))
            after.add(name)
    return kept[::-1]


def _listed(names: Sequence[tuple[str, ...]], bounds: Sequence[int]) -> set[int]:
    """Headings in rows of three and more with nothing between, most of which come again."""
    rows: list[list[int]] = []
    for index, block in enumerate(bounds[:-1]):
        if rows and block == bounds[index - 1] + 1:
            rows[-1].append(index)
        else:
            rows.append([index])
    listed = set[int]()
    for row in rows:
        while row and names[row[-1]] not in names[row[-1] + 1 :]:
            row.pop()  # the first of the book itself stands right below its contents
        later = set(names[row[-1] + 1 :]) if row else set()
        if len(row) >= 3 and sum(names[index] in later for index in row) > len(row) / 2:
            listed.update(row)
    return listed


def _sections(marks: Sequence[Mark], draft: Draft, lengths: _Lengths) -> list[_Section]:
    ordered = [mark for mark in marks if mark.block < len(draft.blocks)]
    if not ordered:
        return []
    roots = _tree(ordered, len(draft.blocks))
    found = [section for root in roots for section in _flat(root, draft, lengths, roots)]
    return _without_empty(_one_a_place(found), draft, lengths)


def _tree(marks: Sequence[Mark], end: int) -> list[_Node]:
    """Marks nested by depth; each ends where the next of its depth or above begins."""
    roots: list[_Node] = []
    stack: list[_Node] = []
    for mark in marks:
        while stack and stack[-1].mark.depth >= mark.depth:
            stack.pop()
        node = _Node(mark, end)
        (stack[-1].children if stack else roots).append(node)
        stack.append(node)
    _close(roots, end)
    return roots


def _close(nodes: Sequence[_Node], end: int) -> None:
    for index, node in enumerate(nodes):
        node.end = nodes[index + 1].mark.block if index + 1 < len(nodes) else end
        node.end = max(node.end, node.mark.block)
        _close(node.children, node.end)


def _flat(
    node: _Node,
    draft: Draft,
    lengths: _Lengths,
    beside: Sequence[_Node],
    above: Mark | None = None,
) -> Iterator[_Section]:
    """The chapters that a node is or holds; a part's first begins with its heading, `above`."""
    mark = node.mark
    start = above.block if above else mark.block
    title = f"{above.title}: {mark.title}" if above and mark.title else mark.title
    if not node.children or not _groups(node, lengths, beside):
        yield _Section(title, start, mark.matter)
        return
    own = lengths.between(mark.block, node.children[0].mark.block)
    whole = lengths.between(mark.block, node.end) > WHOLE * lengths.total
    is_book = not mark.title or bare(mark.title) == bare(draft.meta.title)
    is_book |= matter_of(mark.title) == "front"
    is_book |= whole and not PART.match(one_line(mark.title))
    head: Mark | None = above if is_book else replace(mark, title=title, block=start)
    if own >= PART_WORDS or (own > 0 and not is_book):
        yield _Section(title, start, mark.matter)
        head = None
    for child in node.children:
        yield from _flat(child, draft, lengths, node.children, head)
        head = None


def _groups(node: _Node, lengths: _Lengths, beside: Sequence[_Node]) -> bool:
    """Whether a node holds chapters, rather than being one that is divided.

    `beside` are it and its neighbours: one that holds the whole book is its title; where only one
    of many is divided, it is a chapter like them.
    """
    title = one_line(node.mark.title)
    if CHAPTER.match(title):
        return False
    titles = [one_line(child.mark.title) for child in node.children]
    if PART.match(title) or any(CHAPTER.match(t) or PART.match(t) for t in titles):
        return True
    own = lengths.between(node.mark.block, node.children[0].mark.block)
    whole = lengths.between(node.mark.block, node.end)
    if own < PART_WORDS and whole > WHOLE * lengths.total:
        return True
    if sum(bool(other.children) for other in beside) < 0.5 * len(beside):
        return False
    numbers = all(number_of(t) is not None for t in titles)
    if numbers and own == 0 and len(beside) > 1 and all(len(o.children) > 1 for o in beside):
        return True
    sizes = sorted(lengths.between(c.mark.block, c.end) for c in node.children)
    return own < PART_WORDS and sizes[len(sizes) // 2] >= CHAPTER_WORDS


def _one_a_place(sections: Sequence[_Section]) -> list[_Section]:
    """Of several that begin at one place, the first; in the order of the book."""
    seen: dict[int, _Section] = {}
    for section in sections:
        seen.setdefault(section.start, section)
    return [seen[start] for start in sorted(seen)]


def _without_empty(sections: Sequence[_Section], draft: Draft, lengths: _Lengths) -> list[_Section]:
    """Those under which nothing stands: a part's title goes to its first chapter, the rest is front
    matter, and so are the book's title and author."""
    found: list[_Section] = []
    part: _Section | None = None
    for index, section in enumerate(sections):
        end = sections[index + 1].start if index + 1 < len(sections) else len(draft.blocks)
        words = lengths.between(section.start, end)
        if part and words:
            section = replace(section, title=f"{part.title}: {section.title}", start=part.start)
            part = None
        if not words and PART.match(section.title) and index + 1 < len(sections):
            part = part or section
            continue
        about = words < TITLE_WORDS and _names_book(section.title, draft.meta)
        about |= not words and re.match(r"(?:by|von|par)\s", section.title, re.I) is not None
        about |= (
            not index
            and words < CONTENTS_WORDS
            and _has_contents(draft.blocks[section.start : end])
        )
        if about or not (words or _has_optional(draft.blocks[section.start : end])):
            section = replace(section, matter=section.matter or "front")
        found.append(section)
    return found


def _names_book(title: str, meta: Metadata) -> bool:
    """Whether a heading is the book's title, or that and its author."""
    rest = bare(title).replace(bare(meta.title), "", 1) if meta.title else bare(title)
    return rest != bare(title) and rest in bare(meta.author)


def _has_contents(blocks: Sequence[Block]) -> bool:
    return any(matter_of(block.text) == "front" for block in blocks if block.kind == "text")


def _has_optional(blocks: Sequence[Block]) -> bool:
    """Whether there is something that may be asked for."""
    return any(block.kind in ("table", "code", "footnote") for block in blocks)


# ---------------------------------------------------------------- chapters


def _chapters(
    sections: list[_Section], blocks: Sequence[Block], lengths: _Lengths, draft: Draft
) -> Iterator[Chapter]:
    if not sections:
        yield from _by_length("", 0, len(blocks), blocks, lengths, draft)
        return
    if sections[0].start > 0:
        before = lengths.between(0, sections[0].start)
        first: Matter | None = None if before > PIECE_WORDS / 2 else "front"
        sections = [_Section("", 0, first), *sections]
    whole = _with_matter(sections)
    for index, section in enumerate(whole):
        end = whole[index + 1].start if index + 1 < len(whole) else len(blocks)
        if section.matter == "body" and lengths.between(section.start, end) > LONGEST_WORDS:
            yield from _by_length(section.title, section.start, end, blocks, lengths, draft)
        elif end > section.start:
            yield chapter_at(section.title, section.start, end, blocks, section.matter or "body")


def _with_matter(sections: Sequence[_Section]) -> list[_Section]:
    """Front and back matter by their names; what has no such name is the book."""
    return [replace(s, matter=s.matter or matter_of(s.title) or "body") for s in sections]


def chapter_at(
    title: str, start: int, end: int, blocks: Sequence[Block], matter: Matter = "body"
) -> Chapter:
    """A chapter of these blocks; the headings at its top that its title says are not read."""
    body = start
    while body < end and blocks[body].kind in ("heading", "page-number", "break", "caption"):
        if blocks[body].kind == "heading" and title and not _says(title, blocks[body].text):
            break
        body += 1
    if not title:
        title = _title_from(blocks[start:end])
    return Chapter(title, start, body, end, matter, read=matter == "body")


def _says(title: str, heading: str) -> bool:
    """Whether a chapter's title says what its heading does."""
    a, b = bare(title), bare(heading)
    return bool(b) and (b in a or a in b)


def _title_from(blocks: Sequence[Block]) -> str:
    """The first heading, else the first words."""
    for block in blocks:
        if block.kind == "heading":
            return one_line(block.text)
    words = one_line(next((b.text for b in blocks if b.text), ""))
    return words if len(words) <= 40 else words[:39].rstrip() + "…"


def _by_length(
    title: str, start: int, end: int, blocks: Sequence[Block], lengths: _Lengths, draft: Draft
) -> Iterator[Chapter]:
    """Pieces of about PIECE_WORDS, cut where a rule stands if one is near, else at a paragraph."""
    total = lengths.between(start, end)
    count = max(1, round(total / PIECE_WORDS)) if total > 1.5 * PIECE_WORDS else 1
    if count == 1:
        name = title or draft.meta.title or _title_from(blocks[start:end])
        yield chapter_at(name, start, end, blocks, "body")
        return
    cuts = [start]
    for number in range(1, count):
        cut = _cut_near(start, end, total * number / count, blocks, lengths)
        if cut > cuts[-1]:
            cuts.append(cut)
    for number, (a, b) in enumerate(zip(cuts, [*cuts[1:], end], strict=True), 1):
        language = draft.meta.language.partition("-")[0]
        piece = PIECE_NAMES.get(language, "Part {}").format(number)
        yield chapter_at(f"{title}, {piece}" if title else piece, a, b, blocks, "body")


def _cut_near(
    start: int, end: int, words: float, blocks: Sequence[Block], lengths: _Lengths
) -> int:
    """The block at which `words` have passed, or a rule within a quarter of a piece of it."""
    passed = next(i for i in range(start, end + 1) if lengths.between(start, i) >= words)
    reach = PIECE_WORDS / 4
    rules = [
        i
        for i in range(start + 1, end)
        if blocks[i].kind == "break" and abs(lengths.between(start, i) - words) <= reach
    ]
    return min(rules, key=lambda i: abs(lengths.between(start, i) - words), default=passed)


def label_duplicates(titles: Sequence[str]) -> list[str]:
    """Titles that can be told apart: '(2)' behind the second of a name."""
    seen: Counter[str] = Counter()
    labelled = []
    for title in titles:
        seen[title] += 1
        labelled.append(f"{title} ({seen[title]})" if seen[title] > 1 else title)
    return labelled

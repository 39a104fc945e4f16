"""Plain text and Markdown -> a draft.

Text is wrapped lines with empty lines between paragraphs (Project Gutenberg), or a paragraph a
line (Chinese novels), or indented paragraphs. Headings are told by their words, by numbers that
count up, or by `#`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipelines.books.book import Block, Draft, Kind, Mark, Metadata, bare, one_line
from pipelines.books.guesses import ENOUGH, guess_headings, heading_above
from pipelines.books.headings import (
    LONGEST_HEADING,
    PART,
    heading_of,
    is_number_alone,
    number_of,
    undecorated,
)

_RULE = re.compile(r"^\s*(?:[*\-_~=#·•—◇◆○●☆★]\s*){3,}$")
_FIELD = re.compile(
    r"^(title|author|language|translator|release date|书名|作者|標題|标题)\s*[:：]\s*(\S.*)$", re.I
)
_MARKER = re.compile(r"^<<CHAPTER_MARKER:\s*(.+?)\s*>>$")
_HASH = re.compile(r"^(#{1,6})\s+(\S.*?)\s*#*$")
_START = re.compile(r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.*$", re.M | re.I)
_END = re.compile(
    r"^(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg).*",
    re.M | re.I,
)
_PANDOC = re.compile(r"\[\]\{[^}\n]*\}|(?<=\S) \{[#.][^}\n]*\}$|^:::.*$", re.M)  # attributes
_CONTENTS = re.compile(r"^(?:table of )?contents[.:]?$|^(?:inhalt|目录|目錄|目次)[:：]?$", re.I)
_PAGE_LINE = re.compile(r"^\s*(?:[-–—\[(]\s*)?(?:page\s+)?\d{1,4}(?:\s*[-–—\])])?\s*$", re.I)
_ILLUSTRATION = re.compile(r"^\[(?:Illustration|Frontispiece|Image|插图|图)[^\]]*\]$", re.I)
_FOOTNOTE = re.compile(r"^\s*(?:\[(?:Footnote\s*)?\d{1,3}[\]:]|\[\*\]|\d{1,2}\.\s*↑)", re.I)
_REFERENCE = re.compile(r"(?<=[\w.,;:!?”\"'’)])\s?\[\d{1,3}\](?!\()")
_SENTENCE_END = re.compile(r"[.!?…。！？”’\"'」』)）:：—;；]$")
_INDENT = re.compile(r"^(?:[ \t]{2,}|\u3000+)")
_CJK_END = re.compile(r"[\u3040-\u30ff\u3400-\u9fff，。！？、；：”』」]$")


def read_plain(text: str) -> Draft:
    """The draft of a plain text."""
    draft = Draft()
    meta: dict[str, str] = {}
    body = _book_of(text, meta)
    lines = _head_lines(body.split("\n"), meta)
    paragraphs = list(_paragraphs(lines))
    draft.blocks = list(_as_blocks(paragraphs, _listed(paragraphs)))
    draft.meta = _metadata(meta)
    guess_headings(draft.blocks)
    draft.blocks = list(_with_second_lines(draft.blocks))
    if not draft.meta.title:
        _title_of_first(draft)
    return draft


def read_markdown(text: str) -> Draft:
    """The draft of a Markdown text: its HTML is read like any other."""
    from markdown_it import MarkdownIt

    from pipelines.books.markup import blocks_of, parse_html

    head, body = front_matter(text)
    body = _PANDOC.sub("", body)
    page = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    page = re.sub(r"\[\^[^\]\s]{1,20}\](?!:)", "", page)  # footnotes' numbers
    found = blocks_of(parse_html(f"<html><body>{page}</body></html>".encode(), "the text"))
    draft = Draft(meta=_metadata(head))
    guess_headings(found.found, found.prominent)
    draft.blocks = [_markdown_block(block) for block in found.found]
    if not draft.meta.title:
        _title_of_first(draft)
    return draft


def _markdown_block(block: Block) -> Block:
    if re.match(r"^\[\^[^\]]+\]:", block.text):
        return Block("footnote", block.text.partition(":")[2].strip())
    return block


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """(fields of a YAML head, the rest). A head that is none is text."""
    import yaml

    match = re.match(r"\A---\s*\n(.*?)\n(?:---|\.\.\.)\s*(?:\n|\Z)", text, re.S)
    if match is None:
        return {}, text
    try:
        head: Any = yaml.load(match[1], yaml.BaseLoader)
    except yaml.YAMLError:
        return {}, text
    if not isinstance(head, dict):
        return {}, text
    return {str(k).lower(): v for k, v in head.items() if isinstance(v, str)}, text[match.end() :]


def _metadata(head: dict[str, str]) -> Metadata:
    author = head.get("author", "")
    year = re.search(r"\b(1[0-9]{3}|20[0-9]{2})\b", head.get("date", ""))
    return Metadata(
        title=one_line(head.get("title", "")),
        authors=tuple(one_line(name) for name in re.split(r"\s*;\s*", author) if name.strip()),
        language=_language(head.get("language", head.get("lang", ""))),
        series=head.get("series", ""),
        series_index=head.get("series_index", head.get("volume", "")),
        year=year[1] if year else "",
        publisher=head.get("publisher", ""),
    )


_LANGUAGES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "chinese": "zh",
    "中文": "zh", "japanese": "ja", "spanish": "es", "italian": "it", "russian": "ru",
}  # fmt: skip


def _language(name: str) -> str:
    name = name.strip()
    return _LANGUAGES.get(name.lower(), name if re.fullmatch(r"[A-Za-z]{2,3}(-\w+)*", name) else "")


# ---------------------------------------------------------------- lines


def _book_of(text: str, meta: dict[str, str]) -> str:
    """The text between Project Gutenberg's marks, its header's fields put into `meta`."""
    start = _START.search(text)
    if start is None:
        return text
    for line in text[: start.start()].split("\n"):
        if match := _FIELD.match(line.strip()):
            meta.setdefault(match[1].lower(), match[2])
    end = _END.search(text, start.end())
    return text[start.end() : end.start() if end else len(text)]


def _head_lines(lines: list[str], meta: dict[str, str]) -> list[str]:
    """Take `Title:`, `Author:`, `Language:` from the first lines."""
    names = {"书名": "title", "标题": "title", "標題": "title", "作者": "author"}
    at = 0
    while at < len(lines) and (not lines[at].strip() or _FIELD.match(lines[at].strip())):
        if match := _FIELD.match(lines[at].strip()):
            meta.setdefault(names.get(match[1].lower(), match[1].lower()), match[2])
        at += 1
    return lines[at:]


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lists of lines: a paragraph each."""
    if _a_line_each(lines):
        yield from ([line] for line in lines if line.strip())
        return
    held: list[str] = []
    for line in lines:
        alone = heading_of(line) or _HASH.match(line) or _MARKER.match(line.strip())
        indented = held and _INDENT.match(line) and not _INDENT.match(held[-1])
        if not line.strip() or alone or _RULE.match(line) or indented:
            if held:
                yield held
            held = []
        if line.strip():
            held.append(line)
            if alone or _RULE.match(line):
                yield held
                held = []
    if held:
        yield held


def _a_line_each(lines: Sequence[str]) -> bool:
    """Whether every line is a paragraph: lines are long, or indented, or end like sentences."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        return True
    long = sum(len(line) > 200 for line in filled)
    indented = sum(line.startswith("\u3000") for line in filled)
    ending = sum(bool(_SENTENCE_END.search(line.rstrip())) for line in filled)
    width = sorted(len(line) for line in filled)[int(0.9 * len(filled))]
    wrapped = sum(0.75 * width <= len(line) <= 1.1 * width for line in filled)
    if long > 0.1 * len(filled) or indented > 0.5 * len(filled):
        return True
    return ending > 0.8 * len(filled) and wrapped < 0.7 * len(filled)


def _listed(paragraphs: Sequence[Sequence[str]]) -> dict[str, int]:
    """Titles that a table of contents names and that stand alone later: the last such place."""
    start = next((i for i, p in enumerate(paragraphs) if _CONTENTS.match(p[0].strip())), None)
    if start is None:
        return {}
    listed: set[str] = set()
    for lines in (paragraphs[start][1:], *paragraphs[start + 1 :]):
        if _is_prose(lines):
            break
        listed.update(bare(re.sub(r"[\s.·…]*\d*\s*$", "", line)) for line in lines)
    found = {
        bare(lines[0]): place
        for place, lines in enumerate(paragraphs)
        if place > start and len(lines) == 1 and bare(lines[0]) in listed
    }
    return found if len(found) >= ENOUGH else {}


def _is_prose(lines: Sequence[str]) -> bool:
    """Whether a paragraph of a contents is none: full lines, or a sentence."""
    if len(lines) > 1:
        return sum(len(line.strip()) for line in lines) > 50 * len(lines)
    text = lines[0].strip() if lines else ""
    sentence = text.endswith((".", "。")) and re.search(r"(?:\w+\W+){8}", text)
    return len(text) > LONGEST_HEADING or bool(sentence)


def _as_blocks(paragraphs: Sequence[list[str]], listed: Mapping[str, int]) -> Iterator[Block]:
    for place, lines in enumerate(paragraphs):
        block = _as_block(lines)
        if block.kind == "text" and listed.get(bare(lines[0])) == place:
            block = Block("heading", one_line(block.text), 2)
        yield block


def _as_block(lines: list[str]) -> Block:
    first = lines[0].strip()
    if len(lines) == 1:
        if match := _MARKER.match(first):
            return Block("heading", match[1], 1)
        if match := _HASH.match(first):
            return Block("heading", match[2], len(match[1]))
        if _RULE.match(first):
            return Block("break", "")
        if heading_of(first):
            return Block("heading", one_line(first), 1 if PART.match(first) else 2)
    text = join_lines(lines)
    if _ILLUSTRATION.match(text):
        return Block("caption", text.strip("[]"))
    if _FOOTNOTE.match(text):
        return Block("footnote", text)
    text = _REFERENCE.sub("", text)
    if _is_verse(lines):
        return Block("verse", "\n".join(one_line(line) for line in lines))
    kind: Kind = "page-number" if _PAGE_LINE.match(text) and text[-1:] in "-–—])" else "text"
    return Block(kind, re.sub(r"(?<!\w)_([^_\n]{1,200})_(?!\w)", r"\1", text))


def _with_second_lines(blocks: Sequence[Block]) -> Iterator[Block]:
    """'CHAPTER I.' and 'The Shore' below it are one heading."""
    held: Block | None = None
    for block in blocks:
        if held and block.kind == "text" and _is_second_line(block.text):
            yield Block("heading", f"{held.text.rstrip('.:')}. {one_line(block.text)}", held.level)
            held = None
            continue
        if held:
            yield held
        held = block if block.kind == "heading" and is_number_alone(block.text) else None
        if not held:
            yield block
    if held:
        yield held


def _is_second_line(text: str) -> bool:
    """A short line with a capital that ends like no sentence, or all in capitals."""
    if "\n" in text or len(text) > 60 or not re.match(r"[\"“'‘]?[A-ZÀ-Þ\u3400-\u9fff]", text):
        return False
    ends = re.search(r"[.!?…,;:。！？，；：][\"”’']*$", text)
    return text.isupper() or not ends or _is_question_in_capitals(text)


def _is_question_in_capitals(text: str) -> bool:
    """'Who Stole the Tarts?' is a title, 'Who stole it?' is none."""
    long = re.findall(r"[^\W\d_]{4,}", text)
    return text[-1] in "?!" and len(long) >= 2 and all(word[0].isupper() for word in long)


def join_lines(lines: Sequence[str]) -> str:
    """Wrapped lines as one; words cut at the end are whole again, Chinese needs no space."""
    text = ""
    for line in (one_line(line) for line in lines):
        if re.search(r"[a-zà-ÿ]-$", text) and re.match(r"[a-zà-ÿ]", line):
            text = text[:-1] + line
        elif not text or _CJK_END.search(text):
            text += line
        else:
            text += " " + line
    return text


def _is_verse(lines: Sequence[str]) -> bool:
    """Short indented lines that begin with capitals: a poem."""
    if len(lines) < 2:
        return False
    indented = sum(bool(re.match(r"^[ \t]{2,}", line)) for line in lines)
    short = sum(len(line.strip()) < 60 for line in lines)
    capital = sum(bool(re.match(r"[\"'“‘—]?[A-ZÀ-Þ]", line.strip())) for line in lines)
    return indented >= 0.9 * len(lines) and short == len(lines) and capital >= 0.7 * len(lines)


# ---------------------------------------------------------------- the first lines


def _title_of_first(draft: Draft) -> None:
    """A short first line that is no sentence is the title, a 'by ...' after it the author."""
    blocks = draft.blocks
    if len(blocks) < 2 or "\n" in blocks[0].text or len(blocks[0].text) > LONGEST_HEADING:
        return
    first = blocks[0]
    is_title = first.kind == "heading" and not heading_of(first.text)
    is_title &= first.level == 1 and not any(
        b.kind == "heading" and b.level == 1 for b in blocks[1:]
    )
    plain = first.kind == "text" and not re.search(r"[.!?,;:。！？，；：…]$", first.text)
    if not (is_title or plain):
        return
    title = first.text.strip("《》")
    authors: tuple[str, ...] = draft.meta.authors
    used = 1
    by = re.match(r"^(?:by|von|par|作者[:：]?|著者[:：]?)\s*(\S.{1,60})$", blocks[1].text, re.I)
    if by and not authors:
        authors, used = (one_line(by[1]),), 2
    draft.meta = replace(draft.meta, title=title, authors=authors)
    del blocks[:used]


def marks_of(blocks: Sequence[Block]) -> list[Mark]:
    """The headings of a book as marks; a number and the name below it are one."""
    marks: list[Mark] = []
    for index, block in enumerate(blocks):
        if block.kind != "heading":
            continue
        title, above = undecorated(block.text), heading_above(blocks, index)
        if (
            above is not None
            and marks[-1].block == above
            and is_number_alone(blocks[above].text)
            and block.level >= blocks[above].level
            and not heading_of(title)
            and number_of(title) is None
        ):
            number = marks[-1].title.rstrip(" .:：")
            marks[-1] = replace(marks[-1], title=f"{number}. {title}")
            continue
        marks.append(Mark(title, index, block.level))
    return marks

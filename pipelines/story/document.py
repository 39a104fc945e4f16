"""The shape of a text: its title, its headings and its paragraphs, from Markdown or plain text.

Lines inside a paragraph keep their breaks, since a line may begin with a speaker's name.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

log = logging.getLogger(__name__)

TITLE_LENGTH = 70  # a first line longer than this is no title
# Reading on where the title may be of two lines would be a guess: one line, no sentence.
_SENTENCE = re.compile(r"[.!?,;:。！？，；：…]$|^[\"“„«»「『]")
_RULE = re.compile(r"^\s*(?:[*\-_~=#·•—]\s*){3,}$")
_HEADER = re.compile(r"^(title|author|language)\s*[:：]\s*(\S.*)$", re.IGNORECASE)
_MARKER = re.compile(r"^<<CHAPTER_MARKER:\s*(.+?)\s*>>$")
_HEADING = re.compile(r"^#{1,6}\s+(\S.*?)\s*#*$")
_CHAPTER = re.compile(
    r"^(?:(?:chapter|part|book|kapitel|teil)\s+(?:\d+|[ivxlc]+|[a-z]+)\b.{0,50}"
    r"|第[\d〇零一二三四五六七八九十百千]{1,6}[章回节節幕話话部].{0,30})$",
    re.IGNORECASE,
)
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n(?:---|\.\.\.)\s*(?:\n|\Z)", re.DOTALL)


@dataclass
class Section:
    """What stands under one heading."""

    title: str = ""
    paragraphs: list[str] = field(default_factory=list)


@dataclass
class Document:
    """A text's parts in order. Sections without any paragraph are not there."""

    title: str = ""
    author: str = ""
    language: str = ""
    sections: list[Section] = field(default_factory=list)

    @property
    def texts(self) -> Iterator[str]:
        """Every paragraph."""
        return (text for section in self.sections for text in section.paragraphs)

    def describe(self, name: str, value: str) -> None:
        """Take what a head line says: title, author or language."""
        setattr(self, name.lower(), value.strip())

    def head(self, title: str) -> None:
        """Begin a section; a heading with nothing under it stays before the next one."""
        last = self.sections[-1] if self.sections else None
        if last and not last.paragraphs and last.title:
            title = f"{last.title}: {title}" if title else last.title
            self.sections.pop()
        self.sections.append(Section(title))

    def add(self, paragraph: str) -> None:
        """Add a paragraph to the section that was begun last."""
        if not self.sections:
            self.sections.append(Section())
        self.sections[-1].paragraphs.append(paragraph)

    def finished(self) -> Document:
        """The same without sections that hold nothing."""
        self.sections = [section for section in self.sections if section.paragraphs]
        return self


# ---------------------------------------------------------------- Markdown


def read_markdown(text: str) -> Document:
    """The shape of a Markdown text: `# title`, `## scene`, paragraphs, rules between scenes.

    Emphasis, links and lists give their words; pictures, HTML and code are left out and logged.
    """
    from markdown_it import MarkdownIt

    document = Document()
    text = _front_matter(text, document)
    level = 0
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "inline":
            words = _inline(token.children or [])
            if not level:
                document.add(words) if words else None
            elif level == 1 and not document.title and not document.sections:
                document.title = _one_line(words)
            else:
                document.head(_one_line(words))
            level = 0
        elif token.type == "hr":
            document.head("")
        elif token.type in ("fence", "code_block", "html_block"):
            log.warning("left out, for it is not prose: %s", token.content.strip()[:60])
    return document.finished()


def _front_matter(text: str, document: Document) -> str:
    """Take title, author and language from a YAML head, and return what follows it."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text
    try:
        head = yaml.load(match[1], yaml.BaseLoader)
    except yaml.YAMLError:
        return text
    if not isinstance(head, dict):
        return text
    for name, value in head.items():
        if name in ("title", "author", "language") and isinstance(value, str):
            document.describe(name, value)
    return text[match.end() :]


def _inline(children: Sequence[object]) -> str:
    """The words of a line of Markdown, with its line breaks."""
    parts = []
    for child in children:
        kind, content = getattr(child, "type", ""), getattr(child, "content", "")
        if kind in ("text", "code_inline"):
            parts.append(content)
        elif kind in ("softbreak", "hardbreak"):
            parts.append("\n")
    return _tidy("".join(parts))


# ---------------------------------------------------------------- plain text


def read_plain(text: str) -> Document:
    """The shape of a plain text.

    Head lines `Title:`, `Author:`, `Language:`; headings `# Part`, `<<CHAPTER_MARKER:title>>`,
    'Chapter 3', '第三章'; paragraphs between empty lines, or one a line where there are none; rules
    (`* * *`) between scenes. A short first line that is no sentence is the title.
    """
    document = Document()
    blocks = _blocks(_header(text.replace("\r\n", "\n").replace("\r", "\n"), document))
    if not document.title and len(blocks) > 1 and _is_title(blocks[0]):
        document.title = _one_line(blocks.pop(0).removeprefix("#"))
    for block in blocks:
        heading = _heading(block)
        if heading is None:
            document.add(block)
        else:
            document.head(heading)
    return document.finished()


def _header(text: str, document: Document) -> str:
    lines = text.lstrip("\n").split("\n")
    while lines and (match := _HEADER.match(lines[0].strip())):
        document.describe(match[1], match[2])
        lines.pop(0)
    return "\n".join(lines)


def _blocks(text: str) -> list[str]:
    """Paragraphs, headings and rules, tidied."""
    spaced = re.search(r"\n[ \t\u3000]*\n", text.strip()) is not None
    paragraphs = re.split(r"\n(?:[ \t\u3000]*\n)+", text) if spaced else text.split("\n")
    blocks = []
    for paragraph in paragraphs:
        # a heading or a rule needs no empty line around it; an indent begins a paragraph
        parts = re.split(r"\n(?=\u3000|#{1,6}\s|<<CHAPTER)|(?<=>>)\n", paragraph)
        for part in parts:
            first, _, rest = part.partition("\n")
            if rest and _HEADING.match(first):
                blocks.append(_tidy(first))
                part = rest
            blocks.append(_tidy(part))
    return [block for block in blocks if block]


def _heading(block: str) -> str | None:
    """The title that a block is, '' for a rule, None for a paragraph."""
    if _RULE.match(block):
        return ""
    if "\n" in block:
        return None
    match = _MARKER.match(block) or _HEADING.match(block)
    if match:
        return match[1]
    return block if _CHAPTER.match(block) and not _SENTENCE.search(block) else None


def _is_title(block: str) -> bool:
    if "\n" in block or len(block) > TITLE_LENGTH or _CHAPTER.match(block) or _RULE.match(block):
        return False
    return bool(re.match(r"^#\s", block)) or not (block[0] == "#" or _SENTENCE.search(block))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """Single spaces, and no empty line."""
    lines = (_one_line(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)

"""HTML -> blocks. XHTML of an EPUB, pages saved from the web and Markdown all come through here.

What the EPUB structural semantics vocabulary calls a footnote, a page break or a table of contents
is known by `epub:type`, by ARIA `role` and by the class names that converters write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from data.encodings import decode_markup
from pipelines.books.archive import parse_xml
from pipelines.books.book import Block, Kind, one_line
from pipelines.books.headings import LONGEST_HEADING
from vits.errors import UserError

EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"}
    | {"dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "header", "html", "li", "main", "menu", "ol", "p", "pre", "section"}
    | {"summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_SILENT = frozenset(
    {"script", "style", "head", "title", "template", "svg", "math", "audio", "video", "object"}
    | {"iframe", "canvas", "noscript", "nav", "button", "input", "select", "textarea", "form"}
    | {"img", "map", "rt", "rp", "del"}
)
_NOTE = re.compile(r"\b(?:doc-)?(?:footnotes?|endnotes?|rearnotes?|note-?body)\b")
_NOTE_REFERENCE = re.compile(r"\b(?:doc-)?note-?ref\b")
_PAGE = re.compile(r"\b(?:doc-)?page-?(?:break|num(?:ber)?|no)\b|\bpagenum\b")
_CONTENTS = re.compile(r"\b(?:doc-)?(?:toc|landmarks|lo[aitv]|page-list|index|pullquote)\b")
_VERSE = re.compile(r"\b(?:poem|poetry|verse|stanza|lyrics?)\b")
_BOLD = frozenset({"b", "strong", "big", "center", "font"})
_LIKE_HEADING = re.compile(r"\b(?:head(?:ing|er)?|title|chap|chapter(?:-?\w+)?)\b")
_CAPTION = re.compile(r"\b(?:caption|figcaption|illcaption)\b")
# '[12]', '*', '†' in a link or raised: a note's number, which is not read
_REFERENCE = re.compile(r"^\s*[\[(]?\s*(?:\d{1,4}|[*†‡§¶]{1,3}|[a-z]|注\d*)\s*[\])]?\s*$")


@dataclass
class Blocks:
    """Blocks as they are found, the block that each id of the page stands before, and those
    that stand out as headings do."""

    found: list[Block] = field(default_factory=list)
    anchors: dict[str, int] = field(default_factory=dict)
    prominent: list[int] = field(default_factory=list)
    bold: int = 0  # elements around the words that make them stand out
    _words: list[str] = field(default_factory=list)
    _kind: Kind = "text"
    _level: int = 0
    _plain: bool = False  # whether words of the paragraph do not stand out

    def anchor(self, name: str | None) -> None:
        """An id that stands here: before the paragraph it is in, or the next one."""
        if name:
            self.anchors.setdefault(name, len(self.found))

    def say(self, text: str | None) -> None:
        if text:
            self._words.append(text)
            self._plain |= not self.bold and bool(text.strip())

    def open(self, kind: Kind, level: int = 0) -> None:
        """End the paragraph, and begin one of this kind."""
        self.close()
        self._kind, self._level = kind, level

    def close(self) -> None:
        text = _tidy("".join(self._words))
        self._words.clear()
        if text:
            if not self._plain and self._kind == "text" and len(text) <= LONGEST_HEADING:
                self.prominent.append(len(self.found))
            self.found.append(Block(self._kind, text, self._level))
        self._plain = False

    def rule(self) -> None:
        self.close()
        if self.found and self.found[-1].kind != "break":
            self.found.append(Block("break", ""))


def _tidy(text: str) -> str:
    """White space as a browser shows it: single, with the line breaks that <br> made."""
    lines = (one_line(line) for line in text.replace("\r", " ").split("\v"))
    return "\n".join(line for line in lines if line)


def parse_html(raw: bytes, name: str) -> Any:
    """The root of an HTML or XHTML page, mended as browsers do. UserError where there is none."""
    from lxml import etree
    from lxml import html as lxml_html

    text = decode_markup(raw, name)
    if re.match(r"\s*(?:<\?xml|<!DOCTYPE[^>]*XHTML)|[^<]*<html[^>]+xmlns", text[:2000], re.I):
        root = parse_xml(raw, name, html_entities=True)
        if isinstance(root.tag, str) and root.tag.lower().endswith("html"):
            return root
    if "<!ENTITY" in text:
        raise UserError(f"{name} defines XML entities.", "Get the book from another place.")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    try:
        return lxml_html.document_fromstring(text.encode(), lxml_html.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UserError(f"{name} holds no page that can be read.", "Export it again.") from error


def blocks_of(root: Any) -> Blocks:
    """The blocks of a page, in order."""
    blocks = Blocks()
    body = next((node for node in root.iter() if _name(node) == "body"), root)
    _walk(body, blocks, "text")
    blocks.close()
    return blocks


def _name(node: Any) -> str:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def semantics(node: Any) -> str:
    """What a node says of itself: epub:type, role, class and id, in lower case."""
    parts = (node.get(EPUB_TYPE), node.get("epub:type"), node.get("role"), node.get("class"))
    return " ".join(part for part in parts if part).lower().replace("_", "-")


def _walk(node: Any, blocks: Blocks, kind: Kind) -> None:
    """Take a node and what is in it; `kind` is that of the paragraphs around it."""
    name, meaning = _name(node), semantics(node)
    if name == "a" and node.get("name"):
        blocks.anchor(node.get("name"))
    if not name or name in _SILENT or _is_unheard(node, name, meaning):
        _anchors_within(node, blocks)
        return
    if name == "br":
        blocks.say("\v")
    elif name == "hr":
        blocks.rule()
    elif name == "table" and not _is_layout(node):
        _table(node, blocks)
    elif name in _BLOCKS:
        inner, level = _kind_of(name, meaning, kind)
        blocks.open(inner, level)
        blocks.anchor(node.get("id"))
        _children(node, blocks, inner, name)
        blocks.close()
        blocks.open(kind)
    elif _PAGE.search(meaning):
        _aside(node, blocks, "page-number")
    else:
        blocks.anchor(node.get("id"))
        _children(node, blocks, kind, name)


def _children(node: Any, blocks: Blocks, kind: Kind, name: str) -> None:
    bold = _stands_out(node, name)
    blocks.bold += bold
    blocks.say(_text(node.text, name))
    for child in node:
        _walk(child, blocks, kind)
        blocks.say(_text(child.tail, name))
    blocks.bold -= bold


def _stands_out(node: Any, name: str) -> bool:
    """Bold, large, centred, or of a class that is named like headings."""
    if name in _BOLD:
        return True
    if name not in ("p", "div", "span"):
        return False
    style = (node.get("style") or "").replace(" ", "").lower()
    if node.get("align") == "center" or re.search(r"text-align:center|font-weight:bold", style):
        return True
    return name == "p" and bool(_LIKE_HEADING.search(semantics(node)))


def _text(text: str | None, parent: str) -> str | None:
    """Line breaks count in <pre> alone."""
    if text is None:
        return None
    return text.replace("\n", "\v") if parent == "pre" else text


def _aside(node: Any, blocks: Blocks, kind: Kind) -> None:
    """A page number in the middle of a sentence: a block of its own that does not end it."""
    blocks.anchor(node.get("id"))
    text = one_line("".join(node.itertext()) or node.get("title") or node.get("aria-label") or "")
    if text and not blocks._words:
        blocks.found.append(Block(kind, text))


def _kind_of(name: str, meaning: str, kind: Kind) -> tuple[Kind, int]:
    if kind in ("footnote", "caption", "code", "table"):  # holds for all that is in them
        return kind, 0
    if len(name) == 2 and name[0] == "h" and name[1].isdigit():
        return "heading", int(name[1])
    if _NOTE.search(meaning):
        return "footnote", 0
    if _PAGE.search(meaning):
        return "page-number", 0
    if name in ("figcaption", "caption") or _CAPTION.search(meaning):
        return "caption", 0
    if name == "pre":
        return ("verse" if _VERSE.search(meaning) else "code"), 0
    if name in ("li", "dt", "dd"):
        return "item", 0
    if _VERSE.search(meaning):
        return "verse", 0
    return ("text" if kind in ("heading", "item") else kind), 0


def _is_unheard(node: Any, name: str, meaning: str) -> bool:
    """Notes' numbers, tables of contents, and what the page itself hides."""
    if node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    if "pg-boilerplate" in meaning or node.get("id") in ("pg-header", "pg-footer"):
        return True  # Project Gutenberg's own words
    if "display:none" in (node.get("style") or "").replace(" ", ""):
        return True
    types = " ".join(filter(None, (node.get(EPUB_TYPE), node.get("epub:type"), node.get("role"))))
    if _NOTE_REFERENCE.search(types) or (name != "body" and _CONTENTS.search(types)):
        return True
    if name not in ("sup", "a"):
        return False
    link = name == "a" or any(_name(child) == "a" for child in node.iter())
    text = "".join(node.itertext())
    raised = name == "sup" or "noteref" in meaning or any(_name(c) == "sup" for c in node.iter())
    target = _link(node)
    to_note = raised or text.strip().startswith(("[", "*", "†", "‡"))
    return bool(_REFERENCE.match(text)) and to_note and (not link or "#" in target or not target)


def _link(node: Any) -> str:
    for found in node.iter():
        if _name(found) == "a" and found.get("href"):
            return str(found.get("href"))
    return ""


def _anchors_within(node: Any, blocks: Blocks) -> None:
    for found in node.iter():
        if isinstance(found.tag, str):
            blocks.anchor(found.get("id"))


def _is_layout(table: Any) -> bool:
    """A table of one column, or with headings or paragraphs in it, holds prose."""
    rows = [node for node in table.iter() if _name(node) == "tr"]
    widest = max((len([c for c in row if _name(c) in ("td", "th")]) for row in rows), default=0)
    inner = {_name(node) for node in table.iter()}
    return widest <= 1 or bool(inner & {"h1", "h2", "h3", "blockquote"})


def _table(table: Any, blocks: Blocks) -> None:
    """A block for each row, its cells apart by commas, so that it can be read if one wants."""
    blocks.close()
    for row in _rows(table):
        if row:
            blocks.found.append(Block("table", row))
    for node in table.iter():
        if _name(node) == "caption":
            text = one_line("".join(node.itertext()))
            if text:
                blocks.found.append(Block("caption", text))


def _rows(table: Any) -> Iterator[str]:
    for row in table.iter():
        if _name(row) == "tr":
            cells = (one_line("".join(c.itertext())) for c in row if _name(c) in ("td", "th"))
            yield ", ".join(cell for cell in cells if cell)

"""FictionBook 2 (the XML of Russian libraries) -> a draft; `.fb2.zip` too."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.books.archive import Archive, parse_xml
from pipelines.books.book import Block, Draft, Kind, Mark, Metadata, one_line
from pipelines.books.guesses import guess_headings
from vits.errors import UserError

_HREF = "{http://www.w3.org/1999/xlink}href"
_NOTES = ("notes", "comments", "footnotes")
_PARAGRAPHS: dict[str, Kind] = {
    "p": "text",
    "v": "verse",
    "subtitle": "text",
    "text-author": "text",
    "date": "text",
}


def read_fb2(path: Path) -> Draft:
    """The draft of an FB2 file. UserError where it is none."""
    root = parse_xml(_bytes_of(path), path.name)
    if _name(root) != "FictionBook":
        raise UserError(f"{path} is no FictionBook file.", "Export the book again.")
    draft = Draft(meta=_metadata(root))
    prominent: list[int] = []
    bodies = list(_children(root, "body"))
    notes = [body for body in bodies[1:] if (body.get("name") or "").lower() in _NOTES]
    for body in bodies:
        if body not in notes:
            _section(body, draft, 0, prominent)
    guess_headings(draft.blocks, prominent)
    for body in notes:
        _notes(body, draft)
    draft.cover = _cover(root)
    return draft


def _bytes_of(path: Path) -> bytes:
    if path.suffix.lower() != ".zip":
        try:
            return path.read_bytes()
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}).", "Check the name of the file."
            ) from error
    with Archive(path) as archive:
        names = [name for name in archive.names() if name.lower().endswith(".fb2")]
        if len(names) != 1:
            raise UserError(f"{path} holds {len(names)} FB2 files.", "Unpack it and name one.")
        return archive.read(names[0])


def _name(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _children(node: Any, name: str) -> Iterator[Any]:
    return (child for child in node if _name(child) == name)


def _descendants(node: Any, name: str) -> Iterator[Any]:
    return (found for found in node.iter() if _name(found) == name)


def _text(node: Any) -> str:
    """Words without the numbers of notes."""
    parts = [node.text or ""]
    for child in node:
        is_note = _name(child) == "a" and child.get("type") == "note"
        parts += ["" if is_note else _text(child), child.tail or ""]
    return "".join(parts)


def _section(node: Any, draft: Draft, depth: int, prominent: list[int]) -> None:
    """A section with those in it; its title is a heading and a mark.

    The places of paragraphs that are all bold go into `prominent`.
    """
    for child in node:
        name = _name(child)
        if name == "section":
            _section(child, draft, depth + 1, prominent)
        elif name == "title":
            lines = [one_line(_text(p)) for p in _children(child, "p")]
            title = ". ".join(line.rstrip(".") for line in lines if line)
            if not re.search(r"\w", title):  # stars
                draft.blocks.append(Block("break", ""))
            else:
                draft.marks += [Mark(title, len(draft.blocks), depth)]
                draft.blocks.append(Block("heading", title, min(6, depth + 1)))
        elif name in _PARAGRAPHS:
            if _is_bold(child):
                prominent.append(len(draft.blocks))
            _add(draft, _PARAGRAPHS[name], _text(child))
        elif name == "empty-line":
            if draft.blocks and draft.blocks[-1].kind != "break":
                draft.blocks.append(Block("break", ""))
        elif name == "table":
            for row in _descendants(child, "tr"):
                cells = (one_line(_text(cell)) for cell in row)
                _add(draft, "table", ", ".join(cell for cell in cells if cell))
        elif name == "poem":
            _poem(child, draft)
        elif name in ("cite", "epigraph", "annotation"):
            _section(child, draft, depth, prominent)


def _is_bold(paragraph: Any) -> bool:
    inner = [child for child in paragraph if _name(child) != "strong" or (child.tail or "").strip()]
    return len(paragraph) > 0 and not inner and not (paragraph.text or "").strip()


def _poem(node: Any, draft: Draft) -> None:
    """A block for each stanza, a line for each verse."""
    for stanza in _descendants(node, "stanza"):
        lines = [one_line(_text(verse)) for verse in _children(stanza, "v")]
        _add(draft, "verse", "\n".join(line for line in lines if line))


def _notes(body: Any, draft: Draft) -> None:
    for node in _descendants(body, "p"):
        _add(draft, "footnote", _text(node))


def _add(draft: Draft, kind: Kind, text: str) -> None:
    text = text.strip() if kind == "verse" else one_line(text)
    if text:
        draft.blocks.append(Block(kind, text))


def _metadata(root: Any) -> Metadata:
    info = next(_descendants(root, "title-info"), None)
    if info is None:
        return Metadata()

    def first(name: str) -> str:
        return next((one_line(_text(n)) for n in _children(info, name)), "")

    sequence = next(_children(info, "sequence"), None)
    authors = []
    for author in _children(info, "author"):
        parts = (
            next((one_line(_text(n)) for n in _children(author, part)), "")
            for part in ("first-name", "middle-name", "last-name")
        )
        authors.append(one_line(" ".join(parts)) or one_line(_text(author)))
    return Metadata(
        title=first("book-title"),
        authors=tuple(name for name in authors if name),
        language=first("lang"),
        series=str(sequence.get("name") or "") if sequence is not None else "",
        series_index=str(sequence.get("number") or "") if sequence is not None else "",
        year=first("date")[:4] if first("date")[:4].isdigit() else "",
        description=first("annotation"),
    )


def _cover(root: Any) -> bytes | None:
    page = next(_descendants(root, "coverpage"), None)
    image = next(_descendants(page, "image"), None) if page is not None else None
    name = (image.get(_HREF) or "").lstrip("#") if image is not None else ""
    for binary in _children(root, "binary"):
        if name and binary.get("id") == name:
            try:
                return base64.b64decode("".join((binary.text or "").split()), validate=True)
            except (binascii.Error, ValueError):
                return None
    return None

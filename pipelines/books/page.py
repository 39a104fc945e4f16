"""One HTML file -> a draft."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pipelines.books.book import Draft, Metadata, one_line
from pipelines.books.guesses import guess_headings
from pipelines.books.markup import blocks_of, parse_html


def read_page(raw: bytes, name: str) -> Draft:
    """The draft of a page; its headings are its chapters."""
    root = parse_html(raw, name)
    blocks = blocks_of(root)
    guess_headings(blocks.found, blocks.prominent)
    draft = Draft(meta=_metadata(root), blocks=blocks.found)
    _book_alone(draft)
    return draft


def _metadata(root: Any) -> Metadata:
    title = next((one_line("".join(n.itertext())) for n in root.iter("{*}title")), "")
    metas = {
        str(node.get("name") or node.get("property")).lower(): str(node.get("content") or "")
        for node in root.iter("{*}meta")
        if node.get("name") or node.get("property")
    }
    author = metas.get("author") or metas.get("dc.creator") or ""
    return Metadata(
        title=metas.get("dc.title") or metas.get("og:title") or _without_site(title),
        authors=(one_line(author),) if author.strip() else (),
        language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
    )


def _without_site(title: str) -> str:
    """'Emma | Project Gutenberg' -> 'Emma'."""
    title = re.sub(r"^The Project Gutenberg E-?Book of\s+", "", title, flags=re.I)
    return re.split(r"\s+[|–—]\s+", title)[0].strip()


def _book_alone(draft: Draft) -> None:
    """Cut Project Gutenberg's header and licence off, and the book's title from its top."""
    starts = [i for i, b in enumerate(draft.blocks) if _mark("START", b.text)]
    ends = [i for i, b in enumerate(draft.blocks) if _mark("END", b.text)]
    if starts:
        end = next((i for i in ends if i > starts[0]), len(draft.blocks))
        draft.blocks = draft.blocks[starts[0] + 1 : end]
    headings = [b for b in draft.blocks if b.kind == "heading"]
    if headings and not draft.meta.title:
        tops = [b for b in headings if b.level == 1]
        if len(tops) == 1:
            draft.meta = replace(draft.meta, title=one_line(tops[0].text))


def _mark(which: str, text: str) -> bool:
    return bool(re.match(rf"^\*\*\* ?{which} OF (?:THE|THIS) PROJECT GUTENBERG", text, re.I))

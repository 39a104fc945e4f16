"""EPUB 2 and 3 -> a draft (EPUB 3.3, W3C 2023; OPF 2.0.1; NCX, ANSI/NISO Z39.86).

Reading order is the spine's, chapters are the navigation's (nav document, else NCX), front and back
matter is known by `epub:type`, landmarks and guide. Nothing is unpacked, no script runs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.books.archive import Archive, inside
from pipelines.books.book import Block, Draft, Mark, Matter, Metadata, bare, one_line
from pipelines.books.guesses import guess_headings
from pipelines.books.headings import matter_of_types
from pipelines.books.markup import EPUB_TYPE, blocks_of, parse_html, semantics
from vits.errors import UserError

CONTAINER = "META-INF/container.xml"
_FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_DRM = {
    "META-INF/license.lcpl": "Readium LCP",
    "META-INF/rights.xml": "Adobe ADEPT",
    "META-INF/sinf.xml": "Apple FairPlay",
}
COVER_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_PAGES = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")
MOST_NAV = 20_000  # entries


@dataclass(frozen=True)
class _Item:
    """An entry of the manifest: `path` in the archive."""

    path: str
    media_type: str
    properties: str


@dataclass
class _Package:
    """What the OPF says."""

    path: str
    meta: Metadata
    items: dict[str, _Item]
    spine: list[_Item]
    toc: _Item | None
    cover: str = ""
    matters: dict[str, Matter] = field(default_factory=dict)  # by path, of guide and landmarks


@dataclass
class _Places:
    """Where in the blocks each page begins, and each id of it."""

    pages: dict[str, int] = field(default_factory=dict)
    anchors: dict[tuple[str, str], int] = field(default_factory=dict)
    matters: dict[int, Matter] = field(default_factory=dict)
    prominent: list[int] = field(default_factory=list)

    def find(self, path: str, fragment: str) -> int | None:
        return self.anchors.get((path, fragment), self.pages.get(path))


def read_epub(path: Path) -> Draft:
    """The draft of an EPUB. UserError for DRM, damage, and what `Archive` refuses."""
    with Archive(path) as archive:
        _refuse_drm(archive)
        package = _package(archive)
        draft = Draft(meta=package.meta)
        places = _read_spine(archive, package, draft)
        guess_headings(draft.blocks, places.prominent)
        nav = _navigation(archive, package)
        draft.marks = list(_marks(nav, places, draft.blocks))
        draft.cover = _cover(archive, package)
    return draft


def _refuse_drm(archive: Archive) -> None:
    name = next((kind for member, kind in _DRM.items() if member in archive), "")
    locked = False
    if "META-INF/encryption.xml" in archive:
        root = archive.xml("META-INF/encryption.xml")
        used = [str(node.get("Algorithm")) for node in root.iter("{*}EncryptionMethod")]
        locked = any(algorithm not in _FONT_OBFUSCATION for algorithm in used)
    if locked or name in ("Readium LCP", "Apple FairPlay"):
        raise UserError(
            f"{archive.path} is protected by DRM ({name or 'encrypted'}) and cannot be read.",
            "Get a copy without DRM from its seller.",
        )


# ---------------------------------------------------------------- the package


def _package(archive: Archive) -> _Package:
    root = archive.xml(path := _package_path(archive))
    items = {}
    for node in root.iter("{*}item"):
        where = inside(path, str(node.get("href") or ""))
        if node.get("id") and where:
            media_type = str(node.get("media-type") or "").lower()
            items[node.get("id")] = _Item(where, media_type, str(node.get("properties") or ""))
    spine_node = next(iter(root.iter("{*}spine")), None)
    spine = [
        items[node.get("idref")]
        for node in root.iter("{*}itemref")
        if node.get("idref") in items and node.get("linear", "yes") != "no"
    ]
    if not spine:
        raise UserError(f"{archive.path} is a broken EPUB: it names no pages.", "Export it again.")
    toc = items.get(spine_node.get("toc") or "") if spine_node is not None else None
    if toc is None:
        toc = next((i for i in items.values() if i.media_type == "application/x-dtbncx+xml"), None)
    package = _Package(path, _metadata(root), items, spine, toc, _cover_path(root, path, items))
    for node in root.iter("{*}reference"):
        matter = matter_of_types(str(node.get("type") or "").replace("title-page", "titlepage"))
        if matter:
            package.matters[inside(path, str(node.get("href") or ""))] = matter
    return package


def _package_path(archive: Archive) -> str:
    if CONTAINER in archive:
        for node in archive.xml(CONTAINER).iter("{*}rootfile"):
            path = str(node.get("full-path") or "")
            if path in archive:
                return path
    found = [name for name in archive.names() if name.lower().endswith(".opf")]
    if not found:
        raise UserError(
            f"{archive.path} is no EPUB: it has no package file.", "Export the book again."
        )
    return found[0]


def _metadata(root: Any) -> Metadata:
    def first(name: str) -> str:
        return next(iter(_texts(root, name)), "")

    metas = {
        str(node.get("name") or node.get("property") or ""): one_line(
            str(node.get("content") or node.text or "")
        )
        for node in root.iter("{*}meta")
        if not node.get("refines") or node.get("property") == "group-position"
    }
    year = re.search(r"\b\d{4}\b", first("date"))
    description = re.sub(r"<[^>]+>", " ", first("description"))
    return Metadata(
        title=first("title"),
        authors=tuple(_authors(root)),
        language=first("language").replace("_", "-"),
        series=metas.get("calibre:series", metas.get("belongs-to-collection", "")),
        series_index=re.sub(
            r"\.0$", "", metas.get("calibre:series_index", metas.get("group-position", ""))
        ),
        year=year[0] if year else "",
        publisher=first("publisher"),
        description=one_line(description),
        identifier=first("identifier"),
    )


def _texts(root: Any, name: str) -> list[str]:
    found = (
        one_line("".join(n.itertext())) for n in root.iter(f"{{*}}{name}") if n.tag is not None
    )
    return [text for text in found if text]


def _authors(root: Any) -> Iterator[str]:
    """The creators that are authors by their role, or have none."""
    roles = {
        str(node.get("refines") or "").lstrip("#"): str(node.text or "").strip()
        for node in root.iter("{*}meta")
        if node.get("property") == "role"
    }
    for node in root.iter("{*}creator"):
        role = node.get("{http://www.idpf.org/2007/opf}role") or roles.get(node.get("id") or "", "")
        text = one_line("".join(node.itertext()))
        if text and role in ("", "aut"):
            yield text


# ---------------------------------------------------------------- pages


def _read_spine(archive: Archive, package: _Package, draft: Draft) -> _Places:
    places = _Places()
    for item in package.spine:
        if item.path in places.pages or (item.media_type and item.media_type not in _PAGES):
            continue
        if item.path not in archive:
            draft.notes.append(f"{item.path} is named in the book and not there")
            continue
        _read_page(archive, item.path, draft, places, package)
    return places


def _read_page(
    archive: Archive, path: str, draft: Draft, places: _Places, package: _Package
) -> None:
    start = len(draft.blocks)
    places.pages[path] = start
    raw = archive.read(path)
    if not raw.strip():
        return
    root = parse_html(raw, f"{archive.path.name}/{path}")
    if _is_contents(root):
        return
    found = blocks_of(root)
    draft.blocks += found.found
    places.prominent += [start + index for index in found.prominent]
    for name, index in found.anchors.items():
        places.anchors[path, name] = start + index
    matter = package.matters.get(path) or _matter_of_page(root)
    if matter and found.found:  # a cover that is only a picture begins nothing
        places.matters[start] = matter


def _is_contents(root: Any) -> bool:
    """Whether a page is the navigation itself: nearly all of its words are links."""
    body = next((node for node in root.iter("{*}body")), None)
    if body is None:
        return False
    if any(
        "toc" in str(nav.get(EPUB_TYPE) or nav.get("role") or "") for nav in body.iter("{*}nav")
    ):
        return True
    words = len("".join(body.itertext()).split())
    linked = sum(len("".join(a.itertext()).split()) for a in body.iter("{*}a") if a.get("href"))
    links = sum(1 for a in body.iter("{*}a") if a.get("href"))
    return links >= 3 and linked > 0.75 * words and words < 40 * links


def _matter_of_page(root: Any) -> Matter | None:
    """By the epub:type of the body, or of its only section."""
    body = next((node for node in root.iter("{*}body")), None)
    if body is None:
        return None
    sections = [node for node in body if isinstance(node.tag, str)]
    types = [str(node.get(EPUB_TYPE) or "") for node in (body, *sections[:1])]
    if "pg-boilerplate" in semantics(sections[0] if len(sections) == 1 else body):
        return "back"
    return next((m for t in types if (m := matter_of_types(t))), None)


# ---------------------------------------------------------------- navigation


@dataclass(frozen=True)
class _Entry:
    title: str
    path: str
    fragment: str
    depth: int
    matter: Matter | None = None


def _navigation(archive: Archive, package: _Package) -> list[_Entry]:
    """Entries of the nav document, else of the NCX; [] where there is none that can be read."""
    nav = next((i for i in package.items.values() if "nav" in i.properties.split()), None)
    entries: list[_Entry] = []
    if nav and nav.path in archive:
        root = parse_html(archive.read(nav.path), nav.path)
        entries = list(_nav_entries(root, nav.path))[:MOST_NAV]
        package.matters |= _landmarks(root, nav.path)
    if not entries and package.toc and package.toc.path in archive:
        root = archive.xml(package.toc.path)
        for nav_map in root.iter("{*}navMap"):
            entries += list(_ncx_entries(nav_map, package.toc.path, 0))[:MOST_NAV]
    return entries


def _nav_entries(root: Any, path: str) -> Iterator[_Entry]:
    navs = list(root.iter("{*}nav"))
    toc = [n for n in navs if "toc" in str(n.get(EPUB_TYPE) or n.get("role") or "").split()]
    for nav in (toc or navs)[:1]:
        for top in nav.iter("{*}ol"):
            yield from _list_entries(top, path, 0)
            break


def _list_entries(items: Any, path: str, depth: int) -> Iterator[_Entry]:
    for item in items.iterchildren("{*}li"):
        label = next((n for n in item if n.tag is not None and _local(n) in ("a", "span")), None)
        if label is not None:
            href = str(label.get("href") or "")
            where = inside(path, href) if href else ""
            title = one_line("".join(label.itertext()))
            if where or not href:  # a link out of the archive leads nowhere
                yield _Entry(title, where, href.partition("#")[2], depth)
        for inner in item.iterchildren("{*}ol"):
            yield from _list_entries(inner, path, depth + 1)


def _ncx_entries(node: Any, path: str, depth: int) -> Iterator[_Entry]:
    for point in node.iterchildren("{*}navPoint"):
        text = next((n for n in point.iterchildren("{*}navLabel")), None)
        content = next((n for n in point.iterchildren("{*}content")), None)
        title = one_line("".join(text.itertext())) if text is not None else ""
        href = str(content.get("src") or "") if content is not None else ""
        where = inside(path, href) if href else ""
        if where or not href:
            yield _Entry(title, where, href.partition("#")[2], depth)
        yield from _ncx_entries(point, path, depth + 1)


def _landmarks(root: Any, path: str) -> dict[str, Matter]:
    found: dict[str, Matter] = {}
    for nav in root.iter("{*}nav"):
        if "landmarks" in str(nav.get(EPUB_TYPE) or ""):
            for link in nav.iter("{*}a"):
                matter = matter_of_types(str(link.get(EPUB_TYPE) or ""))
                href = str(link.get("href") or "")
                if matter and "#" not in href:
                    found[inside(path, href)] = matter
    return found


def _local(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _marks(entries: list[_Entry], places: _Places, blocks: Sequence[Block]) -> Iterator[Mark]:
    """Entries at their places, in order, and a mark for matter that no entry names.

    A part that has no page of its own begins where its first chapter does. An entry that points to
    a wrong page, as converters write them, means the only heading that says the same.
    """
    said = Counter(bare(block.text) for block in blocks if block.kind == "heading")
    headings = {bare(b.text): i for i, b in enumerate(blocks) if b.kind == "heading"}
    placed: list[tuple[_Entry, int]] = []
    for index, entry in enumerate(entries):
        block = places.find(entry.path, entry.fragment)
        if block is None:
            inner = (e for e in entries[index + 1 :] if e.path)
            following = next(inner, None) if not entry.path else None
            block = places.find(following.path, following.fragment) if following else None
        if block is not None:
            title = bare(entry.title)
            if said[title] == 1 and not _says(blocks[block : headings[title] + 1], title):
                block = headings[title]
            placed.append((entry, block))
    named = {block for _, block in placed}
    marks = [Mark(e.title, block, e.depth, places.matters.get(block)) for e, block in placed]
    marks += [Mark("", b, 0, m) for b, m in places.matters.items() if b not in named]
    yield from sorted(marks, key=lambda mark: mark.block)  # stable: parts stay before chapters


def _says(blocks: Sequence[Block], title: str) -> bool:
    """Whether of these, before any other text, a heading says it."""
    for block in blocks:
        if block.kind == "heading" and bare(block.text) == title:
            return True
        if block.kind == "text":
            return False
    return False


# ---------------------------------------------------------------- cover


def _cover_path(root: Any, path: str, items: dict[str, _Item]) -> str:
    named = [item for item in items.values() if "cover-image" in item.properties.split()]
    for node in root.iter("{*}meta"):
        if node.get("name") == "cover" and node.get("content") in items:
            named.append(items[node.get("content")])
    named += [
        item
        for key, item in items.items()
        if "cover" in f"{key} {item.path}".lower() and item.media_type in COVER_TYPES
    ]
    return next((item.path for item in named if item.media_type in COVER_TYPES), "")


def _cover(archive: Archive, package: _Package) -> bytes | None:
    if not package.cover or package.cover not in archive:
        return None
    return archive.read(package.cover)

"""An EPUB 3 package: pages, pictures and sounds in a zip, read aloud by media overlays.

EPUB 3.3 (W3C Recommendation): package document, navigation document, media overlays (section 9,
SMIL 3.0 of which little is used), fixed layouts (section 8.2). What stands on the pages is the
affair of `readalong.py`. The same contents give the same bytes: entries hold no clock time, and
the identifier follows from the contents.
"""

from __future__ import annotations

import hashlib
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from pipelines.media.labels import (
    AIGC_NAMESPACE,
    DEFAULT_LABEL,
    DIGITAL_SOURCE_TYPE,
    IPTC_NAMESPACE,
    PRODUCER,
    Label,
)
from pipelines.media.markup import direction, language_tag, plain
from pipelines.media.phrases import phrase
from vits.files import atomic_file

PACKAGE = "EPUB/package.opf"
ACTIVE_CLASS = "spoken"  # given to what is being read
MODIFIED = "2000-01-01T00:00:00Z"  # the format asks for one; nothing made here knows the time
_TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".smil": "application/smil+xml",
    ".css": "text/css",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".mp3": "audio/mpeg",
}
_PACKED = (".jpg", ".png", ".mp3")  # would not shrink
_CONTAINER = f"""<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="{PACKAGE}" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""


@dataclass(frozen=True)
class Clip:
    """An element of a page and the part of the page's sound that it stands for (milliseconds).

    Elements of one `group` (the words of a line, say) belong together: readers may skip it.
    """

    element: str
    start_ms: int
    end_ms: int
    group: str = ""


@dataclass(frozen=True)
class Page:
    """One XHTML document. `body` is its markup; `sound` names a file that its `clips` play.

    A page with an empty `title` continues the one before it and is not in the contents.
    """

    name: str
    title: str
    body: str
    sound: str = ""
    clips: tuple[Clip, ...] = ()

    @property
    def duration_ms(self) -> int:
        return sum(clip.end_ms - clip.start_ms for clip in self.clips)


@dataclass(frozen=True)
class Package:
    """A whole book. `files` are sounds, pictures and style by their names inside.

    `viewport` (width, height) makes the pages fixed; without it text flows. `facts` are further
    metadata by their names (dc:rights, dc:publisher ...).
    """

    title: str
    author: str
    narrator: str
    language: str
    pages: Sequence[Page]
    files: Mapping[str, bytes | Path]
    style: str  # name of the style sheet among the files
    cover: str = ""  # name of the cover picture among the files
    viewport: tuple[int, int] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    label: Label = DEFAULT_LABEL

    @property
    def tag(self) -> str:
        """The language as the format wants it."""
        return language_tag(self.language) or "und"


def write_package(package: Package, path: Path) -> None:
    """Write the book, whole or not at all. UserError if it cannot be written."""
    with atomic_file(path) as file, zipfile.ZipFile(file, "w") as book:
        _add(book, "mimetype", b"application/epub+zip", packed=True)
        _add(book, "META-INF/container.xml", _CONTAINER.encode())
        _add(book, PACKAGE, _package_document(package).encode())
        for name, text in _documents(package):
            _add(book, f"EPUB/{name}", text.encode())
        for name, data in package.files.items():
            packed = Path(name).suffix in _PACKED
            _add(book, f"EPUB/{name}", data, packed=packed)


def _add(book: zipfile.ZipFile, name: str, data: bytes | Path, *, packed: bool = False) -> None:
    entry = zipfile.ZipInfo(name)  # of 1980-01-01, which a zip calls no time at all
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    book.writestr(entry, data if isinstance(data, bytes) else data.read_bytes())


def _documents(package: Package) -> Iterator[tuple[str, str]]:
    yield "nav.xhtml", _navigation(package)
    for page in package.pages:
        yield f"{page.name}.xhtml", _page_document(package, page)
        if page.clips:
            yield f"{page.name}.smil", _overlay(page)


# ---------------------------------------------------------------- pages


def _page_document(package: Package, page: Page) -> str:
    viewport = ""
    if package.viewport:
        width, height = package.viewport
        viewport = f'<meta name="viewport" content="width={width}, height={height}"/>\n'
    head = f'{viewport}<link rel="stylesheet" type="text/css" href="{plain(package.style)}"/>\n'
    return _xhtml(package, page.title or package.title, head, page.body)


def _navigation(package: Package) -> str:
    entries = "".join(
        f'<li><a href="{page.name}.xhtml">{plain(page.title)}</a></li>\n'
        for page in package.pages
        if page.title
    )
    title = phrase(package.language, "contents")
    body = f'<nav epub:type="toc">\n<h1>{title}</h1>\n<ol>\n{entries}</ol>\n</nav>\n'
    return _xhtml(package, title, "", body)


def _xhtml(package: Package, title: str, head: str, body: str) -> str:
    tag = package.tag
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" \
lang="{tag}" xml:lang="{tag}" dir="{direction(tag)}">
<head>
<meta charset="utf-8"/>
<title>{plain(title)}</title>
{head}</head>
<body>
{body}</body>
</html>
"""


# ---------------------------------------------------------------- overlays


def _overlay(page: Page) -> str:
    """The page's SMIL: each clip an element and its part of the sound, in groups."""
    document = f"{page.name}.xhtml"
    pars = []
    for group, clips in groupby(page.clips, key=lambda clip: clip.group):
        inside = "".join(_par(page, clip) for clip in clips)
        start = f'<seq id="g-{group}" epub:textref="{document}#{group}">\n'
        pars.append(f"{start}{inside}</seq>\n" if group else inside)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<smil xmlns="http://www.w3.org/ns/SMIL" xmlns:epub="http://www.idpf.org/2007/ops" version="3.0">
<body id="body" epub:textref="{document}">
{"".join(pars)}</body>
</smil>
"""


def _par(page: Page, clip: Clip) -> str:
    return (
        f'<par id="p-{clip.element}"><text src="{page.name}.xhtml#{clip.element}"/>'
        f'<audio src="{page.sound}" clipBegin="{_clock(clip.start_ms)}"'
        f' clipEnd="{_clock(clip.end_ms)}"/></par>\n'
    )


def _clock(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}s"


# ---------------------------------------------------------------- the package document


def _package_document(package: Package) -> str:
    layout = "pre-paginated" if package.viewport else "reflowable"
    spine = "".join(f'<itemref idref="{page.name}"/>\n' for page in package.pages)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" \
xml:lang="{package.tag}" prefix="tc260: {AIGC_NAMESPACE} iptc: {IPTC_NAMESPACE}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{_identifier(package)}</dc:identifier>
<dc:title>{plain(package.title)}</dc:title>
<dc:language>{package.tag}</dc:language>
{"".join(_facts(package))}<meta property="dcterms:modified">{MODIFIED}</meta>
<meta property="rendition:layout">{layout}</meta>
{"".join(_media(package))}{"".join(_access(package))}\
<meta property="tc260:AIGC">{plain(package.label.json)}</meta>
<meta property="iptc:DigitalSourceType">{DIGITAL_SOURCE_TYPE}</meta>
</metadata>
<manifest>
{"".join(_manifest(package))}</manifest>
<spine page-progression-direction="{direction(package.tag)}">
{spine}</spine>
</package>
"""


def _identifier(package: Package) -> str:
    """A UUID that other contents would not have."""
    digest = hashlib.sha256()
    for name, text in _documents(package):
        digest.update(f"{name}\0{text}\0".encode())
    for name, data in package.files.items():
        digest.update(f"{name}\0".encode())
        digest.update(data if isinstance(data, bytes) else data.read_bytes())
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest())}"


def _facts(package: Package) -> Iterator[str]:
    if package.author.strip():
        yield f'<dc:creator id="author">{plain(package.author)}</dc:creator>\n'
        yield '<meta refines="#author" property="role" scheme="marc:relators">aut</meta>\n'
    for name, text in package.facts.items():
        yield f"<{name}>{plain(text)}</{name}>\n"
    yield f'<meta name="generator" content="{PRODUCER}"/>\n'


def _media(package: Package) -> Iterator[str]:
    """What players of overlays need to know: how long, by whom, and the class of what is read."""
    spoken = [page for page in package.pages if page.clips]
    if not spoken:
        return
    for page in spoken:
        yield (
            f'<meta property="media:duration" refines="#{page.name}-overlay">'
            f"{_clock(page.duration_ms)}</meta>\n"
        )
    total = sum(page.duration_ms for page in spoken)
    yield f'<meta property="media:duration">{_clock(total)}</meta>\n'
    if package.narrator.strip():
        yield f'<meta property="media:narrator">{plain(package.narrator)}</meta>\n'
    yield f'<meta property="media:active-class">{ACTIVE_CLASS}</meta>\n'


def _access(package: Package) -> Iterator[str]:
    """Schema.org's accessibility metadata (EPUB Accessibility 1.1)."""
    spoken = any(page.clips for page in package.pages)
    pictures = any(Path(name).suffix in (".jpg", ".png") for name in package.files)
    modes = ["textual", *["visual"] * pictures, *["auditory"] * spoken]
    features = ["tableOfContents", "readingOrder", *["alternativeText"] * pictures]
    features += ["synchronizedAudioText"] * spoken
    facts = [("accessMode", mode) for mode in modes]
    facts += [("accessModeSufficient", "textual")]
    facts += [("accessibilityFeature", feature) for feature in features]
    facts += [("accessibilityHazard", "none")]
    for name, text in facts:
        yield f'<meta property="schema:{name}">{text}</meta>\n'


def _manifest(package: Package) -> Iterator[str]:
    yield _item("nav", "nav.xhtml", 'properties="nav"')
    for page in package.pages:
        overlay = f'media-overlay="{page.name}-overlay"' if page.clips else ""
        yield _item(page.name, f"{page.name}.xhtml", overlay)
        if page.clips:
            yield _item(f"{page.name}-overlay", f"{page.name}.smil")
    for number, name in enumerate(package.files, start=1):
        cover = 'properties="cover-image"' if name == package.cover else ""
        yield _item(f"file-{number}", name, cover)


def _item(identifier: str, name: str, more: str = "") -> str:
    kind = _TYPES[Path(name).suffix]
    return f'<item id="{identifier}" href="{plain(name)}" media-type="{kind}" {more}/>\n'

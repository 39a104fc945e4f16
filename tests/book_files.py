"""Books for tests, written as the programs of the world write them, honest and hostile."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" '
    'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
XHTML = (
    '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
    "<head><title>page</title></head><body{attributes}>{body}</body></html>"
)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def prose(words: int, seed: str = "river") -> str:
    """So many words in sentences of ten."""
    sentences = []
    for start in range(0, words, 10):
        count = min(10, words - start)
        words_of = [seed.capitalize(), *[f"word{i}" for i in range(count - 1)]]
        sentences.append(" ".join(words_of) + ".")
    return " ".join(sentences)


def page(body: str, attributes: str = "") -> str:
    return XHTML.format(body=body, attributes=attributes)


def write_epub(
    path: Path,
    pages: Mapping[str, str],
    *,
    nav: str = "",
    ncx: str = "",
    metadata: str = "",
    extra: Mapping[str, bytes | str] | None = None,
    spine: Sequence[str] | None = None,
    guide: str = "",
    cover: str = "",
) -> Path:
    """An EPUB of `pages` (name to XHTML); `nav` and `ncx` are what their lists hold."""
    items = [f'<item id="p{i}" href="{name}" media-type="application/xhtml+xml"/>'
             for i, name in enumerate(pages)]  # fmt: skip
    refs = [f'<itemref idref="p{i}"/>' for i, name in enumerate(pages)
            if spine is None or name in spine]  # fmt: skip
    files: dict[str, bytes | str] = {f"OEBPS/{name}": text for name, text in pages.items()}
    if nav:
        items.append('<item id="nav" href="nav.xhtml" properties="nav"'
                     ' media-type="application/xhtml+xml"/>')  # fmt: skip
        files["OEBPS/nav.xhtml"] = page(f'<nav epub:type="toc"><ol>{nav}</ol></nav>')
    if ncx:
        items.append('<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>')
        files["OEBPS/toc.ncx"] = (
            '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">'
            f"<navMap>{ncx}</navMap></ncx>"
        )
    if cover:
        items.append(f'<item id="cov" href="{cover}" properties="cover-image"'
                     ' media-type="image/png"/>')  # fmt: skip
    files |= extra or {}
    files["OEBPS/content.opf"] = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:opf="http://www.idpf.org/2007/opf">{metadata or "<dc:title>A Book</dc:title>"}'
        f"</metadata><manifest>{''.join(items)}</manifest>"
        f"<spine{' toc=' + chr(34) + 'ncx' + chr(34) if ncx else ''}>{''.join(refs)}</spine>"
        f"{guide}</package>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def simple_epub(path: Path, chapters: int = 3, words: int = 300, title: str = "A Book") -> Path:
    """An honest EPUB 3: a chapter a page, in the nav."""
    pages, nav = {}, ""
    for number in range(1, chapters + 1):
        pages[f"c{number}.xhtml"] = page(
            f"<h2>Chapter {number}</h2><p>{prose(words, f'tale{number}')}</p>"
        )
        nav += f'<li><a href="c{number}.xhtml">Chapter {number}</a></li>'
    metadata = f"<dc:title>{escape(title)}</dc:title><dc:creator>Ann Other</dc:creator>"
    return write_epub(path, pages, nav=nav, metadata=metadata + "<dc:language>en</dc:language>")


def write_pdf(
    path: Path,
    pages: Sequence[Sequence[tuple[str, float]]],
    outline: Sequence[tuple[str, int]] = (),
) -> Path:
    """A PDF of pages of (line, size in points); `outline` is (title, page)."""
    objects: list[bytes] = [b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        at, parts = 760.0, ["BT"]
        for text, size in lines:
            safe = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            parts.append(f"/F1 {size} Tf 1 0 0 1 72 {at} Tm ({safe}) Tj")
            at -= size * 1.3
        content = "\n".join([*parts, "ET"]).encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 1 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 2 0 R >> >> >>" % len(objects)
        )
        kids.append(len(objects))
    refs = " ".join(f"{kid} 0 R" for kid in kids)
    objects[0] = f"<< /Type /Pages /Kids [{refs}] /Count {len(kids)} >>".encode()
    objects.append(b"<< /Type /Catalog /Pages 1 0 R >>")
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, len(objects), table,
    )  # fmt: skip
    path.write_bytes(out)
    if outline:
        from pypdf import PdfReader, PdfWriter

        writer = PdfWriter(clone_from=PdfReader(str(path)))
        for title, where in outline:
            writer.add_outline_item(title, where)
        writer.write(str(path))
    return path


FB2 = """<?xml version="1.0" encoding="{encoding}"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink">
<description><title-info><author><first-name>Anton</first-name>
<last-name>Tschechow</last-name></author>
<book-title>{title}</book-title><lang>{language}</lang><date>1899</date>
<sequence name="Tales" number="2"/>
<coverpage><image l:href="#c.png"/></coverpage></title-info></description>
<body>{body}</body><body name="notes">
<section id="n1"><title><p>1</p></title><p>A note.</p></section></body>
<binary id="c.png" content-type="image/png">{cover}</binary></FictionBook>"""

"""A book of any kind -> its chapters: `read_book(path)`.

What kind a file is its first bytes say, since names lie; text, Markdown and HTML are told apart by
the name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.encodings import decode, decode_markup
from pipelines.books.book import Book, Draft, one_line
from pipelines.books.chapters import book_of
from pipelines.books.language import guess_language
from vits.errors import UserError

LARGEST_TEXT_BYTES = 256 << 20  # of txt, md, html
_OTHER = {
    ".mobi": "Kindle",
    ".azw": "Kindle",
    ".azw3": "Kindle",
    ".kfx": "Kindle",
    ".djvu": "DjVu",
    ".doc": "old Word",
    ".rtf": "RTF",
    ".odt": "OpenDocument",
}


def read_book(path: str | Path) -> Book:
    """The book in a file: txt, md, html, epub, pdf, docx, fb2. Raises UserError.

    A title that the book does not tell is the file's name, a language that it does not tell is
    guessed from its words.
    """
    path = Path(path)
    draft = _reader_of(path)(path)
    _complete(draft, path)
    if not any(block.text.strip() for block in draft.blocks):
        raise UserError(f"{path} holds no text to read aloud.", "Choose another book.")
    return book_of(draft)


def _complete(draft: Draft, path: Path) -> None:
    texts = (block.text for block in draft.blocks)
    draft.meta = replace(
        draft.meta,
        title=draft.meta.title or title_of_file(path),
        language=draft.meta.language or guess_language(texts),
    )


def title_of_file(path: Path) -> str:
    """'the_old_lamp.fb2.zip' -> 'The old lamp'."""
    stem = path.name
    while Path(stem).suffix.lower() in SUFFIXES and Path(stem).stem:
        stem = Path(stem).stem
    words = one_line(stem.replace("_", " ")) or path.name
    return words[0].upper() + words[1:]


def _reader_of(path: Path) -> Callable[[Path], Draft]:
    head = _head(path)
    suffix = path.suffix.lower()
    if head.startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in head):
        return _pdf
    if head.startswith(b"PK"):
        return _zip(path)
    if b"<FictionBook" in head or suffix == ".fb2":
        return _fb2
    if suffix in (".pdf", ".docx", ".epub"):
        raise UserError(
            f"{path} is damaged: it is no {suffix[1:].upper()} file, whatever its name says.",
            "Download or export it again.",
        )
    if suffix in _READERS:
        return _READERS[suffix]
    if suffix in _OTHER:
        raise UserError(
            f"{path} is {_OTHER[suffix]}, which cannot be read here.",
            "Convert it to EPUB, with calibre for example.",
        )
    raise UserError(
        f"{path} is no book that can be read here.", f"Give one of {' '.join(SUFFIXES)}."
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}).", "Name a book that you may read."
        ) from error
    if not head:
        raise UserError(f"{path} is empty (0 bytes).", "Download or export it again.")
    return head


def _zip(path: Path) -> Callable[[Path], Draft]:
    from pipelines.books.archive import Archive

    with Archive(path) as archive:
        names = archive.names()
    if any(name.startswith("word/") for name in names):
        return _docx
    if any(name.lower().endswith(".fb2") for name in names):
        return _fb2
    if "mimetype" in names or any(name.lower().endswith(".opf") for name in names):
        return _epub
    if path.suffix.lower() == ".epub":
        return _epub  # whose own words say what is missing
    raise UserError(f"{path} is a zip file without a book.", "Unpack it and name the book in it.")


def _text_bytes(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_TEXT_BYTES:
        raise UserError(
            f"{path} is larger than {LARGEST_TEXT_BYTES >> 20} MB, which is no book.",
            "Cut it into books.",
        )
    return path.read_bytes()


def _plain(path: Path) -> Draft:
    from pipelines.books.plain import read_plain

    return read_plain(decode(_text_bytes(path), str(path)))


def _markdown(path: Path) -> Draft:
    from pipelines.books.plain import read_markdown

    return read_markdown(decode(_text_bytes(path), str(path)))


def _html(path: Path) -> Draft:
    from pipelines.books.page import read_page

    raw = _text_bytes(path)
    decode_markup(raw, str(path))  # bytes that are no text are told of by this name
    return read_page(raw, str(path))


def _epub(path: Path) -> Draft:
    from pipelines.books.epub import read_epub

    return read_epub(path)


def _pdf(path: Path) -> Draft:
    from pipelines.books.pdf import read_pdf

    return read_pdf(path)


def _docx(path: Path) -> Draft:
    from pipelines.books.docx import read_docx

    return read_docx(path)


def _fb2(path: Path) -> Draft:
    from pipelines.books.fb2 import read_fb2

    return read_fb2(path)


_READERS: dict[str, Callable[[Path], Draft]] = {
    ".txt": _plain,
    ".text": _plain,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".epub": _epub,
    ".pdf": _pdf,
    ".docx": _docx,
    ".fb2": _fb2,
    ".zip": _fb2,
}
SUFFIXES = tuple(_READERS)

"""A zip from strangers (EPUB, DOCX, zipped FB2), read member by member and never unpacked.

Refused: names that climb out of the archive, more data than any book holds, passwords. XML is
read without entities of its own, which can grow without bound (CVE-2003-1564) or read local files.
"""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from data.encodings import decode_markup
from vits.errors import UserError

MOST_MEMBERS = 50_000
MOST_BYTES = 4 << 30  # of all members, unpacked
MOST_MEMBER_BYTES = 256 << 20  # of one that is read
MOST_RATIO = 200  # unpacked to packed; text packs to a fifth, a bomb to a thousandth
RATIO_FROM_BYTES = 16 << 20  # small members may pack as well as they like


class Archive:
    """The members of a zip file by name. A context manager; UserError for what is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise self._broken(str(error)) from error
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}).", "Check the name of the file."
            ) from error
        try:
            self._members = self._checked()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of a member. Raises KeyError if there is none of this name."""
        info = self._members[name]
        try:
            with self._zip.open(info) as file:
                data = file.read(MOST_MEMBER_BYTES + 1)
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise self._broken(f"{name}: {error}") from error
        except Exception as error:  # zlib.error, lzma.LZMAError: each codec has its own
            raise self._broken(f"{name}: {error}") from error
        if len(data) > MOST_MEMBER_BYTES:
            raise self._bomb()
        return data

    def xml(self, name: str) -> Any:
        """The root of an XML member."""
        return parse_xml(self.read(name), f"{self.path.name}/{name}")

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        members = self._zip.infolist()
        packed = sum(info.compress_size for info in members)
        unpacked = sum(info.file_size for info in members)
        bloated = unpacked > RATIO_FROM_BYTES and unpacked > MOST_RATIO * max(1, packed)
        if len(members) > MOST_MEMBERS or unpacked > MOST_BYTES or bloated:
            raise self._bomb()
        for info in members:
            _check_name(info.filename, self.path)
            if info.flag_bits & 1:
                raise UserError(
                    f"{self.path} is encrypted with a password.",
                    "Unpack it with the password and pack it without, or get a copy without.",
                )
        return {info.filename: info for info in members}

    def _bomb(self) -> UserError:
        return UserError(
            f"{self.path} unpacks to far more than a book holds: it is damaged or a zip bomb.",
            "Get the book from another place.",
        )

    def _broken(self, why: str) -> UserError:
        return UserError(
            f"{self.path} is damaged and cannot be read ({why}).", "Download or export it again."
        )


def _check_name(name: str, path: Path) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise UserError(
            f"{path} holds a file named {name[:80]!r}, which leads out of the archive.",
            "It was made to do harm, or by a broken program: get the book from another place.",
        )


def inside(base: str, link: str) -> str:
    """The member that `link` in the member `base` means; '' for one outside the archive."""
    target = unquote(link.split("#", 1)[0])
    if not target:
        return base
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(base), target))
    return "" if joined.startswith(("/", "..")) else joined


def parse_xml(raw: bytes, name: str, *, html_entities: bool = False) -> Any:
    """The root element of XML, mended where it can be. UserError for entity bombs and no XML."""
    from lxml import etree

    text = decode_markup(raw, name)
    if "<!ENTITY" in text:
        raise UserError(
            f"{name} defines XML entities, which books do not need and XML bombs are made of.",
            "Get the book from another place.",
        )
    if html_entities:
        text = _named_entities(text)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False
    )
    start = text.find("<?xml")
    body = text[text.find("?>", start) + 2 :] if start >= 0 else text
    try:
        root = etree.fromstring(body.strip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise UserError(f"{name} is not XML ({error.msg}).", "Export the book again.") from error
    if root is None:
        raise UserError(f"{name} is not XML.", "Export the book again.")
    return root


def _named_entities(text: str) -> str:
    """XHTML's `&nbsp;` and its like as characters; XML's own five stay."""
    import html
    import re

    own = {"amp", "lt", "gt", "quot", "apos"}
    return re.sub(
        r"&([A-Za-z][A-Za-z0-9]{1,30});",
        lambda m: m[0] if m[1] in own else html.unescape(m[0]),
        text,
    )

"""What one person wrote alone: mail of an mbox, diaries and essays as txt, md or docx."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message as Mail
from email.utils import parsedate_to_datetime
from pathlib import Path

from pipelines.persona.logs.message import MOST_CHARACTERS, Message, said

_QUOTE_HEAD = re.compile(
    r"^(On .{5,200} wrote:|.{2,100}(写道|寫道)[：:]|-{2,} ?(Original Message|原始邮件).*)$"
)
_SIGNATURE = re.compile(r"^-- ?$")


def mails(path: Path) -> Iterator[Message]:
    """The mails of an mbox: what each says itself, without what it quotes and its signature."""
    for number, mail in enumerate(mailbox.mbox(path, create=False), 1):
        text = _own_words(_body(mail))
        try:
            time = parsedate_to_datetime(str(mail["Date"])).timestamp()
        except (TypeError, ValueError):
            time = None
        reply = str(mail["In-Reply-To"] or "").strip()
        identifier = str(mail["Message-ID"] or "").strip()
        kind = "system" if mail["Auto-Submitted"] not in (None, "no") else "said"
        message = Message(
            _header(mail["From"]), text, time, number, "said", None, identifier, reply
        )
        yield said(message) if kind == "said" else Message("", text, time, number, "system")


def _header(value: object) -> str:
    try:
        return str(make_header(decode_header(str(value or ""))))
    except (LookupError, UnicodeError, ValueError):
        return str(value or "")


def _body(mail: Mail) -> str:
    """The first plain text of a mail; of one that has only HTML, its words."""
    for wanted in ("text/plain", "text/html"):
        for part in mail.walk():
            if part.get_content_type() == wanted and not part.get_filename():
                raw = part.get_payload(decode=True)
                text = _decoded(raw if isinstance(raw, bytes) else b"", part)
                return text if wanted == "text/plain" else _words(text)
    return ""


def _decoded(raw: bytes, part: Mail) -> str:
    raw = raw[: 8 * MOST_CHARACTERS]
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _words(html: str) -> str:
    from bs4 import BeautifulSoup

    return BeautifulSoup(html, "lxml").get_text("\n", strip=True)


def _own_words(text: str) -> str:
    own: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _SIGNATURE.match(line) or _QUOTE_HEAD.match(line.strip()):
            break
        if not line.startswith(">"):
            own.append(line)
    return "\n".join(own).strip()


def diary(path: Path) -> Iterator[Message]:
    """The paragraphs of a diary or an essay, each by the one whose persona it becomes."""
    from pipelines.books.reading import read_book

    book = read_book(path)
    for number, block in enumerate(book.blocks, 1):
        if block.kind in ("text", "verse", "item") and block.text.strip():
            text = block.text[:MOST_CHARACTERS]
            yield Message("", text, None, number, "writing", mine=True)

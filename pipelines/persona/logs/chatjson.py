"""Chats exported as JSON: Telegram Desktop, DiscordChatExporter; and JSON Lines.

The messages are taken one by one out of the text as it is read, so that an export of a million
needs no more memory than its longest message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from pipelines.persona.logs.message import Message, lines_of, said, seconds
from vits.errors import UserError

_LARGEST = 64 << 20  # characters of one message, with all its attachments
# In a JSON string the second quotation mark would stand behind a backslash.
_ARRAY = re.compile(r'"messages"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_KEEP = 200  # characters that may be the beginning of _ARRAY
_decoder = json.JSONDecoder()


def objects(chunks: Iterable[str], name: str) -> Iterator[dict[str, Any]]:
    """The objects of every array `messages`, or of the array that the whole text is."""
    pieces = iter(chunks)
    buffer = next(pieces, "")
    inside = buffer.lstrip().startswith("[")
    buffer = buffer.lstrip()[1:] if inside else buffer
    while True:
        if inside:
            buffer, ended = yield from _array(buffer, pieces, name)
            if ended:
                return
            inside = False
        found = _ARRAY.search(buffer)
        if found:
            buffer, inside = buffer[found.end() :], True
            continue
        piece = next(pieces, None)
        if piece is None:
            return
        buffer = buffer[-_KEEP:] + piece


def _array(
    buffer: str, pieces: Iterator[str], name: str
) -> Generator[dict[str, Any], None, tuple[str, bool]]:
    """The objects of an array; returns (what is left behind it, whether the text ended)."""
    needed, final = 0, False
    while True:
        buffer = buffer[_BETWEEN.match(buffer).end() :]  # type: ignore[union-attr]
        if buffer.startswith("]"):
            return buffer[1:], False
        if buffer and len(buffer) >= needed:
            try:
                value, end = _decoder.raw_decode(buffer)
            except json.JSONDecodeError:
                if final or len(buffer) > _LARGEST:
                    raise _damaged(name) from None
                needed = 2 * len(buffer)  # a message in many pieces is not tried at every one
            else:
                buffer, needed = buffer[end:], 0
                if isinstance(value, dict):
                    yield value
                continue
        piece = next(pieces, None)
        if piece is None and (final or not buffer):
            return "", True
        needed, final = (0, True) if piece is None else (needed, False)
        buffer += piece or ""


def _damaged(name: str) -> UserError:
    return UserError(f"{name} is cut off or damaged: its JSON does not end.", "Export it again.")


def json_lines(chunks: Iterable[str], name: str) -> Iterator[dict[str, Any]]:
    """The object of each line. Raises UserError for a line that is none."""
    for number, line in lines_of(chunks):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            raise UserError(f"{name}, line {number}: this is no JSON object.", "Export it again.")
        yield value


def telegram(found: Iterable[dict[str, Any]]) -> Iterator[Message]:
    """Messages of Telegram Desktop's `result.json`, one chat or a whole account."""
    for number, entry in enumerate(found, 1):
        kind = "system" if entry.get("type") == "service" else "said"
        forwarded = entry.get("forwarded_from") or entry.get("via_bot")
        time = seconds(entry.get("date_unixtime") or entry.get("date"))
        text = _telegram_text(entry.get("text", ""))
        name = str(entry.get("from") or entry.get("actor") or entry.get("from_id") or "")
        known: Any = "forwarded" if forwarded and kind == "said" else kind
        yield said(Message(name, text, time, number, known))


def _telegram_text(text: object) -> str:
    if isinstance(text, str):
        return text
    parts = text if isinstance(text, list) else []
    return "".join(p if isinstance(p, str) else str(p.get("text", "")) for p in parts)


def discord(found: Iterable[dict[str, Any]]) -> Iterator[Message]:
    """Messages of DiscordChatExporter's JSON; bots and notices are the program's words."""
    for number, entry in enumerate(found, 1):
        author = entry.get("author") or {}
        spoken = entry.get("type") in ("Default", "Reply", 0, 19) and not author.get("isBot")
        name = str(author.get("nickname") or author.get("name") or author.get("id") or "")
        time = seconds(entry.get("timestamp"))
        text = str(entry.get("content") or "")
        yield said(Message(name, text, time, number, "said" if spoken else "system"))

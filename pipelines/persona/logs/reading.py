"""Which program wrote a log, and its messages: `open_log(path)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.persona.logs import chatjson, chattext, tables, writings
from pipelines.persona.logs.message import Message, lines_of
from pipelines.say import decoded
from vits.errors import UserError

WRITINGS = (".md", ".markdown", ".docx")
_TABLES = (".csv", ".tsv")
_TIMED = re.compile(r"\W{0,3}\d{1,4}[-./年]\d{1,2}[-./月]\d{1,4}日?[ T,]*\d{1,2}[:.]\d{2}")
KNOWN = (
    "WhatsApp or QQ txt, Telegram or Discord JSON, CSV, JSONL, mbox, or writings as txt, md, docx"
)


@dataclass(frozen=True)
class Log:
    """A log whose `program` is known: whatsapp, qq, telegram, discord, table, mail, diary."""

    path: Path
    program: str

    def messages(self) -> Iterator[Message]:
        """Its messages in the file's order, in flat memory. Raises UserError where it is broken."""
        return _READERS[self.program](self.path)


def open_log(path: Path) -> Log:
    """Tell the program by the file's name and first lines. Raises UserError where none fits."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    if path.is_dir():
        raise UserError(f"{path} is a folder.", "Name the files in it.")
    if not size:
        raise UserError(f"{path} is empty (0 bytes).", "Export it again.")
    return Log(path, _program(path))


def _program(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in WRITINGS:
        return "diary"
    if suffix == ".mbox":
        return "mail"
    head = [line for _, line in islice(lines_of(_chunks(path)), chattext.SAMPLE_LINES)]
    if suffix in _TABLES:
        return "table"
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    if suffix == ".json":
        return _json_program(path)
    if suffix in (".txt", ".text", ""):
        return _text_program(path, head)
    raise UserError(f"{path} is no log that can be read here.", f"Give {KNOWN}.")


def _text_program(path: Path, head: list[str]) -> str:
    if head and head[0].startswith("From ") and any(line.startswith("From:") for line in head):
        return "mail"
    counts = {
        "whatsapp": sum(map(chattext.is_whatsapp, head)),
        "qq": sum(map(chattext.is_qq, head)),
    }
    best = max(counts, key=lambda program: counts[program])
    if counts[best]:
        return best
    timed = sum(1 for line in head if _TIMED.match(line))
    if timed >= 3 and timed > 0.25 * sum(1 for line in head if line.strip()):
        raise UserError(
            f"{path} looks like a chat of a program that is not known here: its lines begin with "
            f"times, and no message can be told in them.",
            f"Give {KNOWN}.",
        )
    return "diary"


def _json_program(path: Path) -> str:
    first = next(chatjson.objects(_chunks(path), str(path)), None)
    if first is None:
        raise UserError(f"{path} is JSON without messages.", f"Give {KNOWN}.")
    if isinstance(first.get("author"), dict):
        return "discord"
    if "from_id" in first or "actor_id" in first or ("date" in first and "type" in first):
        return "telegram"
    return "json"


def _chunks(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        yield from decoded(file, str(path))


def _whatsapp(path: Path) -> Iterator[Message]:
    sample = [line for _, line in islice(lines_of(_chunks(path)), chattext.SAMPLE_LINES)]
    return chattext.whatsapp(lines_of(_chunks(path)), sample)


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    return chatjson.objects(_chunks(path), str(path))


_READERS = {
    "whatsapp": _whatsapp,
    "qq": lambda path: chattext.qq(lines_of(_chunks(path))),
    "telegram": lambda path: chatjson.telegram(_objects(path)),
    "discord": lambda path: chatjson.discord(_objects(path)),
    "json": lambda path: tables.table(enumerate(_objects(path), 1), str(path)),
    "jsonl": lambda path: tables.table(
        enumerate(chatjson.json_lines(_chunks(path), str(path)), 1), str(path)
    ),
    "table": lambda path: tables.table(tables.csv_rows(_chunks(path), str(path)), str(path)),
    "mail": writings.mails,
    "diary": writings.diary,
}

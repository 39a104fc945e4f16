"""Chats as tables: what exporters of WeChat write, and any with names for their columns.

Known by their columns: WeChatMsg (StrContent, IsSender), PyWxDump (msg, is_sender, type_name).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.persona.logs.message import Kind, Message, lines_of, said, seconds
from vits.errors import UserError

TEXT = [
    "strcontent",
    "text",
    "content",
    "message",
    "msg",
    "body",
    "内容",
    "消息",
    "消息内容",
    "聊天内容",
]
SPEAKER = [
    "sender_name",
    "sendername",
    "speaker",
    "sender",
    "author",
    "from",
    "user",
    "username",
    "nickname",
    "talker",
    "name",
    "role",
    "发送人",
    "发送者",
    "发言人",
    "说话人",
    "昵称",
    "姓名",
]
TIME = [
    "strtime",
    "createtime",
    "create_time",
    "timestamp",
    "time",
    "date",
    "datetime",
    "created_at",
    "sent_at",
    "时间",
    "日期",
    "发送时间",
]
SENT = ["issender", "is_sender", "is_self", "是否本人"]
TYPE = ["type_name", "type", "msgtype", "类型", "消息类型"]
_TEXT_TYPES = {"", "1", "text", "文本", "文字", "default", "message", "said", "0"}
_SYSTEM_TYPES = {"10000", "10002", "系统消息", "系统通知", "system"}


@dataclass(frozen=True)
class Columns:
    """Which column holds what; '' where there is none."""

    text: str
    speaker: str
    time: str
    sent: str
    type: str


def columns_of(names: Iterable[str], file: str) -> Columns:
    """Columns by their usual names. Raises UserError if there is no text or nobody who says it."""
    known = {str(name).strip().lower().lstrip("\ufeff"): name for name in names if name}

    def first(wanted: Iterable[str]) -> str:
        return next((known[name] for name in wanted if name in known), "")

    found = Columns(first(TEXT), first(SPEAKER), first(TIME), first(SENT), first(TYPE))
    if not found.text or not (found.speaker or found.sent):
        raise UserError(
            f"{file} has no columns that are known for speaker and text "
            f"(it has: {', '.join(known) or 'none'}).",
            "Name the columns 'speaker', 'text' and, if there is one, 'time'.",
        )
    return found


def table(rows: Iterable[tuple[int, Mapping[str, Any]]], file: str) -> Iterator[Message]:
    """Messages of rows, the first of which tells the columns."""
    columns: Columns | None = None
    for number, row in rows:
        columns = columns or columns_of(row, file)
        mine = None
        if columns.sent and str(row.get(columns.sent, "")).strip():
            mine = str(row[columns.sent]).strip().lower() in ("1", "true", "是", "yes")
        speaker = str(row.get(columns.speaker) or "").strip() if columns.speaker else ""
        time = seconds(row.get(columns.time)) if columns.time else None
        text = str(row.get(columns.text) or "")
        yield said(Message(speaker, text, time, number, _kind(row, columns), mine))


def _kind(row: Mapping[str, Any], columns: Columns) -> Kind:
    value = str(row.get(columns.type) or "").strip().lower() if columns.type else ""
    if value in _SYSTEM_TYPES:
        return "system"
    return "said" if value in _TEXT_TYPES else "placeholder"


def csv_rows(chunks: Iterable[str], file: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of a table whose separator its first line tells, numbered by their last line."""
    lines = (f"{line}\n" for _, line in lines_of(chunks))
    head = next(lines, "")
    separator = max(",\t;", key=head.count)

    def every() -> Iterator[str]:
        yield head
        yield from lines

    reader = csv.DictReader(every(), delimiter=separator)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise UserError(
            f"{file}, line {reader.line_num}: no table can be read here ({error}).",
            "Export it again as CSV.",
        ) from error

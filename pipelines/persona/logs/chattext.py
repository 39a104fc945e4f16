"""Chats exported as text: WhatsApp's (telephones of every country) and QQ's message manager."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipelines.persona.logs.message import MOST_CHARACTERS, Message, said, seconds

SAMPLE_LINES = 400  # to learn in which order a file writes day and month
_SPACE = "[ \u00a0\u202f]"
_WHATSAPP = re.compile(
    rf"[\u200e\u200f]*\[?(?P<a>\d{{1,4}})[./-](?P<b>\d{{1,2}})[./-](?P<c>\d{{1,4}}),?{_SPACE}*"
    rf"(?P<half>上午|下午|凌晨|中午|晚上)?{_SPACE}*(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})"
    rf"(?:[:.](?P<second>\d{{2}}))?(?:{_SPACE}*(?P<m>[AaPp])\.?{_SPACE}?[Mm]\.?)?"
    rf"(?:\]{_SPACE}*|{_SPACE}+-{_SPACE}+)(?P<rest>.*)",
    re.S,
)
_QQ = re.compile(
    r"(?P<time>\d{4}-\d{2}-\d{2} {1,2}\d{1,2}:\d{2}:\d{2})(?: (?P<half>上午|下午))? "
    r"(?:【[^】]*】)?(?P<name>.*?)(?:\((?P<number>\d{5,12})\)|<(?P<mail>[^<>\s]+@[^<>\s]+)>)?\s*$"
)
_QQ_PARTS = re.compile(r"={10,}|消息(分组|对象|记录).{0,60}")
Lines = Iterable[tuple[int, str]]


def is_whatsapp(line: str) -> bool:
    return _WHATSAPP.fullmatch(line) is not None


def is_qq(line: str) -> bool:
    return _QQ.fullmatch(line) is not None


@dataclass
class _Open:
    """A message whose next lines may still come."""

    message: Message
    lines: list[str]
    size: int

    def add(self, line: str) -> None:
        if self.size < MOST_CHARACTERS:
            self.lines.append(line)
            self.size += len(line) + 1

    def close(self) -> Message:
        return said(replace(self.message, text="\n".join(self.lines)))


def _messages(lines: Lines, begins: Callable[[int, str], _Open | None]) -> Iterator[Message]:
    current: _Open | None = None
    for number, line in lines:
        begun = begins(number, line)
        if begun is None:
            if current:
                current.add(line)
            continue
        if current:
            yield current.close()
        current = begun
    if current:
        yield current.close()


def whatsapp(lines: Lines, sample: Iterable[str]) -> Iterator[Message]:
    """Messages of a WhatsApp chat. `sample` are lines that tell how dates are written."""
    month_first = _month_first(sample)

    def begins(number: int, line: str) -> _Open | None:
        match = _WHATSAPP.fullmatch(line)
        if not match:
            return None
        speaker, colon, text = match["rest"].partition(": ")
        if not colon and match["rest"].endswith(":"):
            speaker, colon, text = match["rest"][:-1], ":", ""
        time = _time(match, month_first)
        if not colon or len(speaker) > 60:
            return _Open(Message("", match["rest"], time, number, "system"), [match["rest"]], 0)
        return _Open(Message(speaker, text, time, number), [text], len(text))

    return _messages(lines, begins)


def _month_first(sample: Iterable[str]) -> bool:
    """American exports write month before day: a number says so, or else the clock's am and pm."""
    halves = 0
    for line in sample:
        match = _WHATSAPP.fullmatch(line)
        if not match or len(match["a"]) == 4:
            continue
        if int(match["a"]) > 12 or "." in line[:8]:
            return False
        if int(match["b"]) > 12:
            return True
        halves += bool(match["m"])
    return halves > 0


def _time(match: re.Match[str], month_first: bool) -> float | None:
    a, b, c = (int(match[name]) for name in "abc")
    year, month, day = (a, b, c) if len(match["a"]) == 4 else (c, b, a)
    if len(match["a"]) != 4 and month_first:
        month, day = a, b
    hour = int(match["hour"])
    afternoon = (match["m"] or "").lower() == "p" or match["half"] in ("下午", "晚上", "中午")
    morning = (match["m"] or "").lower() == "a" or match["half"] in ("上午", "凌晨")
    hour = (
        hour + 12
        if afternoon and hour < 12 and not (match["half"] == "中午" and hour > 3)
        else hour
    )
    hour = 0 if morning and hour == 12 else hour
    year += 2000 if year < 100 else 0
    try:
        clock = (hour, int(match["minute"]), int(match["second"] or 0))
        return datetime(year, month, day, *clock, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def qq(lines: Lines) -> Iterator[Message]:
    """Messages of a text file of QQ's message manager: a line of time and name, then the words."""

    def begins(number: int, line: str) -> _Open | None:
        if _QQ_PARTS.fullmatch(line.strip()):
            return _Open(Message("", "", None, number, "system"), [], MOST_CHARACTERS)
        match = _QQ.fullmatch(line)
        if not match:
            return None
        name = match["name"] or match["number"] or match["mail"] or ""
        kind = "system" if match["number"] == "10000" or name == "系统消息" else "said"
        time = seconds(re.sub(" +", " ", match["time"]))
        if time is not None and match["half"] == "下午" and int(match["time"][11:13]) < 12:
            time += 12 * 3600
        return _Open(
            Message(name, "", time, number, "system" if kind == "system" else "said"), [], 0
        )

    return (m for m in _messages(lines, begins) if m.kind != "system" or m.text)

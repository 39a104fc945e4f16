"""A message as a log holds it, and what every reader of logs needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

# "system": the program speaks; "placeholder": a picture, a voice note; "forwarded": others' words
Kind = Literal["said", "system", "placeholder", "forwarded", "writing"]
MOST_CHARACTERS = 20_000  # of one message; what is pasted beyond that is nobody's manner
MOST_LINE = 1 << 16  # characters of one line of a text file


@dataclass(frozen=True)
class Message:
    """Something written. `time_s`: seconds since 1970, None where the log has no times.

    `line` is where it stands in its file: a line of text and tables, the number of the message in
    JSON and mail. `mine`: True or False where the log itself says whether its owner wrote it.
    `reply_to` and `identifier` tie mails together.
    """

    speaker: str
    text: str
    time_s: float | None = None
    line: int = 0
    kind: Kind = "said"
    mine: bool | None = None
    identifier: str = ""
    reply_to: str = ""


_NOT_TEXT = (
    r"<?\s*(media|image|video|audio|sticker|gif|document|contact card|photo|voice message)"
    r"\s*(omitted|weggelassen)\s*>?|<(media|medien) (omitted|ausgeschlossen)>|<attached: .*>"
    r"|<附件[：:].*>|<省略多媒体文件>|<多媒体信息已省略>|(图片|图像|视频|音频|贴图)已?(省略|忽略)"
    r"|\[(图片|照片|视频|小视频|短视频|语音|语音通话|视频通话|音乐|表情|动画表情|文件|位置|红包|转账"
    r"|链接|名片|闪照|QQ红包|卡券|聊天记录|image|photo|video|voice|sticker|file|gif)\]"
    r"|(missed )?(voice|video) call( .*)?|this message was deleted\.?|you deleted this message\.?"
    r"|null|\(file attached\)|.{1,80} \(file attached\)"
)
PLACEHOLDER = re.compile(_NOT_TEXT, re.I)
# Marks of direction and joiners that exports leave at the beginning of lines.
MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
EDITED = re.compile(r"\s*<this message was edited>\s*$|\s*<此消息已编辑>\s*$", re.I)


def said(message: Message) -> Message:
    """The message with its text cleaned, as a placeholder if it stands for something unwritten."""
    text = EDITED.sub("", MARKS.sub("", message.text[:MOST_CHARACTERS])).strip()
    kind = message.kind
    if kind == "said" and (not text or PLACEHOLDER.fullmatch(text)):
        kind = "placeholder"
    return Message(
        MARKS.sub("", message.speaker).strip(),
        text,
        message.time_s,
        message.line,
        kind,
        message.mine,
        message.identifier,
        message.reply_to,
    )


def lines_of(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Numbered lines of a text that comes in pieces, in flat memory: a line without end is cut."""
    rest, number = "", 1
    for chunk in chunks:
        *whole, rest = (rest + chunk).replace("\r\n", "\n").split("\n")
        for line in whole:
            yield number, line[:MOST_LINE].rstrip("\r")
            number += 1
        rest = rest[:MOST_LINE]
    if rest:
        yield number, rest.rstrip("\r")


def seconds(value: object) -> float | None:
    """A time as logs write it: seconds or milliseconds since 1970, or ISO 8601; None if neither.

    A time of no zone counts as UTC: only differences matter, and every machine reads the same.
    """
    text = str(value or "").strip()
    if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
        number = float(text)
        return number / 1000 if number > 1e11 else number
    text = text.replace("/", "-").replace("年", "-").replace("月", "-").replace("日", "")
    try:
        found = datetime.fromisoformat(_padded(text))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _padded(text: str) -> str:
    """'2020-1-2 3:04' -> '2020-01-02 03:04'; Discord's seven digits of a second become six."""
    parts = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2}):(.*))?$", text)
    if not parts:
        return text
    day = f"{parts[1]}-{int(parts[2]):02}-{int(parts[3]):02}"
    rest = re.sub(r"(\.\d{6})\d+", r"\1", parts[5] or "")
    return f"{day}T{int(parts[4]):02}:{rest}" if parts[4] else day

"""Logs: every program's export gives the same talk, and what is broken is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.persona.logs import Message, open_log
from pipelines.persona.logs.chatjson import objects
from pipelines.persona.logs.message import MOST_CHARACTERS, lines_of, seconds
from vits.errors import UserError

WHATSAPP = {
    "android": (
        "3/4/24, 09:05 - Messages are end-to-end encrypted.\n"
        "13/4/24, 09:06 - Anna: Hi\nthere\n13/4/24, 09:07 - Ben: <Media omitted>\n"
        "13/4/24, 09:08 - Ben: all: well?\n"
    ),
    "iphone": (
        "[03.04.24, 09:05:00] \u200eMessages are end-to-end encrypted.\n"
        "[13.04.24, 09:06:00] Anna: Hi\nthere\n"
        "\u200e[13.04.24, 09:07:00] Ben: \u200eimage omitted\n"
        "[13.04.24, 09:08:00] Ben: all: well?\n"
    ),
    "american": (
        "4/3/24, 9:05\u202fAM - Messages are end-to-end encrypted.\n"
        "4/13/24, 9:06\u202fAM - Anna: Hi\nthere\n4/13/24, 9:07\u202fAM - Ben: <Media omitted>\n"
        "4/13/24, 9:08\u202fAM - Ben: all: well?\n"
    ),
    "chinese": (
        "2024/4/3 上午9:05 - 消息已加密。\n"
        "2024/4/13 上午9:06 - Anna: Hi\nthere\n2024/4/13 上午9:07 - Ben: <省略多媒体文件>\n"
        "2024/4/13 上午9:08 - Ben: all: well?\n"
    ),
}
APRIL_13_0906 = 1712999160.0


def read(path: Path) -> list[Message]:
    return list(open_log(path).messages())


def plain(messages: list[Message]) -> list[tuple[str, str, str]]:
    return [(m.kind, m.speaker, m.text) for m in messages]


@pytest.mark.parametrize("telephone", WHATSAPP)
def test_whatsapp_of_every_telephone_says_the_same(telephone: str, tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(WHATSAPP[telephone], "utf-8")
    messages = read(path)
    assert [m.kind for m in messages] == ["system", "said", "placeholder", "said"]
    assert plain(messages)[1] == ("said", "Anna", "Hi\nthere")
    assert plain(messages)[3] == ("said", "Ben", "all: well?")
    assert messages[1].time_s == APRIL_13_0906
    assert [m.line for m in messages] == [1, 2, 4, 5]


def test_evening_hours_are_of_the_afternoon(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("4/13/24, 9:06 PM - A: x\n4/13/24, 12:06 AM - A: y\n", "utf-8")
    first, second = read(path)
    assert first.time_s == APRIL_13_0906 + 12 * 3600
    assert second.time_s == APRIL_13_0906 - 9 * 3600


def test_qq_text_is_read_with_numbers_and_without(tmp_path: Path) -> None:
    path = tmp_path / "qq.txt"
    bar = "=" * 64
    path.write_text(
        f"消息记录（此消息记录为文本格式，不支持重新导入）\n\n{bar}\n消息对象:张三\n{bar}\n\n"
        "2024-04-13 9:06:00 张三(123456789)\n你好\n在吗\n\n"
        "2024-04-13 9:06:30 李四<a@b.cn>\n[图片]\n\n"
        "2024-04-13 9:07:00 【群主】王五(22222)\n好\n\n"
        "2024-04-13 9:08:00 系统消息(10000)\n王五加入\n",
        "gb18030",
    )
    assert plain(read(path)) == [
        ("said", "张三", "你好\n在吗"),
        ("placeholder", "李四", "[图片]"),
        ("said", "王五", "好"),
        ("system", "系统消息", "王五加入"),
    ]
    assert read(path)[0].time_s == APRIL_13_0906


TELEGRAM = {
    "name": "Ben",
    "type": "personal_chat",
    "messages": [
        {"id": 1, "type": "service", "date": "2024-04-13T09:05:00", "actor": "Ben", "text": ""},
        {
            "id": 2,
            "type": "message",
            "date": "2024-04-13T09:06:00",
            "date_unixtime": "1712999160",
            "from": "Anna",
            "from_id": "user1",
            "text": ["See ", {"type": "link", "text": "this"}, ' "messages": [ {'],
        },
        {"id": 3, "type": "message", "from": "Ben", "forwarded_from": "X", "text": "news"},
        {"id": 4, "type": "message", "from": "Ben", "photo": "a.jpg", "text": ""},
    ],
}


def test_telegram_is_read_alone_and_in_an_account(tmp_path: Path) -> None:
    path, account = tmp_path / "result.json", tmp_path / "account.json"
    path.write_text(json.dumps(TELEGRAM), "utf-8")
    account.write_text(json.dumps({"about": "x", "chats": {"list": [TELEGRAM] * 2}}), "utf-8")
    messages = read(path)
    assert [m.kind for m in messages] == ["system", "said", "forwarded", "placeholder"]
    assert messages[1].text == 'See this "messages": [ {'
    assert messages[1].time_s == APRIL_13_0906
    assert plain(read(account)) == plain(messages) * 2


def test_discord_knows_bots_and_notices(tmp_path: Path) -> None:
    def entry(kind: str, name: str, content: str, bot: bool = False) -> dict[str, object]:
        author = {"id": "1", "name": name.lower(), "nickname": name, "isBot": bot}
        time = "2024-04-13T09:06:00.1234567+00:00"
        return {"id": "9", "type": kind, "timestamp": time, "content": content, "author": author}

    path = tmp_path / "d.json"
    messages = [
        entry("Default", "Anna", "Hi"),
        entry("GuildMemberJoin", "Ben", "Joined."),
        entry("Default", "Bot", "Beep", True),
        entry("Reply", "Ben", "Yo"),
    ]
    path.write_text(json.dumps({"guild": {"id": "0"}, "messages": messages}), "utf-8")
    assert [m.kind for m in read(path)] == ["said", "system", "system", "said"]
    assert int(read(path)[0].time_s or 0) == APRIL_13_0906


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "msg.csv",
            "localId,TalkerId,Type,SubType,IsSender,CreateTime,StrContent,StrTime,NickName,Sender\n"
            '1,2,1,0,1,1712999160,"你好,在吗",2024-04-13 09:06:00,小周,me\n'
            "2,2,3,0,0,1712999170,<img/>,2024-04-13 09:06:10,小周,zhou\n"
            "3,2,10000,0,0,1712999170,撤回,2024-04-13 09:06:10,小周,zhou\n",
        ),
        (
            "dump.csv",
            "id,MsgSvrID,type_name,is_sender,talker,msg,CreateTime\n"
            '1,9,文本,1,wxid,"你好,在吗",2024-04-13 09:06:00\n'
            "2,9,图片,0,wxid,x,2024-04-13 09:06:10\n3,9,系统通知,0,wxid,y,2024-04-13 09:06:10\n",
        ),
    ],
)
def test_tables_of_wechat_say_who_sent(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8-sig")
    messages = read(path)
    assert [m.kind for m in messages] == ["said", "placeholder", "system"]
    assert [m.mine for m in messages] == [True, False, False]
    assert (messages[0].text, messages[0].time_s) == ("你好,在吗", APRIL_13_0906)


def test_any_table_and_json_lines_with_named_columns_are_read(tmp_path: Path) -> None:
    rows = [{"speaker": "Anna", "text": "a\nb", "time": "2024-04-13 09:06"}]
    table, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_text('时间;发送人;内容\n2024/4/13 9:06;Anna;"a\nb"\n', "utf-8")
    lines.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    for path in (table, lines):
        (message,) = read(path)
        assert (message.speaker, message.text, message.time_s) == ("Anna", "a\nb", APRIL_13_0906)


def test_mail_gives_what_each_wrote_itself(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    path.write_text(
        "From a@x Sat Apr 13 09:06:00 2024\nFrom: =?utf-8?b?5byg5LiJ?= <zhang@x.cn>\n"
        "Message-ID: <1@x>\nDate: Sat, 13 Apr 2024 09:06:00 +0000\n\nAre you well?\n\n"
        "From b@x Sat Apr 13 10:06:00 2024\nFrom: Mira <mira@x.org>\nIn-Reply-To: <1@x>\n\n"
        "Yes.\n\nOn Saturday, Zhang wrote:\n> Are you well?\n-- \nMira\n",
        "utf-8",
    )
    first, second = read(path)
    assert first.speaker == "张三 <zhang@x.cn>"
    assert first.time_s == APRIL_13_0906
    assert (second.text, second.reply_to) == ("Yes.", first.identifier)


def test_diary_is_the_persons_own(tmp_path: Path) -> None:
    path = tmp_path / "d.md"
    path.write_text("# May\n\nIt rained.\n\nThen not.\n", "utf-8")
    assert [(m.kind, m.text, m.mine) for m in read(path)] == [
        ("writing", "It rained.", True),
        ("writing", "Then not.", True),
    ]


# ---------------------------------------------------------------- what is broken


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"", "empty"),
        ("a.png", b"\x89PNG", "no log"),
        ("a.json", b'{"a": 1}', "without messages"),
        ("a.json", json.dumps(TELEGRAM)[:-9].encode(), "cut off"),
        ("a.csv", b"colour,size\nred,3\n", "colour"),
        ("a.jsonl", b'{"speaker": "A", "text": "x"}\nnonsense\n', "line 2"),
        ("a.txt", b"2024-04-13 09:06 | Anna | Hi\n" * 9, "not known"),
        ("a.csv", bytes(range(128, 256)) * 9, "not text"),
    ],
)
def test_what_is_no_log_is_told(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=told):
        read(path)


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no\.txt"):
        open_log(tmp_path / "no.txt")


def test_what_is_pasted_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("13/4/24, 09:06 - Anna: " + "word\n" * 50_000, "utf-8")
    (message,) = read(path)
    assert len(message.text) <= MOST_CHARACTERS


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
def test_objects_are_the_same_however_the_text_is_cut(size: int) -> None:
    text = json.dumps({"x": {"messages": "no"}, "chats": [TELEGRAM, TELEGRAM]}, indent=1)

    def pieces() -> Iterator[str]:
        return (text[i : i + size] for i in range(0, len(text), size))

    assert list(objects(pieces(), "x")) == TELEGRAM["messages"] * 2  # type: ignore[operator]
    listed = json.dumps([{"a": 1}, {"b": "]"}])
    cut = (listed[i : i + size] for i in range(0, len(listed), size))
    assert list(objects(cut, "x")) == [{"a": 1}, {"b": "]"}]


def test_lines_are_numbered_however_the_text_is_cut() -> None:
    text = "one\r\ntwo\n\nfour"
    whole = [(1, "one"), (2, "two"), (3, ""), (4, "four")]
    for size in (1, 2, 5, 100):
        assert list(lines_of(text[i : i + size] for i in range(0, len(text), size))) == whole


@pytest.mark.parametrize(
    "written",
    ["1712999160", 1712999160, "1712999160000", "2024-04-13T09:06:00Z", "2024/4/13 9:06",
     "2024年4月13日 09:06:00", "2024-04-13T11:06:00.0000000+02:00"],
)  # fmt: skip
def test_times_are_read_in_every_form(written: object) -> None:
    assert seconds(written) == APRIL_13_0906


def test_no_time_is_none() -> None:
    assert [seconds(x) for x in ("", None, "yesterday", "2024-13-45")] == [None] * 4

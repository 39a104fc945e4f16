"""Subtitles give words and times; what is not said goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.captions import Caption, read_captions
from vits.errors import UserError

SRT = """1
00:00:01,000 --> 00:00:02,500
- <i>Good evening.</i> (laughs)

2
00:00:03,000 --> 00:00:04,000
ANNA: Nice of
you to come.

3
00:00:05,000 --> 00:00:06,000
♪ la la la ♪

4
00:00:07,000 --> 00:00:08,000
[music]
"""
EXPECTED = [Caption("Good evening.", 1.0, 2.5), Caption("Nice of you to come.", 3.0, 4.0)]


@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".ass"])
def test_every_form_gives_the_same_words(tmp_path: Path, suffix: str) -> None:
    import pysubs2

    path = tmp_path / f"a{suffix}"
    path.write_text(pysubs2.SSAFile.from_string(SRT).to_string(suffix[1:]), encoding="utf-8")
    assert read_captions(path) == EXPECTED


def test_chinese_in_its_old_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\n小明：你好，世界。\n".encode("gb18030"))
    assert read_captions(path)[0].text == "你好，世界。"


@pytest.mark.parametrize("content", ["", "hello", "1\n00:00:05,000 --> 00:00:01,000\nback\n"])
def test_what_says_nothing_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.srt"
    path.write_text(content)
    with pytest.raises(UserError, match=r"a\.srt"):
        read_captions(path)

"""Bytes become text in whichever of the usual encodings they are, and sounds do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.encodings import decode, read_text
from vits.errors import UserError


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Schöne Grüße aus Köln", "latin-1"),
        ("café", "cp1252"),
        ("He said “yes” and left the café.", "cp1252"),
        ("今天天气很好。", "gbk"),
        ("今天天气很好。", "gb18030"),
        ("今日はいい天気ですね。", "shift_jis"),
        ("Ἀρχὴ ἥμισυ παντός, and naïve.", "utf-8"),
        ("Grüße", "utf-8-sig"),
        ("灯塔 A", "utf-16"),
    ],
)
def test_short_texts_are_read_in_their_encoding(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "小 灯塔.txt"
    path.write_bytes(text.encode(encoding))
    assert read_text(path) == text


def test_line_ends_are_those_of_python() -> None:
    assert decode(b"one\r\ntwo\rthree\n", "it") == "one\ntwo\nthree\n"


@pytest.mark.parametrize("raw", [b"RIFF\x00\x00\x00\x00WAVE", bytes(range(256)) * 4])
def test_bytes_that_are_no_text_are_refused_by_name(raw: bytes) -> None:
    with pytest.raises(UserError, match=r"a\.txt is not text"):
        decode(raw, "a.txt")


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_text(tmp_path / "none.txt")


def test_short_text_with_a_rare_sign_of_a_chinese_system_is_read() -> None:
    text = "The price is 5 \u00a5. Really?"
    assert decode(text.encode("gb18030"), "a file") == text
    assert decode("Größe und Maß: schön".encode("cp1252"), "a file") == "Größe und Maß: schön"

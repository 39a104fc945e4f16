"""What is shown, in the reader's language: catalogues, help, errors, progress, consoles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import polib
import pytest
from click.testing import CliRunner, Result

import cli
from commands import help as help_pages
from commands.columns import wrapped
from commands.reporting import columns, progress_words, span
from pipelines.i18n import Verbatim, language, named_language, said, speaking, told, translated
from pipelines.i18n.catalogue import Catalogue, Template, catalogue, fields_of
from pipelines.i18n.width import text_columns
from pipelines.progress import Progress
from vits.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {"clone-voice": cli.clone_voice, "story": cli.story, "digital-human": cli.digital_human}


def made_of(**pairs: str) -> Catalogue:
    return Catalogue(tuple(polib.POEntry(msgid=k, msgstr=v) for k, v in pairs.items()))


def of(pairs: dict[str, str]) -> Catalogue:
    return made_of(**pairs)


def run(group: click.Group, *arguments: object, **settings: Any) -> Result:
    return CliRunner(**settings).invoke(group, [str(argument) for argument in arguments])


# --- which language


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.gbk"}, "zh"),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "fr:zh_CN:en"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "CLONE_VOICE_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "CLONE_VOICE_LANG": "zh-Hans"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_environment(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLONE_VOICE_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


@pytest.mark.parametrize(
    ("name", "code"),
    [("zh_CN.UTF-8", "zh"), ("zh-Hant", "zh"), ("Chinese (Simplified)_China", "zh"), ("tlh", None)],
)
def test_languages_go_by_many_names(name: str, code: str | None) -> None:
    assert named_language(name) == code


def test_each_thread_and_task_has_a_language_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server answers two people at once."""
    monkeypatch.setenv("CLONE_VOICE_LANG", "en")
    heard = {}

    def ask() -> None:
        heard["other"] = translated("Choose auto.")

    with speaking("zh"):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        heard["here"] = translated("Choose auto.")
    assert heard == {"other": "Choose auto.", "here": "请选 auto。"}
    assert language() == "en"


# --- finding the message that a text was made from


def test_a_text_is_found_by_its_template_and_filled_in() -> None:
    found = of({"There is no voice {name} in {folder}.": "{folder} 里没有声音 {name}。"})
    assert found.text("There is no voice 'a b' in /x y/z.") == "/x y/z 里没有声音 'a b'。"
    assert found.text("There is no speaker.") == "There is no speaker."


def test_the_most_particular_template_wins() -> None:
    found = of({"{path} is empty.": "1 {path}", "{path} is damaged and {what} is empty.": "2"})
    assert found.text("x is damaged and y is empty.") == "2"


def test_numbers_fit_numbers_alone() -> None:
    found = of({"{count:d} clips": "{count} 段录音"})
    assert found.text("20 clips") == "20 段录音"
    assert found.text("1,234.5 clips") == "1,234.5 段录音"
    assert found.text("paper clips") == "paper clips"


def test_messages_in_messages_are_found_too() -> None:
    found = of(
        {
            "Left out: {item}": "未采用：{item}",
            "is too short ({seconds:d} s)": "太短（{seconds} 秒）",
            "{count:d} clips": "{count} 段录音",
            "{clips} to use.": "可用{clips}。",
        }
    )
    assert found.text("Left out: a.wav: is too short (0.3 s)") == "未采用：a.wav：太短（0.3 秒）"
    assert found.text("3 clips to use.") == "可用3 段录音。"
    assert found.text("my a.wav is too short (0.3 s)") == "my a.wav 太短（0.3 秒）"


def test_a_name_that_reads_like_a_message_stays() -> None:
    found = of({"base": "基座", "There is no voice {name}.": "没有声音 {name}。"})
    assert found.text("There is no voice base.") == "没有声音 base。"
    with speaking("zh"):
        assert translated(Verbatim("Choose auto.")) == "Choose auto."
        assert columns([["VOICE"], ["base"]]) == ["声音", "base"]


def test_sentences_in_a_row_are_found_one_by_one() -> None:
    found = of({"It is empty.": "它是空的。", "Choose {a}.": "请选 {a}。"})
    assert found.text("It is empty. Choose b.") == "它是空的。请选 b。"
    assert found.text("Nobody knows. Choose b.") == "Nobody knows. 请选 b。"


def test_braces_are_no_fields() -> None:
    found = of({'Write {{"a": 1}}, {name}.': '{name} 请写 {{"a": 1}}。'})
    assert found.text('Write {"a": 1}, Anna.') == 'Anna 请写 {"a": 1}。'


def test_hostile_texts_cost_no_time_and_change_nothing() -> None:
    with speaking("zh"):
        for text in (
            "{" * 500,
            "a: b c, " * 400,
            "x y, z w. " * 300,
            "a: " * 1300,
            "%s {0} {x!r:>9}",
            "x. " * 1000,
            "",
        ):
            assert translated(text) == text


def test_every_message_is_found_again_when_it_is_filled_in() -> None:
    """The whole Chinese catalogue, each field filled with a name or a number."""
    found, lost = catalogue("zh"), []
    for entry in found.entries:
        numbers = {n for n in fields_of(entry.msgid) if f"{{{n}:d}}" in entry.msgid}
        fields = {n: "7" if n in numbers else "xyzzy" for n in fields_of(entry.msgid)}
        text = entry.msgid.replace(":d}", "}").format(**fields)
        expected = entry.msgstr.format(**fields)
        if not Template(entry.msgid, "").fits_anything and found.text(text) != expected:
            lost.append((text, expected, found.text(text)))
    assert not lost


# --- help


@pytest.mark.parametrize("program", GROUPS)
def test_help_is_chinese_to_the_last_word(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No paragraph and no option of any command is left in English."""
    monkeypatch.setenv("CLONE_VOICE_LANG", "zh")
    group = GROUPS[program]
    for name in [None, *group.commands]:
        result = run(group, *([name] if name else []), "--help")
        assert result.exit_code == 0
        assert "用法：" in result.output
        assert "选项：" in result.output
        for word in ("Usage", "Options:", "Commands:", "default:", "[required", " the ", " of "):
            assert word not in result.output, (name, word)


def test_lines_of_help_fit_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLONE_VOICE_LANG", "zh")
    for group in GROUPS.values():
        for name in group.commands:
            for line in run(group, name, "--help").output.splitlines():
                assert text_columns(line) <= 80, line


def test_english_help_is_what_click_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLONE_VOICE_LANG", "en")
    ours = run(cli.clone_voice, "train", "--help").output
    monkeypatch.setattr(help_pages.Context, "formatter_class", click.HelpFormatter)
    assert run(cli.clone_voice, "train", "--help").output == ours


def test_lines_break_where_chinese_may() -> None:
    lines = wrapped("把录音（任何长度）变成声音，并用 clone-voice 说话。", 14)
    assert "".join(lines).replace(" ", "") == "把录音（任何长度）变成声音，并用clone-voice说话。"
    assert all(text_columns(line) <= 14 for line in lines)
    assert not any(line[0] in "，。）" or line[-1] == "（" for line in lines)


# --- errors and progress


def test_errors_are_one_line_in_chinese(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    monkeypatch.setenv("CLONE_VOICE_LANG", "zh")
    result = run(cli.clone_voice, "say", "x", "-v", "nobody")
    assert result.exit_code == 2
    assert result.stderr.startswith("错误：没有名为 'nobody' 的声音。")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["say", "x", "--speed", "9"], ("'-s' / '--speed' 的值无效", "0.5<=x<=2.0")),
        (["sya"], ("没有命令 'sya'", "是不是 'say'")),
        (["say", "x", "--lod"], ("没有选项 '--lod'",)),
        (["train"], ("缺少参数 'CLIPS'",)),
        (["train", "x"], ("缺少选项 '--name'",)),
        (["pack", "a", "b"], ("多余的参数（b）",)),
        (["say", "x", "--seed", "y"], ("'--seed' 的值无效",)),
        (["say", "x", "--device", "gpu"], ("'gpu' 不在可选的",)),
        (["say", "x", "--language"], ("需要一个值",)),
    ],
)
def test_what_click_refuses_is_told_in_chinese(
    arguments: list[str], words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLONE_VOICE_LANG", "zh")
    result = run(cli.clone_voice, *arguments)
    assert result.exit_code == 2
    for word in (*words, "--help”。"):
        assert word in result.stderr


def test_machines_are_told_in_english(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    monkeypatch.setenv("CLONE_VOICE_LANG", "zh")
    result = run(cli.clone_voice, "say", "x", "-v", "nobody", "--json")
    event = json.loads(result.stdout)
    assert event["cause"] == "There is no voice 'nobody'."
    assert "没有名为 'nobody' 的声音" in result.stderr


def test_progress_is_in_the_readers_language() -> None:
    told = Progress("train", 40, 120, "steps", "mel 0.512")
    with speaking("zh"):
        assert progress_words(told, 2.0, 185) == "40/120 步，每秒 2 步，剩余 3 分 5 秒，梅尔 0.512"
        assert translated(told.stage) == "训练"
    with speaking("en"):
        assert progress_words(told, 2.0, 185) == (
            "40/120 steps, 2 steps/s, 3 min 5 s left, mel 0.512"
        )


@pytest.mark.parametrize(
    ("seconds", "chinese"), [(1, "1 秒"), (185, "3 分 5 秒"), (7800, "2 小时 10 分")]
)
def test_spans_of_time_are_chinese(seconds: float, chinese: str) -> None:
    with speaking("zh"):
        assert translated(span(seconds)) == chinese


def test_an_error_is_told_in_two_sentences() -> None:
    error = UserError("There is no device q.", "Choose auto.")
    with speaking("zh"):
        assert told(error) == ("没有设备 q。", "请选 auto。")
        assert said("{time} left", time="3 秒") == "剩余 3 秒"
    assert str(error) == "There is no device q. Choose auto."


# --- consoles


@pytest.mark.parametrize(
    ("encoding", "language_of_it"), [("gbk", "错误："), ("utf-8", "错误："), ("cp1252", "Error: ")]
)
def test_a_console_is_spoken_to_as_it_can_show(
    encoding: str, language_of_it: str, tmp_path: Path
) -> None:
    """GBK shows Chinese; a Western one would show question marks, so English it is."""
    command = [sys.executable, "-c", "import cli; cli.clone_voice_main()"]
    result = subprocess.run(
        [*command, "say", "-i", str(tmp_path / "☃ 没有.txt")],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": encoding, "CLONE_VOICE_LANG": "zh"},
    )
    assert result.returncode == 2
    assert result.stderr.decode(encoding).startswith(language_of_it)


def test_help_on_a_gbk_console_is_no_error() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import cli; cli.story_main()", "render", "--help"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "gbk", "CLONE_VOICE_LANG": "zh"},
    )
    assert result.returncode == 0
    assert "用法：" in result.stdout.decode("gbk")

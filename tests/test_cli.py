"""The commands: what they print, what they write, and how they end."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from conftest import plain_ears, speech

import cli
from commands import reporting, training
from pipelines.media.labels import DIGITAL_SOURCE_TYPE, PRODUCER, read_marks
from pipelines.progress import Pace, Progress
from vits.audio import read_audio, write_audio
from vits.errors import UserError

ROOT = Path(cli.__file__).parent


def run(group: click.Group, *arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(group, [str(a) for a in arguments], input=stdin)


def voice(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return run(cli.clone_voice, *arguments, stdin=stdin)


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def own_voice(library: Path, tiny_voice: Path) -> str:
    """The name of a voice in a library of this test's own."""
    shutil.copytree(tiny_voice, library / "voices" / "anna")
    return "anna"


# --- errors and exit codes


def one_line_error(result: Result, *parts: str) -> None:
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    for part in parts:
        assert part in lines[0]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["say", "Hello.", "-v", "nobody"], ["nobody"]),
        (["say"], ["TEXT"]),
        (["say", "Hello.", "-i", "file.txt"], ["TEXT"]),
        (["say", "-i", "no-such-file.txt"], ["no-such-file.txt"]),
        (["say", "Hello.", "-s", "9"], ["9", "say --help"]),
        (["show", "nobody"], ["nobody"]),
        (["remove", "nobody"], ["nobody"]),
        (["remove", "base"], ["base"]),
        (["pack", "nobody"], ["nobody"]),
        (["add", "no-such.voice"], ["no-such.voice"]),
        (["train", "clips"], ["--name"]),
        (["train", "no-such-folder", "--name", "x", "--consent", "yes"], []),
        (["train", "c", "--name", "x", "--consent", "y", "--steps", "1", "--epochs", "1"], ["one"]),
        (["fly"], ["fly"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], parts: list[str], library: Path
) -> None:
    one_line_error(voice(*arguments), *parts)


def test_unknown_format_of_sound_is_told(own_voice: str, tmp_path: Path) -> None:
    one_line_error(voice("say", "Hello.", "-v", own_voice, "-o", tmp_path / "a.xyz"), ".xyz")


def test_unknown_language_is_told(own_voice: str, tmp_path: Path) -> None:
    result = voice("say", "Hi.", "-v", own_voice, "-o", tmp_path / "a.wav", "--language", "tlh")
    one_line_error(result, "tlh")
    assert not list(tmp_path.glob("*.wav"))


def test_folder_that_cannot_be_written_is_told(own_voice: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    result = voice("say", "Hello.", "-v", own_voice, "-o", tmp_path / "file" / "a.wav")
    one_line_error(result, "file")


def failing(error: BaseException) -> click.Group:
    group = reporting.command_group("program", "A program.")

    @group.command()
    @reporting.json_option
    def work(as_json: bool) -> None:
        raise error

    return group


def test_user_error_is_an_event_for_machines() -> None:
    result = run(failing(UserError("It is broken.", "Mend it.")), "work", "--json")
    assert result.exit_code == 2
    assert events(result) == [{"event": "error", "cause": "It is broken.", "remedy": "Mend it."}]


def test_error_of_several_lines_becomes_one() -> None:
    one_line_error(run(failing(UserError("It is\nbroken.", "Mend\n it.")), "work"), "is broken.")


def test_full_disk_is_told_without_a_traceback() -> None:
    one_line_error(run(failing(OSError(errno.ENOSPC, "No space left", "a.wav")), "work"), "a.wav")


def test_ctrl_c_ends_with_130() -> None:
    result = run(failing(KeyboardInterrupt()), "work")
    assert result.exit_code == 130
    assert result.stderr.strip() == "Stopped. The same command goes on from here."


def test_bugs_keep_their_traceback() -> None:
    assert isinstance(run(failing(ZeroDivisionError()), "work").exception, ZeroDivisionError)


def test_first_ctrl_c_lets_training_save_and_the_second_does_not() -> None:
    stop = reporting.Stop()
    with pytest.raises(KeyboardInterrupt):
        stop.interrupt()
    stop.may_wait = True
    stop.interrupt()
    assert stop.asked
    with pytest.raises(KeyboardInterrupt):
        stop.interrupt()


# --- progress


def test_rate_and_time_left_count_from_where_this_run_began() -> None:
    now = [100.0]
    pace = Pace(clock=lambda: now[0])
    assert pace.measure(Progress("train", 50, 100, "steps")) == (None, None)
    now[0] += 10
    assert pace.measure(Progress("train", 70, 100, "steps")) == (2.0, 15.0)


def test_progress_in_words() -> None:
    words = reporting.progress_words(Progress("train", 70, 100, "steps", "mel 0.5"), 2.0, 75.0)
    assert words == "70/100 steps, 2 steps/s, 1 min 15 s left, mel 0.5"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (-3, "0 s")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert reporting.span(seconds) == words


def test_progress_without_a_terminal_is_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[0])
    with reporting.Reporter(as_json=False).watching() as show:
        for step in range(101):
            now[0] += 0.5
            show(Progress("train", step, 100, "steps"))
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == ""
    assert lines[0].startswith("train: 0/100 steps")
    assert lines[-1].startswith("train: 100/100 steps")
    assert 5 <= len(lines) <= 15
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with reporting.Reporter(as_json=False).watching() as show:
        show(Progress("train", 0, 10, "steps"))
        show(Progress("train", 10, 10, "steps", "[red]not markup[/red]"))
    assert "10/10 steps" in terminal.getvalue()
    assert "[red]not markup[/red]" in terminal.getvalue()


# --- consent


def test_consent_is_asked_for_and_without_a_terminal_refused(library: Path, tmp_path: Path) -> None:
    one_line_error(voice("train", tmp_path, "--name", "anna"), "--consent")


def test_consent_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "同意 书.txt"
    path.write_text("我同意。\n", encoding="gbk")
    assert training.consent_text(str(path)) == "我同意。"


def test_consent_file_that_is_not_there_is_no_consent() -> None:
    with pytest.raises(UserError, match=r"consent\.txt"):
        training.consent_text("consent.txt")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_empty_consent_is_none(text: str) -> None:
    with pytest.raises(UserError, match="says nothing"):
        training.consent_text(text)


def test_consent_is_a_text_however_long() -> None:
    text = "I, Anna, agree to this. " * 100
    assert training.consent_text(text) == text.strip()


# --- training


def test_clips_become_a_voice_and_the_same_command_finds_it(
    own_voice: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_ears(monkeypatch)
    clips = tmp_path / "my clips"
    clips.mkdir()
    for number in range(5):
        write_audio(clips / f"{number}.wav", speech(2.4, seed=number))
        (clips / f"{number}.txt").write_text("Niemand hatte daran gedacht, niemand.", "utf-8")
    write_audio(clips / "lonely.wav", speech(2.4, seed=9))
    command = ["train", clips, "--name", "Zoë", "--base", own_voice, "--language", "de"]
    command += ["--steps", 1, "--consent", "I agree.", "--device", "cpu"]
    told = events(voice(*command, "--json"))
    (plan,) = (event for event in told if event["event"] == "plan")
    assert plan["line"].startswith("5 clips")
    assert {event["stage"] for event in told if event["event"] == "progress"} >= {"clips", "train"}
    assert told[-1]["event"] == "result"
    assert told[-1]["scores"]["similarity"] > 0
    assert any("lonely.wav" in dropped for dropped in told[-1]["dropped"])

    again = voice(*command)
    assert again.exit_code == 0, again.output
    assert "made before" in again.stdout
    assert "similarity" in again.stdout
    assert "lonely.wav" in again.stderr
    refused = voice(*command, "--seed", 1)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr.splitlines()[-1]
    assert "I agree." in voice("show", "Zoë").stdout


def test_line_of_scores_names_the_real_clips() -> None:
    scores = {"similarity": 0.91, "similarity_ceiling": 0.95, "cer": 0.2, "reference_cer": 0.08}
    assert training.score_line(scores) == (
        "similarity 0.91 (real clips 0.95), character error rate 0.2 (real clips 0.08)"
    )


# --- speaking


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".opus", ".m4a"])
def test_say_writes_every_format(suffix: str, own_voice: str, tmp_path: Path) -> None:
    output = tmp_path / f"new folder 声音{suffix}"
    result = voice("say", "Good evening.", "-v", f"{own_voice}:Ben", "-o", output, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert output.name in result.stdout
    assert read_audio(output).duration_s > 0.1


def test_say_marks_what_it_writes(own_voice: str, tmp_path: Path) -> None:
    for suffix in (".wav", ".mp3", ".m4a", ".flac", ".opus"):
        output = tmp_path / f"a{suffix}"
        assert voice("say", "Hello.", "-v", own_voice, "-o", output).exit_code == 0
        marks = read_marks(output)
        assert marks.aigc is not None, suffix
        assert marks.aigc["ContentProducer"] == PRODUCER
        assert marks.digital_source_type == DIGITAL_SOURCE_TYPE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_say_reads_a_file_or_the_standard_input_in_usual_encodings(
    encoding: str, own_voice: str, tmp_path: Path
) -> None:
    text = "The price is 5 \u00a5. Really?" if encoding != "utf-8" else "The price is low."
    source, one, two = (tmp_path / name for name in ("in.txt", "one.wav", "two.wav"))
    source.write_bytes(text.encode(encoding))
    assert voice("say", "-i", source, "-v", own_voice, "-o", one).exit_code == 0
    result = voice("say", "-", "-v", own_voice, "-o", two, stdin=text.encode(encoding))
    assert result.exit_code == 0, result.output
    assert one.read_bytes() == two.read_bytes()


def test_say_refuses_a_file_that_is_no_text(own_voice: str, tmp_path: Path) -> None:
    source = tmp_path / "song.txt"
    source.write_bytes(bytes(range(256)) * 8)
    one_line_error(voice("say", "-i", source, "-v", own_voice, "-o", tmp_path / "a.wav"), "song")
    assert not (tmp_path / "a.wav").exists()


def test_say_reports_what_cannot_be_spoken(own_voice: str, tmp_path: Path) -> None:
    result = voice("say", "Hello ☃ there.", "-v", own_voice, "-o", tmp_path / "a.wav")
    assert result.exit_code == 0
    assert "☃" in result.stderr


def test_say_tells_machines_how_far_it_is(own_voice: str, tmp_path: Path) -> None:
    output = tmp_path / "a.wav"
    result = voice("say", "One. Two. Three.", "-v", own_voice, "-o", output, "--json")
    told = events(result)
    assert [event["event"] for event in told[:-1]] == ["progress"] * (len(told) - 1)
    assert told[-2]["done"] == told[-2]["total"] == 16
    assert told[-1]["event"] == "result"
    assert told[-1]["output"] == str(output)
    assert result.stderr == ""


def test_say_without_an_output_writes_speech_wav(
    own_voice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert voice("say", "Hello.", "-v", own_voice).exit_code == 0
    assert (tmp_path / "speech.wav").exists()


def test_say_speaks_faster_when_told_to(own_voice: str, tmp_path: Path) -> None:
    seconds = {}
    for speed in ("0.5", "2.0"):
        output = tmp_path / f"{speed}.wav"
        text = "One two three four five."
        assert voice("say", text, "-v", own_voice, "-s", speed, "-o", output).exit_code == 0
        seconds[speed] = read_audio(output).duration_s
    assert seconds["2.0"] < 0.6 * seconds["0.5"]


# --- the library


def test_list_and_show_tell_what_is_there(own_voice: str) -> None:
    listed = voice("list")
    assert own_voice in listed.stdout
    assert "en de" in listed.stdout
    shown = voice("show", own_voice)
    assert "Anna" in shown.stdout
    assert events(voice("show", own_voice, "--json"))[0]["speakers"] == ["Anna", "Ben"]


def test_packed_voice_comes_back_the_same(own_voice: str, library: Path, tmp_path: Path) -> None:
    packed = tmp_path / "out.voice"
    assert voice("pack", own_voice, "-o", packed).exit_code == 0
    assert voice("add", packed, "--name", "again").exit_code == 0
    names = {v["name"] for v in events(voice("list", "--json"))[0]["voices"]}
    assert {own_voice, "again"} <= names
    weights = [library / "voices" / n / "voice.safetensors" for n in (own_voice, "again")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_removing_a_voice_lists_what_was_made_with_it(
    own_voice: str, library: Path, tmp_path: Path
) -> None:
    output = tmp_path / "made.wav"
    said = voice("say", "Hello.", "-v", own_voice, "-o", output)
    assert said.exit_code == 0, said.output
    result = voice("remove", own_voice)
    assert result.exit_code == 0
    assert str(output) in result.stdout
    assert not (library / "voices" / own_voice).exists()
    assert output.exists()


def test_columns_align_wide_characters() -> None:
    assert reporting.columns([["名", "b"], ["abc", "d"]]) == ["名   b", "abc  d"]


# --- consoles


def test_gbk_console_is_no_error(own_voice: str, tmp_path: Path) -> None:
    output = tmp_path / "☕.wav"
    command = [sys.executable, "-c", "import cli; cli.clone_voice_main()"]
    result = subprocess.run(
        [*command, "say", "Hello ☃.", "-v", own_voice, "-o", str(output)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "gbk"},
    )
    assert result.returncode == 0, result.stderr.decode("gbk", "replace")
    assert output.exists()


# --- stories


def test_story_source_that_is_not_there_is_told(tmp_path: Path, library: Path) -> None:
    one_line_error(run(cli.story, "render", "no/such.md", "-o", tmp_path), "no/such.md")


def test_unknown_story_format_is_told(tmp_path: Path, library: Path) -> None:
    source = tmp_path / "a.md"
    source.write_text("# A\n\nHello.\n")
    result = run(cli.story, "render", source, "-o", tmp_path / "out", "-f", "avi")
    one_line_error(result, "avi", "mp4")


def test_story_is_rendered_and_the_second_run_finds_it(own_voice: str, tmp_path: Path) -> None:
    source, out = tmp_path / "a b.md", tmp_path / "the story"
    source.write_text("# A story\n\nOnce there was a lamp.\n", "utf-8")
    arguments = ["render", source, "-o", out, "-v", own_voice, "-f", "srt", "-f", "html", "--json"]
    first, second = run(cli.story, *arguments), run(cli.story, *arguments)
    assert first.exit_code == 0, first.output
    told = events(first)[-1]
    assert set(told["files"]) == {"srt", "html"}
    assert all(Path(path).exists() for path in told["files"].values())
    assert told["made"] > 0
    again = events(second)[-1]
    assert (again["made"], again["files"]) == (0, told["files"])

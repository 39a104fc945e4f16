"""`clone-voice prepare` from the outside: what it prints, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from voices import joined, reader, save

from cli import clone_voice


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(clone_voice, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_good_recording_ends_well_and_tells_every_second(tmp_path: Path) -> None:
    clips = reader(4)
    save(tmp_path / "talk.wav", joined([audio for audio, _ in clips]))
    (tmp_path / "talk.txt").write_text(" ".join(text for _, text in clips), encoding="utf-8")
    code, out, _ = run("prepare", tmp_path / "talk.wav", "-o", tmp_path / "set")
    assert code == 0, out
    assert "all of the sources" in out
    assert "4 clips to use" in out or "3 clips to use" in out
    assert "clone-voice train" in out
    assert (tmp_path / "set/report.html").stat().st_size > 2000


def test_something_left_out_is_named_and_ends_with_3(tmp_path: Path) -> None:
    for index, (audio, text) in enumerate(reader(2)):
        save(tmp_path / f"in/{index}.wav", audio)
        (tmp_path / f"in/{index}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "in/broken.mp3").write_bytes(b"nothing")
    code, out, _ = run("prepare", tmp_path / "in", "-o", tmp_path / "set", "--json")
    assert code == 3
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["event"] == "result"
    assert events[-1]["dropped"] == ["broken.mp3 is not a sound file that can be read"]
    assert events[-1]["verdicts"]["use"] == 2


def test_what_cannot_be_is_one_line_and_ends_with_2(tmp_path: Path) -> None:
    save(tmp_path / "a.wav", reader(1)[0][0])
    for arguments in (
        [tmp_path / "nowhere", "-o", tmp_path / "set"],
        [tmp_path / "a.wav", "-o", tmp_path / "a.wav"],
        [tmp_path / "a.wav", "-o", tmp_path / "set", "--denoise", tmp_path / "no-model"],
        [tmp_path / "a.wav", "-o", tmp_path / "set", "--asr", "./no-model"],
    ):
        code, _, err = run("prepare", *arguments)
        assert code == 2, (arguments, err)
        assert len([line for line in err.splitlines() if line.startswith("Error")]) == 1

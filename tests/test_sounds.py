"""`clone-voice phonemes` shows what will be spoken."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

import cli
from pipelines.sounds import read


def test_the_language_follows_from_the_letters() -> None:
    assert [line.language for line in read("你好。Good evening.")] == ["zh", "zh"]
    assert read("Good evening.")[0].symbols == "‹en›ɡˈʊd ˈiːvnɪŋ."
    assert read("Guten Abend, das ist für dich.")[0].language == "de"


def test_a_voice_reads_in_a_language_of_its_own(tiny_voice: Path) -> None:
    assert read("Good evening.", voice=str(tiny_voice))[0].language == "en"
    assert read("你好 you", voice=str(tiny_voice))[0].language == "en"


def test_the_command_prints_a_line_an_utterance_and_warns() -> None:
    made = CliRunner().invoke(cli.clone_voice, ["phonemes", "一个人。不是한！"])
    assert made.exit_code == 0
    assert "‹zh›i˧˥kɤ˥˩ ɻən˧˥.\n‹zh›pu˧˥ʂʅ˥˩!" in made.stdout
    assert "한" in made.stderr
    made = CliRunner().invoke(cli.clone_voice, ["phonemes", "一。", "--json"])
    rows = json.loads(made.stdout.splitlines()[-1])
    assert rows["utterances"][0]["symbols"] == "‹zh›i˥."


def test_a_language_that_is_not_there_is_one_line() -> None:
    made = CliRunner().invoke(cli.clone_voice, ["phonemes", "x", "--language", "xx"])
    assert made.exit_code == 2
    assert "'xx'" in made.stderr


def test_a_cleaner_shows_what_its_voices_were_trained_on() -> None:
    run = CliRunner().invoke
    made = run(cli.clone_voice, ["phonemes", "你好", "--cleaner", "chinese_cleaners"])
    assert made.stdout == "ㄋㄧˇㄏㄠˇ。\n"
    made = run(cli.clone_voice, ["phonemes", "你好", "--cleaner", "x"])
    assert made.exit_code == 2
    assert "cjke_cleaners2" in made.stderr
    made = run(cli.clone_voice, ["phonemes", "x", "--cleaner", "x", "-v", "base"])
    assert made.exit_code == 2

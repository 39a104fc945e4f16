"""The recording script: few sentences, most sounds, always the same ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import clone_voice
from data.script import POOLS, _sounds, recording_script, sentences
from vits.errors import UserError

LEAST_PHONES = {"en": 0.97, "zh": 0.97, "ja": 0.97}


@pytest.mark.parametrize("language", POOLS)
def test_pools_are_large_and_hold_nothing_twice(language: str) -> None:
    pool = sentences(language)
    assert len(pool) > 200
    assert len(set(pool)) == len(pool)
    assert all(line == line.strip() and line[-1] in ".!?。？！" for line in pool)


@pytest.mark.parametrize("language", POOLS)
def test_twenty_sentences_have_nearly_every_sound(language: str) -> None:
    script = recording_script(language, 20)
    assert len(set(script.sentences)) == 20
    assert script.phones >= LEAST_PHONES[language] * script.all_phones, script.missing
    assert script.heard_share > 0.7
    assert str(script.pairs) in script.line


@pytest.mark.parametrize("language", POOLS)
def test_the_choice_is_better_than_chance(language: str) -> None:
    sounds = _sounds(language)
    by_chance = [
        len({pair for one in random.Random(seed).sample(sounds, 20) for pair in one.pairs})
        for seed in range(20)
    ]
    assert recording_script(language, 20).pairs > max(by_chance)


def test_more_sentences_go_on_from_fewer() -> None:
    few, many = recording_script("en", 5), recording_script("en", 12)
    assert many.sentences[:5] == few.sentences
    assert many.pairs > few.pairs


def test_what_cannot_be_chosen_is_told() -> None:
    with pytest.raises(UserError, match="no sentences in 'xx'"):
        recording_script("xx", 5)
    with pytest.raises(UserError, match="not 9999"):
        recording_script("en", 9999)


def test_the_command_prints_and_writes_them(tmp_path: Path) -> None:
    arguments = ["script", "--language", "zh-CN", "--count", "3", "-o", str(tmp_path / "read")]
    result = CliRunner().invoke(clone_voice, arguments)
    assert result.exit_code == 0, result.output
    first = recording_script("zh", 3).sentences[0]
    assert f" 1. {first}" in result.stdout
    assert "3 sentences cover" in result.stdout
    assert (tmp_path / "read/01.txt").read_text("utf-8") == first + "\n"

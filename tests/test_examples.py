"""The example stories are what they say: they are read, drawn and told whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import make_tiny_voice

from pipelines.sounds import read
from pipelines.story.check import check_story
from pipelines.story.collage.staging import stages
from pipelines.story.render import render
from pipelines.story.storyfile import read_story
from vits.checkpoint import load_config, save_config
from vits.text import unknown_characters

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
STORIES = {"en": "story", "zh": "story-zh"}


@pytest.fixture
def chinese_voice(tmp_path: Path) -> Path:
    """An untrained voice that says that it speaks Chinese."""
    folder = make_tiny_voice(tmp_path / "chinese")
    config = load_config(folder)
    speakers = tuple(replace(speaker, language="zh") for speaker in config.speakers)
    save_config(folder, replace(config, languages=("zh",), speakers=speakers))
    return folder


@pytest.mark.parametrize("language", STORIES)
def test_every_word_of_a_story_can_be_spoken(language: str) -> None:
    story = read_story(EXAMPLES / STORIES[language] / "story.yaml")
    assert story.language == language
    assert 4 <= len(story.scenes) <= 6
    for scene in story.all_scenes:
        for line in scene.lines:
            assert not unknown_characters(line.shown, language), line.shown


@pytest.mark.parametrize("language", STORIES)
def test_a_story_is_a_dialogue_of_people_who_are_in_its_pictures(language: str) -> None:
    story = read_story(EXAMPLES / STORIES[language] / "story.yaml")
    speaking = {line.speaker for scene in story.scenes for line in scene.lines}
    assert set(story.cast) <= speaking
    for name, stage in stages(story).items():
        assert stage.heroes or stage.props, name
        assert stage.place


def test_numbers_of_the_chinese_story_are_read_in_chinese() -> None:
    text = (EXAMPLES / "story-zh" / "story.yaml").read_text("utf-8")
    for words, sounds in (("下午 3 点", "san˥"), ("12 只萤火虫", "ʂʅ˧˥ɚ˥˩")):
        assert words in text
        assert sounds in " ".join(line.symbols for line in read(words, language="zh"))


def test_the_chinese_story_is_fine_but_for_a_voice(chinese_voice: Path) -> None:
    _, found = check_story(str(EXAMPLES / "story-zh"), voice=str(chinese_voice))
    assert found == []


def test_the_chinese_story_is_told_word_by_word(chinese_voice: Path, tmp_path: Path) -> None:
    told = render(
        str(EXAMPLES / "story-zh"),
        tmp_path / "out",
        formats=("srt",),
        voice=str(chinese_voice),
        preview=True,
    )
    assert not told.unknown
    assert "红灯笼" in Path(told.files["srt"]).read_text("utf-8").replace("\n", "")

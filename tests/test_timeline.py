"""Scenes, lines and words on one clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from media_story import Word, story, tell

from pipelines.media.timeline import (
    TimedLine,
    TimedScene,
    Timeline,
    chapter_titles,
    language_code,
    writable,
)


def scene(start_s: float, end_s: float, *lines: TimedLine) -> TimedScene:
    return TimedScene("s", "A scene", Path("p.png"), start_s, end_s, lines)


def timeline(*scenes: TimedScene, duration_s: float) -> Timeline:
    return Timeline("T", "A", "en", "lj", scenes, Path("a.wav"), duration_s)


def test_a_story_gives_its_lines_in_order(tmp_path: Path) -> None:
    told = story(tmp_path)
    assert [line.text for line in told.lines][:2] == [
        "The lamp went out at nine.",
        "“Who is there?” asked the keeper <quietly>.",
    ]
    assert sum(scene.duration_s for scene in told.scenes) == pytest.approx(told.duration_s)


@pytest.mark.parametrize(
    ("scenes", "duration_s", "cause"),
    [
        ((), 1.0, "at least one scene"),
        ((scene(0.5, 1.0),), 1.0, "does not begin at 0"),
        ((scene(0.0, 1.0), scene(1.4, 2.0)), 2.0, "a gap"),
        ((scene(0.0, 1.0),), 2.0, "does not end with the sound"),
        ((scene(0.0, 1.0, tell("One two three four.", 0.0)),), 1.0, "its parts at"),
        ((scene(0.0, 9.0, tell("One two.", 2.0), tell("Three.", 1.0)),), 9.0, "too early"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(scenes, duration_s, cause) -> None:
    with pytest.raises(ValueError, match=cause):
        timeline(*scenes, duration_s=duration_s)


def test_words_must_lie_in_their_line() -> None:
    line = tell("One two.", 0.0)
    outside = replace(line, words=(Word("One", 0, 99, 0.0, 0.2),))
    crossed = replace(line, words=tuple(reversed(line.words)))
    with pytest.raises(ValueError, match="is not at 0"):
        timeline(scene(0.0, 9.0, outside), duration_s=9.0)
    with pytest.raises(ValueError, match="too early"):
        timeline(scene(0.0, 9.0, crossed), duration_s=9.0)


def test_rounding_to_samples_is_forgiven() -> None:
    timeline(scene(0.0, 1.001), scene(0.998, 2.0), duration_s=2.003)


def test_a_scene_without_a_title_is_called_by_its_number(tmp_path: Path) -> None:
    assert chapter_titles(story(tmp_path)) == ["The Lamp", "The Boat", "3"]


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en", "eng"), ("en-GB", "eng"), ("zh_CN", "zho"), ("de", "deu"), ("yue", "yue"), ("", "und")],
)
def test_film_and_sound_name_languages_by_three_letters(tag: str, code: str) -> None:
    assert language_code(tag) == code


def test_characters_that_no_markup_can_hold_are_left_out() -> None:
    assert writable("a\x00b\x1bc\ud800d\te\n狐") == "abcd\te\n狐"

"""Voices for who has none: by gender, age and language, and the same ever after."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from test_render import tell, write
from tones import small_story

from pipelines.story.casting import (
    FILE_NAME,
    Candidate,
    candidates,
    cast_story,
    choose,
    read_cast,
)
from pipelines.story.script import Line, Role, Scene, Story
from vits.errors import UserError

LIBRARY = (
    Candidate("base:ann", "female", ("en",)),
    Candidate("base:bea", "female", ("en",)),
    Candidate("base:tom", "male", ("en",)),
    Candidate("wei", "male", ("zh",)),
)


def story(**cast: Role) -> Story:
    lines = tuple(Line(speaker=name, text="Hello.") for name in cast)
    return Story(title="t", cast=cast, scenes=(Scene(lines=lines),))


def test_gender_language_and_who_is_free_decide() -> None:
    girl, man, child = Role(gender="female"), Role(gender="male"), Role(age="child")
    assert choose("A", man, "en", LIBRARY, {}) == "base:tom"
    assert choose("A", man, "zh", LIBRARY, {}) == "wei"
    assert choose("A", girl, "de", LIBRARY, {}) == ""
    assert choose("A", child, "en", LIBRARY, {}) in ("base:ann", "base:bea")
    assert choose("A", girl, "en", LIBRARY, Counter(["base:ann"])) == "base:bea"
    assert choose("A", man, "en", LIBRARY, Counter(["base:tom"] * 5)) == "base:tom"


def test_everybody_has_a_voice_of_their_own_as_long_as_there_are_some(tmp_path: Path) -> None:
    told = story(A=Role(gender="female"), B=Role(gender="female"), C=Role(voice="mine"))
    cast = cast_story(told, tmp_path, "base:tom", LIBRARY).cast
    assert {cast["A"].voice, cast["B"].voice} == {"base:ann", "base:bea"}
    assert cast["C"].voice == "mine"


def test_the_choice_is_kept_whatever_comes_into_the_library(tmp_path: Path) -> None:
    told = story(A=Role(gender="male"))
    first = cast_story(told, tmp_path, "base", LIBRARY).cast
    more = (Candidate("aaa", "male", ("en",)), *LIBRARY)
    assert cast_story(told, tmp_path, "base", more).cast == first
    assert read_cast(tmp_path) == {"A": "base:tom"}
    assert cast_story(told, tmp_path / "b", "base", LIBRARY, keep=False).cast == first
    assert not (tmp_path / "b").exists()


def test_age_sets_the_pace_where_the_story_does_not(tmp_path: Path) -> None:
    told = story(A=Role(age="old"), B=Role(age="child", speed=1.3), C=Role(age="adult"))
    speeds = [r.speed for r in cast_story(told, tmp_path, "x", LIBRARY).cast.values()]
    assert speeds == [0.9, 1.3, 1.0]


@pytest.mark.parametrize("text", ["[", "- a", "A: [1]", "A: 3"])
def test_a_cast_file_gone_wrong_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(UserError, match=FILE_NAME):
        read_cast(tmp_path)


def test_the_library_offers_its_speakers(library: Path) -> None:
    found = {candidate.voice: candidate for candidate in candidates()}
    assert found
    assert all(name.startswith("base:") for name in found)
    assert {candidate.gender for candidate in found.values()} == {"female", "male"}


def test_a_narrator_of_the_users_own_is_not_recast(tmp_path: Path) -> None:
    folder = write(tmp_path / "fox", small_story())
    tell(folder, folder, cast="library")
    assert not (folder / FILE_NAME).exists()

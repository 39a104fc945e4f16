"""Stories are checked when they are made, and story.yaml is for people."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.story.script import Line, Role, Scene, Story
from pipelines.story.storyfile import dump_story, parse_story, read_story, write_story
from vits.errors import UserError

STORY = """\
version: 1
title: 1984
cast:
  Pim: {voice: base:anna, speed: 1.05}
  Mara:
scenes:
  - title: yes
    lines:
      - On a rock in the sea stood a lamp.
      - Pim: Is it dark up there?
"""


def error_of(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_story(text)
    return str(caught.value)


def test_a_bare_line_is_the_narrators_and_a_named_one_the_names():
    story = parse_story(STORY)
    assert [line.speaker for line in story.scenes[0].lines] == ["narrator", "Pim"]
    assert story.cast == {"Pim": Role(voice="base:anna", speed=1.05), "Mara": Role()}


def test_what_looks_like_numbers_dates_or_truth_stays_what_was_written():
    story = parse_story(STORY.replace("Is it dark up there?", "12:30"))
    assert story.title == "1984"
    assert story.scenes[0].title == "yes"
    assert story.scenes[0].lines[1].text == "12:30"


def test_scenes_without_an_id_get_their_number():
    story = parse_story("title: a\nscenes: [{lines: [b]}, {id: '1', lines: [c]}, {lines: [d]}]")
    assert [scene.id for scene in story.scenes] == ["1a", "1", "3"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("sped", "speed: 1.05", "sped: 1.05"), "line 4, column 27: cast, Pim: unknown field"),
        (("hint", "speed: 1.05", "sped: 1.05"), "did you mean 'speed'?"),
        (("allowed", "title: yes", "titel: yes"), "Allowed are id, title, place, picture"),
        (("range", "1.05", "3"), "'speed' cannot be '3'. It must be a number from 0.5 to 2."),
        (("word", "1.05", "fast"), "'speed' cannot be 'fast'"),
        (("cast", "Pim: Is", "Pin: Is"), "line 10, column 9: scene 1, line 2: the speaker 'Pin'"),
        (("cast", "Pim: Is", "Pin: Is"), "In the cast are narrator, Pim, Mara (did you mean 'Pim'"),
        (("misspelt", "lines:", "line:"), "line 8, column 5: scene 1: unknown field 'line'"),
        (("version", "version: 1", "version: 2"), "It reads version 1"),
        (("language", "title: 1984", "title: a\nlanguage: fr"), "Allowed are 'en', 'zh', 'ja'"),
        (("colon", "Pim: Is", "Pim: Is: "), "line 10, column 16"),
        (("colon", "Pim: Is", "Pim: Is: "), "needs quotation marks"),
        (("quotes", "Pim: Is", 'Pim: "Is" '), "'>-'"),
        (("tab", "  - title: yes", "\t- title: yes"), "not with tabs"),
        (
            ("twice", "title: 1984", "title: a\ntitle: b"),
            "line 3, column 1: 'title' is there",
        ),
        (("missing", "title: 1984\n", ""), "the field 'title' is missing"),
        (("list", "title: yes", "title: [yes]"), "column 5: scene 1: 'title' must be text"),
        (("empty", "Is it dark up there?", ""), "line 10"),
        (("alias", "Is it dark", "*x"), "undefined alias"),
        (("id", "title: yes", "id: title"), "the id 'title' is the first page's"),
        (("control", "Is it dark", "Is\x07"), "special characters are not allowed"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(change, message):
    _, before, after = change
    assert before in STORY
    assert message in error_of(STORY.replace(before, after))


@pytest.mark.parametrize("text", ["", "a", "- a", "title: x\nscenes: y", "[" * 600, "a: &b [*b]"])
def test_what_is_no_story_at_all_is_one_clear_line(text):
    message = error_of(text)
    assert message.startswith("story.yaml")
    assert "\n" not in message


def test_two_scenes_cannot_share_an_id():
    text = "title: a\nscenes:\n  - {id: x, lines: [b]}\n  - {id: x, lines: [c]}\n"
    assert "line 4, column 6: scene 2: two scenes have the id 'x'" in error_of(text)


def test_a_file_that_is_not_there_or_not_utf8_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="no file"):
        read_story(tmp_path / "story.yaml")
    path = tmp_path / "小 story.yaml"
    path.write_bytes("title: 灯塔".encode("gbk"))
    with pytest.raises(UserError, match="not UTF-8"):
        read_story(path)


def test_a_story_made_in_code_is_checked_too():
    line = Line(speaker="Pim", text="Hello.")
    with pytest.raises(ValidationError, match="not in the cast"):
        Story(title="A", scenes=(Scene(lines=(line,)),))
    with pytest.raises(ValidationError, match="at least 1"):
        Scene(lines=())


def test_marks_for_the_voice_are_not_shown():
    line = Line(text="[pause:1] Once [break] [voice:Pim]upon[/voice] [pause: 2.5] a time. [break]")
    assert line.shown == "Once upon a time."
    assert Line(text="A [note] stays.").shown == "A [note] stays."


def test_a_written_story_is_easy_to_edit(tmp_path):
    long = '"Hello," said he: a very long line that has "quotes", colons: and # signs, ' * 2
    story = Story(
        title="The Lamp",
        cast={"Pim": Role(voice="base:anna"), "text": Role()},
        scenes=(
            Scene(title="One", lines=(Line(text="Short."), Line(speaker="Pim", text=long))),
            Scene(title="Two", lines=(Line(speaker="text", text="Hi", seed=3),)),
        ),
    )
    path = tmp_path / "story.yaml"
    write_story(story, path)
    text = path.read_text("utf-8")
    assert read_story(path) == story
    assert "      - Short.\n" in text
    assert '      - Pim: >-\n          "Hello," said he: a very' in text
    assert max(map(len, text.splitlines())) <= 96
    assert "version: 1\ntitle: The Lamp\n" in text
    assert "speed" not in text


TEXT = st.text(min_size=1, max_size=200).filter(lambda text: text.strip())
NAME = st.sampled_from(["Pim", "old: keeper", "yes", "灯", "text", "- x", "seed", "<<", "#"])
LINES = st.lists(st.tuples(NAME, TEXT), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    title=TEXT,
    note=st.text(max_size=80),
    lines=st.lists(st.tuples(NAME, TEXT), min_size=1, max_size=4),
)
def test_every_story_reads_back_as_it_was_written(title, note, lines):
    story = Story(
        title=title,
        cast={name: Role() for name, _ in lines},
        scenes=(Scene(picture=note, lines=tuple(Line(speaker=n, text=text) for n, text in lines)),),
    )
    assert parse_story(dump_story(story)) == story

"""Existing texts become stories with their words unchanged; who speaks is found, not made up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.books.book import word_count
from pipelines.story.dialogue import attribute, label_of, speaker_labels
from pipelines.story.document import read_markdown, read_plain
from pipelines.story.script import NARRATOR, Story
from pipelines.story.writer import (
    BUILTINS,
    SCENE_WORDS,
    Adapt,
    story_from,
    story_language,
)
from vits.errors import UserError

MARKDOWN = """\
# The *Old* Lamp

On a rock in the sea stood a lamp. It was
very old.

"Who is there?" said Pim. "I cannot see you."

The old keeper whispered, "Only me." Then he laughed.

## The second night

Pim: Hello.
Mara: Hello yourself!

**Pim:** Again? ![a lamp](lamp.png)

***

Remember: nothing is lost.
"""


def told(story: Story) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for scene in story.scenes for line in scene.lines]


def test_markdown_gives_title_scenes_and_speakers():
    story = Adapt().write(MARKDOWN)
    assert story.title == "The Old Lamp"
    assert [scene.title for scene in story.scenes] == ["", "The second night", ""]
    assert told(story) == [
        (NARRATOR, "On a rock in the sea stood a lamp. It was very old."),
        ("Pim", '"Who is there?"'),
        (NARRATOR, "said Pim."),
        ("Pim", '"I cannot see you."'),
        (NARRATOR, "The old keeper whispered,"),
        ("Old keeper", '"Only me."'),
        (NARRATOR, "Then he laughed."),
        ("Pim", "Hello."),
        ("Mara", "Hello yourself!"),
        ("Pim", "Again?"),
        (NARRATOR, "Remember: nothing is lost."),
    ]
    assert set(story.cast) == {"Pim", "Old keeper", "Mara"}


def test_plain_text_gives_title_author_chapters_and_rules():
    text = "Title: The Lamp\nAuthor: A. Bee\n\n# Night\nIt was dark.\n\n* * *\n\nStill dark.\n\n"
    document = read_plain(text + "Chapter 2\n\nDay.\n\n<<CHAPTER_MARKER:Dusk>>\nGrey again.\n")
    assert (document.title, document.author) == ("The Lamp", "A. Bee")
    assert [(s.title, s.paragraphs) for s in document.sections] == [
        ("Night", ["It was dark."]),
        ("", ["Still dark."]),
        ("Chapter 2", ["Day."]),
        ("Dusk", ["Grey again."]),
    ]


def test_a_short_first_line_is_the_title_and_a_sentence_is_not():
    assert read_plain("The Lamp\n\nOnce there was one.").title == "The Lamp"
    assert read_plain("Once there was one.\n\nIt was old.").title == ""
    assert read_markdown("---\ntitle: Head\nauthor: Me\n---\nText.").title == "Head"


def test_a_heading_with_nothing_under_it_joins_the_next():
    document = read_markdown("# T\n\n# Part One\n\n## Night\n\nDark.")
    assert [section.title for section in document.sections] == ["Part One: Night"]


def test_chinese_text_with_a_paragraph_a_line_and_in_gbk_is_read(tmp_path):
    path = tmp_path / "小 灯塔.txt"
    path.write_bytes("小灯塔\n\n第一章 海边\n　　从前有一座灯塔。\n　　它很老了。\n".encode("gbk"))
    story = story_from(path)
    assert (story.title, story.language) == ("小灯塔", "zh")
    assert [scene.title for scene in story.scenes] == ["第一章 海边"]
    assert told(story) == [(NARRATOR, "从前有一座灯塔。"), (NARRATOR, "它很老了。")]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_marks_of_windows_editors_are_no_part_of_the_text(tmp_path, codec):
    path = tmp_path / "a.txt"
    path.write_bytes("Grüße.\r\n\r\nEnde.".encode(codec))
    assert [t for _, t in told(story_from(path))] == ["Grüße.", "Ende."]


@pytest.mark.parametrize(
    ("paragraph", "pieces"),
    [
        ('"Yes," said Pim.', [("Pim", '"Yes,"'), (NARRATOR, "said Pim.")]),
        ("Pim said, “Yes.”", [(NARRATOR, "Pim said,"), ("Pim", "“Yes.”")]),
        (
            '"Yes," the old keeper said.',
            [("Old keeper", '"Yes,"'), (NARRATOR, "the old keeper said.")],
        ),
        ("„Ja“, sagte der Wirt.", [("Wirt", "„Ja“,"), (NARRATOR, "sagte der Wirt.")]),
        ('"Yes," she said.', [(NARRATOR, '"Yes," she said.')]),
        ('"Yes," said Pim. "No," said Mara.', [(NARRATOR, '"Yes," said Pim. "No," said Mara.')]),
        ("No speech.", [(NARRATOR, "No speech.")]),
    ],
)
def test_a_quotation_is_somebodys_only_if_the_words_beside_it_say_so(paragraph, pieces):
    assert [(piece.speaker, piece.text) for piece in attribute(paragraph)] == pieces


def test_a_label_is_a_speaker_if_it_comes_again_or_the_text_is_a_script():
    assert label_of("Old Tom: Hello.") == ("Old Tom", "Hello.")
    assert label_of("小明：你好") == ("小明", "你好")
    assert label_of("He had only one rule: never lie.") is None
    assert label_of("Note: mind the step.") is None
    assert speaker_labels(["Surprise: a cake."]) == frozenset()
    assert speaker_labels(["Pim: A.", "Pim: B."]) == {"pim"}
    assert speaker_labels(["Pim: A.", "Mara: B.", "Bo: C."]) == {"pim", "mara", "bo"}


WORDS = st.text("abc .!?\"“”:'’,—Pim said\n灯。", min_size=1, max_size=400)


@settings(max_examples=60, deadline=None)
@given(text=WORDS)
def test_adapting_changes_no_word(text):
    """All that is left out is space, and the labels of a script's lines."""
    document = read_plain(text)
    if not document.sections:
        return
    story = Adapt(read_plain).write(text)
    labels = speaker_labels(line for t in document.texts for line in t.split("\n"))
    if labels:
        return
    before = "".join(document.texts)
    after = "".join(line for _, line in told(story))
    assert re.sub(r"\s", "", after) == re.sub(r"\s", "", before)


def test_long_texts_become_scenes_of_about_a_page():
    sentence = "The wind came up and the lamp went out and nobody saw it. "
    story = Adapt(read_plain).write("\n\n".join([sentence * 4] * 30 + [sentence * 30]))
    lengths = [sum(word_count(line.text) for line in scene.lines) for scene in story.scenes]
    assert max(lengths) <= 1.5 * SCENE_WORDS
    assert min(lengths) >= 0.4 * SCENE_WORDS
    assert sum(lengths) == 13 * 4 * 30 + 13 * 30


def test_the_language_is_guessed_from_the_script():
    assert story_language(["Hello 灯"]) == "en"
    assert story_language(["Der Fuchs und die Eule sind nicht zu Hause."]) == "de"
    assert story_language(["Le renard est dans la forêt."]) == "en"  # told in none of these
    assert story_language(["从前有一座灯塔。"]) == "zh"
    assert story_language(["むかし灯台がありました。"]) == "ja"
    assert adapted_language("Hallo.", "de") == "de"


def adapted_language(text: str, language: str) -> str:
    return Adapt(language=language).write(text).language


@pytest.mark.parametrize("source", ["no/such", "fox.txt", r"C:\stories\fox", "a.epub", "x.YAML"])
def test_what_looks_like_a_path_and_is_not_there_is_an_error_not_an_idea(source):
    with pytest.raises(UserError, match="There is no file or folder") as caught:
        story_from(source)
    assert "language model" not in str(caught.value)


@pytest.mark.parametrize("idea", ["a fox who is afraid of the dark", "fox", "dark " * 8000])
def test_an_idea_without_a_language_model_says_what_to_do(idea):
    with pytest.raises(UserError, match=r"language model.*hf:.*openai:.*story new") as caught:
        story_from(idea)
    assert len(str(caught.value)) < 300


def test_a_folder_is_its_story_yaml(tmp_path):
    with pytest.raises(UserError, match=r"holds no story\.yaml"):
        story_from(tmp_path)
    (tmp_path / "story.yaml").write_text("title: A\nscenes: [{lines: [b]}]", "utf-8")
    assert story_from(tmp_path) == story_from(tmp_path / "story.yaml")


def test_other_files_and_empty_ones_are_refused(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "b.md").write_text("# Only a title\n", "utf-8")
    with pytest.raises(UserError, match="cannot be read as a story"):
        story_from(tmp_path / "a.pdf")
    with pytest.raises(UserError, match="holds no text"):
        story_from(tmp_path / "b.md")


def test_a_file_without_a_title_is_named_after_itself(tmp_path):
    path = tmp_path / "the_old  lamp.txt"
    path.write_text("Once there was one.", "utf-8")
    assert story_from(path).title == "The old lamp"
    assert "adapt" in BUILTINS


def test_the_example_story_is_whole():
    story = story_from(Path(__file__).parents[1] / "examples" / "story")
    lines = [line for scene in story.scenes for line in scene.lines]
    assert 4 <= len(story.scenes) <= 6
    assert {line.speaker for line in lines} == {NARRATOR, *story.cast}
    assert 250 <= sum(word_count(line.text) for line in lines) <= 350
    assert max(sum(word_count(line.text) for line in s.lines) for s in story.scenes) < SCENE_WORDS

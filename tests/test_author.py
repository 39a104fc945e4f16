"""A language model writes a story: what it may hand in, what is sent back, and what comes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_llm import Scripted
from test_render import tell
from tones import Tones

from pipelines.assets import Assets
from pipelines.llm.chat import Message, Reply, Usage
from pipelines.llm.local import LocalModel
from pipelines.llm.memo import Remembering
from pipelines.llm.structured import Refused
from pipelines.story.author import LONG_CHARS, Author, parts_of
from pipelines.story.drafts import wrong_language
from pipelines.story.forms import NAMES, Wishes, find_form
from pipelines.story.prompts import problems
from pipelines.story.script import Story
from pipelines.story.storyfile import read_story
from pipelines.story.writing import is_outline, write
from tests.tiny_llm import make_tiny_llm
from vits.errors import UserError

IDEA = "a fox who is afraid of the dark"
SMALL = Wishes(scenes=2, words=20, language="en")


class Studio:
    """A model that knows its trade: it answers every task with something fitting.

    `spoil` has other answers, by what is asked, for the first time it is asked.
    """

    name = "the studio"

    def __init__(self, **spoil: str) -> None:
        self.spoil = spoil
        self.asked: list[str] = []
        self.usage = Usage()

    def fingerprint(self) -> dict[str, object]:
        return {"model": self.name}

    def complete(self, messages: Any, options: Any = None, schema: Any = None) -> Reply:
        task = schema["title"]
        self.asked.append(task)
        if task in self.spoil:
            return Reply(self.spoil.pop(task))
        return Reply(json.dumps(getattr(self, task.lower())(schema, messages), ensure_ascii=False))

    def stream(self, messages: Any, options: Any = None) -> Any:
        raise AssertionError("nobody streams here")

    def outline(self, schema: Any, _: Any) -> Any:
        figures = [
            {"name": "Rust", "gender": "male", "age": "child", "look": "small fox, red scarf"},
            {"name": "Owl", "gender": "female", "age": "old", "look": "grey owl, round glasses"},
        ]
        tags = {"hashtags": ["fox", "night"]} if "hashtags" in schema["properties"] else {}
        places = [{"name": "wood", "look": "tall pines"}]
        return {
            "title": "Rust at Night",
            "style": "gouache",
            "figures": figures,
            "places": places,
        } | tags

    def sketches(self, schema: Any, _: Any) -> Any:
        count = schema["properties"]["scenes"]["minItems"]
        place = schema["$defs"]["Sketch"]["properties"]["place"]
        named = place.get("const") or place["enum"][0]
        one = {
            "title": "Out",
            "place": named,
            "happens": "Rust goes out.",
            "picture": "Rust outside",
        }
        return {"scenes": [one] * count}

    def lines(self, *_: Any) -> Any:
        told = {"speaker": "narrator", "text": "It was dark in the wood."}
        return {"lines": [told, {"speaker": "Rust", "text": "Is somebody there?"}]}

    def review(self, *_: Any) -> Any:
        return {"findings": []}

    def summary(self, *_: Any) -> Any:
        return {"summary": "A fox was afraid."}

    def wish(self, *_: Any) -> Any:
        detail = ["dark wood", "tall pines", "small path", "round moon", "wet leaves"]
        other = {"material": ["gouache"], "style": [], "colours": ["blue"], "light": ["moonlight"]}
        return {"subject": ["fox in a wood"], "detail": detail, "people": False} | other

    def translation(self, schema: Any, _: Any) -> Any:
        count = schema["properties"]["lines"]["minItems"]
        return {"title": "出门", "lines": ["森林里一片漆黑，小狐狸很害怕。"] * count}

    def labels(self, _: Any, messages: list[Message]) -> Any:
        text = messages[-1].content
        spans = [n for n in range(1, 60) if f"[{n}] “" in text]
        return {"labels": [{"span": n, "speaker": "Pim"} for n in spans]}


def test_an_idea_becomes_a_story_with_cast_places_lines_and_prompts() -> None:
    studio = Studio()
    story = Author(studio, SMALL).write(IDEA)
    assert studio.asked == ["Outline", "Sketches", "Lines", "Lines", "Review", "Wish", "Wish"]
    assert [scene.place for scene in story.scenes] == ["wood", "wood"]
    assert story.cast["Rust"].gender == "male"
    assert story.scenes[0].lines[1].speaker == "Rust"
    for scene in story.scenes:
        assert "small fox,red scarf" in scene.prompt
        assert "tall pines" in scene.prompt
    assert Story.model_validate(story.model_dump()) == story


@pytest.mark.parametrize(
    ("task", "bad", "told"),
    [
        ("Outline", "Here is a lovely story about a fox!", "Invalid JSON"),
        ("Sketches", '{"scenes": []}', "at least 2 items"),
        ("Lines", '{"lines": [{"speaker": "Wolf", "text": "Me!"}]}', "'narrator', 'Rust' or 'Owl'"),
        (
            "Lines",
            '{"lines": [{"speaker": "Rust", "text": "很久很久以前有一只小狐狸。"}]}',
            "pattern",
        ),
        ("Lines", '{"lines": [{"speaker": "Rust", "text": "**No!**"}]}', "pattern"),
    ],
)
def test_what_cannot_be_used_is_sent_back_once(task: str, bad: str, told: str) -> None:
    class Watched(Studio):
        def complete(self, messages: Any, options: Any = None, schema: Any = None) -> Reply:
            self.last = messages[-1].content
            if self.last.startswith("That answer"):
                assert told in self.last
                self.mended = True
            return super().complete(messages, options, schema)

    studio = Watched(**{task: bad})
    Author(studio, SMALL).write(IDEA)
    assert studio.mended


def test_a_model_that_keeps_writing_prose_is_refused_with_its_text() -> None:
    prose = Scripted("Once upon a time.", "Once upon a time there was a fox.")
    with pytest.raises(Refused, match="Once upon a time there was"):
        Author(prose, SMALL).write(IDEA)


def test_what_the_editor_finds_is_written_again() -> None:
    class Editor(Studio):
        def review(self, *_: Any) -> Any:
            return {"findings": [{"scene": 2, "change": "Let him find it first."}]}

        def complete(self, messages: Any, options: Any = None, schema: Any = None) -> Reply:
            self.told = [*getattr(self, "told", []), messages[-1].content]
            return super().complete(messages, options, schema)

    editor = Editor()
    Author(editor, SMALL).write(IDEA)
    assert editor.asked.count("Lines") == 3
    assert sum("Let him find it first." in text for text in editor.told) == 1


def test_long_texts_are_summarised_in_parts() -> None:
    text = "The fox ran through the wood. " * 1400  # 42,000 characters
    studio = Studio()
    Author(studio, SMALL).write(text)
    assert studio.asked.count("Summary") == len(list(parts_of(text.strip(), 6000))) == 7
    joined = " ".join(parts_of(text, 6000))
    assert joined.split() == text.split()
    assert max(map(len, parts_of("x" * LONG_CHARS * 3, 6000))) <= 6000
    for wrong in ("", "  ", "x" * 1_000_001):
        with pytest.raises(UserError):
            Author(studio, SMALL).write(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_every_form_sets_length_aspect_and_hashtags(name: str) -> None:
    form = find_form(name)
    wishes = replace(SMALL, form=name, scenes=None, words=None)
    story = Author(Studio(), wishes).write(IDEA)
    assert (len(story.scenes), story.aspect) == (form.scenes, form.aspect)
    assert bool(story.hashtags) == bool(form.hashtags)
    if form.hashtags:
        assert story.hashtags == "#fox #night"
    with pytest.raises(UserError, match="novel"):
        find_form("novle")


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("It was dark in the wood.", "en", True),
        ("小狐狸走进了黑黑的森林。", "zh", True),
        ("小狐狸走进了黑黑的森林。", "en", False),
        ("きつねは森の中へ入りました。", "ja", True),
        ("きつねは森の中へ入りました。", "zh", False),
        ("It was dark in the wood.", "zh", False),
        ("Hm?", "zh", True),
    ],
)
def test_another_language_than_the_one_asked_for_is_noticed(
    text: str, language: str, right: bool
) -> None:
    assert (wrong_language(text, language) == "") == right


# ---------------------------------------------------------------- story write


def test_what_was_asked_once_is_not_asked_again(tmp_path: Path) -> None:
    studio = Studio()
    path, _ = write(IDEA, tmp_path, llm=studio, wishes=SMALL)
    first, asked = path.read_bytes(), len(studio.asked)
    path.write_bytes(first.replace(b"Is somebody there?", b"Is anybody there?"))
    write(IDEA, tmp_path, llm=studio, wishes=SMALL)
    assert b"Is anybody there?" in path.read_bytes()  # an edit is the user's
    path.unlink()
    write(IDEA, tmp_path, llm=studio, wishes=SMALL)
    assert path.read_bytes() == first
    assert len(studio.asked) == asked
    path.write_text("title: mine")
    with pytest.raises(UserError, match="it would be lost"):
        write("another idea", tmp_path, llm=studio, wishes=SMALL)


def test_a_killed_writing_goes_on_where_it_was(tmp_path: Path) -> None:
    class Dies(Studio):
        def review(self, *_: Any) -> Any:
            raise KeyboardInterrupt

    dying = Dies()
    with pytest.raises(KeyboardInterrupt):
        write(IDEA, tmp_path / "a", llm=dying, wishes=SMALL)
    studio = Studio()
    path, _ = write(IDEA, tmp_path / "a", llm=studio, wishes=SMALL)
    assert studio.asked == ["Review", "Wish"]  # the two scenes are alike
    whole, _ = write(IDEA, tmp_path / "b", llm=Studio(), wishes=SMALL)
    assert path.read_bytes() == whole.read_bytes()


def test_an_outline_has_a_scene_for_each_of_its_points(tmp_path: Path) -> None:
    outline = "# The fox\n- goes out\n- meets the owl\n- comes home\n"
    assert is_outline(outline)
    assert not is_outline("The fox went out.\n- Yes, she said.\nAnd came home.\n")
    source = tmp_path / "outline.md"
    source.write_text(outline)
    path, _ = write(str(source), tmp_path / "out", llm=Studio(), wishes=replace(SMALL, scenes=None))
    assert len(read_story(path).scenes) == 3


def test_a_text_keeps_its_words_and_the_model_says_who_speaks(tmp_path: Path) -> None:
    text = "The stairs were dark. “Is it dark?” asked somebody. “Very,” came back.\n\nHe fell."
    source = tmp_path / "tale.txt"
    source.write_text(text)
    path, _ = write(str(source), tmp_path / "out", llm=Studio())
    lines = [line for scene in read_story(path).scenes for line in scene.lines]
    assert [line.text for line in lines if line.speaker == "Pim"] == ["“Is it dark?”", "“Very,”"]
    assert "".join(" ".join(x.text for x in lines).split()) == "".join(text.split())
    told, _ = write(str(source), tmp_path / "told", llm=Studio(), wishes=SMALL, retell=True)
    assert read_story(told).title == "Rust at Night"


def test_a_translation_keeps_ids_pictures_and_speakers(tmp_path: Path) -> None:
    path, _ = write(IDEA, tmp_path / "en", llm=Studio(), wishes=SMALL)
    english = read_story(path)
    there, _ = write(str(tmp_path / "en"), tmp_path / "zh", llm=Studio(), translate_to="zh")
    chinese = read_story(there)
    assert chinese.language == "zh"
    for before, after in zip(english.scenes, chinese.scenes, strict=True):
        assert (before.id, before.prompt) == (after.id, after.prompt)
        assert [x.speaker for x in before.lines] == [x.speaker for x in after.lines]
        assert "森林" in after.lines[0].text
    with pytest.raises(UserError, match="already"):
        write(str(tmp_path / "en"), tmp_path / "en", llm=Studio(), translate_to="zh")
    with pytest.raises(UserError, match="'fr'"):
        write(str(tmp_path / "en"), tmp_path / "fr", llm=Studio(), translate_to="fr")


def test_without_a_model_an_idea_is_refused_and_nothing_is_left(
    library: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"hf:FOLDER_OR_ID.*openai:MODEL@URL.*story new"):
        write(IDEA, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- a real model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return LocalModel(str(make_tiny_llm(tmp_path_factory.mktemp("llm") / "tiny")))


def test_even_a_random_model_writes_a_story_that_can_be_told(
    tiny: LocalModel, tmp_path: Path
) -> None:
    out = tmp_path / "fox"
    wishes = replace(SMALL, words=5)
    path, _ = write(IDEA, out, llm=tiny, wishes=wishes)
    story = read_story(path)
    assert len(story.scenes) == 2
    for scene in story.scenes:
        assert scene.prompt
        assert [p for p in problems_of(scene.prompt) if "English" in p or "At most" in p] == []
    told = tell(out, out, narrator=Tones())
    assert len(told.timeline.scenes) == 3
    again = Remembering(tiny, Assets(out / "writing"))
    assert again.usage.requests == tiny.usage.requests


def problems_of(prompt: str) -> list[str]:
    from pipelines.story.prompts import NEGATIVE, Prompt

    return problems(Prompt(prompt, NEGATIVE))

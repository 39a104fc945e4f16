"""A story in another language: the same scenes, ids, cast and pictures, other words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.llm import ChatOptions, LanguageModel, ask
from pipelines.progress import OnProgress, Progress, silent
from pipelines.story import drafts
from pipelines.story.instructions import messages
from pipelines.story.script import NARRATOR, Scene, Story


def translate(
    story: Story, language: str, model: LanguageModel, *, on_event: OnProgress = silent
) -> Story:
    """The story in `language`, line for line.

    Scenes keep their ids and pictures. Voices of the cast, recordings and the lexicon are those of
    the old language and are left behind. UserError for a language that stories cannot be in.
    """
    drafts.check_language(language)
    title = _translated(story, language, model, "", [story.title])[1][0]
    scenes = []
    for number, scene in enumerate(story.scenes):
        on_event(Progress("translating", number, len(story.scenes), "scenes", scene.title))
        scenes.append(_scene(story, scene, language, model))
    on_event(Progress("translating", len(scenes), len(scenes), "scenes"))
    cast = {name: role.model_copy(update={"voice": None}) for name, role in story.cast.items()}
    return story.model_copy(
        update={
            "title": title,
            "language": language,
            "lexicon": {},
            "cast": cast,
            "scenes": tuple(scenes),
        }
    )


def _scene(story: Story, scene: Scene, language: str, model: LanguageModel) -> Scene:
    title, texts = _translated(
        story, language, model, scene.title, [line.text for line in scene.lines]
    )
    lines = tuple(
        line.model_copy(update={"text": text, "audio": ""})
        for line, text in zip(scene.lines, texts, strict=True)
    )
    return scene.model_copy(update={"title": title if scene.title else "", "lines": lines})


def _translated(
    story: Story, language: str, model: LanguageModel, title: str, texts: Sequence[str]
) -> tuple[str, list[str]]:
    names = [name for name in story.cast if name != NARRATOR]
    told = messages(
        "translate",
        language=drafts.NAMED[language],
        names=", ".join(names) or "none",
        listeners="anybody" if story.age is None else f"{story.age} years old",
        title=story.title,
        scene=title or "without a title",
        lines="\n".join(f"[{n}] {text}" for n, text in enumerate(texts, 1)),
    )

    def check(found: Any) -> str:
        if not all(line.strip() for line in found.lines):
            return "No line may be empty."
        return drafts.wrong_language(" ".join(found.lines), language)

    options = ChatOptions(temperature=0.3, max_tokens=200 + sum(map(len, texts)), seed=story.seed)
    kind: Any = drafts.translation_kind(language, len(texts))
    found: Any = ask(model, told, kind, options, check=check)
    return found.title.strip(), [" ".join(line.split()) for line in found.lines]

"""`story check`: everything in a story's folder that would stop a render, or spoil its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.story.casting import cast_story
from pipelines.story.narrator import VoiceNarrator, story_lexicon
from pipelines.story.opening import story_folder
from pipelines.story.own import check_own
from pipelines.story.prompting import PromptAssistant, is_drawn
from pipelines.story.prompts import Prompt, problems, shows_people
from pipelines.story.script import Story
from pipelines.story.takes import Takes, read_takes
from pipelines.story.writer import story_from
from vits.errors import UserError


@dataclass(frozen=True)
class Finding:
    """`stops` a render, or only spoils it."""

    where: str
    cause: str
    remedy: str
    stops: bool = True

    @property
    def line(self) -> str:
        kind = "error" if self.stops else "warning"
        return f"{kind}: {self.where}: {self.cause} {self.remedy}".strip()


def check_story(source: str, *, voice: str = "base") -> tuple[Story | None, list[Finding]]:
    """The story, if it can be read, and all that is found, what stops first."""
    try:
        story = story_from(source)
    except UserError as error:
        return None, [Finding(source, error.cause, error.remedy)]
    folder = story_folder(source)
    found = [
        *_caught("own files", lambda: check_own(story, folder)),
        *_caught("lexicon", lambda: story_lexicon(story.lexicon)),
        *_caught("takes", lambda: read_takes(folder)),
        *_voices(story, folder, voice),
        *_takes(story, folder),
        *_prompts(story),
        *_cast(story),
    ]
    return story, sorted(found, key=lambda finding: not finding.stops)


def _caught(where: str, work: Callable[[], object]) -> Iterator[Finding]:
    try:
        work()
    except UserError as error:
        yield Finding(where, error.cause, error.remedy)


def _voices(story: Story, folder: Path, voice: str) -> Iterator[Finding]:
    """Voices that are not there or do not speak the language; words that cannot be spoken."""
    from vits.text import unknown_characters

    try:
        narrator = VoiceNarrator(cast_story(story, folder, voice, keep=False), voice)
    except UserError as error:
        yield Finding("cast", error.cause, error.remedy)
        return
    told: set[str] = set()
    for scene in story.all_scenes:
        for number, line in enumerate(scene.lines, 1):
            where = f"scene {scene.id}, line {number}"
            try:
                narrator.fingerprint(line)
                unknown = unknown_characters(line.shown, story.language)
            except UserError as error:
                if error.cause not in told:
                    yield Finding(where, error.cause, error.remedy)
                told.add(error.cause)
                continue
            if unknown:
                marks = " ".join(unknown)
                yield Finding(where, f"{marks} cannot be spoken.", "It is left out.", False)


def _takes(story: Story, folder: Path) -> Iterator[Finding]:
    """Takes and pins that fit nothing any more."""
    try:
        takes = read_takes(folder)
    except UserError:
        return
    yield from (
        Finding("takes.yaml", f"{what} is not in the story any more.", "Delete it there.", False)
        for what in _lost(story, takes)
    )


def _lost(story: Story, takes: Takes) -> Iterator[str]:
    scenes = {scene.id: scene for scene in story.scenes}
    for picture in takes.pictures:
        if picture.scene not in scenes:
            yield f"scene {picture.scene}"
    for entry in takes.lines:
        scene = scenes.get(entry.scene)
        if scene is None or entry.text not in {line.text for line in scene.lines}:
            yield f"the line '{entry.text[:40]}' of scene {entry.scene}"


def _prompts(story: Story) -> Iterator[Finding]:
    """Rules that prompts of the user's own break; the others keep them by themselves."""
    assistant = PromptAssistant(story)
    for scene in story.scenes:
        if scene.prompt:
            prompt = Prompt(scene.prompt, assistant.prompt(scene).negative)
            people = shows_people(scene.prompt)
            for problem in problems(prompt, drawn=is_drawn(story), people=people):
                if "negative" not in problem or scene.negative:
                    yield Finding(f"scene {scene.id}, prompt", problem, "", False)


def _cast(story: Story) -> Iterator[Finding]:
    speaking = {line.speaker for scene in story.scenes for line in scene.lines}
    for name in story.cast:
        if name not in speaking and name != "narrator":
            yield Finding("cast", f"{name} never speaks.", "Remove them, or let them.", False)

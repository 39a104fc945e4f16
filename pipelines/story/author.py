"""A story from an idea, by a language model: characters, scenes, lines, and what clashes mended.

Every answer is kept among the story's assets (`writing/`), so that a killed run goes on with the
same words and a server is paid once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from pipelines.llm import ChatOptions, LanguageModel, Message, ask
from pipelines.progress import OnProgress, Progress, silent
from pipelines.story import drafts
from pipelines.story.forms import Wishes
from pipelines.story.instructions import messages
from pipelines.story.prompting import PromptAssistant
from pipelines.story.script import NARRATOR, Line, Role, Scene, Story
from pipelines.story.writer import sentences
from vits.errors import UserError

log = logging.getLogger(__name__)

LONG_CHARS = 8_000  # an idea beyond this is summarised in parts first
PART_CHARS = 6_000
MOST_CHARS = 1_000_000
STAGE = "writing"


@dataclass
class Author:
    """Writes with a language model. Implements the seam `Writer` of `writer.py`."""

    model: LanguageModel
    wishes: Wishes = field(default_factory=Wishes)
    on_event: OnProgress = silent
    _steps: int = 0

    def write(self, idea: str) -> Story:
        """The story of an idea, an outline or a whole text that it is to tell in its own words.

        UserError for an idea of nothing or of a million characters, and for a model that does
        not answer in the form asked for.
        """
        idea = _checked(idea)
        if len(idea) > LONG_CHARS:
            idea = self.summarised(idea)
        outline = self.outlined(idea)
        sketches = self.sketched(idea, outline)
        scenes = list(self.spoken(outline, sketches))
        for number, change in self.reviewed(outline.title, scenes):
            scenes[number] = self._scene(outline, sketches, number, scenes, change)
        story = self._story(outline, scenes)
        return self.with_prompts(story)

    # ------------------------------------------------------------ the steps

    def summarised(self, text: str) -> str:
        """A long text, part by part in few words; again if that is still long."""
        parts = list(parts_of(text, PART_CHARS))
        kind = drafts.summary_kind(self.wishes.language)
        told = []
        for number, part in enumerate(parts, 1):
            self._tell(f"part {number} of {len(parts)}")
            wish = self._ask("summary", kind, 700, number=number, count=len(parts), text=part)
            told.append(wish.summary)
        whole = "\n\n".join(told)
        return self.summarised(whole) if len(whole) > 2 * LONG_CHARS else whole

    def outlined(self, idea: str) -> Any:
        """Title, style, characters and places."""
        self._tell("characters and places")
        count = self.wishes.kind.hashtags

        def check(outline: Any) -> str:
            names = [figure.name.strip().casefold() for figure in outline.figures]
            places = [spot.name.strip().casefold() for spot in outline.places]
            if len(set(names)) < len(names) or len(set(places)) < len(places):
                return "Two have the same name; each needs a name of its own."
            if NARRATOR in names:
                return "The narrator is there anyway and is no character."
            looks = " ".join(figure.look for figure in outline.figures)
            return self._wrong(f"{outline.title} {looks}")

        extra = f" And {count} hashtags, without the mark #." if count else ""
        kind = drafts.outline_kind(self.wishes.language, count)
        return self._ask("figures", kind, 1400, check, idea=idea, extra=extra)

    def sketched(self, idea: str, outline: Any) -> list[Any]:
        """What happens in each scene, and what one sees."""
        self._tell("scenes")
        count, places = self.wishes.count, [spot.name for spot in outline.places]
        kind = drafts.sketches_kind(self.wishes.language, count, places)
        found = self._ask(
            "sketches",
            kind,
            250 * count,
            lambda sketches: self._wrong(" ".join(s.happens for s in sketches.scenes)),
            idea=idea,
            count=count,
            title=outline.title,
            characters="; ".join(f"{f.name} ({f.age}, {f.look})" for f in outline.figures),
            places="; ".join(f"{spot.name} ({spot.look})" for spot in outline.places),
        )
        return list(found.scenes)

    def spoken(self, outline: Any, sketches: Sequence[Any]) -> Iterator[Scene]:
        """The scenes with their lines, each written on from the one before."""
        done: list[Scene] = []
        for number in range(len(sketches)):
            done.append(self._scene(outline, sketches, number, done))
            yield done[-1]

    def reviewed(self, title: str, scenes: Sequence[Scene]) -> list[tuple[int, str]]:
        """(index of a scene, what is to change there), from a reading of the whole."""
        self._tell("reading it over")
        text = "\n\n".join(f"Scene {n}\n{_read(scene)}" for n, scene in enumerate(scenes, 1))
        kind = drafts.review_kind(self.wishes.language, len(scenes))
        found = self._ask("review", kind, 500, title=title, story=text)
        changes = {finding.scene - 1: finding.change for finding in found.findings}
        for number, change in changes.items():
            log.info("scene %d is written again: %s", number + 1, change)
        return sorted(changes.items())

    def with_prompts(self, story: Story) -> Story:
        """The story with a prompt for each picture, for people to change."""
        assistant = PromptAssistant(story, self.model)
        scenes = []
        for scene in story.scenes:
            self._tell(f"picture of scene {scene.id}")
            scenes.append(scene.model_copy(update={"prompt": assistant.prompt(scene).positive}))
        return story.model_copy(update={"scenes": tuple(scenes)})

    # ------------------------------------------------------------ inside

    def _scene(
        self,
        outline: Any,
        sketches: Sequence[Any],
        number: int,
        done: Sequence[Scene],
        change: str = "",
    ) -> Scene:
        self._tell(f"scene {number + 1} of {len(sketches)}")
        sketch, wishes = sketches[number], self.wishes
        names = [figure.name for figure in outline.figures]
        before = _read(done[number - 1])[-600:] if number else "nothing yet."
        found = self._ask(
            "lines",
            drafts.lines_kind(wishes.language, names, wishes.length),
            max(300, 6 * wishes.length),
            lambda lines: self._wrong(" ".join(line.text for line in lines.lines)),
            title=outline.title,
            number=number + 1,
            count=len(sketches),
            words=wishes.length,
            characters="; ".join(f"{f.name} ({f.age}, {f.look})" for f in outline.figures),
            before=before,
            scene_title=sketch.title,
            place=sketch.place,
            happens=sketch.happens,
            note=f"The editor says: {change}" if change else "",
        )
        lines = tuple(Line(speaker=line.speaker, text=line.text) for line in found.lines)
        return Scene(title=sketch.title, place=sketch.place, picture=sketch.picture, lines=lines)

    def _story(self, outline: Any, scenes: Sequence[Scene]) -> Story:
        cast = {f.name: Role(gender=f.gender, age=f.age, look=f.look) for f in outline.figures}
        tags = [f"#{tag}" for tag in getattr(outline, "hashtags", ())]
        return Story(
            title=outline.title,
            language=self.wishes.language,  # type: ignore[arg-type]  # checked there
            seed=self.wishes.seed,
            age=self.wishes.age,
            aspect=self.wishes.kind.aspect,
            hashtags=" ".join(tags),
            style=self.wishes.style or outline.style,
            cast=cast,
            places={spot.name: spot.look for spot in outline.places},
            scenes=tuple(scenes),
        )

    def _ask(
        self, task: str, kind: type[BaseModel], tokens: int, check: Any = None, **fields: object
    ) -> Any:
        options = ChatOptions(max_tokens=tokens, seed=self.wishes.seed)
        return ask(self.model, self._told(task, **fields), kind, options, check=check)

    def _told(self, task: str, **fields: object) -> list[Message]:
        wishes = self.wishes
        return messages(
            task,
            language=drafts.NAMED[wishes.language],
            form=wishes.kind.asks,
            listeners=wishes.listeners,
            tone=wishes.tone or "as the story asks for",
            **fields,
        )

    def _wrong(self, text: str) -> str:
        return drafts.wrong_language(text, self.wishes.language)

    def _tell(self, note: str) -> None:
        """Progress in requests; how many there will be is known but for second tries."""
        total = 4 + 2 * self.wishes.count
        self.on_event(Progress(STAGE, min(self._steps, total), total, "steps", note))
        self._steps += 1


def _checked(idea: str) -> str:
    idea = idea.strip()
    if not idea:
        raise UserError("The idea is empty.", "Say in a sentence what the story is about.")
    if len(idea) > MOST_CHARS:
        raise UserError(
            f"The text has {len(idea)} characters; {MOST_CHARS} is the most for one story.",
            "Give a part of it.",
        )
    return idea


def _read(scene: Scene) -> str:
    return "\n".join(f"{line.speaker}: {line.text}" for line in scene.lines)


def parts_of(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most `most` characters, cut between paragraphs or sentences."""
    part = ""
    for piece in _pieces(text, most):
        if part and len(part) + len(piece) > most:
            yield part.strip()
            part = ""
        part += piece
    if part.strip():
        yield part.strip()


def _pieces(text: str, most: int) -> Iterator[str]:
    for paragraph in text.split("\n"):
        for sentence in sentences(f"{paragraph}\n"):
            for at in range(0, len(sentence), most):
                yield sentence[at : at + most]

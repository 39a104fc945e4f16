"""What is told: a story, its scenes, its lines and the cast that speaks them.

`storyfile.py` reads and writes them as `story.yaml`. Parts are frozen and checked when they are
made: a `Story` that exists can be told.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vits.text.marks import without_marks

NARRATOR = "narrator"
TITLE_ID = "title"  # the page before the first scene, with the title read aloud
VERSION = 1
LANGUAGES = ("en", "zh", "ja", "de")  # that stories are told in

Text = Annotated[str, Field(min_length=1)]
Location = tuple[str | int, ...]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: object) -> object:
        """`voice:` with nothing behind it is as if it were not there."""
        if data == "":
            return {}
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value != ""}
        return data


class Role(_Part):
    """How somebody of the cast speaks and looks. Without a voice it is the narrator's, or one of
    the library that fits `gender` and `age`. `look` is for who draws, the same in every scene."""

    voice: str | None = None
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    gender: Literal["female", "male"] | None = None
    age: Literal["child", "young", "adult", "old"] | None = None
    look: str = ""


class Line(_Part):
    """What one speaker says in one go. `seed` asks for another reading of the same words;
    `audio` is a recording of them by the user, a file in the story's folder."""

    speaker: str = NARRATOR
    text: Text
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    audio: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: object) -> object:
        """`text` alone is the narrator's, `Name: text` is Name's."""
        if isinstance(data, str):
            return {"text": data}
        if isinstance(data, Mapping) and "text" not in data:
            names = [key for key in data if key not in cls.model_fields]
            if len(names) == 1 and "speaker" not in data:
                rest = {key: value for key, value in data.items() if key != names[0]}
                return {"speaker": names[0], "text": data[names[0]], **rest}
        return data

    @property
    def shown(self) -> str:
        """The text as it is read with the eyes: without marks for the voice."""
        return without_marks(self.text)


class Scene(_Part):
    """What happens at one place, under one picture.

    `picture` says in any language what it shows; `place` names one of the story's places. `prompt`
    and `negative` are what a drawing model is told, in English, made of the rest where they are
    empty. `image` is a picture of the user's own, a file in the story's folder.
    """

    id: str = ""
    title: str = ""
    place: str = ""
    picture: str = ""
    prompt: str = ""
    negative: str = ""
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    image: str = ""
    lines: tuple[Line, ...] = Field(min_length=1)


class Cover(_Part):
    """The page before the first scene, which shows the title and has it read. Its picture is told
    of as a scene's is; `line_seed` asks for another reading of the title."""

    picture: str = ""
    prompt: str = ""
    negative: str = ""
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    image: str = ""
    line_seed: int | None = Field(default=None, ge=0, lt=2**31)


class Story(_Part):
    """A whole story. Every speaker is in the cast or the narrator; scenes have ids of their own.

    `age` is the listeners', in years; `aspect` the film's; `hashtags` go with it where it is
    published. `style` and `places` (name: look) are for who draws.
    `lexicon` has words and how they are said, in IPA or respelt.
    """

    version: Literal[1] = 1
    title: Text
    author: str = ""
    language: Literal["en", "zh", "ja", "de"] = "en"
    seed: int = Field(default=0, ge=0, lt=2**31)
    age: int | None = Field(default=None, ge=0, le=120)
    aspect: Literal["16:9", "9:16", "1:1"] | None = None
    hashtags: str = ""
    style: str = ""
    cover: Cover = Cover()
    lexicon: dict[str, Text] = Field(default_factory=dict)
    cast: dict[str, Role] = Field(default_factory=dict)
    places: dict[str, str] = Field(default_factory=dict)
    scenes: tuple[Scene, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _version_is_a_number(cls, data: object) -> object:
        if isinstance(data, Mapping) and str(data.get("version")) == str(VERSION):
            return {**data, "version": VERSION}
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> Story:
        for problem in misfits(self):
            raise ValueError(f"{problem.cause} {problem.remedy}")
        return self._numbered()

    def _numbered(self) -> Story:
        """Give scenes without an id their number."""
        taken = {scene.id for scene in self.scenes}
        scenes = []
        for index, scene in enumerate(self.scenes):
            number = scene.id or str(index + 1)
            while not scene.id and number in taken:
                number += "a"
            taken.add(number)
            scenes.append(scene.model_copy(update={"id": number}))
        object.__setattr__(self, "scenes", tuple(scenes))  # frozen for everybody else
        return self

    @property
    def title_scene(self) -> Scene:
        """What comes before the first scene: the narrator reads the title."""
        told = self.cover.model_dump(exclude={"line_seed"})
        line = Line(text=self.title, seed=self.cover.line_seed)
        return Scene(id=TITLE_ID, title=self.title, lines=(line,), **told)

    @property
    def all_scenes(self) -> tuple[Scene, ...]:
        """Everything that is shown and told, in order."""
        return (self.title_scene, *self.scenes)

    def picture_seed(self, scene: Scene) -> int:
        """The chance in the picture of `scene`."""
        return self.seed if scene.seed is None else scene.seed

    def role(self, speaker: str) -> Role:
        """How `speaker` speaks; who is not in the cast is the narrator with nothing special."""
        return self.cast.get(speaker) or Role()


class Problem(NamedTuple):
    """What is wrong in a story, where, and what is allowed there."""

    location: Location
    cause: str
    remedy: str


def misfits(story: Story) -> Iterator[Problem]:
    """Speakers that nobody cast, and ids that two scenes share."""
    names = [NARRATOR, *(name for name in story.cast if name != NARRATOR)]
    seen: set[str] = set()
    for s, scene in enumerate(story.scenes):
        for n, line in enumerate(scene.lines):
            if line.speaker not in names:
                cause = f"the speaker '{line.speaker}' is not in the cast."
                remedy = f"In the cast are {', '.join(names)}{did_you_mean(line.speaker, names)}."
                yield Problem(("scenes", s, "lines", n, line.speaker), cause, remedy)
        if scene.place and scene.place not in story.places:
            cause = f"the place '{scene.place}' is not among the story's places."
            named = ", ".join(story.places) or "none yet"
            hint = did_you_mean(scene.place, tuple(story.places))
            remedy = f"Under 'places' are: {named}{hint}."
            yield Problem(("scenes", s, "place"), cause, remedy)
        if scene.id == TITLE_ID:
            cause = f"the id '{TITLE_ID}' is the first page's."
            yield Problem(("scenes", s, "id"), cause, "Give the scene another id.")
        if scene.id and scene.id in seen:
            cause = f"two scenes have the id '{scene.id}'."
            yield Problem(("scenes", s, "id"), cause, "Give each scene an id of its own.")
        seen.add(scene.id)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """' (did you mean 'lines'?)' where something known is near, else nothing."""
    near = difflib.get_close_matches(word, known, 1)
    return f" (did you mean '{near[0]}'?)" if near else ""

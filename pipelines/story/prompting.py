"""From a scene to the prompt of its picture: by rules, or by a language model held to them.

Looks of characters and places are put into English once and then stand word for word in the prompt
of every scene that has them, since code and no model puts the prompt together.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, Field, create_model

from pipelines.llm import ChatOptions, LanguageModel, ask
from pipelines.llm.structured import Refused
from pipelines.story.instructions import messages
from pipelines.story.prompts import (
    NEGATIVE,
    NEGATIVE_PEOPLE,
    Parts,
    Prompt,
    compose,
    problems,
    shows_people,
    tag_problems,
    word_count,
)
from pipelines.story.script import NARRATOR, TITLE_ID, Line, Scene, Story

log = logging.getLogger(__name__)

STYLE = "storybook illustration"
LOOK_WORDS = 12
PHRASE_WORDS = 9
OPTIONS = ChatOptions(temperature=0.4, max_tokens=700)
# What a scene may say of time and weather, and what that does to its light and colours.
LIGHTS = {
    "dawn": ("soft dawn light", "pale pink and gold"),
    "day": ("soft daylight", "fresh bright colors"),
    "evening": ("warm sunset light", "amber and violet"),
    "night": ("moonlight", "deep blue and silver"),
}
DETAILS = ("detailed background", "gentle expression", "soft shadows", "layered depth", "cozy mood")
PORTRAIT_DETAILS = (
    *("upper body", "facing viewer", "looking at viewer", "plain background", "gentle expression"),
    "centered composition",
)
_REAL = re.compile(r"photo|realis|cinematic|film still|\b3d\b", re.IGNORECASE)
_CUT = re.compile(r"[,;.!?:，。；：！？、\n]|\b(?:and|while|who|that|as|because|where|when)\b")
_ARTICLE = re.compile(r"^(?:(?:a|an|the|some|his|her|its|their|this|that) )+", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|there)\b ?", re.IGNORECASE)
_COUNTED = re.compile(
    r"\b(?:(?P<one>an?|one)|(?P<two>two)|(?P<three>three)) (?:[a-z]+ )?(?P<who>girl|boy)s?\b",
    re.IGNORECASE,
)

_TAG = r"^(?:\([A-Za-z0-9][A-Za-z0-9 /-]*\)|[A-Za-z0-9][A-Za-z0-9 /-]*)$"
Tag = Annotated[str, Field(min_length=2, max_length=60, pattern=_TAG)]
Tags = Annotated[list[Tag], Field(min_length=1)]


class Wish(BaseModel):
    """What a language model makes of a scene; everything else is added by code."""

    subject: Annotated[list[Tag], Field(min_length=1, max_length=4)]
    material: Annotated[list[Tag], Field(max_length=2)]
    detail: Annotated[list[Tag], Field(min_length=5, max_length=10)]
    style: Annotated[list[Tag], Field(max_length=2)]
    colours: Annotated[list[Tag], Field(max_length=2)]
    light: Annotated[list[Tag], Field(max_length=2)]
    people: bool


@dataclass
class PromptAssistant:
    """Writes the prompts of one story; without a model by rules alone.

    A model that does not keep to the rules, told twice, is replaced by them for that scene.
    """

    story: Story
    model: LanguageModel | None = None

    def prompt(self, scene: Scene) -> Prompt:
        """The prompt of a scene; what the scene itself says goes before all else."""
        if scene.prompt:
            people = shows_people(scene.prompt)
            negative = NEGATIVE + (f",{NEGATIVE_PEOPLE}" if people else "")
            return Prompt(scene.prompt, scene.negative or negative)
        made = compose(self._parts(scene))
        return Prompt(made.positive, scene.negative or made.negative)

    def portrait(self, name: str) -> Prompt:
        """The prompt of a portrait of somebody of the cast, who has a look."""
        look, role = self.looks[name], self.story.cast[name]
        style = tuple(phrases(self.story.style)) if self.story.style.isascii() else ()
        return compose(
            Parts(
                subject=("portrait", *((role.age,) if role.age else ())),
                repeated=look,
                detail=PORTRAIT_DETAILS,
                style=style or (STYLE,),
                light=("soft daylight",),
                drawn=is_drawn(self.story),
                people=shows_people(" , ".join(look)),
            )
        )

    @cached_property
    def looks(self) -> Mapping[str, tuple[str, ...]]:
        """Tags of every character and place that has a look, the same for every scene."""
        written = {name: role.look for name, role in self.story.cast.items() if role.look}
        written |= {name: look for name, look in self.story.places.items() if look}
        foreign = {name: look for name, look in written.items() if not look.isascii()}
        told = self._translated(foreign) if foreign and self.model else {}
        ruled = {name: _look_tags(look, self.story.language) for name, look in written.items()}
        return {name: tuple(told.get(name) or tags) for name, tags in ruled.items()}

    def _parts(self, scene: Scene) -> Parts:
        who = present(scene, self.story)
        repeated = [tag for name in (*who, scene.place) for tag in self.looks.get(name, ())]
        parts = self._by_model(scene, who) if self.model and scene.id != TITLE_ID else None
        parts = parts or ruled_parts(scene, self.story)
        people = parts.people or shows_people(" , ".join(repeated))
        return Parts(**{**parts.__dict__, "repeated": tuple(repeated), "people": people})

    def _by_model(self, scene: Scene, who: Sequence[str]) -> Parts | None:
        assert self.model is not None
        drawn = is_drawn(self.story)

        def check(wish: Wish) -> str:
            parts = _wished(wish, drawn)
            every = (t for tags in wish.model_dump(exclude={"people"}).values() for t in tags)
            wrong = tag_problems(every)
            wrong += problems(compose(parts), drawn=drawn, people=parts.people)
            return " ".join(dict.fromkeys(wrong))

        told = messages(
            "picture",
            title=self.story.title,
            style=self.story.style or STYLE,
            who=", ".join(who) or "nobody named",
            place=scene.place or "not named",
            scene=_told(scene),
        )
        try:
            return _wished(ask(self.model, told, Wish, OPTIONS, check=check), drawn)
        except Refused as error:
            log.warning("scene %s: prompt by rules, since %s", scene.id, error.cause)
            return None

    def _translated(self, looks: Mapping[str, str]) -> Mapping[str, list[str]]:
        assert self.model is not None
        fields = {f"look{i}": (Annotated[list[Tag], Field(min_length=2, max_length=6)], ...)
                  for i in range(len(looks))}  # fmt: skip
        kind: type[BaseModel] = create_model("Looks", **fields)  # type: ignore[call-overload]

        def check(found: BaseModel) -> str:
            wrong = [p for tags in found.model_dump().values() for p in tag_problems(tags)]
            long = [n for n, tags in found.model_dump().items() if _words(tags) > LOOK_WORDS]
            wrong += [f"At most {LOOK_WORDS} words in {name}." for name in long]
            return " ".join(wrong)

        numbered = "\n".join(f"look{i} ({n}): {look}" for i, (n, look) in enumerate(looks.items()))
        told = messages(
            "looks", title=self.story.title, style=self.story.style or STYLE, looks=numbered
        )
        try:
            found = ask(self.model, told, kind, OPTIONS, check=check).model_dump()
        except Refused as error:
            log.warning("looks by rules, since %s", error.cause)
            return {}
        return dict(zip(looks, found.values(), strict=True))


def prompt_of(subject: str, *, style: str = "", llm: str = "") -> Prompt:
    """The prompt of a single picture; by rules alone where no model is named or set up."""
    from pipelines.llm import open_model
    from pipelines.llm.config import default_model
    from pipelines.story.writer import story_language

    spec = llm or default_model()
    scene = Scene(picture=subject, lines=(Line(text=subject),))
    story = Story(
        title="A picture",
        style=style,
        language=story_language([subject]),  # type: ignore[arg-type]
        scenes=(scene,),
    )
    return PromptAssistant(story, open_model(spec) if spec else None).prompt(story.scenes[0])


def is_drawn(story: Story) -> bool:
    """Whether the story's pictures are illustrations, not photographs."""
    return not _REAL.search(story.style)


def present(scene: Scene, story: Story) -> list[str]:
    """Who of the cast is in a scene's picture: named in its note, else speaking or spoken of.

    The title page has everybody with a look, three at most.
    """
    names = [name for name in story.cast if name != NARRATOR]
    if scene.id == TITLE_ID:
        return [name for name in names if story.cast[name].look][:3]
    noted = [name for name in names if name.casefold() in scene.picture.casefold()]
    if noted:
        return noted
    speaking = {line.speaker for line in scene.lines}
    text = " ".join(line.text for line in scene.lines).casefold()
    return [name for name in names if name in speaking or name.casefold() in text]


def _told(scene: Scene) -> str:
    lines = "\n".join(f"{line.speaker}: {line.shown}" for line in scene.lines)
    return f"{scene.picture}\n\n{lines}" if scene.picture else lines


def _wished(wish: Wish, drawn: bool) -> Parts:
    parts = {name: tuple(tags) for name, tags in wish.model_dump(exclude={"people"}).items()}
    return Parts(**parts, drawn=drawn, people=wish.people)


def _words(tags: Iterable[str]) -> int:
    return sum(map(word_count, tags))


# ---------------------------------------------------------------- by rules


def ruled_parts(scene: Scene, story: Story) -> Parts:
    """The parts of a prompt by rules: what the scene's note says, or what its lines speak of."""
    note = scene.picture or (story.title if scene.id == TITLE_ID else "")
    text = note or " ".join(line.shown for line in scene.lines)
    named = list(_named(text, story.language if not text.isascii() else "en"))
    things = [name for name, aspect in named if not aspect]
    told = phrases(note) if note.isascii() else things
    subject = tuple(told[:3]) or tuple(things[:3]) or ("storybook scene",)
    around = [f"{value}" for value, aspect in named if aspect and aspect != "time"]
    hour = next((value for value, aspect in named if aspect == "time"), "day")
    light, colours = LIGHTS.get(hour, LIGHTS["day"])
    style = tuple(phrases(story.style)) if story.style.isascii() else ()
    detail = (*told[3:], *(name for name in things if not _has(told, name)), *around, *DETAILS)
    return Parts(
        subject=subject,
        material=("watercolor",) if is_drawn(story) else (),
        detail=tuple(dict.fromkeys(detail)),
        style=style or (STYLE,),
        colours=(colours,),
        light=(light,),
        drawn=is_drawn(story),
        people=shows_people(", ".join((*subject, *detail))),
    )


def phrases(text: str) -> list[str]:
    """English text as tags: cut where it pauses, without articles and verbs of being."""
    found = []
    text = _COUNTED.sub(_count, text)
    for piece in _CUT.split(text):
        piece = re.sub(r"[^\w'()\[\]/ -]", " ", _VERB.sub("", piece))
        piece = _ARTICLE.sub("", " ".join(piece.split()))
        tag = " ".join(piece.split()[:PHRASE_WORDS]).strip(" -'")
        if word_count(tag) and not tag_problems([tag]):
            found.append(tag)
    return list(dict.fromkeys(found))


def _count(match: re.Match[str]) -> str:
    """'a small girl' -> '1girl', 'two boys' -> '2boys'."""
    number = 1 if match["one"] else 2 if match["two"] else 3
    return f"{number}{match['who'].lower()}{'s' if number > 1 else ''}"


def _named(text: str, language: str) -> Iterator[tuple[str, str]]:
    """(English word, '' or the aspect of a setting) of everything that the text names."""
    from pipelines.story.collage.reading import mentions

    for mention in mentions(text, language):
        if mention.concept is not None:
            name = mention.concept.name.removesuffix("-face").replace("-", " ")
            yield (name if mention.count == 1 else f"{mention.count} {name}s"), ""
        if mention.setting is not None:
            yield mention.setting[1], mention.setting[0]


def _has(told: Iterable[str], name: str) -> bool:
    return any(name.split()[-1] in tag for tag in told)


def _look_tags(look: str, language: str) -> list[str]:
    """A look by rules: its own tags where it is English, else the things that it names."""
    tags = phrases(look) if look.isascii() else [name for name, _ in _named(look, language)]
    kept: list[str] = []
    for tag in tags:
        if _words([*kept, tag]) <= LOOK_WORDS:
            kept.append(tag)
    return kept

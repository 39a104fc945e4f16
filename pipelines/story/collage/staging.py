"""From a story to what each of its pages shows: who is there, what is about, where and when.

Who somebody is follows from the cast and the text ('a hedgehog named Tilly'), and stays the same
for the whole story. Place, time and weather hold until a scene says otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipelines.story.collage.reading import PERSONS, Concept, Mention, concepts, mentions
from pipelines.story.script import NARRATOR, TITLE_ID, Scene, Story

HEROES = 4
NEAR = 60  # characters between a name and what its bearer is
TONES = ("light", "medium-light", "medium", "medium-dark")
CLOTHES = (
    ("#d64541", "#a83230"), ("#3b7dd8", "#2a5da8"), ("#8e5bb5", "#6c4290"), ("#e08a2e", "#b3691b"),
    ("#2f9e7d", "#21765c"), ("#d9578f", "#ab3d6c"), ("#5a6fb0", "#42528a"), ("#c9a227", "#9c7c17"),
)  # fmt: skip
_LIGHTS = {"moon": ("moon", "月亮", "月光", "月", "お月"), "sun": ("sun", "太阳", "太陽", "お日")}
_NAMED = re.compile(
    r"\b(?:named|called)\s+([A-Z][\w’'-]+(?:\s[A-Z][\w’'-]+)?)|(?:名叫|名字叫|叫做|叫)([\u4e00-\u9fff]{2,3})"
    r"|([\u3041-\u30ff\u4e00-\u9fff]{2,6})という"
)
_SHE = re.compile(r"\b(?:she|her|hers|herself)\b|她|彼女", re.IGNORECASE)
_HE = re.compile(r"\b(?:he|his|him|himself)\b|他(?!们)|彼(?!女)", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    """Somebody on the page: a concept, a tone of skin, colours of what they wear."""

    concept: Concept
    tone: str = "light"
    clothes: tuple[str, str] = CLOTHES[0]
    named: bool = False  # somebody of the cast, who is known again by a scarf


@dataclass(frozen=True)
class Stage:
    """What one page shows."""

    place: str = "meadow"
    time: str = "day"
    weather: str = ""
    season: str = ""
    heroes: tuple[Figure, ...] = ()
    props: tuple[Concept, ...] = ()
    moon: bool = False
    face: str = ""  # 'moon' or 'sun' where it is somebody of the cast
    seed: int = 0
    lettered: bool = False  # whether the title stands in the sky


def stages(story: Story) -> dict[str, Stage]:
    """What each scene shows, the title page's too, by its id."""
    people = _People(story)
    stage = Stage()
    found: dict[str, Stage] = {}
    for scene in story.scenes:
        stage = _stage(scene, story, people, stage)
        found[scene.id] = stage
    found[TITLE_ID] = _title_stage(story, people, found)
    return found


def facts(stage: Stage) -> dict[str, object]:
    """Everything of a stage that decides its page, as plain values."""
    return {
        **{name: getattr(stage, name) for name in ("place", "time", "weather", "season", "moon")},
        **{name: getattr(stage, name) for name in ("face", "seed", "lettered")},
        "heroes": [
            [f.concept.name, f.concept.height, f.tone, *f.clothes, f.named] for f in stage.heroes
        ],
        "props": [[concept.name, concept.height] for concept in stage.props],
    }


def _title_stage(story: Story, people: _People, told: dict[str, Stage]) -> Stage:
    """The first page shows who the story is about, at the place where it begins."""
    first = told[story.scenes[0].id]
    named = mentions(story.title, story.language)
    own = _stage(Scene(id=TITLE_ID, lines=(story.title_scene.lines[0],)), story, people, first)
    heroes = people.leads()[:2] or first.heroes[:2]
    props = tuple(m.concept for m in named if m.concept and m.concept.kind not in PERSONS)
    return replace(own, heroes=heroes, props=props[:2] or first.props[:1], lettered=True)


def _stage(scene: Scene, story: Story, people: _People, before: Stage) -> Stage:
    wish = ", ".join(filter(None, (scene.picture, scene.place, story.places.get(scene.place, ""))))
    note = mentions(wish, _note_language(wish, story))
    told = [m for text in _narration(scene) for m in mentions(text, story.language)]
    spoken = [m for text in _speech(scene) for m in mentions(text, story.language)]
    here = {**_settings(told), **_settings(note)}
    place = here.get("place", before.place)
    moved = place != before.place
    stage = Stage(
        place=place,
        time=here.get("time", "day" if moved or before.time == "dawn" else before.time),
        weather=here.get("weather", "" if moved else before.weather),
        season=here.get("season", before.season),
        seed=_digest(story.seed if scene.seed is None else scene.seed, place) % 2**31,
    )
    speakers = [line.speaker for line in scene.lines if line.speaker != NARRATOR]
    texts = [scene.picture] if scene.picture else [scene.title, *_narration(scene)]
    heroes = people.present(texts, note or told, speakers)
    props = _props([*note, *told, *spoken] if not scene.picture else [*note, *told], heroes)
    lights = people.lights(speakers, (scene.picture, *_narration(scene)))
    return replace(stage, heroes=heroes, props=props, moon="moon" in _speaks_of(scene), face=lights)


def _narration(scene: Scene) -> list[str]:
    return [scene.title, *(line.shown for line in scene.lines if line.speaker == NARRATOR)]


def _speech(scene: Scene) -> list[str]:
    return [line.shown for line in scene.lines if line.speaker != NARRATOR]


def _note_language(note: str, story: Story) -> str:
    """A note for who draws is in the story's language or, as prompts are, in English."""
    return "en" if note.isascii() else story.language


def _settings(found: Iterable[Mention]) -> dict[str, str]:
    """The first place, time, weather and season that are named; any hour wins over the day."""
    result: dict[str, str] = {}
    for mention in found:
        if mention.setting:
            aspect, value = mention.setting
            result.setdefault(aspect, value)
            if aspect == "time" and result["time"] == "day":  # 'morning' says less than 'dawn'
                result["time"] = value
    return result


def _speaks_of(scene: Scene) -> set[str]:
    text = " ".join((scene.picture, *_narration(scene))).casefold()
    return {light for light, words in _LIGHTS.items() if any(word in text for word in words)}


def _props(found: Sequence[Mention], heroes: Sequence[Figure]) -> tuple[Concept, ...]:
    """What lies, stands and flies about, a few of each kind, in the order of the text."""
    most = {"thing": 2, "building": 1, "plant": 2, "vehicle": 1, "boat": 1, "sky": 2}
    most |= {"bird": 2, "insect": 2, "fish": 2}
    own = {figure.concept.name for figure in heroes}
    chosen: dict[str, Concept] = {}
    for mention in found:
        concept = mention.concept
        if concept is None or concept.name in own or concept.kind not in most:
            continue
        alike = sum(1 for other in chosen.values() if other.kind == concept.kind)
        if alike < most[concept.kind]:
            chosen.setdefault(concept.name, concept)
    if any(concept.kind == "building" for concept in chosen.values()):
        chosen.pop("door", None)  # a house has one
    return tuple(chosen.values())


# ---------------------------------------------------------------- who is who


class _People:
    """Everybody who may appear, by name; the same looks for the same name."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._texts = [
            text
            for scene in story.scenes
            for text in (scene.picture, scene.title, *(line.shown for line in scene.lines))
            if text
        ]
        names = [name for name in story.cast if name != NARRATOR]
        found = [next(filter(None, m.groups())) for t in self._texts for m in _NAMED.finditer(t)]
        self._names = list(dict.fromkeys([*names, *found]))
        self._lights = {name: light for name in self._names if (light := _light(name))}
        self._figures: dict[str, Figure] = {}
        for name in self._names:
            if name not in self._lights and (concept := self._concept(name)):
                self._figures[name] = self._figure(name, concept, named=True)

    def leads(self) -> tuple[Figure, ...]:
        """Named figures, those that are spoken of most first."""
        text = " ".join(self._texts)
        spoken = [line.speaker for scene in self._story.scenes for line in scene.lines]
        order = sorted(self._figures, key=lambda name: -text.count(name) - spoken.count(name))
        return tuple(dict.fromkeys(self._figures[name] for name in order))

    def present(
        self, texts: Sequence[str], found: Sequence[Mention], speakers: Sequence[str]
    ) -> tuple[Figure, ...]:
        """Who is on a page: who speaks, who is named, who is spoken of; else the lead."""
        text = " ".join(texts)
        chosen: list[Figure] = []
        named = sorted(
            (name for name in self._figures if name in text), key=lambda name: text.index(name)
        )
        by_concept = {figure.concept.name: figure for figure in reversed(self._figures.values())}
        for name in [*dict.fromkeys(speakers), *named]:
            if name in self._figures:
                chosen.append(self._figures[name])
        counts: dict[Concept, int] = {}
        for mention in found:
            if mention.concept and mention.concept.kind in ("person", "animal", "bird"):
                counts[mention.concept] = max(counts.get(mention.concept, 0), mention.count)
        chosen += [by_concept[concept.name] for concept in counts if concept.name in by_concept]
        chosen = list(dict.fromkeys(chosen))
        others = {c: count for c, count in counts.items() if c.name not in by_concept}
        for number, (concept, count) in enumerate(others.items(), start=1):
            spare = HEROES - len(chosen) - (len(others) - number)  # room for who is named later
            chosen += self._crowd(concept, max(1, min(count, spare)))
        return tuple(chosen[:HEROES]) or self.leads()[:1]

    def _crowd(self, concept: Concept, count: int) -> list[Figure]:
        return [
            self._figure(concept.name if n == 0 else f"{concept.name} {n}", concept)
            for n in range(count)
        ]

    def lights(self, speakers: Sequence[str], texts: Sequence[str]) -> str:
        """'moon' or 'sun' where it is somebody and is here."""
        text = " ".join(texts)
        return next(
            (light for name, light in self._lights.items() if name in speakers or name in text), ""
        )

    def _figure(self, name: str, concept: Concept, *, named: bool = False) -> Figure:
        number = _digest(self._story.seed, name)
        asian = self._story.language in ("zh", "ja")
        tone = (
            "light" if asian else TONES[_digest(self._story.seed, self._story.title) % len(TONES)]
        )
        index = (self._names.index(name) * 3 + self._story.seed) if named else number // 7
        return Figure(concept, tone, CLOTHES[index % len(CLOTHES)], named)

    def _concept(self, name: str) -> Concept | None:
        """What the bearer of a name is."""
        language = self._story.language
        look = self._story.role(name).look
        for text, spoken in ((look, _note_language(look, self._story)), (name, language)):
            for mention in mentions(text, spoken):
                if mention.concept and mention.concept.kind in PERSONS:
                    return mention.concept
        return self._by_company(name) or (
            self._by_pronoun(name) if name in self._story.cast else None
        )

    def _by_company(self, name: str) -> Concept | None:
        """The living thing that is named most closely to the name."""
        scores: dict[str, float] = {}
        for text in self._texts:
            for at in (match.start() for match in re.finditer(re.escape(name), text)):
                for mention in mentions(text, _note_language(text, self._story)):
                    gap = max(mention.start - at - len(name), at - mention.end, 0)
                    concept = mention.concept
                    if concept and concept.kind in PERSONS and gap <= NEAR:
                        score = scores.get(concept.name, 0.0)
                        scores[concept.name] = score + 1 / (2 + gap)
        best = max(scores, key=lambda concept: scores[concept], default=None)
        return concepts()[best] if best and scores[best] >= 0.08 else None

    def _by_pronoun(self, name: str) -> Concept:
        """A girl or a boy, by the words that stand for them; else as the dice fall."""
        role = self._story.role(name)
        if role.gender:
            ages = {"child": ("girl", "boy"), "old": ("old-woman", "old-man")}
            pair = ages.get(role.age or "", ("woman", "man"))
            return concepts()[pair[role.gender == "male"]]
        near = " ".join(text for text in self._texts if name in text)
        she, he = len(_SHE.findall(near)), len(_HE.findall(near))
        girl = she > he or (she == he and _digest(self._story.seed, name) % 2 == 0)
        return concepts()["girl" if girl else "boy"]


def _light(name: str) -> str:
    return next((light for light, words in _LIGHTS.items() if name.casefold() in words), "")


def _digest(seed: int, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {text}".encode()).digest()[:6], "big")

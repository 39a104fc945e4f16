"""What a render would make, and how long that will take by what this machine did before.

Nothing is written, drawn or spoken. Where this machine has no past of a kind, the plan says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.assets import Assets
from pipelines.story.casting import cast_story
from pipelines.story.forms import Wishes
from pipelines.story.illustrators import Illustrator
from pipelines.story.making import NARRATION, WORDS_PER_S, picture_kind, spoken_s
from pipelines.story.narrator import Narrator
from pipelines.story.opening import open_workshop, story_folder, with_notice
from pipelines.story.own import check_own
from pipelines.story.past import Past
from pipelines.story.render import Cast
from pipelines.story.script import Scene
from pipelines.story.ship import STEM, Settings, find_format, ship_kind
from pipelines.story.takes import targets
from pipelines.story.track import END_TAIL_S, LEAD_S, TAIL_S
from pipelines.story.workshop import Workshop
from pipelines.story.writer import is_idea, no_such_source, story_from


@dataclass(frozen=True)
class Step:
    """One kind of work: how much of it is to do, how much is there, and seconds if known."""

    name: str
    todo: int
    there: int
    seconds: float | None


@dataclass(frozen=True)
class StoryPlan:
    """What a render would do. `sound_s` is about how long the story will play."""

    title: str
    scenes: int
    sound_s: float
    characters: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float | None:
        """Of all steps; None where one of them is not known."""
        times = [step.seconds for step in self.steps if step.todo]
        return None if None in times else sum(t for t in times if t is not None)


def plan_render(
    source: str,
    out: Path,
    *,
    formats: Sequence[str] = ("mp4", "html"),
    voice: str = "base",
    narrator: Narrator | None = None,
    artist: Illustrator | None = None,
    settings: Settings | None = None,
    language: str | None = None,
    device: str = "cpu",
    redo: Sequence[str] = (),
    preview: bool = False,
    music: Path | None = None,
    cast: Cast = "narrator",
    llm: str = "",
    wishes: Wishes | None = None,
) -> StoryPlan:
    """As `render` with the same arguments would go. UserError for what would stop it.

    `music` costs next to nothing.
    """
    settings = settings or Settings()
    for name in formats:
        find_format(name)
    past = Past.load()
    if is_idea(source):
        return _of_idea(source, llm, wishes or Wishes(language=""), formats, settings, past)
    story = story_from(source, language=language)
    check_own(story, story_folder(source))
    if cast == "library" and narrator is None:
        story = cast_story(story, out, voice, keep=False)
    if settings.notice == "spoken":
        story = with_notice(story)
    shop = open_workshop(story, out, voice, narrator, artist, device)
    shop.source = story_folder(source)
    again = {target.name for wish in redo for target in targets(shop.story, wish)}
    scenes = shop.story.all_scenes[:2] if preview else shop.story.all_scenes
    steps = [_pictures(shop, scenes, again, past), _lines(shop, scenes, again, past)]
    sound_s = sum(LEAD_S + TAIL_S + sum(spoken_s(line) for line in scene.lines) for scene in scenes)
    made = all(step.todo == 0 for step in steps)
    shipped = Assets(out / "out" / "preview" if preview else out / "out")
    steps += [
        _format(
            name, made and (shipped.folder / f"{STEM}.{name}").is_file(), sound_s, settings, past
        )
        for name in dict.fromkeys(formats)
    ]
    characters = tuple(name for name in story.cast)
    return StoryPlan(story.title, len(scenes) - 1, sound_s + END_TAIL_S, characters, tuple(steps))


def _pictures(shop: Workshop, scenes: Sequence[Scene], again: set[str], past: Past) -> Step:
    todo = [s for s in scenes if f"scene:{s.id}.picture" in again or not shop.has_picture(s)]
    seconds = past.seconds(picture_kind(shop), len(todo))
    return Step("pictures", len(todo), len(scenes) - len(todo), seconds)


def _lines(shop: Workshop, scenes: Sequence[Scene], again: set[str], past: Past) -> Step:
    every = [(s, n, line) for s in scenes for n, line in enumerate(s.lines, 1)]
    todo = [
        line
        for s, n, line in every
        if f"scene:{s.id}.line:{n}" in again or not shop.has_line(s, line)
    ]
    seconds = past.seconds(NARRATION, sum(map(spoken_s, todo)))
    return Step("lines", len(todo), len(every) - len(todo), seconds)


def _format(name: str, there: bool, sound_s: float, settings: Settings, past: Past) -> Step:
    if there:
        return Step(name, 0, 1, 0.0)
    return Step(name, 1, 0, past.seconds(ship_kind(name, settings), sound_s))


def _of_idea(
    source: str, llm: str, wishes: Wishes, formats: Sequence[str], settings: Settings, past: Past
) -> StoryPlan:
    """Of a story that is not written yet: as long as the form or the wishes say."""
    from pipelines.llm.config import default_model, open_model

    spec = llm or default_model()
    if not spec:
        raise no_such_source(source)
    open_model(spec)  # a name of no known form is told now
    count = wishes.count
    spoken = count * wishes.length / WORDS_PER_S
    sound_s = spoken + count * (LEAD_S + TAIL_S)
    steps = [
        Step("writing", count, 0, past.seconds("writing", count)),
        Step("pictures", count + 1, 0, None),
        Step("lines", count, 0, past.seconds(NARRATION, spoken)),
        *(_format(name, False, sound_s, settings, past) for name in dict.fromkeys(formats)),
    ]
    title = source if len(source) <= 60 else source[:59] + "…"
    return StoryPlan(title, count, sound_s, (), tuple(steps))

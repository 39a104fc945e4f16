"""The example, whole: twenty clips become a voice, and the voice tells the example story.

    listen -> train -> evaluate -> pictures -> narration -> mp4 -> html

What is made is found made: the voice by its inputs, the story's parts by their content.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.books.book import word_count
from pipelines.clone import ClonePlan, CloneRequest, CloneResult, Listeners, clone
from pipelines.progress import TOTAL, OnProgress, Pace, Progress
from pipelines.story.making import WORDS_PER_S
from pipelines.story.render import RenderResult, render
from pipelines.story.script import Story
from pipelines.story.storyfile import FILE_NAME, read_story, write_story
from vits.card import read_card
from vits.errors import UserError
from vits.library import voice_folder

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
VOICE = "lj-example"
SEED = 0
CONSENT = (
    "LJ Speech, read by Linda Johnson for LibriVox. She gave these recordings to the public domain."
)
# Seconds for a second of story, on two cores, until this machine's own pace is known.
NARRATION_COST, FILM_COST = 0.3, 0.6
EVALUATION_S, PICTURE_S, PAGE_S = 60.0, 1.0, 3.0
CLONING_S = 300.0  # until the plan says better


@dataclass(frozen=True)
class Demo:
    """The voice that was cloned and the story that it tells."""

    voice: CloneResult
    story: RenderResult


def demo(
    out: Path,
    *,
    steps: int | None = None,
    scenes: int | None = None,
    device: str = "auto",
    listeners: Listeners | None = None,
) -> Demo:
    """Clone `examples/clips/lj` under the name lj-example, unless that is made, and render
    `examples/story` with it into `out`.

    `steps` and `scenes` make both shorter, for a quick look. Progress has the stage TOTAL beside
    those of the parts. Raises UserError outside a checkout, which has the examples.
    """
    told = listeners or Listeners()
    story = _example_story(scenes)
    stages = {"train": CLONING_S, "evaluate": EVALUATION_S} | _story_stages(story)
    total = _Total(told.on_progress, stages)
    request = CloneRequest(
        EXAMPLES / "clips" / "lj", VOICE, CONSENT, steps=steps, device=device, seed=SEED
    )
    voice = clone(
        request,
        force=_is_free(),  # another base or another --steps makes the example anew
        listeners=replace(
            told, on_plan=lambda plan: total.plan(plan, told), on_progress=total.report
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        source = EXAMPLES / "story"
        if scenes is not None:
            source = Path(folder) / FILE_NAME
            write_story(story, source)
        return Demo(voice, render(source, out, voice=VOICE, on_event=total.report))


def _is_free() -> bool:
    """Whether the library's voice of this name, if there is one, is the example's."""
    folder = voice_folder(VOICE)
    return not folder.exists() or read_card(folder).consent == CONSENT


def _example_story(scenes: int | None) -> Story:
    if not (EXAMPLES / "story" / FILE_NAME).is_file():
        raise UserError(
            f"There are no examples at {EXAMPLES}: an installed package does not hold them.",
            "Run this from a checkout of the project.",
        )
    story = read_story(EXAMPLES / "story" / FILE_NAME)
    return story if scenes is None else story.model_copy(update={"scenes": story.scenes[:scenes]})


def _story_stages(story: Story) -> dict[str, float]:
    """Seconds that each stage after the cloning may take, in their order."""
    lines = [line for scene in story.all_scenes for line in scene.lines]
    spoken_s = sum(word_count(line.text) for line in lines) / WORDS_PER_S
    return {
        "pictures": PICTURE_S * len(story.all_scenes),
        "narration": NARRATION_COST * spoken_s,
        "mp4": FILM_COST * spoken_s,
        "html": PAGE_S,
    }


@dataclass
class _Total:
    """Passes progress on, and after each adds how far everything is: time spent over all time."""

    on_progress: OnProgress
    expected: dict[str, float]  # seconds of the stages still to come
    pace: Pace = field(default_factory=Pace)
    started: float = field(default_factory=time.monotonic)

    def plan(self, plan: ClonePlan, told: Listeners) -> None:
        told.on_plan(plan)
        self.expected = self.expected | {"train": plan.estimated_s}

    def report(self, progress: Progress) -> None:
        self.on_progress(progress)
        _, left = self.pace.measure(progress)
        if progress.total is not None and progress.done >= progress.total:
            left = 0.0
        elif left is None:
            left = self.expected.get(progress.stage, 0.0)
        if progress.stage in self.expected:
            left += sum(_after(self.expected, progress.stage).values())
        else:
            left += sum(self.expected.values())
        spent = time.monotonic() - self.started
        self.on_progress(Progress(TOTAL, 100 * spent / (spent + left), 100, "%", "", left))


def _after(stages: Mapping[str, float], stage: str) -> dict[str, float]:
    """The stages behind this one."""
    names = list(stages)
    return {name: stages[name] for name in names[names.index(stage) + 1 :]}

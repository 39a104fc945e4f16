"""A story becomes what is shipped: pictures, narration, sound track, and the files in `out/`.

    OUT/story.yaml      what is told, where the source was something else
    OUT/pictures/       one PNG a scene        } kept under the hash of what decides them:
    OUT/audio/          one FLAC a line, words } only what changed is made again
    OUT/out/            story.mp4, story.html, ...

A run that is killed loses the item in work; the next one goes on from there, and a run that finds
everything made changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipelines.assets import Assets, asset_key
from pipelines.media.timeline import Timeline
from pipelines.progress import OnProgress, Progress, silent
from pipelines.story.illustrators import Illustrator, illustrator, make_picture
from pipelines.story.narrator import Narration, Narrator, VoiceNarrator, narrate
from pipelines.story.script import Line, Scene, Story
from pipelines.story.ship import Settings, find_format, ship
from pipelines.story.storyfile import FILE_NAME, dump_story
from pipelines.story.track import make_track, plan_track, timeline
from pipelines.story.writer import STORY_SUFFIXES, story_from, word_count
from vits.errors import UserError
from vits.files import cannot_write

WORDS_PER_S = 2.6  # of reading aloud, to tell how long a line will be before it is spoken

T = TypeVar("T")


@dataclass(frozen=True)
class RenderResult:
    """What a render left: `files` by format, and how much of it was new."""

    folder: Path
    story: Story
    files: Mapping[str, Path]
    timeline: Timeline
    made: int
    reused: int
    unknown: tuple[str, ...]  # what no voice could speak

    @property
    def duration_s(self) -> float:
        return self.timeline.duration_s


def render(
    source: str | Path,
    out: Path,
    *,
    formats: Sequence[str] = ("mp4", "html"),
    voice: str = "base",
    narrator: Narrator | None = None,
    artist: Illustrator | None = None,
    settings: Settings | None = None,
    language: str | None = None,
    device: str = "cpu",
    on_event: OnProgress = silent,
) -> RenderResult:
    """Tell the story of `source` in the folder `out`, in each of `formats`.

    `source` is a story folder, a story.yaml, or a .md or .txt to adapt. `voice` is the narrator's
    and that of everybody in the cast without one. `narrator` and `artist` replace the built-in
    ones. UserError for all that the user can mend: the source, a voice, a format, the folder.
    """
    settings = settings or Settings()
    writers = {name: find_format(name) for name in dict.fromkeys(formats)}
    story = story_from(source, language=language)
    out = Path(out)
    _make_folder(out)
    _keep_story(Path(source), story, out)
    narrator = narrator or VoiceNarrator(story, voice, device=device)
    for line in _lines(story):
        narrator.fingerprint(line)  # a voice that is not there is told before any work
    pictures, audio, shipped = (Assets(out / part) for part in ("pictures", "audio", "out"))
    scenes = story.all_scenes
    drawn = _draw(story, artist or illustrator("cards"), pictures, on_event)
    spoken = _narrate(story, narrator, audio, on_event)
    track = plan_track(scenes, spoken)
    told = timeline(story, track, drawn, make_track(track, audio), narrator.name)
    files = {
        name: ship(name, form, told, settings, shipped, on_event) for name, form in writers.items()
    }
    if isinstance(narrator, VoiceNarrator):
        narrator.note_made(files.values())
    every = (pictures, audio, shipped)
    return RenderResult(
        folder=out,
        story=story,
        files=files,
        timeline=told,
        made=sum(assets.made for assets in every),
        reused=sum(assets.reused for assets in every),
        unknown=tuple(dict.fromkeys(u for lines in spoken for line in lines for u in line.unknown)),
    )


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error


def _keep_story(source: Path, story: Story, out: Path) -> None:
    """Put the told story into its folder, unless it is there or somebody has edited it there."""
    target = out / FILE_NAME
    origin = source / FILE_NAME if source.is_dir() else source
    if target.is_file() and target.samefile(origin):
        return
    is_story = origin.suffix.lower() in STORY_SUFFIXES
    text = origin.read_bytes() if is_story else dump_story(story).encode()
    if target.is_file() and target.read_bytes() == text:
        return
    assets = Assets(out)
    if not assets.is_ours(FILE_NAME):
        raise UserError(
            f"{target} was edited, or belongs to another story; it would be lost.",
            f"Render that one with 'story render {out}', or choose another folder with -o.",
        )
    key = asset_key("story", 1, {"text": text.decode("utf-8", "replace")})
    assets.publish(key, FILE_NAME, lambda path: path.write_bytes(text))


# ---------------------------------------------------------------- pictures and sound


def _lines(story: Story) -> list[Line]:
    return [line for scene in story.all_scenes for line in scene.lines]


def _draw(story: Story, artist: Illustrator, assets: Assets, on_event: OnProgress) -> list[Path]:
    scenes = story.all_scenes
    clock = _Clock("pictures", "pictures", [1.0] * len(scenes), assets, on_event)

    def drawn(scene: Scene) -> Path:
        return clock.timed(lambda: make_picture(artist, scene, story, assets), scene.title)

    return [drawn(scene) for scene in scenes]


def _narrate(
    story: Story, narrator: Narrator, assets: Assets, on_event: OnProgress
) -> list[list[Narration]]:
    """Every line of every scene, spoken. Progress counts seconds of sound, as estimated."""
    weights = [max(0.5, word_count(line.text) / WORDS_PER_S) for line in _lines(story)]
    clock = _Clock("narration", "s", weights, assets, on_event)

    def spoken(line: Line) -> Narration:
        return clock.timed(lambda: narrate(narrator, line, assets), line.shown)

    return [[spoken(line) for line in scene.lines] for scene in story.all_scenes]


@dataclass
class _Clock:
    """Reports a stage of several items, with the time left by what the made ones took."""

    stage: str
    unit: str
    weights: Sequence[float]
    assets: Assets
    on_event: OnProgress
    _number: int = 0
    _done: float = 0.0
    _made: float = 0.0  # weight of the items that were not there
    _spent_s: float = 0.0

    def timed(self, make: Callable[[], T], note: str) -> T:
        """Make the next item, between two reports."""
        self._report(note)
        before, started = self.assets.made, time.monotonic()
        result = make()
        weight = self.weights[self._number]
        if self.assets.made > before:
            self._made += weight
            self._spent_s += time.monotonic() - started
        self._number += 1
        self._done += weight
        self._report(note)
        return result

    def _report(self, note: str) -> None:
        total = sum(self.weights)
        rate = self._spent_s / self._made if self._made else None
        eta_s = None if rate is None else rate * (total - self._done)
        short = note if len(note) <= 50 else note[:49] + "…"
        self.on_event(Progress(self.stage, self._done, total, self.unit, short, eta_s))

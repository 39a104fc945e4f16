"""A story becomes what is shipped: pictures, narration, sound track, and the files in `out/`.

    OUT/story.yaml      what is told, where the source was something else
    OUT/takes.yaml      what was asked to be made again, or to stay as it is
    OUT/pictures/       one PNG a scene        } kept under the hash of what decides them:
    OUT/audio/          one FLAC a line, words } only what changed is made again
    OUT/out/            story.mp4, story.html, ...

A run that is killed loses the item in work; the next one goes on from there, and a run that finds
everything made changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from pipelines.assets import Assets, asset_key
from pipelines.media.phrases import phrase
from pipelines.media.timeline import Timeline
from pipelines.progress import OnProgress, Progress, silent
from pipelines.story.casting import cast_story
from pipelines.story.forms import Wishes
from pipelines.story.illustrators import DEFAULT, Illustrator, credits, failures, illustrator
from pipelines.story.narrator import Narration, Narrator, VoiceNarrator
from pipelines.story.own import check_own, own_file
from pipelines.story.past import Past
from pipelines.story.script import Line, Scene, Story
from pipelines.story.ship import Settings, find_format, ship
from pipelines.story.storyfile import FILE_NAME, dump_story
from pipelines.story.takes import another_take, read_takes, targets, with_takes, write_takes
from pipelines.story.track import make_track, plan_track, timeline
from pipelines.story.workshop import Workshop
from pipelines.story.writer import (
    STORY_SUFFIXES,
    TEXT_SUFFIXES,
    is_idea,
    story_from,
    word_count,
)
from vits.errors import UserError
from vits.files import atomic_file, cannot_write

WORDS_PER_S = 2.6  # of reading aloud, to tell how long a line will be before it is spoken

T = TypeVar("T")
Cast = Literal["narrator", "library"]  # whose voice who has none gets


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
    failed: Mapping[str, str] = field(default_factory=dict)  # scenes without their picture: why

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
    redo: Sequence[str] = (),
    preview: bool = False,
    music: Path | None = None,
    cast: Cast = "narrator",
    llm: str = "",
    wishes: Wishes | None = None,
    on_event: OnProgress = silent,
) -> RenderResult:
    """Tell the story of `source` in the folder `out`, in each of `formats`.

    `source` is a story folder, a story.yaml, a .md or .txt to adapt, or an idea that the language
    model `llm` (or the one set up) writes a story of, as `wishes` say. `voice` is the narrator's;
    who of the cast has none gets one of the library or, by `cast`, speaks with the narrator's.
    `narrator` and `artist` replace the built-in ones. `redo` names what is to be made again with
    other chance (`scene:3.picture`); `preview` tells the first scene alone, into out/preview.
    `music` lies under the words.
    UserError for all that the user can mend: the source, a voice, a format, the folder.
    """
    settings = settings or Settings()
    writers = {name: find_format(name) for name in dict.fromkeys(formats)}
    out = Path(out)
    source = _written(source, out, llm, wishes, language, on_event)
    story = story_from(source, language=language)
    check_own(story, story_folder(source))
    _make_folder(out)
    _keep_story(Path(source), story, out)
    _keep_own(story, story_folder(source), out)
    if cast == "library" and narrator is None:
        story = cast_story(story, out, voice)
    if settings.notice == "spoken":
        story = with_notice(story)
    workshop = open_workshop(story, out, voice, narrator, artist, device, redo=redo)
    story, narrator = workshop.story, workshop.narrator
    scenes = story.all_scenes[:2] if preview else story.all_scenes
    for scene in story.all_scenes:
        for line in scene.lines:
            workshop.line_name(scene, line)  # a voice that is not there is told before any work
    shipped = Assets(out / "out" / "preview" if preview else out / "out")
    past = Past.load()
    drawn = _draw(workshop, scenes, past, on_event)
    spoken = _narrate(workshop, scenes, past, on_event)
    track = plan_track(scenes, spoken)
    pictures, audio = workshop.pictures, workshop.audio
    thanks = credits(workshop.artist, story)
    told = timeline(story, track, drawn, make_track(track, audio, music), narrator.name, thanks)
    files = {}
    for name, form in writers.items():
        began, made = time.monotonic(), shipped.made
        files[name] = ship(name, form, told, settings, shipped, on_event)
        if shipped.made > made:
            past.note(ship_kind(name, settings), told.duration_s, time.monotonic() - began)
    past.save()
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
        failed=dict(failures(workshop.artist)),
    )


def with_notice(story: Story) -> Story:
    """The story with a last line in which the narrator says that a machine speaks."""
    *others, last = story.scenes
    line = Line(text=phrase(story.language, "spoken"))
    ended = last.model_copy(update={"lines": (*last.lines, line)})
    return story.model_copy(update={"scenes": (*others, ended)})


def _written(
    source: str | Path,
    out: Path,
    llm: str,
    wishes: Wishes | None,
    language: str | None,
    on_event: OnProgress,
) -> str | Path:
    """The source, or `out` where a language model has written the story into it."""
    idea = is_idea(str(source))
    is_text = Path(str(source)[:200]).suffix.lower() in TEXT_SUFFIXES
    if not idea and not (llm and is_text):
        return source
    from pipelines.story.writing import write

    wishes = wishes or Wishes(language="")
    wishes = replace(wishes, language=wishes.language or language or "")
    write(str(source), out, llm=llm, wishes=wishes, on_event=on_event)
    return out


def open_workshop(
    story: Story,
    out: Path,
    voice: str,
    narrator: Narrator | None = None,
    artist: Illustrator | None = None,
    device: str = "cpu",
    *,
    redo: Sequence[str] = (),
) -> Workshop:
    """All that makes the parts of `story` in `out`, its takes heeded and those of `redo` added."""
    takes = read_takes(out)
    if redo:
        wanted = [target for wish in redo for target in targets(story, wish)]
        takes = another_take(takes, wanted)
        write_takes(takes, out)
    story = with_takes(story, takes)
    narrator = narrator or VoiceNarrator(story, voice, device=device)
    return Workshop(story, out, takes, artist or illustrator(DEFAULT), narrator)


def story_folder(source: str | Path) -> Path:
    """The folder that the files named in the story of `source` are looked for in."""
    return Path(source) if Path(source).is_dir() else Path(source).parent


def ship_kind(name: str, settings: Settings) -> str:
    """What the past calls the making of a format."""
    return f"{name}:{settings.size[1]}" if "size" in find_format(name).uses else name


def _keep_own(story: Story, folder: Path, out: Path) -> None:
    """Bring the user's own pictures and recordings along, so that `out` is whole by itself."""
    if folder.resolve() == out.resolve():
        return
    names = [scene.image for scene in story.scenes]
    names += [line.audio for scene in story.scenes for line in scene.lines]
    for name in filter(None, names):
        data = own_file(folder, name, "story").read_bytes()
        target = out / name
        if not target.is_file() or target.read_bytes() != data:
            with atomic_file(target) as file:
                file.write(data)


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


def _draw(
    workshop: Workshop, scenes: Sequence[Scene], past: Past, on_event: OnProgress
) -> list[Path]:
    weights = [1.0] * len(scenes)
    clock = _Clock("pictures", "pictures", weights, workshop.pictures, on_event)

    def drawn(scene: Scene) -> Path:
        return clock.timed(lambda: workshop.picture(scene), scene.title)

    paths = [drawn(scene) for scene in scenes]
    clock.remember(past, picture_kind(workshop))
    return paths


def _narrate(
    workshop: Workshop, scenes: Sequence[Scene], past: Past, on_event: OnProgress
) -> list[list[Narration]]:
    """Every line of every scene, spoken. Progress counts seconds of sound, as estimated."""
    weights = [spoken_s(line) for scene in scenes for line in scene.lines]
    clock = _Clock("narration", "s", weights, workshop.audio, on_event)

    def spoken(scene: Scene, line: Line) -> Narration:
        return clock.timed(lambda: workshop.spoken(scene, line), line.shown)

    spoken_lines = [[spoken(scene, line) for line in scene.lines] for scene in scenes]
    clock.remember(past, NARRATION)
    return spoken_lines


NARRATION = "narration"  # what the past calls it


def spoken_s(line: Line) -> float:
    """About how long the line will be, in seconds, before it is spoken."""
    return max(0.5, word_count(line.text) / WORDS_PER_S)


def picture_kind(workshop: Workshop) -> str:
    """What the past calls the drawing: pictures of one illustrator take alike."""
    facts = workshop.artist.fingerprint(workshop.story.scenes[0], workshop.story)
    return f"picture:{facts.get('illustrator', type(workshop.artist).__name__)}"


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

    def remember(self, past: Past, kind: str) -> None:
        """What was made here, for the next estimate."""
        past.note(kind, self._made, self._spent_s)

    def _report(self, note: str) -> None:
        total = sum(self.weights)
        rate = self._spent_s / self._made if self._made else None
        eta_s = None if rate is None else rate * (total - self._done)
        short = note if len(note) <= 50 else note[:49] + "…"
        self.on_event(Progress(self.stage, self._done, total, self.unit, short, eta_s))

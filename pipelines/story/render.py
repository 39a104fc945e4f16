"""A story becomes what is shipped: pictures, narration, sound track, and the files in `out/`.

    OUT/story.yaml      what is told, where the source was something else
    OUT/takes.yaml      what was asked to be made again, or to stay as it is
    OUT/pictures/       one PNG a scene        } kept under the hash of what decides them:
    OUT/audio/          one FLAC a line, words } only what changed is made again
    OUT/parts/          what was encoded: runs of frames, the sound of scenes
    OUT/out/            story.mp4, story.html, ...

A run that is killed loses the item in work; the next one goes on from there, and a run that finds
everything made changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.assets import Assets
from pipelines.media.timeline import Timeline
from pipelines.progress import OnProgress, silent
from pipelines.story.casting import cast_story
from pipelines.story.forms import Wishes
from pipelines.story.illustrators import Illustrator, credits, failures
from pipelines.story.making import draw_all, narrate_all
from pipelines.story.narrator import Narrator, VoiceNarrator
from pipelines.story.opening import (
    keep_own,
    keep_story,
    make_folder,
    open_workshop,
    story_folder,
    with_notice,
    written,
)
from pipelines.story.own import check_own
from pipelines.story.past import Past
from pipelines.story.script import Story
from pipelines.story.ship import Settings, find_format, ship, ship_kind
from pipelines.story.track import make_track, plan_track, timeline
from pipelines.story.writer import story_from

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
    usage: str = ""  # of a language model: requests, tokens, cost

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
    source, usage = written(source, out, llm, wishes, language, on_event)
    story = story_from(source, language=language)
    check_own(story, story_folder(source))
    make_folder(out)
    keep_story(Path(source), story, out)
    keep_own(story, story_folder(source), out)
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
    drawn = draw_all(workshop, scenes, past, on_event)
    spoken = narrate_all(workshop, scenes, past, on_event)
    track = plan_track(scenes, spoken)
    pictures, audio = workshop.pictures, workshop.audio
    thanks = credits(workshop.artist, story)
    told = timeline(story, track, drawn, make_track(track, audio, music), narrator.name, thanks)
    files, parts = {}, Assets(out / "parts")
    for name, form in writers.items():
        began, made = time.monotonic(), shipped.made
        files[name] = ship(name, form, told, settings, shipped, parts, on_event)
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
        usage=usage,
    )

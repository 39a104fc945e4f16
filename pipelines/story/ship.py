"""What a told story is shipped as: each format's writer, called when its file is not there yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.assets import Assets, asset_key
from pipelines.media.timeline import Timeline
from pipelines.progress import OnProgress, Progress
from pipelines.story.script import did_you_mean
from vits.errors import UserError

STEM = "story"  # of the names in out/

Size = tuple[int, int]
Tick = Callable[[int, int], None]  # done, in all


@dataclass(frozen=True)
class Settings:
    """How a story is shipped: size of the film, and fixed or flowing pages of the book."""

    size: Size = (1280, 720)
    pages: Literal["fixed", "flowing"] = "fixed"


@dataclass(frozen=True)
class Format:
    """One kind of file that a story is shipped as. Raise `version` when its writer changes.

    `uses` names the settings that decide its bytes.
    """

    version: int
    write: Callable[[Timeline, Path, Settings, Tick], None]
    uses: tuple[str, ...] = ()
    unit: str = ""  # of its progress


def ship(
    name: str,
    form: Format,
    told: Timeline,
    settings: Settings,
    assets: Assets,
    on_event: OnProgress,
) -> Path:
    """The story as one file, made if the one that is there is not of this timeline."""

    def report(done: int, total: int) -> None:
        on_event(Progress(name, done, total, form.unit, told.title))

    facts: dict[str, object] = {"timeline": timeline_facts(told)}
    facts |= {name: getattr(settings, name) for name in form.uses}
    key = asset_key(name, form.version, facts)
    path = assets.publish(
        key, f"{STEM}.{name}", lambda part: form.write(told, part, settings, report)
    )
    on_event(Progress(name, 1, 1, "", path.name))
    return path


def timeline_facts(told: Timeline) -> dict[str, object]:
    """The timeline as plain values; files stand under their names, which are hashes."""
    facts = dataclasses.asdict(told)
    facts["audio"] = told.audio.name
    for scene, timed in zip(facts["scenes"], told.scenes, strict=True):
        scene["picture"] = timed.picture.name
    return facts


def find_format(name: str) -> Format:
    """The format `name`; UserError lists them if there is none such."""
    if name not in FORMATS:
        raise UserError(
            f"There is no format '{name}'{did_you_mean(name, tuple(FORMATS))}.",
            f"Choose among: {', '.join(FORMATS)}.",
        )
    return FORMATS[name]


def _film(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.video import write_film

    write_film(told, path, size=settings.size, on_progress=tick)


def _page(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.html import write_page

    write_page(told, path)


def _epub(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.readalong import write_epub

    write_epub(told, path, pages=settings.pages)


def _mp3(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.audiofile import write_mp3

    write_mp3(told, path)


def _srt(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.subtitles import write_srt

    write_srt(told, path)


def _vtt(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.subtitles import write_vtt

    write_vtt(told, path)


def _ass(told: Timeline, path: Path, settings: Settings, tick: Tick) -> None:
    from pipelines.media.subtitles import write_ass

    write_ass(told, path)


FORMATS: dict[str, Format] = {
    "mp4": Format(1, _film, uses=("size",), unit="frames"),
    "html": Format(1, _page),
    "epub": Format(1, _epub, uses=("pages",)),
    "mp3": Format(1, _mp3),
    "srt": Format(1, _srt),
    "vtt": Format(1, _vtt),
    "ass": Format(1, _ass),
}

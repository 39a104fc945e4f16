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


def film_size(aspect: str, shorter: int) -> Size:
    """Width and height of a film: '9:16' and 720 are 720 by 1280."""
    across, down = map(int, aspect.split(":"))
    unit = shorter / min(across, down)
    return round(across * unit), round(down * unit)


@dataclass(frozen=True)
class Settings:
    """How a story is shipped: size and captions of the film, pages of the book, the notice.

    A `visible` notice stands in the film's first seconds and at the end of page and book; a
    `spoken` one is a line of the narrator's (see `render`) and stands there too.
    """

    size: Size = (1280, 720)
    pages: Literal["fixed", "flowing"] = "fixed"
    captions: Literal["soft", "burnt", "none"] = "soft"
    notice: Literal["spoken", "visible", "none"] = "visible"

    @property
    def has_notice(self) -> bool:
        return self.notice != "none"


@dataclass(frozen=True)
class Format:
    """One kind of file that a story is shipped as. Raise `version` when its writer changes.

    `uses` names the settings that decide its bytes.
    """

    version: int
    write: Callable[[Timeline, Path, Settings, Assets, Tick], None]
    uses: tuple[str, ...] = ()
    unit: str = ""  # of its progress


def ship(
    name: str,
    form: Format,
    told: Timeline,
    settings: Settings,
    assets: Assets,
    parts: Assets,
    on_event: OnProgress,
) -> Path:
    """The story as one file, made if the one that is there is not of this timeline.

    `parts` has what was encoded of it before.
    """

    def report(done: int, total: int) -> None:
        on_event(Progress(name, done, total, form.unit, told.title))

    facts: dict[str, object] = {"timeline": timeline_facts(told)}
    facts |= {name: getattr(settings, name) for name in form.uses}
    key = asset_key(name, form.version, facts)
    path = assets.publish(
        key, f"{STEM}.{name}", lambda part: form.write(told, part, settings, parts, report)
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


def ship_kind(name: str, settings: Settings) -> str:
    """What the past calls the making of a format."""
    return f"{name}:{settings.size[1]}" if "size" in find_format(name).uses else name


def find_format(name: str) -> Format:
    """The format `name`; UserError lists them if there is none such."""
    if name not in FORMATS:
        raise UserError(
            f"There is no format '{name}'{did_you_mean(name, tuple(FORMATS))}.",
            f"Choose among: {', '.join(FORMATS)}.",
        )
    return FORMATS[name]


def _film(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.phrases import phrase
    from pipelines.media.video import write_film

    notice = phrase(told.language, "label") if settings.notice == "visible" else ""
    write_film(
        told,
        path,
        size=settings.size,
        captions=settings.captions,
        notice=notice,
        parts=parts,
        on_progress=tick,
    )


def _page(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.html import write_page

    write_page(told, path, notice=settings.has_notice, parts=parts)


def _epub(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.readalong import write_epub

    write_epub(told, path, pages=settings.pages, notice=settings.has_notice, parts=parts)


def _pdf(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.story.printed import write_pdf

    write_pdf(told, path, notice=settings.has_notice)


def _m4b(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.m4b import write_story

    write_story(told, path, parts=parts)


def _mp3(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.audiofile import write_mp3

    write_mp3(told, path)


def _srt(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.subtitles import write_srt

    write_srt(told, path)


def _vtt(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.subtitles import write_vtt

    write_vtt(told, path)


def _ass(told: Timeline, path: Path, settings: Settings, parts: Assets, tick: Tick) -> None:
    from pipelines.media.subtitles import write_ass

    write_ass(told, path)


FORMATS: dict[str, Format] = {
    "mp4": Format(3, _film, uses=("size", "captions", "notice"), unit="frames"),
    "html": Format(3, _page, uses=("notice",)),
    "epub": Format(3, _epub, uses=("pages", "notice")),
    "pdf": Format(1, _pdf, uses=("notice",)),
    "m4b": Format(2, _m4b),
    "mp3": Format(2, _mp3),
    "srt": Format(1, _srt),
    "vtt": Format(1, _vtt),
    "ass": Format(1, _ass),
}

"""Other takes and pins: what a person asked to be made again, or to stay as it is.

    TAKES.yaml in the story's folder:
    pictures:
    - {scene: '3', take: 2}                     another seed for the picture of scene 3
    - {scene: '5', keep: 6f0c…}                 this picture stays, whatever changes
    - {scene: title, take: 1}                   the first page is a scene too
    lines:
    - {scene: '3', text: 'No, thank you!', take: 1}

A take is a number that is added to what chance begins with; a pin is the name of a made thing.
An entry belongs to a scene by its id and to a line by its words, so that moving lines about does
not move it to another; one that fits nothing any more is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.story.script import Line, Scene, Story
from vits.errors import UserError
from vits.files import write_text

FILE_NAME = "takes.yaml"
STEP = 100_003  # between the seeds of two takes: prime, so that scenes do not meet
_TARGET = re.compile(r"(?:scene:)?(?P<scene>[^.]+)(?:\.(?P<what>picture|lines?)(?::(?P<n>\d+))?)?")
_KEY = r"^[0-9a-f]{8,64}$"


class PictureTake(BaseModel):
    """What was asked of one scene's picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scene: str
    take: int = Field(default=0, ge=0, lt=10_000)
    keep: str = Field(default="", pattern=rf"^$|{_KEY}")


class LineTake(PictureTake):
    """What was asked of one line."""

    text: str


class Takes(BaseModel):
    """Everything that was asked, in a story's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pictures: tuple[PictureTake, ...] = ()
    lines: tuple[LineTake, ...] = ()

    def of_picture(self, scene: Scene) -> PictureTake:
        found = (entry for entry in self.pictures if entry.scene == scene.id)
        return next(found, PictureTake(scene=scene.id))

    def of_line(self, scene: Scene, line: Line) -> LineTake:
        for entry in self.lines:
            if (entry.scene, entry.text) == (scene.id, line.text):
                return entry
        return LineTake(scene=scene.id, text=line.text)


@dataclass(frozen=True)
class Target:
    """One thing of a story: the picture of a scene, or a line of it."""

    scene: Scene
    line: Line | None = None

    @property
    def name(self) -> str:
        if self.line is None:
            return f"scene:{self.scene.id}.picture"
        return f"scene:{self.scene.id}.line:{self.scene.lines.index(self.line) + 1}"


def targets(story: Story, wish: str) -> list[Target]:
    """What `scene:3`, `scene:3.picture`, `scene:3.lines` or `scene:3.line:2` means.

    UserError for what the story does not have.
    """
    match = _TARGET.fullmatch(wish.strip())
    scenes = {scene.id: scene for scene in story.all_scenes}
    if match is None or match["scene"] not in scenes or (match["n"] and match["what"] == "picture"):
        raise UserError(
            f"'{wish}' is nothing of this story.",
            f"Write scene:ID.picture, scene:ID.line:N or scene:ID. Scenes: {', '.join(scenes)}.",
        )
    scene = scenes[match["scene"]]
    if match["n"] and not 1 <= int(match["n"]) <= len(scene.lines):
        raise UserError(
            f"Scene {scene.id} has no line {match['n']}.", f"It has {len(scene.lines)}."
        )
    lines = [scene.lines[int(match["n"]) - 1]] if match["n"] else list(scene.lines)
    return [
        *([Target(scene)] if match["what"] in (None, "picture") else []),
        *(Target(scene, line) for line in lines if match["what"] != "picture"),
    ]


def read_takes(folder: Path) -> Takes:
    """What was asked so far; nothing where there is no file. UserError for a file gone wrong."""
    path = folder / FILE_NAME
    if not path.is_file():
        return Takes()
    try:
        return Takes.model_validate(yaml.safe_load(path.read_text("utf-8-sig")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{path} cannot be read ({reason}).", "Mend it, or delete it to start afresh."
        ) from error


def write_takes(takes: Takes, folder: Path) -> None:
    """Keep what was asked."""
    data = takes.model_dump(exclude_defaults=True)
    head = "# Other takes and pins of this story. Delete an entry to go back to the first take.\n"
    body = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=96)
    write_text(folder / FILE_NAME, head + body)


def another_take(takes: Takes, wanted: Sequence[Target]) -> Takes:
    """Each of `wanted` made again: one take further, and no pin on it."""

    def further(entry: PictureTake) -> dict[str, object]:
        return {"take": entry.take + 1, "keep": ""}

    for target in wanted:
        takes = _changed(takes, target, further(_entry(takes, target)))
    return takes


def pinned(takes: Takes, target: Target, key: str) -> Takes:
    """The made thing `key` kept for `target`, '' to let it go."""
    return _changed(takes, target, {"keep": key})


def _entry(takes: Takes, target: Target) -> PictureTake:
    if target.line is None:
        return takes.of_picture(target.scene)
    return takes.of_line(target.scene, target.line)


def _changed(takes: Takes, target: Target, update: dict[str, object]) -> Takes:
    old = _entry(takes, target)
    new = old.model_copy(update=update)
    if target.line is None:
        rest = tuple(entry for entry in takes.pictures if entry != old)
        return takes.model_copy(update={"pictures": (*rest, *_worth(new))})
    others = tuple(entry for entry in takes.lines if entry != old)
    return takes.model_copy(update={"lines": (*others, *_worth(new))})


def _worth(entry: PictureTake) -> Iterator[PictureTake]:
    """The entry if it says anything."""
    if entry.take or entry.keep:
        yield entry


def with_takes(story: Story, takes: Takes) -> Story:
    """The story with the seeds of its takes; pins are looked up where things are made."""

    def line_of(scene: Scene, line: Line) -> Line:
        take = takes.of_line(scene, line).take
        base = story.seed if line.seed is None else line.seed
        return line.model_copy(update={"seed": _seed(base, take)}) if take else line

    def scene_of(scene: Scene) -> Scene:
        take = takes.of_picture(scene).take
        lines = tuple(line_of(scene, line) for line in scene.lines)
        seed = _seed(story.picture_seed(scene), take) if take else scene.seed
        return scene.model_copy(update={"lines": lines, "seed": seed})

    title = scene_of(story.title_scene)
    cover = story.cover.model_copy(update={"seed": title.seed, "line_seed": title.lines[0].seed})
    scenes = tuple(scene_of(scene) for scene in story.scenes)
    return story.model_copy(update={"scenes": scenes, "cover": cover})


def _seed(base: int, take: int) -> int:
    return (base + STEP * take) % 2**31

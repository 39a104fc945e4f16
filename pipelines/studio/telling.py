"""Stories: written or adapted, edited line by line, told, and told again where they changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from pipelines.serving.engine import known_voice
from pipelines.studio.places import existing, listed, names_in, one_of, place
from pipelines.studio.runner import Runner
from pipelines.studio.voicing import REPORT_POLICY
from vits.errors import UserError

MOST_TEXT = 400_000  # characters
TOLD = "told.json"  # which picture belongs to which scene
FORMATS = ("mp4", "epub", "html", "pdf", "m4b", "mp3", "srt", "vtt", "ass")


class StoryWish(BaseModel):
    """What `story write` is asked for, or a text to adapt as it is."""

    name: str
    text: str = Field(min_length=1, max_length=MOST_TEXT)
    is_idea: bool = False
    language: str = Field("", max_length=20)
    form: Literal["story", "novel", "douyin", "xiaohongshu", "ad"] = "story"
    scenes: int | None = Field(None, ge=1, le=60)
    tone: str = Field("", max_length=500)
    style: str = Field("", max_length=500)


class TellWish(BaseModel):
    """What `story render` is asked for."""

    voice: str = "base"
    formats: list[Literal["mp4", "epub", "html", "pdf", "m4b", "mp3", "srt", "vtt", "ass"]] = Field(
        default=["mp4", "epub"], min_length=1
    )
    aspect: Literal["16:9", "9:16", "1:1"] = "16:9"
    captions: Literal["soft", "burnt", "none"] = "soft"
    cast: Literal["library", "narrator"] = "library"
    redo: list[str] = Field(default=[], max_length=20)


def story_routes(runner: Runner) -> APIRouter:
    router = APIRouter(prefix="/api/stories", tags=["studio"])

    @router.get("")
    def stories() -> list[dict[str, Any]]:
        return list(_stories())

    @router.post("")
    def write(wish: StoryWish) -> dict[str, Any]:
        folder = place("stories", wish.name)
        if (folder / "story.yaml").exists():
            raise UserError(
                f"There is already a story {folder.name!r}.", "Choose another name, or remove it."
            )
        params = {**wish.model_dump(), "name": folder.name}
        target = f"story:{folder.name}"
        return runner.store.told(runner.start("write", target, folder.name, params))

    @router.get("/{name}")
    def story(name: str) -> dict[str, Any]:
        from pipelines.story.storyfile import read_story

        folder = existing("stories", name)
        told = _told(folder)
        return {
            "story": read_story(folder / "story.yaml").model_dump(),
            "pictures": told,
            "files": list(listed(folder / "out", "*.*")),
        }

    @router.put("/{name}")
    def change(name: str, story: dict[str, Any]) -> dict[str, bool]:
        """Keep the story as it was edited; what is wrong with it is told, and nothing is lost."""
        from pydantic import ValidationError

        from pipelines.story.script import Story
        from pipelines.story.storyfile import dump_story, parse_story, write_story

        folder = existing("stories", name)
        _refuse_in_work(runner, folder.name)
        try:
            made = Story.model_validate(story)
        except ValidationError as error:
            first = error.errors()[0]
            where = " ".join(str(part) for part in first["loc"])
            raise UserError(f"{where}: {first['msg']}.".strip(": "), "Change it there.") from error
        parse_story(dump_story(made))  # what is written can be read again
        write_story(made, folder / "story.yaml")
        return {"kept": True}

    @router.post("/{name}/tell")
    def tell(name: str, wish: TellWish) -> dict[str, Any]:
        folder = existing("stories", name)
        known_voice(wish.voice)
        params = {**wish.model_dump(), "name": folder.name}
        return runner.store.told(
            runner.start("render", f"story:{folder.name}", folder.name, params)
        )

    @router.get("/{name}/pictures/{file}")
    def picture(name: str, file: str) -> FileResponse:
        return FileResponse(one_of(existing("stories", name) / "pictures", "*.png", file))

    @router.get("/{name}/out/{file}")
    def made(name: str, file: str) -> FileResponse:
        path = one_of(existing("stories", name) / "out", "*.*", file)
        headers = {"content-security-policy": REPORT_POLICY}
        return FileResponse(path, filename=path.name, headers=headers,
                            content_disposition_type="inline")  # fmt: skip

    @router.delete("/{name}")
    def remove(name: str) -> dict[str, bool]:
        folder = existing("stories", name)
        _refuse_in_work(runner, folder.name)
        shutil.rmtree(folder)
        return {"removed": True}

    return router


def _stories() -> Iterator[dict[str, Any]]:
    for name in names_in("stories"):
        folder = place("stories", name)
        if (folder / "story.yaml").is_file():
            yield {"name": name, "files": list(listed(folder / "out", "*.*"))}


def _told(folder: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((folder / TOLD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {scene: file for scene, file in found.items() if (folder / "pictures" / file).is_file()}


def _refuse_in_work(runner: Runner, name: str) -> None:
    if any(job.active and job.target == f"story:{name}" for job in runner.store.all()):
        raise UserError(f"The story {name!r} is being worked on.", "Wait for it, or stop that.")

"""Recordings: sets of files, what was made of them, sentences to read, the review."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from pipelines.studio.places import area, existing, names_in, place
from pipelines.studio.runner import Runner
from pipelines.studio.uploads import receive
from vits.audio import AUDIO_SUFFIXES


class PrepareWish(BaseModel):
    """How a set is made into clips."""

    language: str | None = Field(None, max_length=20)
    speaker: str = Field("auto", max_length=100)
    transcribe: Literal["auto", "never", "always"] = "auto"
    denoise: Literal["off", "spectral"] = "off"


class Reviews:
    """The review pages that are open, one for each set; `close` ends them."""

    def __init__(self) -> None:
        self._scope = contextlib.ExitStack()
        self._urls: dict[str, str] = {}

    def url(self, name: str) -> str:
        from pipelines.review import serve

        if name in self._urls:
            return self._urls[name]
        server = self._scope.enter_context(serve(existing("datasets", name)))
        self._urls[name] = server.url
        return server.url

    def forget(self, name: str) -> None:
        """The set was made anew: its next page is a new one."""
        self._urls.pop(name, None)

    def close(self) -> None:
        self._scope.close()


def recording_routes(runner: Runner, reviews: Reviews) -> APIRouter:
    router = APIRouter(prefix="/api/recordings", tags=["studio"])

    @router.get("")
    def sets() -> list[dict[str, Any]]:
        return list(_sets())

    @router.put("/{name}/files/{file}")
    async def upload(name: str, file: str, request: Request) -> dict[str, str]:
        saved = await receive(request, place("recordings", name), file, "recordings")
        return {"name": saved.name}

    @router.delete("/{name}")
    def remove(name: str) -> dict[str, bool]:
        """The recordings and what was prepared of them; voices stay."""
        shutil.rmtree(existing("recordings", name))
        shutil.rmtree(place("datasets", name), ignore_errors=True)
        reviews.forget(name)
        return {"removed": True}

    @router.post("/{name}/prepare")
    def prepare(name: str, wish: PrepareWish) -> dict[str, Any]:
        existing("recordings", name)
        reviews.forget(name)
        params = {"name": name, **wish.model_dump()}
        return runner.store.told(runner.start("prepare", f"recordings:{name}", name, params))

    @router.post("/{name}/review")
    def review(name: str) -> dict[str, str]:
        """The page of `clone-voice prepare --review`: hear, correct, choose, cut."""
        return {"url": reviews.url(name)}

    @router.get("/script/{language}/{count}")
    def script(language: str, count: int) -> dict[str, Any]:
        from data.script import recording_script

        made = recording_script(language, count)
        return {"sentences": made.sentences, "line": made.line}

    return router


def _sets() -> Iterator[dict[str, Any]]:
    for name in names_in("recordings"):
        files = [p for p in (area("recordings") / name).iterdir() if not p.name.startswith(".")]
        sounds = [p for p in files if p.suffix.lower() in AUDIO_SUFFIXES]
        yield {
            "name": name,
            "sounds": len(sounds),
            "files": len(files),
            "bytes": sum(p.stat().st_size for p in files if p.is_file()),
            "prepared": (place("datasets", name) / "manifest.tsv").is_file(),
        }

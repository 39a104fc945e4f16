"""Voices: train, speak, list, listen, score, compare, rename, hand on, remove."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field

from pipelines.media.sound import labelled_writer
from pipelines.serving.encoding import FORMATS
from pipelines.serving.engine import Engine, Wish, known_voice
from pipelines.serving.speech import FASTEST, SLOWEST, encoded
from pipelines.studio.places import area, existing, listed, names_in, one_of, place
from pipelines.studio.runner import Runner
from pipelines.studio.uploads import receive
from vits import library
from vits.audio import Audio
from vits.card import read_card
from vits.errors import UserError
from vits.files import write_text

MOST_CHARACTERS = 20_000
MOST_SPOKEN = 100  # texts, before the oldest goes
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; media-src data: blob:"
)


class TrainWish(BaseModel):
    """What `clone-voice train` is asked for."""

    recordings: str
    name: str
    consent: str = Field(min_length=1, max_length=10_000)
    base: str = "base"
    minutes: float | None = Field(None, gt=0, le=10_000)
    quick: bool = False
    language: str | None = Field(None, max_length=20)
    force: bool = False


class SpeakWish(BaseModel):
    """What is to be heard and kept."""

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    voice: str = "base"
    speed: float = Field(1.0, ge=SLOWEST, le=FASTEST)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    language: str | None = Field(None, max_length=20)
    format: Literal["mp3", "wav", "flac", "opus", "m4a"] = "mp3"


class ScoreWish(BaseModel):
    """Voices and the recordings they are held against."""

    voices: list[str] = Field(min_length=1, max_length=8)
    recordings: str


class NewName(BaseModel):
    """A voice's new name."""

    name: str


def training_routes(runner: Runner) -> APIRouter:
    router = APIRouter(prefix="/api/train", tags=["studio"])

    @router.post("")
    def train(wish: TrainWish) -> dict[str, Any]:
        name = library.check_name(wish.name)
        known_voice(wish.base)
        existing("recordings", wish.recordings)
        if not wish.consent.strip():
            raise UserError("The consent says nothing.", "Write who speaks and how they agreed.")
        params = {**wish.model_dump(), "name": name}
        return runner.store.told(runner.start("train", f"voice:{name}", name, params))

    @router.get("/{name}/samples")
    def samples(name: str) -> list[str]:
        """What training let be heard so far, the newest last."""
        return [path.stem for path in listed(_samples(name), "step-*.wav").values()]

    @router.get("/{name}/samples/{file}")
    def sample(name: str, file: str) -> FileResponse:
        return FileResponse(one_of(_samples(name), "step-*", file))

    return router


def _samples(name: str) -> Path:
    return library.training_folder(library.check_name(name)) / "samples"


def speaking_routes(engine: Engine) -> APIRouter:
    router = APIRouter(prefix="/api/spoken", tags=["studio"])

    @router.get("")
    def history() -> list[dict[str, Any]]:
        return [row for row in map(_said, reversed(names_in("spoken"))) if row]

    @router.post("", response_class=StreamingResponse)
    async def speak(wish: SpeakWish) -> StreamingResponse:
        """Raw samples at 24 kHz while they are made; the whole is kept in the history."""
        turn = engine.speak(Wish(wish.text, wish.voice, wish.speed, wish.language, wish.seed))
        pieces = turn.pieces()
        try:
            first = await anext(pieces)
        except StopAsyncIteration:
            raise UserError("There is nothing in the text to speak.", "Write some words.") from None
        kept = _kept(wish, first, pieces, turn.sample_rate)
        stream = encoded(kept, FORMATS["pcm"], turn.sample_rate)
        return StreamingResponse(stream, media_type=FORMATS["pcm"].media_type)

    @router.get("/{name}/sound")
    def sound(name: str) -> FileResponse:
        folder = existing("spoken", name)
        path = next(iter(listed(folder, "speech.*").values()), None)
        if path is None:
            raise UserError("This was not spoken to its end.", "Speak it again.")
        return FileResponse(
            path, filename=f"{name}{path.suffix}", content_disposition_type="inline"
        )

    @router.delete("/{name}")
    def forget(name: str) -> dict[str, bool]:
        shutil.rmtree(existing("spoken", name))
        return {"removed": True}

    return router


def _said(name: str) -> dict[str, Any] | None:
    try:
        text = (area("spoken") / name / "wish.json").read_text("utf-8")
        return {"name": name, **json.loads(text)}
    except (OSError, ValueError):
        return None


async def _kept(
    wish: SpeakWish, first: Audio, rest: AsyncIterator[Audio], sample_rate: int
) -> AsyncIterator[Audio]:
    """The same pieces, written into the history as they pass; all of them or nothing."""
    import asyncio

    number = max((int(n) for n in names_in("spoken") if n.isdigit()), default=0) + 1
    folder = area("spoken") / f"{number:06d}"
    tags = {"artist": wish.voice}
    seconds = 0.0
    with labelled_writer(folder / f"speech.{wish.format}", sample_rate, tags=tags) as writer:
        for_first: Audio | None = first
        while for_first is not None:
            await asyncio.to_thread(writer.write, for_first.samples)
            seconds += for_first.duration_s
            yield for_first
            for_first = await anext(rest, None)
    fields = wish.model_dump() | {"seconds": round(seconds, 2)}
    write_text(folder / "wish.json", json.dumps(fields, ensure_ascii=False))
    library.record_made(library.parse_voice(wish.voice)[0], [folder / f"speech.{wish.format}"])
    for old in names_in("spoken")[:-MOST_SPOKEN]:
        shutil.rmtree(area("spoken") / old, ignore_errors=True)


def voice_routes(runner: Runner) -> APIRouter:
    router = APIRouter(prefix="/api/voices", tags=["studio"])

    @router.get("")
    def voices() -> list[dict[str, Any]]:
        return list(_voices())

    @router.get("/{name}")
    def card(name: str) -> dict[str, Any]:
        folder = _folder(name)
        made = [path.name for path in library.made_with(name) if path.exists()]
        return {"card": asdict(read_card(folder)), "made": made}

    @router.get("/{name}/samples/{file}")
    def sample(name: str, file: str) -> FileResponse:
        return FileResponse(one_of(_folder(name) / "samples", "*.flac", file))

    @router.get("/{name}/pack")
    def pack(name: str) -> FileResponse:
        from pipelines.studio.places import studio
        from vits.packing import pack_voice

        (studio() / "packs").mkdir(parents=True, exist_ok=True)
        _folder(name)
        path = pack_voice(name, studio() / "packs" / f"{name}.voice")
        return FileResponse(path, filename=f"{name}.voice")

    @router.put("/packed/{file}")
    async def add(file: str, request: Request) -> dict[str, str]:
        from starlette.concurrency import run_in_threadpool

        from pipelines.studio.places import studio
        from vits.packing import add_voice

        path = await receive(request, studio() / "packs" / "in", file, "voices")
        try:
            folder = await run_in_threadpool(add_voice, path)
        finally:
            path.unlink(missing_ok=True)
        return {"name": folder.name}

    @router.post("/{name}/rename")
    def rename(name: str, new: NewName) -> dict[str, str]:
        _refuse_in_work(runner, name)
        return {"name": library.rename_voice(name, new.name).name}

    @router.delete("/{name}")
    def remove(name: str) -> dict[str, Any]:
        _refuse_in_work(runner, name)
        removed = library.remove_voice(name)
        return {"name": removed.name, "made": [path.name for path in removed.made]}

    @router.post("/score")
    def score(wish: ScoreWish) -> dict[str, Any]:
        """One voice is scored, several are compared; a report is written either way."""
        for voice in wish.voices:
            known_voice(voice)
        existing("recordings", wish.recordings)
        report = " ".join(voice.replace(":", "-") for voice in wish.voices)[:50]
        kind = "evaluate" if len(wish.voices) == 1 else "compare"
        params = {**wish.model_dump(), "report": report}
        return runner.store.told(runner.start(kind, f"report:{report}", report, params))

    @router.get("/reports/{name}", response_class=Response)
    def report(name: str) -> Response:
        """A report's page, shut off from the studio's own."""
        page = one_of(existing("reports", name), "*.html", "report.html")
        headers = {"content-security-policy": REPORT_POLICY}
        return Response(page.read_text("utf-8"), headers=headers, media_type="text/html")

    return router


def _voices() -> Iterator[dict[str, Any]]:
    for entry in library.list_voices():
        scores: dict[str, Any] = {}
        quick, problem = False, entry.problem
        try:
            card = read_card(entry.folder)
            quick = bool(card.training.get("quick"))
            scores = {k: v for k, v in card.scores.items() if isinstance(v, (int, float))}
        except UserError as error:
            problem = problem or str(error)
        yield {
            "name": entry.name,
            "languages": entry.languages,
            "speakers": entry.speakers,
            "bytes": entry.bytes,
            "ships": entry.ships,
            "quick": quick,
            "problem": problem,
            "scores": scores,
            "samples": list(listed(entry.folder / "samples", "*.flac")),
            "report": (place("reports", entry.name) / "report.html").is_file()
            if not entry.ships
            else False,
        }


def _folder(name: str) -> Path:
    known_voice(name)
    return library.find_voice(name)


def _refuse_in_work(runner: Runner, name: str) -> None:
    if any(job.active and job.target == f"voice:{name}" for job in runner.store.all()):
        raise UserError(f"The voice {name!r} is being trained.", "Stop that first.")

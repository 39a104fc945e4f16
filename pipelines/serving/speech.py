"""OpenAI's speech API: POST /v1/audio/speech, GET /v1/audio/voices, GET /v1/models.

https://platform.openai.com/docs/api-reference/audio/createSpeech. Beyond it: `language`, `seed`,
and `stream` false for a file whose length is known before it is sent. No field is a path.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from pipelines.media.labels import DIGITAL_SOURCE_TYPE
from pipelines.serving.encoding import FORMATS, Format
from pipelines.serving.engine import Engine, Turn, Wish
from pipelines.serving.numbers import Numbers
from vits.audio import Audio
from vits.errors import UserError
from vits.library import list_voices

MODEL = "clone-voice"
# Names that callers have in their settings; there is one model, and it answers to them.
MODELS = (MODEL, "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
MOST_CHARACTERS = 10_000
SLOWEST, FASTEST = 0.5, 2.0
HEADERS = {"x-digital-source-type": DIGITAL_SOURCE_TYPE, "cache-control": "no-store"}


class VoiceId(BaseModel):
    """A voice as newer clients name it."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(max_length=200)


class SpeechRequest(BaseModel):
    """What is to be said, and how."""

    model_config = ConfigDict(extra="forbid")
    input: str = Field(description="The text. [pause:2] and [voice:NAME] work as in `say`.")
    model: str = Field(MODEL, max_length=100, description=f"One of {', '.join(MODELS)}.")
    voice: str | VoiceId = Field(
        "base", description="A voice of GET /v1/audio/voices: VOICE or VOICE:SPEAKER."
    )
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = Field(1.0, ge=SLOWEST, le=FASTEST)
    stream_format: Literal["audio", "sse"] = "audio"
    stream: bool = Field(True, description="false: the whole file, when it is made.")
    language: str | None = Field(None, max_length=20, description="Of the text: en, zh, ja, de.")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    instructions: str | None = Field(
        None, description="Taken, since clients send it, and not followed: a voice has one manner."
    )

    @property
    def wish(self) -> Wish:
        voice = self.voice if isinstance(self.voice, str) else self.voice.id
        return Wish(self.input, voice, self.speed, self.language, self.seed)


@dataclass(frozen=True)
class Limits:
    """How much one request may ask for."""

    characters: int = MOST_CHARACTERS


class NotFound(UserError):
    """What is asked for by its name is not there."""


def speech_routes(
    engine: Engine, numbers: Numbers, limits: Limits | None = None, others: Sequence[str] = ()
) -> APIRouter:
    """The routes, for any server that has an engine; `others` are models beside speech."""
    router = APIRouter(prefix="/v1", tags=["speech"])
    most = (limits or Limits()).characters

    @router.post(
        "/audio/speech",
        response_class=Response,
        summary="Speak a text",
        responses={
            200: {"content": {f.media_type.partition(";")[0]: {} for f in FORMATS.values()}}
        },
    )
    async def speech(request: SpeechRequest) -> Response:
        began = time.monotonic()
        _check(request, most)
        turn = engine.speak(request.wish)
        pieces = turn.pieces()
        try:
            first = await anext(pieces)
        except StopAsyncIteration:
            raise UserError(
                "There is nothing in the text that can be spoken.", "Send some words."
            ) from None
        numbers.first_byte.observe(time.monotonic() - began)
        return await _answer(request, turn, first, pieces)

    @router.get("/audio/voices", summary="The voices there are")
    def voices() -> dict[str, list[dict[str, object]]]:
        return {"voices": voice_rows()}

    @router.get("/models", summary="The models there are")
    def models() -> dict[str, object]:
        return {"object": "list", "data": [_model(name) for name in (*others, MODEL)]}

    @router.get("/models/{model}", summary="One model")
    def model(model: str) -> dict[str, object]:
        if model not in others:
            _check_model(model)
        return _model(model)

    return router


def voice_rows() -> list[dict[str, object]]:
    """Every voice of the library that can speak, and every speaker of those with several."""
    rows: list[dict[str, object]] = []
    for entry in list_voices():
        if entry.problem:
            continue
        languages = list(entry.languages)
        rows.append({"id": entry.name, "name": entry.name, "languages": languages})
        rows += [
            {"id": f"{entry.name}:{who}", "name": f"{entry.name}: {who}", "languages": languages}
            for who in entry.speakers
            if len(entry.speakers) > 1
        ]
    return rows


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": MODEL}


def _check(request: SpeechRequest, most: int) -> None:
    _check_model(request.model)
    if len(request.input) > most:
        raise UserError(
            f"The text has {len(request.input)} characters, more than {most}.",
            "Send it in parts; 'clone-voice say -i FILE' reads a text of any length.",
        )


def _check_model(name: str) -> None:
    if name not in MODELS:
        raise NotFound(f"There is no model {name!r}.", f"Choose one of: {', '.join(MODELS)}.")


async def _answer(
    request: SpeechRequest, turn: Turn, first: Audio, rest: AsyncIterator[Audio]
) -> Response:
    kind = FORMATS[request.response_format]
    pieces = _joined(first, rest)
    if request.stream_format == "sse":
        events = _events(encoded(pieces, kind, turn.sample_rate))
        return _Sounding(turn, events, media_type="text/event-stream", headers=HEADERS)
    if not request.stream:
        return Response(await _whole(pieces, kind, turn.sample_rate), 200, HEADERS, kind.media_type)
    stream = encoded(pieces, kind, turn.sample_rate)
    return _Sounding(turn, stream, media_type=kind.media_type, headers=HEADERS)


class _Sounding(StreamingResponse):
    """A stream whose turn ends with it, however it ends."""

    def __init__(self, turn: Turn, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turn = turn

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turn.leave()


async def _joined(first: Audio, rest: AsyncIterator[Audio]) -> AsyncIterator[Audio]:
    yield first
    async for piece in rest:
        yield piece


async def encoded(
    pieces: AsyncIterator[Audio], kind: Format, sample_rate: int, n_samples: int | None = None
) -> AsyncIterator[bytes]:
    """Pieces of sound as bytes of a format, as they come; the encoder works in a thread."""
    encoder = kind.encoder()
    pending = encoder.begin(sample_rate, n_samples)
    async for piece in pieces:
        if data := pending + await asyncio.to_thread(encoder.feed, piece.samples):
            yield data
        pending = b""
    if data := pending + await asyncio.to_thread(encoder.end):
        yield data


async def _whole(pieces: AsyncIterator[Audio], kind: Format, sample_rate: int) -> bytes:
    samples = np.concatenate([piece.samples async for piece in pieces])

    async def one() -> AsyncIterator[Audio]:
        yield Audio(samples, sample_rate)

    return b"".join([data async for data in encoded(one(), kind, sample_rate, len(samples))])


async def _events(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Server-sent events, as OpenAI's: pieces in base64, then the end."""
    async for data in stream:
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}  # nothing is counted here
    yield _event({"type": "speech.audio.done", "usage": usage})


def _event(fields: dict[str, object]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()

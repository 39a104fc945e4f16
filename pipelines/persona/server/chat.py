"""OpenAI's chat API: POST /v1/chat/completions, whole or streamed.

https://platform.openai.com/docs/api-reference/chat/create. Beyond it: `sources`, what an answer is
from. The persona is told what it is by its own sheet: a caller's system turns are not followed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from pipelines.llm.chat import Message
from pipelines.persona.knowledge import Found
from pipelines.persona.server.answers import Answers, Written
from pipelines.serving.speech import NotFound
from vits.errors import UserError

MOST_TURNS, MOST_TOKENS = 200, 2048
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Part(BaseModel):
    """A part of what was said; only text is read."""

    model_config = ConfigDict(extra="ignore")
    type: str = Field(max_length=40)
    text: str = ""


class Said(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class ChatRequest(BaseModel):
    """What was said so far, the last turn being the question. Other fields are not followed."""

    model_config = ConfigDict(extra="ignore")
    model: str = Field("", max_length=200, description="The persona's name, or nothing.")
    messages: list[Said] = Field(min_length=1, max_length=MOST_TURNS)
    stream: bool = False
    max_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    max_completion_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    n: Literal[1] = 1

    @property
    def most_tokens(self) -> int:
        return self.max_completion_tokens or self.max_tokens or MOST_TOKENS


def chat_routes(answers: Answers, name: str) -> APIRouter:
    """The route, for a server whose persona is called `name`."""
    router = APIRouter(prefix="/v1", tags=["chat"])

    @router.post("/chat/completions", response_class=Response, summary="Answer")
    async def completions(request: ChatRequest) -> Response:
        if request.model not in ("", name):
            raise NotFound(f"There is no model {request.model!r}.", f"Choose {name}.")
        question, history = _asked(request)
        written = answers.ask(question, history, request.most_tokens)
        if request.stream:
            pieces = written.pieces()
            first = await anext(pieces, "")  # what is wrong is told by its status
            events = _events(first, pieces, written, name, _id(question))
            return StreamingResponse(events, 200, HEADERS, "text/event-stream")
        text = "".join([piece async for piece in written.pieces()])
        return Response(_whole(text, written, name, _id(question)), 200, HEADERS,
                        "application/json")  # fmt: skip

    return router


def _asked(request: ChatRequest) -> tuple[str, list[Message]]:
    """The question and what was said before it, by user and persona."""
    *before, last = request.messages
    if last.role != "user" or not last.text.strip():
        raise UserError("The last message is no question.", "End with a message of role user.")
    history = [Message(m.role, m.text) for m in before
               if m.role in ("user", "assistant") and m.text]  # fmt: skip
    return last.text, history


def _id(question: str) -> str:
    return "chatcmpl-" + hashlib.sha256(question.encode("utf-8", "replace")).hexdigest()[:24]


def _head(kind: str, name: str, identifier: str) -> dict[str, Any]:
    return {"id": identifier, "object": kind, "created": 0, "model": name}


def _whole(text: str, written: Written, name: str, identifier: str) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}  # not counted here
    body = _head("chat.completion", name, identifier) | {"choices": [choice], "usage": usage}
    return json.dumps(body | {"sources": sources_of(written.sources)}).encode()


async def _events(
    first: str, rest: AsyncIterator[str], written: Written, name: str, identifier: str
) -> AsyncIterator[bytes]:
    head = _head("chat.completion.chunk", name, identifier)

    def event(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps(head | {'choices': [choice]} | more)}\n\n".encode()

    yield event({"role": "assistant", "content": first})
    try:
        async for piece in rest:
            yield event({"content": piece})
    except UserError as error:  # too late for a status
        body = {"error": {"message": str(error), "type": "server_error"}}
        yield f"data: {json.dumps(body)}\n\n".encode()
        return
    yield event({}, "stop", sources=sources_of(written.sources))
    yield b"data: [DONE]\n\n"


def sources_of(found: list[Found]) -> list[dict[str, str]]:
    """What an answer is from, for the caller to show."""
    return [{"citation": source.citation, "date": source.date, "text": source.text}
            for source in found]  # fmt: skip

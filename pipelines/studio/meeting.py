"""Digital humans: learned from chats, given documents, talked with."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from pipelines.studio.places import existing, listed, names_in, place
from pipelines.studio.runner import Runner
from pipelines.studio.uploads import receive
from vits.errors import UserError

SHOWN = 40  # of what was said before


class LearnWish(BaseModel):
    """Who the person is in the logs."""

    me: list[str] = Field(min_length=1, max_length=20)
    private: Literal["mask", "drop"] = "mask"


class Question(BaseModel):
    """What somebody says to a digital human."""

    text: str = Field(min_length=1, max_length=4000)


def people_routes(runner: Runner) -> APIRouter:
    router = APIRouter(prefix="/api/people", tags=["studio"])
    one_at_a_time = threading.Lock()

    @router.get("")
    def people() -> list[dict[str, Any]]:
        return [_person(name) for name in names_in("people")]

    @router.get("/{name}")
    def person(name: str) -> dict[str, Any]:
        from pipelines.persona.history import read_history

        folder = existing("people", name)
        said = [{"role": m.role, "text": m.content} for m in read_history(folder)[-SHOWN:]]
        return {**_person(name), "history": said}

    @router.put("/{name}/{kind}/{file}")
    async def upload(
        name: str, kind: Literal["given", "documents"], file: str, request: Request
    ) -> dict[str, str]:
        folder = place("people", name) / kind
        return {"name": (await receive(request, folder, file, kind)).name}

    @router.post("/{name}/learn")
    def learn(name: str, wish: LearnWish) -> dict[str, Any]:
        folder = existing("people", name)
        if not listed(folder / "given", "*.*"):
            raise UserError("There are no chats yet.", "Drop some first.")
        params = {"name": folder.name, **wish.model_dump()}
        return runner.store.told(runner.start("learn", f"person:{name}", folder.name, params))

    @router.post("/{name}/remember")
    def remember(name: str) -> dict[str, Any]:
        folder = existing("people", name)
        if not listed(folder / "documents", "*.*"):
            raise UserError("There are no documents yet.", "Drop some first.")
        params = {"name": folder.name}
        return runner.store.told(runner.start("remember", f"person:{name}", folder.name, params))

    @router.post("/{name}/ask", response_class=StreamingResponse)
    def ask(name: str, question: Question) -> StreamingResponse:
        """Lines of JSON: {"piece": ...} as it is written, then {"sources": [...]}."""
        from pipelines.llm.config import default_model, open_model
        from pipelines.persona.talk import EXTRACTIVE, Human

        spec = default_model() or EXTRACTIVE
        model = None if spec == EXTRACTIVE else open_model(spec)
        with one_at_a_time:
            human = Human(existing("people", name), model)
            answer = human.answer(question.text)
            pieces = list(answer.pieces) if model is None else answer.pieces

        def lines() -> Iterator[str]:
            for piece in pieces:
                yield json.dumps({"piece": piece}, ensure_ascii=False) + "\n"
            sources = [source.citation for source in answer.sources]
            yield json.dumps({"sources": sources}, ensure_ascii=False) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    @router.delete("/{name}/history")
    def forget(name: str) -> dict[str, bool]:
        from pipelines.persona.history import clear_history

        clear_history(existing("people", name))
        return {"removed": True}

    @router.delete("/{name}")
    def remove(name: str) -> dict[str, bool]:
        shutil.rmtree(existing("people", name))
        return {"removed": True}

    return router


def _person(name: str) -> dict[str, Any]:
    folder = place("people", name)
    return {
        "name": name,
        "given": list(listed(folder / "given", "*.*")),
        "documents": list(listed(folder / "documents", "*.*")),
        "learned": (folder / "persona.yaml").is_file(),
        "remembers": (folder / "knowledge").is_dir(),
    }

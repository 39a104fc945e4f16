"""The page itself, its words, the way in, and the list of long work."""

from __future__ import annotations

import json
import os
import secrets
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from pipelines.i18n import LANGUAGES, language, speaking, translated
from pipelines.serving.speech import NotFound
from pipelines.studio.places import studio
from pipelines.studio.runner import Runner
from vits.files import write_text

COOKIE = "clone_voice_key"
KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
CURVE_POINTS = 400


def studio_key() -> str:
    """The key of this library's page, made once: a page that is open stays so after a restart."""
    given = os.environ.get("CLONE_VOICE_KEY", "")
    path = studio() / "key"
    if given or path.is_file():
        return given or path.read_text("utf-8").strip()
    key = secrets.token_urlsafe(24)
    write_text(path, key + "\n")
    path.chmod(0o600)
    return key


def words(code: str) -> dict[str, str]:
    """The page's words in a language."""
    path = files("pipelines.studio") / "page" / "words" / f"{code}.json"
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found


class Named(BaseModel):
    """A new name."""

    name: str


def page_routes(right: str) -> APIRouter:
    """The way in, the page, and what it is made of."""
    router = APIRouter(include_in_schema=False)

    @router.get("/enter")
    def enter(key: str = "") -> Response:
        if not secrets.compare_digest(key.encode(), right.encode()):
            return Response("Open the whole address that was printed.", 403)
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, right, max_age=31_536_000, httponly=True, samesite="strict")
        return response

    @router.get("/")
    def page() -> Response:
        return _part("index.html")

    @router.get("/page/{name}")
    def part(name: str) -> Response:
        return _part(name)

    @router.get("/page/words/{code}.json")
    def catalogue(code: str) -> dict[str, str]:
        if code not in LANGUAGES:
            raise NotFound(f"There is no language {code[:20]!r}.", "Choose another.")
        return words(code)

    return router


def _part(name: str) -> Response:
    folder = files("pipelines.studio") / "page"
    there = {path.name: path for path in folder.iterdir() if path.is_file()}
    if name not in there:
        raise NotFound(f"There is no {name[:80]!r} here.", "Load the page again.")
    text = there[name].read_text("utf-8").replace("{{language}}", language())
    kind = KINDS["." + name.rpartition(".")[2]]
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    return Response(text, headers=headers, media_type=f"{kind}; charset=utf-8")


def job_routes(runner: Runner) -> APIRouter:
    """Long work: how far it is, stop, go on, forget."""
    router = APIRouter(prefix="/api/jobs", tags=["studio"])

    @router.get("")
    def all_jobs(x_language: str = Header("en")) -> list[dict[str, Any]]:
        with speaking(x_language):
            return [shown(runner.store.told(job)) for job in reversed(runner.store.all())]

    @router.post("/{job_id}/stop")
    def stop(job_id: str) -> dict[str, Any]:
        return runner.store.told(runner.stop(job_id))

    @router.post("/{job_id}/again")
    def again(job_id: str) -> dict[str, Any]:
        return runner.store.told(runner.again(job_id))

    @router.delete("/{job_id}")
    def forget(job_id: str) -> dict[str, bool]:
        runner.store.forget(job_id)
        return {"forgotten": True}

    @router.get("/{job_id}/curve")
    def curve(job_id: str, x_language: str = Header("en")) -> dict[str, Any]:
        """What training says of itself: its plan in a line, and its loss by step."""
        folder = runner.store.place(runner.store.get(job_id).id)
        points: dict[float, float] = {}
        path = folder / "curve.jsonl"
        for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
            step, loss = json.loads(line)
            points[step] = loss  # a step that was made again after a stop counts once
        plan = folder / "plan.json"
        told = json.loads(plan.read_text("utf-8"))["line"] if plan.is_file() else ""
        every = max(1, len(points) // CURVE_POINTS)
        with speaking(x_language):
            told = translated(told)
        return {"plan": told, "points": sorted(points.items())[::every]}

    return router


def shown(told: dict[str, Any]) -> dict[str, Any]:
    """A job with what the program says of it in the reader's language."""
    for part, names in (("error", ("cause", "remedy")), ("progress", ("note",))):
        if told[part]:
            told[part] |= {name: translated(told[part].get(name) or "") for name in names}
    if told["result"]:
        for name in ("advice", "left_out"):
            if name in told["result"]:
                told["result"][name] = [translated(line) for line in told["result"][name]]
    return told

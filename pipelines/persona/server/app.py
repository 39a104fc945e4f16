"""The persona's server: chat, speech and the page, behind the doors of every server here."""

from __future__ import annotations

import html
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response

from pipelines.i18n import translated
from pipelines.persona.server.answers import Answers
from pipelines.persona.server.chat import chat_routes
from pipelines.persona.talk import Human
from pipelines.serving.app import speech_app
from pipelines.serving.doors import Doors
from pipelines.serving.speech import Limits

PAGES = {"/": ("page.html", "text/html"), "/page.js": ("page.js", "text/javascript"),
         "/page.css": ("page.css", "text/css")}  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
LABELS = {
    "ask": "Ask something", "send": "Send", "speak": "Speak the answers", "stop": "Stop",
    "listen": "Talk", "sources": "Sources", "key": "The key of this server", "failed": "Failed",
}  # fmt: skip


def persona_app(
    human: Human,
    doors: Doors,
    *,
    voice: str = "base",
    device: str = "cpu",
    limits: Limits | None = None,
) -> FastAPI:
    """The application. Its page needs no key, whatever it asks for does."""
    answers = Answers(human)
    name = model_name(human)
    routers = [chat_routes(answers, name), page_routes(human.sheet.name, voice)]
    app = speech_app(
        doors, voice=voice, device=device, limits=limits, routers=routers, models=(name,)
    )
    app.state.answers = answers
    return app


def model_name(human: Human) -> str:
    """What callers name as their model: the persona's folder."""
    return Path(human.folder).resolve().name


def page_routes(name: str, voice: str) -> APIRouter:
    """One page to talk to the persona in a browser: nothing from elsewhere, no inline script."""
    router = APIRouter()

    def page(path: str) -> Response:
        file, kind = PAGES[path]
        text = files("pipelines.persona.server").joinpath(file).read_text("utf-8")
        if file == "page.html":
            text = text.replace("{{name}}", html.escape(name))
            text = text.replace("{{voice}}", html.escape(voice, quote=True))
            told = translated(f"This is an AI that speaks in the manner of {name}.")
            text = text.replace("{{notice}}", html.escape(told))
            for label, words in LABELS.items():
                text = text.replace(f"{{{{{label}}}}}", html.escape(translated(words), quote=True))
        headers = {"content-security-policy": POLICY, "x-content-type-options": "nosniff"}
        return Response(text, 200, headers, f"{kind}; charset=utf-8")

    for path in PAGES:
        router.add_api_route(path, lambda path=path: page(path), include_in_schema=False)
    return router

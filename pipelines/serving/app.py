"""A server of the project: its doors, its errors in one shape, its own page of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from pipelines.i18n import speaking, told
from pipelines.i18n.catalogue import joined
from pipelines.serving.apipage import api_page
from pipelines.serving.doors import HEALTH, Doors, Guard, error_body
from pipelines.serving.engine import Busy, Engine
from pipelines.serving.numbers import Numbers, numbers_routes
from pipelines.serving.speech import Limits, NotFound, speech_routes
from vits.card import software
from vits.errors import UserError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TITLE = "clone-voice"


def speech_app(
    doors: Doors,
    *,
    voice: str = "base",
    device: str = "cpu",
    limits: Limits | None = None,
    routers: Sequence[APIRouter] = (),
    models: Sequence[str] = (),
) -> FastAPI:
    """The speech server; `routers` are mounted beside its own. `app.state.engine` speaks.

    `models` are those that the routers answer for, listed beside its own.

    `voice` is loaded first, behind the page. The engine ends with the application's lifespan.
    """
    engine = Engine(device, first=voice)
    numbers = Numbers(lambda: engine.waiting)
    engine.on_speech = numbers.speech.inc
    own = [speech_routes(engine, numbers, limits, models), numbers_routes(numbers)]
    app = create_app(doors, [*own, *routers], numbers=numbers, engine=engine)
    app.state.engine = engine
    return app


def create_app(
    doors: Doors,
    routers: Sequence[APIRouter],
    *,
    numbers: Numbers | None = None,
    engine: Engine | None = None,
    title: str = TITLE,
    load_after_s: float = 0.0,
) -> FastAPI:
    """An application behind its doors, with /health, /docs and /openapi.json.

    The engine starts to load `load_after_s` after the first requests can be answered.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if engine is not None:
            asyncio.get_running_loop().call_later(load_after_s, engine.start)
        yield
        if engine is not None:
            engine.close()

    app = FastAPI(
        title=title, version=software().rpartition(" ")[2], docs_url=None, redoc_url=None,
        lifespan=lifespan,
    )  # fmt: skip
    watch = numbers.answered if numbers else (lambda *args: None)
    app.add_middleware(Guard, doors=doors, watch=watch)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)
    app.add_api_route(HEALTH, _health, tags=["server"], summary="Whether it runs")
    app.add_api_route("/docs", _docs, include_in_schema=False, response_class=HTMLResponse)
    for router in routers:
        app.include_router(router)
    return app


async def _health() -> dict[str, str]:
    return {"status": "ok"}


async def _docs(request: Request) -> HTMLResponse:
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    page = api_page(request.app.openapi(), str(request.base_url).rstrip("/"))
    return HTMLResponse(page, headers={"content-security-policy": policy})


def _user_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    status, code, headers = 400, "invalid_request", {}
    if isinstance(error, NotFound):
        status, code = 404, "not_found"
    elif isinstance(error, Busy):
        status, code, headers = 503, "busy", {"retry-after": "5"}
    with speaking(request.headers.get("x-language", "en")):  # a page says whose eyes read it
        line = joined(*told(error))
    return _error(status, code, line, **headers)


def _invalid(request: Request, error: Exception) -> Response:
    """What does not fit the request's form: the first thing, where and why."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    if first["type"] == "json_invalid":
        return _error(400, "invalid_json", "The request is not JSON that can be read.")
    if not where:
        line = "Send a JSON object with the header Content-Type: application/json."
        return _error(400, "invalid_request", line)
    line = f"{where}: {first['msg']}."
    return _error(400, "invalid_request", line, param=where)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    line = error.detail if isinstance(error.detail, str) and error.detail else phrase
    code = phrase.lower().replace(" ", "_")
    return _error(error.status_code, code, f"{line.rstrip('.')}.", **(error.headers or {}))


def _bug(request: Request, error: Exception) -> Response:
    return _error(500, "internal_error", "Something went wrong in the server; its log says what.")


def _error(status: int, code: str, line: str, param: str | None = None, **headers: str) -> Response:
    return Response(
        error_body(line, code, status, param), status, headers, media_type="application/json"
    )

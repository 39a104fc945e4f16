"""The studio as one application: the page, its routes, the speech server beside them."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import FastAPI

from pipelines.serving.app import create_app
from pipelines.serving.doors import HEALTH, Doors
from pipelines.serving.engine import Engine
from pipelines.serving.numbers import Numbers, numbers_routes
from pipelines.serving.speech import speech_routes
from pipelines.studio.desk import COOKIE, job_routes, page_routes
from pipelines.studio.meeting import people_routes
from pipelines.studio.recording import Reviews, recording_routes
from pipelines.studio.runner import Runner
from pipelines.studio.shelving import book_routes
from pipelines.studio.store import JobStore
from pipelines.studio.telling import story_routes
from pipelines.studio.uploads import MOST_BYTES
from pipelines.studio.voicing import speaking_routes, training_routes, voice_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

UPLOADS = ("/api/recordings/", "/api/books/", "/api/people/", "/api/voices/packed/")
STORY_BYTES = 4_000_000
LOAD_AFTER_S = 2.0  # so that the page is there first
PER_MINUTE = 6000  # a page asks for many small things


def studio_app(doors: Doors, *, voice: str | None = "base", device: str = "cpu") -> FastAPI:
    """The studio behind its doors; `doors.key` is what the page is opened with.

    Jobs that were under way when it last ended go on. `voice` is loaded behind the page.
    """
    engine = Engine(device, first=voice)
    runner = Runner(JobStore())
    reviews = Reviews()
    numbers = Numbers(lambda: engine.waiting)
    engine.on_speech = numbers.speech.inc
    uploads = (("/api/stories", STORY_BYTES), *((path, MOST_BYTES) for path in UPLOADS))
    doors = replace(
        doors, cookie=COOKIE, open_paths=(HEALTH, "/enter"), uploads=uploads, per_minute=PER_MINUTE
    )
    routers = [
        page_routes(doors.key),
        job_routes(runner),
        recording_routes(runner, reviews),
        training_routes(runner),
        speaking_routes(engine),
        voice_routes(runner),
        story_routes(runner),
        book_routes(runner),
        people_routes(runner),
        speech_routes(engine, numbers),
        numbers_routes(numbers),
    ]
    app = create_app(
        doors, routers, numbers=numbers, engine=engine, title="clone-voice studio",
        load_after_s=LOAD_AFTER_S,
    )  # fmt: skip
    served = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(served(app))
            stack.callback(reviews.close)
            stack.callback(runner.close)
            yield

    app.router.lifespan_context = lifespan
    app.state.engine, app.state.runner = engine, runner
    return app

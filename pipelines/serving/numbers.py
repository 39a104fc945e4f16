"""What a server counts, in the text format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Numbers:
    """Counters of one server."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "clone_voice_requests_total", "Requests answered.",
            ["method", "path", "status"], registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "clone_voice_request_seconds", "From a request to the end of its answer.",
            ["path"], buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.first_byte = Histogram(
            "clone_voice_first_byte_seconds", "From a request for speech to its first sound.",
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.speech = Counter(
            "clone_voice_speech_seconds_total", "Seconds of speech made.", registry=self.registry
        )
        gauge = Gauge("clone_voice_waiting", "Requests that wait.", registry=self.registry)
        gauge.set_function(waiting)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        self._requests.labels(method, path, status or "cut off").inc()
        self._seconds.labels(path).observe(seconds)


def numbers_routes(numbers: Numbers) -> APIRouter:
    """GET /metrics."""
    router = APIRouter(tags=["server"])

    @router.get("/metrics", response_class=Response, summary="Counts and times, for Prometheus")
    def metrics() -> Response:
        return Response(generate_latest(numbers.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router

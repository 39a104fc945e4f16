"""One of our servers, running on the loopback while a block does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.serving.run import address, listen, uvicorn_server


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve `app` in a thread; the URL."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join(20)

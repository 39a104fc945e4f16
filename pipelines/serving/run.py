"""Listening: an address is bound, then told, then served until Ctrl-C."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from vits.errors import UserError

MOST_CONNECTIONS = 1000
KEEP_ALIVE_S = 5
SEND_BYTES = 131_072
GOODBYE_S = 3  # for answers that are under way at the end


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one. Raises UserError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host.strip("[]"), port), family=family, backlog=512)
        # else the system keeps megabytes for everybody who reads slowly
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        return listening
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"{host}, port {port}, cannot be listened on ({reason}).",
            "Another program may use the port: choose one with --port, or end that program.",
        ) from error


def address(listening: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Any, listening: socket.socket, on_ready: Callable[[], object]) -> None:
    """Serve until Ctrl-C or SIGTERM; `on_ready` is called once requests are answered."""
    server = uvicorn_server(app)
    begin = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await begin(sockets)
        on_ready()

    server.startup = startup
    server.run(sockets=[listening])


def uvicorn_server(app: Any) -> Any:
    """uvicorn as all our servers use it; requests are not logged, they may hold private text."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GOODBYE_S,
            lifespan="on",
        )
    )

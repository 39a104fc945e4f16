"""`clone-voice serve`: speech over HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from commands.reporting import Reporter, device_option, json_option
from vits.errors import UserError

PORT = 8756

host_option = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any but this machine's own needs a key in CLONE_VOICE_KEY.",
)
port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any free one"
)
origin_option = click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="A site whose pages may call, such as https://example.org; may be repeated.",
)
rate_option = click.option(
    "--rate",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="Requests that one address may send in a minute.",
)


@click.command()
@host_option
@port_option
@click.option(
    "-v",
    "--voice",
    default="base",
    show_default=True,
    metavar="VOICE",
    help="Loaded first; a request may name any of the library.",
)
@click.option(
    "--most-characters",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="Of one request's text.",
)
@rate_option
@origin_option
@device_option
@json_option
def serve(
    host: str,
    port: int,
    voice: str,
    most_characters: int,
    rate: int,
    origins: tuple[str, ...],
    device: str,
    as_json: bool,
) -> None:
    """Speak over HTTP, as OpenAI's speech API does: POST /v1/audio/speech.

    /docs tells of all routes, /metrics counts. With a key in the environment as CLONE_VOICE_KEY
    every request must bear it. Ctrl-C ends it.
    """
    need_server()
    from pipelines.serving.app import speech_app
    from pipelines.serving.engine import known_voice
    from pipelines.serving.speech import Limits

    known_voice(voice)
    doors = the_doors(host, rate, origins, body_bytes=65_536 + 6 * most_characters)
    app = speech_app(doors, voice=voice, device=device, limits=Limits(most_characters))
    run(app, host, port, Reporter(as_json), "Speech at {url}/v1, its description at {url}/docs")


def need_server() -> None:
    """Raise UserError where the extra that servers need is not installed."""
    from importlib.util import find_spec

    for module in ("fastapi", "uvicorn", "prometheus_client"):
        if find_spec(module) is None:
            raise UserError(
                f"The server needs the package {module.replace('_', '-')}, which is not there.",
                "Install it with: pip install 'clone-voice[server]'.",
            )


def the_doors(host: str, rate: int, origins: tuple[str, ...], **more: Any) -> Any:
    """Doors with the key of the environment."""
    from pipelines.serving.doors import KEY_VARIABLE, Doors

    key = os.environ.get(KEY_VARIABLE, "")
    return Doors(host=host, key=key, origins=origins, per_minute=rate, **more)


def run(
    app: Any,
    host: str,
    port: int,
    report: Reporter,
    line: str,
    *,
    entry: str = "",
    opened: Callable[[str], object] | None = None,
) -> None:
    """Listen, say where, serve until Ctrl-C; `opened` is called with the URL that answers.

    `entry` is the path of the URL that is told.
    """
    from pipelines.serving.run import address, listen, serve

    listening = listen(host, port)
    url = address(listening) + entry

    def ready() -> None:
        report.result({"url": url}, line.format(url=url))
        if opened is not None:
            opened(url)

    serve(app, listening, ready)

"""`clone-voice studio`: everything on one page in the browser."""

from __future__ import annotations

from urllib.parse import quote

import click

from commands.reporting import Reporter, device_option, json_option
from commands.serving import host_option, need_server, run

PORT = 8757


@click.command()
@host_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any free one"
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@device_option
@json_option
def studio(host: str, port: int, no_browser: bool, device: str, as_json: bool) -> None:
    """Open the studio: recordings, training, speech, stories, audiobooks, a digital human.

    The page is for this machine alone, under a key that its address holds. Long work goes on when
    the page is closed, and after a restart. The page's language is that of the system or of
    CLONE_VOICE_LANG (en, zh, ja). Ctrl-C ends it.
    """
    need_server()
    from pipelines.serving.doors import Doors
    from pipelines.studio.app import studio_app
    from pipelines.studio.desk import studio_key

    key = studio_key()
    app = studio_app(Doors(host=host, key=key), device=device)
    report = Reporter(as_json)
    opened = None if no_browser or as_json else click.launch
    run(
        app, host, port, report, "The studio is at {url}",
        entry=f"/enter?key={quote(key)}", opened=opened,
    )  # fmt: skip

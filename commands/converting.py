"""`clone-voice convert`: from a recording to the same words in another voice."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from commands.reporting import Reporter, device_option, json_option, seed_option, span


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-v", "--voice", required=True, metavar="VOICE[:SPEAKER]", help="Who is to say it.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Sound file to write: .wav .mp3 .flac .opus .m4a",
)
@click.option(
    "--from",
    "from_speaker",
    metavar="SPEAKER",
    help="Who speaks in it, a speaker of VOICE  [default: anyone, where VOICE knows strangers]",
)
@click.option("--noise", type=float, help="How freely the sound varies; 0 is not at all.")
@seed_option
@device_option
@json_option
def convert(as_json: bool, **options: Any) -> None:
    """Let VOICE say what is said in the recording IN, as it is said there.

    IN is any sound or film, of any length. Its pitch, pace and length stay.
    """
    from pipelines.convert import convert as make

    report = Reporter(as_json)
    given = {key: value for key, value in options.items() if value is not None}
    with report.watching() as watch:
        made = make(**given, on_progress=watch)
    by = f"{made.voice}:{made.speaker}"
    report.result(
        dataclasses.asdict(made), f"{span(made.duration_s)} of speech by {by}: {made.output}"
    )

"""`clone-voice phonemes`: what will be spoken."""

from __future__ import annotations

import dataclasses

import click

from commands.reporting import Reporter, json_option
from pipelines.i18n import Verbatim
from vits.errors import UserError


@click.command()
@click.argument("text")
@click.option("-v", "--voice", metavar="VOICE[:SPEAKER]", help="As this voice reads it.")
@click.option("--cleaner", metavar="NAME", help="As a cleaner of fast-fine-tuning's writes it.")
@click.option("--language", help="What the text is in  [default: as its letters say]")
@json_option
def phonemes(
    text: str, voice: str | None, cleaner: str | None, language: str | None, as_json: bool
) -> None:
    """Print the sounds that TEXT is spoken with, an utterance a line."""
    from pipelines.sounds import read

    if voice is not None and cleaner is not None:
        raise UserError("A voice and a cleaner were given together.", "Give one of them.")
    report = Reporter(as_json)
    spoken = read(text, voice=voice, cleaner=cleaner, language=language)
    unknown = list(dict.fromkeys(char for line in spoken for char in line.unknown))
    if unknown:
        report.warn(f"These have no sound: {' '.join(unknown)}")
    report.result(
        {"utterances": [dataclasses.asdict(line) for line in spoken]},
        *[Verbatim(line.symbols) for line in spoken],
    )

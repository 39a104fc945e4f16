"""`clone-voice export`: voices for other programs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from commands.reporting import Reporter, json_option


@click.command()
@click.argument("voice", metavar="VOICE[:SPEAKER]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["onnx", "piper", "huggingface"]),
    required=True,
    help="Which program is to run it.",
)
@click.option(
    "-o", "--output", metavar="DIR", required=True, type=click.Path(path_type=Path),
    help="A new folder for the files.",
)  # fmt: skip
@json_option
def export(voice: str, form: str, output: Path, as_json: bool) -> None:
    """Write VOICE for other programs.

    onnx is one graph that any ONNX runtime runs (and `say -v DIR`), piper the two files of a voice
    of Piper, for voices whose text espeak reads, huggingface a folder for transformers' VitsModel,
    for voices with the paper's decoder.
    """
    from vits.formats.exporter import export_voice

    made = export_voice(voice, form, output)
    Reporter(as_json).result(
        dataclasses.asdict(made), f"{made.voice}: {', '.join(made.files)}", f"It is in {output}"
    )

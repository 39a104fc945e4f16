"""`clone-voice say`: from text to speech."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from commands.reporting import Reporter, device_option, json_option, plural, seed_option, span
from vits.errors import UserError


@click.command()
@click.argument("text", required=False)
@click.option(
    "-i", "--input", "source", type=click.Path(path_type=Path), help="A text file to read."
)
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Sound file to write: .wav .mp3 .flac .opus .m4a  [default: speech.wav, unless --play]",
)
@click.option("-s", "--speed", type=click.FloatRange(0.5, 2.0), default=1.0, show_default=True)
@click.option("--noise", type=float, help="How freely the voice varies; 0 is not at all.")
@click.option("--noise-duration", type=float, help="How freely the rhythm varies.")
@click.option("--language", help="What the text is in  [default: the speaker's own]")
@click.option(
    "--lexicon",
    type=click.Path(path_type=Path),
    help="Pronunciations: word, a tab, IPA or a respelling; one a line.",
)
@seed_option
@device_option
@click.option(
    "--engine",
    type=click.Choice(["torch", "onnx"]),
    default="torch",
    show_default=True,
    help="What runs the voice; for onnx its graph is made once, which takes a minute.",
)
@click.option("--play", is_flag=True, help="Play it as it is spoken.")
@json_option
def say(
    text: str | None, source: Path | None, output: Path | None, as_json: bool, **options: Any
) -> None:
    """Read TEXT aloud, of any length; - reads the standard input.

    [pause:2.5] in it is a silence of so many seconds, [break] a short one; what stands between
    [voice:NAME] and [/voice] is spoken by another voice, or by another speaker of this one.
    """
    if (text is None) == (source is None):
        raise UserError("There must be one text to speak.", "Give TEXT, or - , or -i FILE.")
    from pipelines.say import Text, decoded, say, text_file

    if source is not None:
        words = text_file(source)
    elif text == "-":
        words = Text(decoded(sys.stdin.buffer, "The standard input"))
    else:
        words = Text.of(text or "")
    if output is None and not options["play"]:
        output = Path("speech.wav")
    report = Reporter(as_json)
    with report.watching() as watch:
        said = say(words, output=output, on_progress=watch, **options)
    if said.unknown:
        report.warn(f"{said.voice} cannot speak: {' '.join(said.unknown)}")
    given = click.get_current_context().get_parameter_source("seed")
    if said.seedless and given is not click.core.ParameterSource.DEFAULT:
        report.warn(
            f"--seed changes nothing: {', '.join(said.seedless)} is a graph of its own noise."
        )
    place = said.output or "the loudspeaker"
    report.result(
        dataclasses.asdict(said),
        f"{plural(said.utterances, 'utterance')}, {span(said.duration_s)} of speech: {place}",
    )

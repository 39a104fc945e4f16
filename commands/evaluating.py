"""`clone-voice evaluate` and `compare`: the scores of voices, measured and set side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.reporting import Reporter, columns, device_option, json_option, seed_option
from pipelines.i18n import said, translated
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.evaluate.proof import Proof

reference_option = click.option(
    "--reference",
    metavar="CLIPS",
    type=click.Path(path_type=Path),
    help="Real recordings of the person, in any form that clips have.",
)
held_out_option = click.option(
    "--held-out",
    metavar="CLIPS",
    type=click.Path(path_type=Path),
    help="More of them, that no training saw: they give the ceiling.",
)
output_option = click.option(
    "-o", "--output", metavar="REPORT", type=click.Path(path_type=Path),
    help="A folder for report.json and report.html.",
)  # fmt: skip
language_option = click.option("--language", help="What the voice is to speak.")


@click.command()
@click.argument("voice")
@reference_option
@held_out_option
@output_option
@language_option
@click.option("--no-card", is_flag=True, help="Leave the voice's card as it is.")
@device_option
@seed_option
@json_option
def evaluate(
    voice: str,
    reference: Path | None,
    output: Path | None,
    no_card: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score VOICE[:SPEAKER] against real recordings of the person.

    The voice speaks 20 sentences that no training text holds. Similarity, intelligibility,
    naturalness and speed stand beside what the real recordings reach. The scores go into the
    voice's card; with -o a page with players, spectrograms and plots is written too.
    """
    if reference is None:
        raise UserError(
            "Nothing says what the voice is to be compared with.",
            "Add --reference CLIPS with recordings of the person.",
        )
    from pipelines.evaluate.proof import prove, write_report

    report = Reporter(as_json)
    with report.watching() as watch:
        proof = prove(voice, reference, on_progress=watch, **options)
    kept = not no_card and proof.keep_scores()
    if not no_card and not kept:
        report.say("The base that ships keeps its card as it is.")
    if output is not None:
        write_report([proof], output)
    _show(report, [proof], output)


@click.command()
@click.argument("voices", nargs=-1, metavar="A B...")
@reference_option
@held_out_option
@output_option
@language_option
@device_option
@seed_option
@json_option
def compare(
    voices: tuple[str, ...],
    reference: Path | None,
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Set voices side by side.

    A B... are voices, which then are scored against --reference CLIPS, or reports of `evaluate`
    (their folders).
    """
    if len(voices) < 2:
        raise UserError("There is nothing to compare with one voice.", "Name two or more.")
    from pipelines.evaluate.proof import proofs, write_report

    report = Reporter(as_json)
    with report.watching() as watch:
        found = proofs(voices, reference, on_progress=watch, **options)
    if output is not None:
        write_report(found, output)
    _show(report, found, output)


def _show(report: Reporter, proofs: list[Proof], output: Path | None) -> None:
    from pipelines.evaluate.report import PAGE_NAME, notes, table

    reports = [proof.report for proof in proofs]
    rows = [[_label(label), *cells] for label, *cells in table(reports)]
    lines = [*columns(rows), "", *notes(reports)]
    facts: dict[str, object] = {"voices": [r.to_json() for r in reports], "output": output}
    if output is not None:
        lines.append(f"The page with the recordings: {output / PAGE_NAME}")
    report.result(facts, *lines)


def _label(label: str) -> str:
    name, bracket, unit = label.partition(" (")
    if not bracket:
        return translated(name)
    unit = translated(unit.removesuffix(")"))
    return said("{label} ({unit})", label=translated(name), unit=unit)

"""`clone-voice prepare`, `review` of its results, and `script`: recordings before the training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.reporting import PARTIAL, Reporter, columns, json_option, plural, span
from pipelines.i18n import Verbatim, translated

if TYPE_CHECKING:
    from data.report import Summary

REASONS_SHOWN = 12


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the data set."
)
@click.option(
    "--language", default="auto", show_default=True, help="What is spoken: en, zh, ja ..."
)
@click.option(
    "--transcribe",
    type=click.Choice(["auto", "never", "always"]),
    default="auto",
    show_default=True,
    help="Words for clips without; 'always' also checks the words that were given.",
)
@click.option("--asr", metavar="MODEL", help="Whisper: a folder, a size, or a name on the hub.")
@click.option(
    "--speaker",
    default="auto",
    show_default=True,
    metavar="auto|one|all|folders|names|NAME",
    help="Who speaks: one person, everybody, as folders or file names say, or a name.",
)
@click.option(
    "--denoise",
    default="off",
    show_default=True,
    metavar="off|spectral|MODEL",
    help="Take noise out, where that makes a clip better; MODEL is a folder or a name on the hub.",
)
@click.option("--review", is_flag=True, help="Then open a page to hear, correct and choose.")
@json_option
def prepare(
    sources: tuple[Path, ...], output: Path, language: str, review: bool, as_json: bool, **how: Any
) -> None:
    """Make a data set for `train` of SOURCES: sound, video and folders of any kind and length.

    Long recordings are cut at pauses. Words come from texts and subtitles beside them, else from a
    recogniser. Exit code 3: done, and something was left out, which is listed.
    """
    from data.recordings import Wishes, prepare_recordings
    from pipelines.progress import Progress

    report = Reporter(as_json)
    wishes = Wishes(language=None if language == "auto" else language, **how)
    with report.watching() as watch:
        made = prepare_recordings(
            sources,
            output,
            wishes,
            on_event=lambda e: watch(Progress(e.stage, e.done, e.total, e.unit, e.note)),
        )
    show(report, made)
    if review:
        open_review(output, report)
    if made.incomplete:
        raise click.exceptions.Exit(PARTIAL)


def show(report: Reporter, made: Summary) -> None:
    """The table of seconds, what was left out, and the verdict."""
    for note in made.notes:
        report.warn(note)
    facts = {
        field.name: getattr(made, field.name)
        for field in dataclasses.fields(made)
        if field.name not in ("clips", "recordings", "dropped", "aside")
    }
    facts |= {
        "dropped": [str(item) for item in (*made.dropped, *made.aside)],
        "recordings": [dataclasses.asdict(recording) for recording in made.recordings],
    }
    report.result(facts, *_lines(made))


def _lines(made: Summary) -> Iterator[str]:
    rows = [
        [translated(kind), span(seconds), f"{100 * seconds / max(made.source_s, 1e-9):.1f} %"]
        for kind, seconds in made.totals.items()
        if seconds
    ]
    yield from columns([*rows, ["all of the sources", span(made.source_s), "100 %"]])
    yield ""
    told = [f"{r.name} {line}" for r in made.recordings for line in (r.flaw, *r.notes) if line]
    told += [f"Not heard in {r.name}: {text[:80]!r}" for r in made.recordings for text in r.unheard]
    told += [f"Left out: {item}" for item in (*made.dropped, *made.aside)]
    yield from told[:REASONS_SHOWN]
    if len(told) > REASONS_SHOWN:
        yield f"... and {len(told) - REASONS_SHOWN} more in {made.folder / 'report.html'}"
    counts = made.verdicts
    yield (
        f"{plural(counts['use'], 'clip')} to use, {counts['doubt']} with doubt, "
        f"{counts['drop']} left out."
    )
    yield from made.advice
    yield f"The data set is {made.folder}; train with: clone-voice train {made.folder} --name NAME"


def open_review(folder: Path, report: Reporter) -> None:
    """Serve the review page until Ctrl-C."""
    from pipelines.review import serve

    with serve(folder) as server:
        report.event("review", url=server.url)
        report.say(f"Review at {server.url} ; Ctrl-C ends it, everything is saved at once.")
        click.launch(server.url)
        server.wait()


@click.command()
@click.option("--language", default="en", show_default=True, metavar="en|zh|ja")
@click.option("--count", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Also write each sentence to a file of this folder, 01.txt ..., to lie beside 01.wav.",
)
@json_option
def script(language: str, count: int, output: Path | None, as_json: bool) -> None:
    """Print sentences to read aloud that hold most sounds of a language."""
    from data.script import recording_script
    from vits.files import write_text

    report = Reporter(as_json)
    made = recording_script(language, count)
    width = max(2, len(str(count)))
    for number, sentence in enumerate(made.sentences, 1):
        if output is not None:
            write_text(output / f"{number:0{width}}.txt", sentence + "\n")
    numbered = (f"{number:>{width}}. {text}" for number, text in enumerate(made.sentences, 1))
    report.result(dataclasses.asdict(made), *map(Verbatim, numbered), "", made.line)

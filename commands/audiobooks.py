"""`story audiobook` makes a book, `story batch` a shelf of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from commands.books import keep_option
from commands.reporting import (
    PARTIAL,
    Reporter,
    columns,
    device_option,
    json_option,
    plural,
    seed_option,
    span,
)
from pipelines.i18n import translated
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.books.audiobook import Where
    from pipelines.books.jobs import JobState
    from pipelines.books.options import Options
    from pipelines.books.shelf import Outcome

F = TypeVar("F", bound=Callable[..., Any])
FAULTS_SHOWN = 20

_BOOK_OPTIONS = [
    click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]"),
    click.option("--language", default="", help="What the book is in  [default: as it says]"),
    click.option("-s", "--speed", type=click.FloatRange(0.5, 2.0), default=1.0, show_default=True),
    click.option("--noise", type=float, help="How freely the voice varies; 0 is not at all."),
    click.option("--noise-duration", type=float, help="How freely the rhythm varies."),
    seed_option,
    click.option(
        "--lexicon",
        multiple=True,
        help="Pronunciations; the series' first, the book's own after it.",
        metavar="FILE",
    ),
    click.option("--cast", default="", metavar="FILE", help="Who speaks how: lines 'Name: VOICE'."),
    click.option(
        "--llm",
        default="",
        metavar="MODEL",
        help="A language model that says who of the cast speaks; rules find fewer.",
    ),
    keep_option,
    click.option(
        "-f",
        "--format",
        multiple=True,
        default=("m4b",),
        show_default=True,
        help="m4b, mp3, opus (a file for each chapter) or epub (reads along).",
    ),
    click.option(
        "--illustrate",
        default="",
        metavar="chapter|scene",
        help="A picture for each chapter or scene: a film (mp4) and an epub with pictures too.",
    ),
    click.option(
        "--illustrator",
        default="collage",
        show_default=True,
        metavar="NAME",
        help="Who draws: collage, cards, sd:FOLDER_OR_ID_OR_FILE, a1111:URL, openai:MODEL@URL.",
    ),
    click.option(
        "--draw", multiple=True, metavar="KEY=VALUE", help="How a model draws: steps=20, cfg=7 ..."
    ),
    click.option(
        "--loudness",
        default="-18",
        show_default=True,
        metavar="LUFS|acx",
        help="How loud each chapter is.",
    ),
    click.option(
        "--layout",
        default="plain",
        show_default=True,
        help="plain, or audiobookshelf: Author/Series/Title folders.",
    ),
    click.option("--split", type=float, default=0.0, help="Hours at most in one m4b; 0: no limit."),
    click.option(
        "--check",
        default="fast",
        show_default=True,
        help="fast, or asr: a speech recogniser listens too.",
    ),
    click.option("--narrator", default="", help="Who is named as reading it."),
]
_WHERE_OPTIONS = [
    click.option(
        "--workers",
        type=click.IntRange(0),
        default=0,
        help="Worker processes  [default: one for each core]",
    ),
    click.option(
        "--executor",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Where the work is done.",
    ),
    click.option("--address", default="", help="Of a Ray cluster  [default: one is started here]"),
    device_option,
]


def _with(options: list[Callable[[F], F]]) -> Callable[[F], F]:
    def apply(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


@click.command()
@click.argument("book", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR|URL",
    help="The folder to make, or a place that fsspec knows (s3://...).",
)
@click.option("--chapters", default="", metavar="FILE", help="A plan of `story chapters -o FILE`.")
@click.option("--title", default="", help="  [default: as the book says]")
@click.option("--author", default="", help="  [default: as the book says]")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done.")
@_with(_BOOK_OPTIONS)
@_with(_WHERE_OPTIONS)
@json_option
def audiobook(book: Path, output: str, only_plan: bool, as_json: bool, **settings: Any) -> None:
    """Read BOOK (txt, md, html, epub, pdf, docx, fb2) aloud into the folder DIR.

    What is made is not made again: a run that was stopped goes on, and a changed sentence costs
    its sentence and the encoding of its chapter.
    """
    from pipelines.books.audiobook import make_audiobook

    where, options = _where(settings), _options(settings)
    report = Reporter(as_json)
    if only_plan:
        _tell_plan(report, book, output, options)
        return
    with report.watching() as watch:
        outcome = make_audiobook(book, output, options, where, watch)
    _report_book(report, outcome)


@click.command()
@click.argument("jobs", type=click.Path(path_type=Path), metavar="JOBS.jsonl|FOLDER")
@click.option(
    "-o",
    "--output",
    metavar="DIR|URL",
    help="Where the books go, each into a folder of its own: a folder, or s3://... and the like.",
)
@click.option("--status", is_flag=True, help="Show how far the shelf in the folder given is.")
@click.option("--pause", is_flag=True, help="Let the runs on the folder given wait.")
@click.option("--resume", is_flag=True, help="Let them go on.")
@click.option("--cancel", metavar="JOB", help="Give up one job of the folder given.")
@_with(_BOOK_OPTIONS)
@_with(_WHERE_OPTIONS)
@json_option
def batch(
    jobs: Path,
    output: str | None,
    status: bool,
    pause: bool,
    resume: bool,
    cancel: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make audiobooks of all books in a FOLDER, or of the lines of JOBS.jsonl.

    A line is an object: {"book": "a.epub", "voice": "anna", "priority": 5}. What it says overrides
    the options here; "id" names the job. With --status, --pause, --resume and --cancel the folder
    is that of a shelf, and nothing is made.
    """
    report = Reporter(as_json)
    if status or pause or resume or cancel:
        _control(report, jobs, pause, resume, cancel)
        return
    if output is None:
        raise UserError("Nothing says where the books go.", "Give -o DIR.")
    from pipelines.books.audiobook import make_books
    from pipelines.books.jobs import read_jobs

    where, options = _where(settings), _options(settings)
    found = read_jobs(jobs, options)
    with report.watching() as watch:
        outcomes = make_books(found, output, where, watch)
    _report_shelf(report, outcomes, output)


def _where(settings: dict[str, Any]) -> Where:
    from pipelines.books.audiobook import Where

    names = ("executor", "workers", "address", "device")
    return Where(**{name: settings.pop(name) for name in names})


def _options(settings: dict[str, Any]) -> Options:
    from pipelines.books.options import Options, options_from

    given = {name: value for name, value in settings.items() if value is not None}
    return options_from(given, Options(), "The command")


# ---------------------------------------------------------------- what is told


def _tell_plan(report: Reporter, book: Path, output: str, options: Options) -> None:
    from pipelines.books.book import WORDS_PER_MINUTE
    from pipelines.books.jobs import STATE
    from pipelines.books.names import job_name
    from pipelines.books.production import Voices, produce
    from pipelines.books.remote import is_remote, scratch_folder

    base = scratch_folder(output) if is_remote(output) else Path(output)
    state = base / STATE / job_name(book.name)
    made = produce(book, options, state, Voices(), ask=False)
    there = sum(work.made() is not None for work in made.works)
    seconds = made.words / WORDS_PER_MINUTE * 60
    facts = {"title": made.meta.title, "chapters": len(made.works), "made": there}
    report.result(
        {**facts, "words": round(made.words), "expected_s": round(seconds)},
        f"{made.meta.title}: {plural(len(made.works), 'chapter')} ({there} made already), "
        f"{made.words:.0f} words, about {span(seconds)} of sound, read by {made.narrator}",
    )


def _facts(outcome: Outcome) -> dict[str, Any]:
    made = outcome.delivered
    return {
        "job": outcome.job.id,
        "book": outcome.job.source,
        "state": outcome.state,
        "error": outcome.error,
        "folder": made.folder if made else None,
        "files": made.files if made else (),
        "duration_s": made.duration_s if made else 0.0,
        "chapters": outcome.chapters,
        "spoken": outcome.spoken,
        "faults": made.faults if made else (),
    }


def _report_book(report: Reporter, outcome: Outcome) -> None:
    made = outcome.delivered
    assert made is not None
    for fault in made.faults[:FAULTS_SHOWN]:
        report.warn(fault)
    if len(made.faults) > FAULTS_SHOWN:
        more = len(made.faults) - FAULTS_SHOWN
        report.warn(f"{more} more sentences to look at: {made.folder / 'report.json'}")
    sentences = plural(outcome.spoken, "sentence")
    chapters = plural(outcome.chapters, "chapter")
    whole = f"{chapters}, {span(made.duration_s)}, {sentences} spoken now"
    shown = [path for path in made.files if path.parent == made.folder]
    report.result(_facts(outcome), whole, *map(str, shown))


def _report_shelf(report: Reporter, outcomes: list[Outcome], output: str) -> None:
    failed = [outcome for outcome in outcomes if outcome.state != "done"]
    done = [outcome for outcome in outcomes if outcome.state == "done"]
    for outcome in failed:
        report.warn(f"{outcome.job.id}: {outcome.state}: {outcome.error}".rstrip(": "))
    seconds = sum(o.delivered.duration_s for o in done if o.delivered)
    faults = sum(len(o.delivered.faults) for o in done if o.delivered)
    lines = [f"{len(done)} of {plural(len(outcomes), 'book')}, {span(seconds)}: {output}"]
    if faults:
        lines.append(f"{plural(faults, 'sentence')} to look at, see the report.json of each book")
    facts = {"done": len(done), "failed": len(failed), "books": [_facts(o) for o in outcomes]}
    report.result(facts, *lines)
    if failed:
        raise click.exceptions.Exit(PARTIAL)


def _control(report: Reporter, folder: Path, pause: bool, resume: bool, cancel: str | None) -> None:
    import dataclasses

    from pipelines.books.jobs import StateFolder

    shelf = StateFolder(folder)
    states = shelf.all()
    if not states:
        raise UserError(f"{folder} holds no shelf.", "Give the folder that -o named.")
    control = shelf.control()
    if cancel:
        if cancel not in {state.id for state in states}:
            raise UserError(f"There is no job '{cancel}' in {folder}.", "See --status.")
        cancelled = tuple(dict.fromkeys((*control.cancelled, cancel)))
        control = dataclasses.replace(control, cancelled=cancelled)
    if resume:
        control = dataclasses.replace(control, paused=False, cancelled=())
    if pause:
        control = dataclasses.replace(control, paused=True)
    if pause or resume or cancel:
        shelf.ask(control)
    _tell_states(report, states, {s.id for s in states if shelf.is_busy(s.id)}, control.paused)


def _tell_states(report: Reporter, states: list[JobState], busy: set[str], paused: bool) -> None:
    import dataclasses

    rows = [["JOB", "BOOK", "STATE", "CHAPTERS", "SOUND", ""]]
    for state in states:
        now = state.state
        if now == "working" and state.id not in busy:
            now = "stopped"
        title = state.title or Path(state.source).name
        chapters = f"{state.made}/{state.chapters}" if state.chapters else ""
        rows.append([state.id[:40], title[:40], translated(now), chapters, span(state.duration_s),
                     state.error[:80]])  # fmt: skip
    facts = {"paused": paused, "jobs": [dataclasses.asdict(s) | {"busy": s.id in busy}
                                        for s in states]}  # fmt: skip
    counts = [
        f"{sum(s.state == name for s in states)} {translated(name)}" for name in ("done", "failed")
    ]
    last = f"{plural(len(states), 'book')}: {', '.join(counts)}{', paused' if paused else ''}"
    report.result(facts, *columns(rows), last)

"""The commands `clone-voice` and `story`: parse, make one library call, report.

Nothing heavy is imported before a command runs, so that --help answers at once. Results go to
the standard output, progress and errors to the standard error; with --json the standard output
is JSON Lines, an object for each event and the result last.

Exit codes: 0 done, 2 something to mend (one line says what), 3 done in part (what failed is
listed), 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vits.errors import UserError

if TYPE_CHECKING:
    from data.prepare import ClipEvent
    from pipelines.clone import CloneResult, Listeners
    from pipelines.doctor import Diagnosis
    from pipelines.progress import OnProgress, Progress
    from pipelines.story.render import RenderResult

MENDABLE, PARTIAL, INTERRUPTED = 2, 3, 130  # exit codes
# Refusals of the system that no library turned into its own words.
USER_ERRNOS = {errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS}
JSON_META = "cli.json"
PLAIN_EVERY_S = 5.0  # between two lines of progress where nothing can be redrawn


class Problem(click.ClickException):
    """One line on the standard error and exit code 2."""

    exit_code = MENDABLE

    def format_message(self) -> str:
        return " ".join(self.message.split())


class Commands(click.Group):
    """A group whose commands end in one clear line when the user can mend what is wrong."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a GBK console cannot show every character
                stream.reconfigure(errors="replace")
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Stopped. The same command goes on from here.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            command = (error.ctx or ctx).command_path
            problem = UserError(error.format_message(), f"See '{command} --help'.")
            raise _told(problem, ctx) from error
        except UserError as error:
            raise _told(error, ctx) from error
        except OSError as error:
            if error.errno not in USER_ERRNOS:
                raise
            problem = UserError(f"{error.filename or 'A file'}: {error.strerror}.", "")
            raise _told(problem, ctx) from error


def _told(error: UserError, ctx: click.Context) -> Problem:
    """The error as click shows it; with --json it is an event too."""
    if ctx.meta.get(JSON_META):
        fields = {"event": "error", "cause": error.cause, "remedy": error.remedy}
        click.echo(json.dumps(fields))
    return Problem(str(error).strip())


def command_group(name: str, help_text: str) -> Commands:
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    group = Commands(name, help=help_text, context_settings=settings)
    return click.version_option(package_name="clone-voice", message="%(prog)s %(version)s")(group)


clone_voice = command_group("clone-voice", "Turn about 20 short clips into a voice, and speak.")
story = command_group("story", "Tell a story with a voice: a film, a page, subtitles, sound.")


# --- reporting


def span(seconds: float) -> str:
    """A time in words: 42 s, 3 min 5 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: float) -> str:
    """Bytes in words."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit != "MB" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def progress_words(progress: Progress, rate: float | None, eta_s: float | None) -> str:
    """Counts, rate, time left and note, as far as they are known."""
    total = "" if progress.total is None else f"/{progress.total:.0f}"
    if progress.unit == "%":
        total, rate = "", None
    parts = [f"{progress.done:.0f}{total} {progress.unit}".strip()]
    if rate is not None and progress.unit:
        pace = f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
        parts.append(
            f"{pace} {'times real time' if progress.unit == 's' else progress.unit + '/s'}"
        )
    if eta_s is not None and progress.done != progress.total:
        parts.append(f"{span(eta_s)} left")
    return ", ".join([*parts, progress.note] if progress.note else parts)


class Reporter:
    """Shows how far a command is: a bar on a terminal, else lines, or JSON Lines for machines."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def event(self, name: str, /, **fields: object) -> None:
        if self.as_json:
            click.echo(json.dumps({"event": name, **fields}, default=str))

    def say(self, line: str) -> None:
        """A line for people, beside the result."""
        if not self.as_json:
            click.echo(line, err=True)

    @contextmanager
    def watching(self) -> Iterator[OnProgress]:
        """What a library's on_progress is to be, while the block runs."""
        if self.as_json:
            yield self._machine_lines()
        elif sys.stderr.isatty():
            with _bars() as show:
                yield show
        else:
            yield _plain_lines()

    def warn(self, line: str) -> None:
        """Something that went otherwise than one would expect, and did not stop the work."""
        self.event("warning", text=line)
        self.say(f"Warning: {line}")

    def result(self, fields: Mapping[str, object], *lines: str, event: str = "result") -> None:
        """An outcome: `fields` for machines, `lines` for people."""
        self.event(event, **fields)
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def listeners(self, watch: OnProgress, stop: Stop) -> Listeners:
        """What a cloning is to tell: each clip, the plan, progress; and when it is to stop."""
        from pipelines.clone import ClonePlan, Listeners
        from pipelines.progress import TOTAL, Progress

        def listened(clip: ClipEvent) -> None:
            watch(Progress("clips", clip.done, clip.total, "clips", clip.name))

        def planned(plan: ClonePlan) -> None:
            self.event("plan", **dataclasses.asdict(plan), line=plan.line)
            self.say(plan.line)

        def progressed(progress: Progress) -> None:
            if progress.stage != TOTAL:
                stop.may_wait = progress.stage == "train"
            watch(progress)

        return Listeners(
            on_clip=lambda clip: watch(
                Progress("clips", clip.done, clip.total, "clips", clip.name)
            ),
            on_plan=planned,
            on_progress=progressed,
            should_stop=lambda: stop.asked,
        )

    def _machine_lines(self) -> OnProgress:
        from pipelines.progress import Pace

        pace = Pace()

        def show(progress: Progress) -> None:
            rate, eta_s = pace.measure(progress)
            self.event("progress", **dataclasses.asdict(progress) | {"rate": rate, "eta_s": eta_s})

        return show


def _plain_lines() -> OnProgress:
    """A line when a stage begins, when it ends, and every few seconds between."""
    from pipelines.progress import Pace

    pace, shown = Pace(), dict[str, float]()

    def show(progress: Progress) -> None:
        rate, eta_s = pace.measure(progress)
        now, last = time.monotonic(), shown.get(progress.stage, -PLAIN_EVERY_S)
        ended = progress.total is not None and progress.done >= progress.total
        if not ended and now - last < PLAIN_EVERY_S:
            return
        shown[progress.stage] = now
        click.echo(f"{progress.stage}: {progress_words(progress, rate, eta_s)}", err=True)

    return show


@dataclasses.dataclass
class Stop:
    """Whether Ctrl-C was pressed, and whether what runs looks at it soon and saves by itself."""

    asked: bool = False
    may_wait: bool = False

    def interrupt(self, *_: object) -> None:
        """The signal's handler: a second Ctrl-C does not wait."""
        if self.asked or not self.may_wait:
            raise KeyboardInterrupt
        self.asked = True
        click.echo("Saving after this step; Ctrl-C again stops at once.", err=True)


@contextmanager
def stopping() -> Iterator[Stop]:
    """While the block runs, Ctrl-C asks work that can be resumed to save first."""
    stop = Stop()
    before = signal.signal(signal.SIGINT, stop.interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bars() -> Iterator[OnProgress]:
    """A bar for each stage, redrawn in place."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    from pipelines.progress import Pace

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    pace, tasks = Pace(), dict[str, TaskID]()
    with Bars(*columns, console=Console(stderr=True)) as bars:

        def show(progress: Progress) -> None:
            words = progress_words(progress, *pace.measure(progress))
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, words="", total=None)
            bars.update(
                tasks[progress.stage],
                total=progress.total,
                completed=progress.done,
                words=words,
            )

        yield show


def _note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    ctx.meta[JSON_META] = value  # errors are told by the group, which does not see this option
    return value


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_note_json,
    help="JSON Lines, for machines.",
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of all chance."
)


def plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns, wide characters counted as two."""
    from unicodedata import east_asian_width

    def wide(text: str) -> int:
        return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)

    widths = [max(map(wide, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - wide(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


# --- clone-voice: from clips to a voice


@clone_voice.command()
@click.argument("clips", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the voice is to be called.")
@click.option("--consent", metavar="TEXT_OR_FILE", help="How the speaker agreed; kept in the card.")
@click.option("--base", default="base", show_default=True, help="The voice to start from.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Train for so long.")
@click.option("--epochs", type=click.IntRange(1), help="Train so many times through the clips.")
@click.option("--steps", type=click.IntRange(1), help="Train so many steps.")
@click.option("--batch-size", type=click.IntRange(1), help="Clips in a step.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True))
@click.option("--language", help="What the clips speak, where no list says so.")
@device_option
@seed_option
@click.option("--resume", is_flag=True, help="Only go on with a training that was begun.")
@click.option("--force", is_flag=True, help="Replace a voice of this name made from other inputs.")
@json_option
def train(
    clips: Path, consent: str | None, resume: bool, force: bool, as_json: bool, **options: Any
) -> None:
    """Turn the recordings in CLIPS into a voice of the library.

    CLIPS is a folder of sound files with their texts beside them (.txt, .lab), an LJSpeech folder,
    or a list: manifest.tsv, path|text. Without --minutes, --epochs or --steps the amount of
    training follows from the seconds of speech. Stopped by Ctrl-C, the same command goes on.
    """
    budget = [name for name in ("minutes", "epochs", "steps") if options[name] is not None]
    if len(budget) > 1:
        raise UserError(
            f"--{budget[0]} and --{budget[1]} both say how long to train.", "Give one of them."
        )
    agreed = consent_text(consent, ask=not as_json)
    from pipelines.clone import CloneRequest, clone

    given = {key: value for key, value in options.items() if value is not None}
    request = CloneRequest(clips, consent=agreed, **given)
    report = Reporter(as_json)
    with report.watching() as watch, stopping() as stop:
        made = clone(request, resume=resume, force=force, listeners=report.listeners(watch, stop))
    _report_voice(report, made)


def _report_voice(report: Reporter, made: CloneResult, event: str = "result") -> None:
    for dropped in made.dropped:
        report.warn(f"Left out: {dropped}")
    scores = dict(made.card.scores)
    facts = {"name": made.name, "folder": made.folder, "scores": scores}
    facts |= {"dropped": [str(clip) for clip in made.dropped], "made_before": made.made_before}
    if made.card.training.get("over_trained"):
        report.warn("The clips held out got worse at the end; an earlier checkpoint was kept.")
    report.result(
        facts,
        f"{made.name}: {score_line(scores)}",
        f"{'It was made before' if made.made_before else 'It is'} in {made.folder}",
        f'Try it: clone-voice say "Hello." -v {made.name}',
        event=event,
    )


def score_line(scores: Mapping[str, Any]) -> str:
    """A card's scores in one line, each beside that of the real clips."""
    pairs = [("similarity", "similarity_ceiling"), ("cer", "reference_cer")]
    words = {"similarity": "similarity", "cer": "character error rate"}
    parts = [
        f"{words[name]} {scores[name]} (real clips {scores.get(real, 'not measured')})"
        for name, real in pairs
        if name in scores
    ]
    return ", ".join(parts) or "no scores"


def consent_text(given: str | None, *, ask: bool = True) -> str:
    """The speaker's consent: as given, from the file that is named, or asked for.

    Raises UserError where there is nobody to ask, or for a file that is not there or says nothing.
    """
    if given is None:
        if not (ask and sys.stdin.isatty()):
            raise UserError(
                "Nothing says that the speaker agreed to this.",
                "Add --consent with their words, or with a file that holds them.",
            )
        given = str(click.prompt("Who speaks, and how did they agree to it", err=True))
    if _names_a_file(given):
        from data.intake import read_text

        given = read_text(Path(given))
    if not given.strip():
        raise UserError("The consent says nothing.", "Write who speaks and how they agreed.")
    return given.strip()


def _names_a_file(text: str) -> bool:
    """Whether a text is the name of a file, or looks so much like one that it must be a slip."""
    with suppress(OSError):  # longer than a name can be
        if Path(text).is_file():
            return True
    return Path(text).suffix.lower() in (".txt", ".md") and not set(text) & set(" \n")


# --- clone-voice: speaking


@clone_voice.command()
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
@click.option("--play", is_flag=True, help="Play it as it is spoken.")
@json_option
def say(
    text: str | None, source: Path | None, output: Path | None, as_json: bool, **options: Any
) -> None:
    """Read TEXT aloud, of any length; - reads the standard input.

    [pause:2.5] in it is a silence of so many seconds, [break] a short one.
    """
    if (text is None) == (source is None):
        raise UserError("There must be one text to speak.", "Give TEXT, or - , or -i FILE.")
    from pipelines.say import Text, decoded, say, text_file

    if source is not None:
        words = text_file(source)
    elif text == "-":
        words = Text(decoded(sys.stdin.buffer, "The standard input"))
    else:
        words = Text([text or ""], len(text or ""))
    if output is None and not options["play"]:
        output = Path("speech.wav")
    report = Reporter(as_json)
    with report.watching() as watch:
        said = say(words, output=output, on_progress=watch, **options)
    if said.unknown:
        report.warn(f"{said.voice} cannot speak: {' '.join(said.unknown)}")
    place = said.output or "the loudspeaker"
    report.result(
        dataclasses.asdict(said),
        f"{plural(said.utterances, 'utterance')}, {span(said.duration_s)} of speech: {place}",
    )


# --- clone-voice: the library


@clone_voice.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the voices of the library."""
    from vits.library import list_voices

    voices = list_voices()
    rows = [["VOICE", "LANGUAGES", "SPEAKERS", "SIZE", ""]] + [
        [v.name, " ".join(v.languages), str(len(v.speakers)), size(v.bytes), v.problem]
        for v in voices
    ]
    nothing = "There is no voice yet: clone-voice train CLIPS --name NAME"
    Reporter(as_json).result(
        {"voices": [dataclasses.asdict(voice) for voice in voices]},
        *(columns(rows) if voices else [nothing]),
    )


@clone_voice.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what is known about the voice NAME: who speaks, consent, origin, training, scores."""
    from vits.card import read_card
    from vits.library import describe, find_voice, made_with

    folder = find_voice(name)
    entry, card, made = describe(folder), read_card(folder), made_with(name)
    facts = dataclasses.asdict(entry) | {"card": dataclasses.asdict(card), "made": made}
    Reporter(as_json).result(facts, *_card_lines(facts))


def _card_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """A voice's facts as lines `name: value`, what is empty left out."""
    card = dict(facts["card"])
    rows = {
        "voice": facts["name"],
        "folder": facts["folder"],
        "size": size(facts["bytes"]),
        "problem": facts["problem"],
        "languages": ", ".join(facts["languages"]),
        "speakers": ", ".join(facts["speakers"]),
        **{key: value for key, value in card.items() if key not in ("name", "others")},
        "made with it": [str(path) for path in facts["made"]],
    }
    for name, value in rows.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping):
            short = {k: v for k, v in value.items() if not isinstance(v, (list, dict))}
            yield from (f"{label}, {k.replace('_', ' ')}: {v}" for k, v in short.items())
        elif isinstance(value, (list, tuple)):
            for item in value:
                text = ", ".join(map(str, item.values())) if isinstance(item, Mapping) else item
                yield f"{label}: {text}"
        elif value:
            yield f"{label}: {value}"


@clone_voice.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Delete the voice NAME: weights, samples, training state. Lists what was made with it."""
    from vits.library import remove_voice

    if not yes and not as_json and sys.stdin.isatty():
        click.confirm(f"Delete the voice {name} with all that belongs to it?", abort=True, err=True)
    removed = remove_voice(name)
    lines = [f"Deleted {removed.name}, {size(removed.bytes)}."]
    if removed.made:
        lines += ["These files were made with it and are still there:", *map(str, removed.made)]
    Reporter(as_json).result(dataclasses.asdict(removed), *lines)


@clone_voice.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="[default: NAME.voice here]")
@json_option
def pack(name: str, output: Path | None, as_json: bool) -> None:
    """Write the voice NAME as one file, to hand on."""
    from vits.packing import pack_voice

    path = pack_voice(name, output)
    Reporter(as_json).result({"path": path}, f"{path}, {size(path.stat().st_size)}")


@clone_voice.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Call it so  [default: its own name]")
@click.option("--force", is_flag=True, help="Replace a voice of this name.")
@json_option
def add(file: Path, name: str | None, force: bool, as_json: bool) -> None:
    """Take a packed voice into the library."""
    from vits.packing import add_voice

    folder = add_voice(file, name=name, force=force)
    Reporter(as_json).result(
        {"name": folder.name, "folder": folder},
        f'Added {folder.name}. Try it: clone-voice say "Hello." -v {folder.name}',
    )


@clone_voice.command()
@json_option
def doctor(as_json: bool) -> None:
    """Report what is installed and missing, how fast this machine is, what takes up space."""
    from pipelines.doctor import diagnose

    found = diagnose()
    Reporter(as_json).result(dataclasses.asdict(found), *_doctor_lines(found))
    if found.missing:
        raise click.exceptions.Exit(MENDABLE)


def _doctor_lines(found: Diagnosis) -> Iterator[str]:
    yield f"System    {found.system}, {plural(found.cores, 'core')}; {', '.join(found.devices)}"
    yield f"Python    {found.python}"
    yield ""
    rows = [[p.name, p.version or "MISSING", p.purpose] for p in found.packages]
    yield from columns(rows)
    yield from (f"{p.name} is missing. Mend it with: {p.remedy}" for p in found.missing)
    yield from (f"Note: {warning}" for warning in found.warnings)
    yield ""
    if found.speed is not None:
        yield (
            f"Speed     {found.speed.matmul_gflops:.0f} GFLOP/s in matrix products, "
            f"{found.speed.convolution_gflops:.0f} in convolutions, "
            f"on {plural(found.speed.threads, 'thread')}"
        )
        if found.speed.real_time_factor is None:
            yield f"          {found.speed.note}"
        else:
            yield (
                f"          the base voice: {found.speed.real_time_factor:.3f} s of work for "
                "a second of speech"
            )
    for store in found.stores:
        yield f"Space     {size(store.bytes)} {store.name}: {store.path}"
        yield f"          to clean: {store.cleaning}"


# --- story


@story.command()
@click.argument("source")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The story folder to make: its files are in DIR/out.",
    metavar="DIR",
)
@click.option("-v", "--voice", default="base", show_default=True, metavar="VOICE[:SPEAKER]")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    default=("mp4", "html"),
    show_default=True,
    help="mp4, html, srt, vtt, ass or mp3; may be given several times.",
)
@click.option("--language", help="What the text is in, where it does not say so.")
@device_option
@json_option
def render(source: str, output: Path, as_json: bool, **options: Any) -> None:
    """Tell the story in SOURCE: a story folder, story.yaml, .md or .txt.

    What is made already is not made again, so that a changed line costs one line.
    """
    from pipelines.story.render import render

    report = Reporter(as_json)
    with report.watching() as watch:
        told = render(source, output, on_event=watch, **options)
    _report_story(report, told)


@story.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("story"),
    show_default=True,
    help="The story folder to make.",
    metavar="DIR",
)
@click.option("--steps", type=click.IntRange(1), help="Train only so many steps.")
@click.option("--scenes", type=click.IntRange(1), help="Tell only so many scenes.")
@device_option
@json_option
def demo(output: Path, as_json: bool, **options: Any) -> None:
    """Clone the example voice from 20 real clips and tell the example story with it.

    A second run finds everything made.
    """
    from pipelines.demo import demo

    report = Reporter(as_json)
    with report.watching() as watch, stopping() as stop:
        made = demo(output, listeners=report.listeners(watch, stop), **options)
    _report_voice(report, made.voice, "voice")
    _report_story(report, made.story)


def _report_story(report: Reporter, told: RenderResult) -> None:
    if told.unknown:
        report.warn(f"Not spoken: {' '.join(told.unknown)}")
    facts = {
        "folder": told.folder,
        "title": told.story.title,
        "files": told.files,
        "duration_s": told.duration_s,
        "made": told.made,
        "reused": told.reused,
        "unknown": told.unknown,
    }
    report.result(
        facts,
        f"{told.story.title}: {span(told.duration_s)}, {told.made} made, {told.reused} found made",
        *(f"{name:5} {path}" for name, path in told.files.items()),
    )


def clone_voice_main() -> None:
    """Entry point of `clone-voice`."""
    clone_voice()


def story_main() -> None:
    """Entry point of `story`."""
    story()

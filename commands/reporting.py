"""How commands talk: one clear line for errors, progress, results for people or machines.

Results go to the standard output, progress and errors to the standard error; with --json the
standard output is JSON Lines, an object for each event and the result last. Exit codes: 0 done, 2
something to mend (one line says what), 3 done in part (what failed is listed), 130 stopped by
Ctrl-C.
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
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from commands.columns import table_lines
from commands.help import Context, in_readers_language
from pipelines.i18n import language, said, speaking, told, translated
from pipelines.i18n.catalogue import joined
from vits.errors import UserError

if TYPE_CHECKING:
    from data.prepare import ClipEvent
    from pipelines.clone import Listeners
    from pipelines.progress import OnProgress, Progress

MENDABLE, PARTIAL, INTERRUPTED = 2, 3, 130  # exit codes
# Refusals of the system that no library turned into its own words.
USER_ERRNOS = {errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS}
JSON_META = "cli.json"
SAMPLES = {"en": "a", "zh": "声", "ja": "こ"}  # a console that shows this shows the language
PLAIN_EVERY_S = 5.0  # between two lines of progress where nothing can be redrawn


class Problem(click.ClickException):
    """One line on the standard error and exit code 2."""

    exit_code = MENDABLE

    def format_message(self) -> str:
        return " ".join(self.message.split())

    def show(self, file: IO[Any] | None = None) -> None:
        line = said("Error: {message}", message=self.format_message())
        click.echo(line, file=file, err=file is None)


class Commands(click.Group):
    """A group whose commands end in one clear line when the user can mend what is wrong.

    It speaks the reader's language, or English where the console cannot show that.
    """

    context_class = Context

    def main(self, *args: Any, **kwargs: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a GBK console cannot show every character
                stream.reconfigure(errors="replace")
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
        with speaking(_language_of_console()):
            return super().main(*args, **kwargs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return command and in_readers_language(command)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(said("Stopped. The same command goes on from here."), err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            command = (error.ctx or ctx).command_path
            message = " ".join(error.format_message().split())
            problem = UserError(message, f"See '{command} --help'.")
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
    return Problem(joined(*told(error)))


def _language_of_console() -> str:
    """The reader's language, where every stream can show its letters."""
    code = language()
    for stream in (sys.stdout, sys.stderr):
        try:
            SAMPLES[code].encode(getattr(stream, "encoding", None) or "utf-8")
        except (LookupError, UnicodeEncodeError):
            return "en"
    return code


def command_group(name: str, help_text: str, *commands: click.Command) -> Commands:
    """A program and its commands."""
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    group = Commands(name, help=help_text, context_settings=settings)
    for command in commands:
        group.add_command(command)
    return click.version_option(package_name="clone-voice", message="%(prog)s %(version)s")(group)


def span(seconds: float) -> str:
    """A time in words: 42 s, 3 min 5 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole:d} s"
    if whole < 3600:
        return f"{whole // 60:d} min {whole % 60:d} s"
    return f"{whole // 3600:d} h {whole % 3600 // 60:d} min"


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
    unit = translated(progress.unit)
    parts = [f"{progress.done:.0f}{total} {unit}".strip()]
    if rate is not None and progress.unit:
        pace = f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
        if progress.unit == "s":
            parts.append(said("{pace} times real time", pace=pace))
        else:
            parts.append(said("{pace} {unit}/s", pace=pace, unit=unit))
    if eta_s is not None and progress.done != progress.total:
        parts.append(said("{time} left", time=translated(span(eta_s))))
    return said(", ").join([*parts, translated(progress.note)] if progress.note else parts)


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
            click.echo(translated(line), err=True)

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
        self.say(said("Warning: {text}", text=translated(line)))

    def result(self, fields: Mapping[str, object], *lines: str, event: str = "result") -> None:
        """An outcome: `fields` for machines, `lines` for people."""
        self.event(event, **fields)
        if not self.as_json:
            for line in lines:
                click.echo(translated(line))

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
            on_clip=listened,
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
        words = progress_words(progress, rate, eta_s)
        click.echo(
            said("{stage}: {words}", stage=translated(progress.stage), words=words), err=True
        )

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
        click.echo(said("Saving after this step; Ctrl-C again stops at once."), err=True)


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
                tasks[progress.stage] = bars.add_task(
                    translated(progress.stage), words="", total=None
                )
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
    """Rows as lines with aligned columns, the titles and whatever is a sentence translated.

    A single word below the titles may be somebody's name and stays.
    """
    titles, *others = rows
    told = [[translated(cell) if " " in cell else cell for cell in row] for row in others]
    return table_lines([[translated(cell) for cell in titles], *told])

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
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.progress import OnProgress, Progress

MENDABLE, PARTIAL, INTERRUPTED = 2, 3, 130  # exit codes
# Refusals of the system that no library turned into its own words.
USER_ERRNOS = {errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS}
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
        except UserError as error:
            raise Problem(str(error)) from error
        except OSError as error:
            if error.errno not in USER_ERRNOS:
                raise
            raise Problem(f"{error.filename or 'A file'}: {error.strerror}.") from error


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


class Pace:
    """Rate and time left of one stage, from what was done since this run began it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: dict[str, tuple[float, float]] = {}  # stage: time, done

    def measure(self, progress: Progress) -> tuple[float | None, float | None]:
        """Units a second, and seconds left; None where not known yet."""
        now = self._clock()
        began, done_before = self._first.setdefault(progress.stage, (now, progress.done))
        elapsed, done_now = now - began, progress.done - done_before
        rate = done_now / elapsed if elapsed > 0 and done_now > 0 else None
        if progress.eta_s is not None or progress.total is None or rate is None:
            return rate, progress.eta_s
        return rate, max(0.0, progress.total - progress.done) / rate


def progress_words(progress: Progress, rate: float | None, eta_s: float | None) -> str:
    """Counts, rate, time left and note, as far as they are known."""
    total = "" if progress.total is None else f"/{progress.total:g}"
    parts = [f"{progress.done:g}{total} {progress.unit}".strip()]
    if rate is not None and progress.unit:
        parts.append(f"{rate:.3g} {progress.unit}/s")
    if eta_s is not None and progress.done != progress.total:
        parts.append(f"{span(eta_s)} left")
    return ", ".join([*parts, progress.note] if progress.note else parts)


class Reporter:
    """Shows how far a command is: a bar on a terminal, else lines, or JSON Lines for machines."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def event(self, name: str, **fields: object) -> None:
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

    def result(self, fields: Mapping[str, object], *lines: str) -> None:
        """The outcome: `fields` for machines, `lines` for people."""
        self.event("result", **fields)
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def _machine_lines(self) -> OnProgress:
        pace = Pace()

        def show(progress: Progress) -> None:
            rate, eta_s = pace.measure(progress)
            self.event("progress", **dataclasses.asdict(progress) | {"rate": rate, "eta_s": eta_s})

        return show


def _plain_lines() -> OnProgress:
    """A line when a stage begins, when it ends, and every few seconds between."""
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


@contextmanager
def _bars() -> Iterator[OnProgress]:
    """A bar for each stage, redrawn in place."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}")
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


json_option = click.option("--json", "as_json", is_flag=True, help="JSON Lines, for machines.")
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)


def clone_voice_main() -> None:
    """Entry point of `clone-voice`."""
    clone_voice()


def story_main() -> None:
    """Entry point of `story`."""
    story()

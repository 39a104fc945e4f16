"""What is to be made, and how far it is: jobs from a file or a folder, and their state on the disk.

    OUT/.shelf/<job>/state.json      how far a job is      } written whole or not at all: a kill
    OUT/.shelf/control.json          paused, cancelled     } at any moment leaves the last one
    OUT/.shelf/<job>/lock            held by the run that makes it; a kill gives it back
    OUT/.shelf/<job>/work/           what is made, see `chapterwork.py`

The state is only told to people: what is done, the files in `work/` say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.books.names import job_name, safe_name
from pipelines.books.options import Options, options_from
from pipelines.books.reading import SUFFIXES
from vits.errors import UserError
from vits.files import write_text

STATE = ".shelf"
OWN_FIELDS = ("book", "id", "priority")
STATES = ("waiting", "working", "done", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    """One book to make. Those of higher `priority` come first."""

    id: str
    source: Path
    options: Options
    priority: int = 0
    own_folder: bool = True  # below the output folder, rather than the output folder itself


@dataclass(frozen=True)
class JobState:
    """How far a job is, for people and for --status."""

    id: str
    source: str
    state: str = "waiting"
    title: str = ""
    chapters: int = 0
    made: int = 0
    duration_s: float = 0.0
    error: str = ""
    folder: str = ""
    files: Sequence[str] = ()
    faults: int = 0


@dataclass(frozen=True)
class Control:
    """What somebody asked of runs that are going on."""

    paused: bool = False
    cancelled: Sequence[str] = field(default_factory=tuple)


def read_jobs(source: Path, defaults: Options) -> list[Job]:
    """Jobs of a .jsonl file or of a folder of books, those of high priority first. UserError."""
    if source.is_dir():
        jobs = list(_of_folder(source, defaults))
    else:
        jobs = list(_of_lines(source, defaults))
    if not jobs:
        raise UserError(
            f"{source} holds no book.", f"Give a folder with {' '.join(SUFFIXES)}, or a jobs.jsonl."
        )
    seen: dict[str, Job] = {}
    for job in jobs:
        if job.id in seen:
            raise UserError(
                f"{source}: two jobs are called '{job.id}'.", 'Give each an "id" of its own.'
            )
        seen[job.id] = job
    return sorted(jobs, key=lambda job: -job.priority)  # stable: else in their order


def _of_folder(folder: Path, defaults: Options) -> Iterator[Job]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.is_file() and path.suffix.lower() in SUFFIXES:
            yield Job(job_name(relative.as_posix()), path, defaults)


def _of_lines(source: Path, defaults: Options) -> Iterator[Job]:
    try:
        lines = source.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(
            f"{source} cannot be read ({error.strerror}).", "Give a jobs.jsonl or a folder."
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8.", "Save it as UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _of_line(line, f"{source}:{number}", source.parent, defaults)


def _of_line(line: str, where: str, base: Path, defaults: Options) -> Job:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{where}: this is not JSON ({error}).", "Write an object a line."
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("book"), str):
        raise UserError(f'{where}: no "book" is named.', 'Write {"book": "a.epub", ...}.')
    priority = data.get("priority", 0)
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise UserError(f"{where}: priority is a whole number.", "Higher ones come first.")
    given = {name: value for name, value in data.items() if name not in OWN_FIELDS}
    for name in ("chapters", "cast"):
        if isinstance(given.get(name), str):
            given[name] = str(base / given[name])
    if isinstance(lexicons := given.get("lexicon"), (str, list)):
        paths = [lexicons] if isinstance(lexicons, str) else lexicons
        given["lexicon"] = [str(base / p) if isinstance(p, str) else p for p in paths]
    options = options_from(given, defaults, where)
    name = safe_name(str(data["id"])) if data.get("id") else job_name(data["book"])
    return Job(name, base / data["book"], options, priority)


class StateFolder:
    """The states of a shelf's jobs, and what was asked of it."""

    def __init__(self, out: Path) -> None:
        self.folder = out / STATE

    def of(self, job_id: str) -> Path:
        """The folder of one job."""
        return self.folder / job_id

    def read(self, job_id: str) -> JobState | None:
        data = _read(self.of(job_id) / "state.json")
        try:
            return JobState(**data) if data else None
        except TypeError:  # of another version
            return None

    def write(self, state: JobState) -> None:
        """Remember a state. UserError for a full disk. Two runs on one folder write in turn."""
        from filelock import FileLock

        text = json.dumps(asdict(state), ensure_ascii=False, indent=1)
        path = self.of(state.id) / "state.json"
        if _text(path) == text:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "states.lock"):
            write_text(path, text)

    def all(self) -> list[JobState]:
        """Every job that was ever begun or listed here."""
        names = sorted(path.parent.name for path in self.folder.glob("*/state.json"))
        return [state for name in names if (state := self.read(name))]

    def control(self) -> Control:
        data = _read(self.folder / "control.json")
        cancelled = data.get("cancelled", ())
        known = isinstance(cancelled, list)
        return Control(bool(data.get("paused")), tuple(map(str, cancelled)) if known else ())

    def ask(self, control: Control) -> None:
        """Ask something of the runs that are going on here, and of later ones."""
        write_text(self.folder / "control.json", json.dumps(asdict(control)))

    def is_busy(self, job_id: str) -> bool:
        """Whether a run works on the job now."""
        from filelock import FileLock, Timeout

        path = self.of(job_id) / "lock"
        if not path.exists():
            return False
        try:
            with FileLock(path, timeout=0):
                return False
        except Timeout:
            return True


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""

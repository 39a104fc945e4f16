"""Books read aloud: one, or a shelf of them, here or on a cluster."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.books.jobs import Job
from pipelines.books.names import job_name
from pipelines.books.options import Options
from pipelines.books.production import Voices
from pipelines.books.remote import Place, is_remote, scratch_folder
from pipelines.books.shelf import Outcome, Shelf, start_worker
from pipelines.executors import (
    Executor,
    Inline,
    LocalProcesses,
    RayActors,
    Shared,
    usable_cores,
)
from pipelines.progress import OnProgress, silent
from vits.errors import UserError
from vits.files import cannot_write

WORKER_GB = 0.5  # of memory for a worker, to choose how many


@dataclass(frozen=True)
class Where:
    """Where work is done. `workers` 0 is one for each core."""

    executor: str = "local"
    workers: int = 0
    address: str = ""
    device: str = "cpu"


def make_audiobook(
    source: Path,
    out: Path | str,
    options: Options,
    where: Where | None = None,
    on_progress: OnProgress = silent,
) -> Outcome:
    """One book in the folder `out`. UserError for all that keeps it from being made."""
    job = Job(job_name(source.name), source, options, own_folder=False)
    (outcome,) = make_books([job], out, where, on_progress)
    if outcome.state != "done":
        raise UserError(outcome.error or "The book was cancelled.", "")
    return outcome


def make_books(
    jobs: Sequence[Job],
    out: Path | str,
    where: Where | None = None,
    on_progress: OnProgress = silent,
) -> list[Outcome]:
    """Make a shelf of books below `out`; what became of each. UserError for a full disk.

    `out` is a folder, or a URL that fsspec knows: then books are made in the user's cache and
    copied there as they are finished.
    """
    where = where or Where()
    place = Place(out) if isinstance(out, str) and is_remote(out) else None
    out = scratch_folder(place.url) if place else Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    device = _device(where.device)
    voices = Voices(device)
    shelf = Shelf(jobs, out, voices, on_progress)

    def shared() -> dict[str, Any]:
        return {"voices": voices.loaded, "device": device}

    outcomes = []
    for outcome in shelf.run(_executor(where, device, shared)):
        outcomes.append(_sent(outcome, place, out) if place else outcome)
    _remember(outcomes, voices)
    return outcomes


def _sent(outcome: Outcome, place: Place, base: Path) -> Outcome:
    """The outcome, its book copied to the place where it belongs; failed where that failed."""
    if outcome.delivered is None:
        return outcome
    try:
        place.put_book(outcome.delivered.files, base)
    except UserError as error:
        return dataclasses.replace(outcome, state="failed", error=str(error), delivered=None)
    return outcome


def _device(asked: str) -> str:
    """The device to speak on. torch is not loaded where there is plainly no other than the CPU."""
    others = any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/kfd"))
    others = others or sys.platform == "darwin" or shutil.which("nvidia-smi") is not None
    if asked == "cpu" or (asked == "auto" and not others):
        return "cpu"
    from vits.device import pick_device

    return pick_device(asked)


def _executor(where: Where, device: str, shared: Shared) -> Executor:
    workers = where.workers or (usable_cores() if device == "cpu" else 1)
    if where.executor == "ray":
        gpus = 1.0 if device == "cuda" else 0.0
        return RayActors(start_worker, shared, workers, where.address or None, gpus=gpus)
    if workers == 1:
        return Inline(start_worker, shared)
    return LocalProcesses(start_worker, shared, workers)


def _remember(outcomes: Sequence[Outcome], voices: Voices) -> None:
    """Let the library know what was made with its voices."""
    from vits.library import record_made, voice_folder

    for name, voice in voices.known.items():
        files = [
            path
            for outcome in outcomes
            if outcome.delivered and outcome.job.options.voice.partition(":")[0] == name
            for path in outcome.delivered.files
        ]
        if files and voice.folder == voice_folder(voice.name):
            record_made(voice.name, files)

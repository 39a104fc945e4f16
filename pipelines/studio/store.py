"""Long work, kept on the disk: what is asked for, how far it is, what became of it.

    jobs/000012/job.json        what, and its state
    jobs/000012/progress.json   how far, written by the child that does it
    jobs/000012/result.json, error.json, curve.jsonl, log.txt

A job that was running when the program ended is waiting again when it begins: all work goes on
where it was.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.studio.places import studio
from vits.errors import UserError
from vits.files import write_text

ACTIVE = ("waiting", "running", "stopping")
KEPT = 200  # jobs that are over, before the oldest go


@dataclass(frozen=True)
class Job:
    """One piece of work. `target` is what it makes: two jobs never make the same at once.

    state: waiting, running, stopping, stopped, done, failed.
    """

    id: str
    kind: str
    target: str
    title: str
    params: Mapping[str, Any] = field(default_factory=dict)
    state: str = "waiting"

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class JobStore:
    """All jobs of this library, oldest first."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or studio() / "jobs"
        self._lock = threading.RLock()
        self._jobs = {job.id: job for job in self._read_all()}

    def _read_all(self) -> list[Job]:
        jobs = []
        for path in sorted(self.folder.glob("[0-9]*/job.json")):
            try:
                job = Job(**json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError):  # a file that somebody damaged
                continue
            if job.state == "stopping":
                job = replace(job, state="stopped")
            elif job.state == "running":
                job = replace(job, state="waiting")
            jobs.append(job)
        return jobs

    def all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

    def get(self, job_id: str) -> Job:
        """UserError for one that is not there."""
        with self._lock:
            if job_id not in self._jobs:
                raise UserError("There is no such job.", "Load the page again.")
            return self._jobs[job_id]

    def place(self, job_id: str) -> Path:
        return self.folder / job_id

    def add(self, kind: str, target: str, title: str, params: Mapping[str, Any]) -> Job:
        """A new job that waits. UserError where one for the same target is not over yet."""
        with self._lock:
            self._refuse_two(target)
            number = max((int(job_id) for job_id in self._jobs), default=0) + 1
            job = Job(f"{number:06d}", kind, target, title, dict(params))
            self._write(job)
            self._forget_old()
            return job

    def again(self, job_id: str) -> Job:
        """Let a job that stopped or failed wait once more."""
        with self._lock:
            job = self.get(job_id)
            if job.active:
                raise UserError("This work is going on.", "Wait for it, or stop it.")
            self._refuse_two(job.target)
            (self.place(job_id) / "error.json").unlink(missing_ok=True)
            return self.change(job_id, "waiting")

    def change(self, job_id: str, state: str) -> Job:
        with self._lock:
            job = replace(self.get(job_id), state=state)
            self._write(job)
            return job

    def forget(self, job_id: str) -> None:
        """Take a job that is over off the list; what it made stays."""
        with self._lock:
            if self.get(job_id).active:
                raise UserError("This work is going on.", "Stop it first.")
            del self._jobs[job_id]
            shutil.rmtree(self.place(job_id), ignore_errors=True)

    def told(self, job: Job) -> dict[str, Any]:
        """A job as the page shows it."""
        folder = self.place(job.id)
        return {
            **asdict(job),
            "progress": _read(folder / "progress.json"),
            "result": _read(folder / "result.json") if job.state == "done" else None,
            "error": _read(folder / "error.json") if job.state == "failed" else None,
        }

    def _refuse_two(self, target: str) -> None:
        if any(job.active and job.target == target for job in self._jobs.values()):
            raise UserError(
                "This is being worked on already, perhaps from another tab.",
                "Wait for it, or stop it first.",
            )

    def _forget_old(self) -> None:
        over = [job.id for job in self._jobs.values() if not job.active]
        for job_id in over[:-KEPT]:
            self.forget(job_id)

    def _write(self, job: Job) -> None:
        self._jobs[job.id] = job
        write_text(self.place(job.id) / "job.json", json.dumps(asdict(job), ensure_ascii=False))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None

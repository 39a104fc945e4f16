"""Does the jobs: one child process for each, one job at a time in each of three lanes.

A child is told to stop through its standard input, and stops by itself when that ends: whatever
happens to this program, no child goes on alone.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from pipelines.studio.store import Job, JobStore
from vits.files import write_text

log = logging.getLogger(__name__)

# Work of one lane waits for the lane's; the others do not wait for it.
LANES = {
    "train": "long", "audiobook": "long", "evaluate": "long", "compare": "long",
    "prepare": "middle", "render": "middle",
}  # fmt: skip
WORK = (sys.executable, "-m", "pipelines.studio.work")
LOOK_S = 0.5
PATIENCE_S = 20.0  # of the end of this program, for children that save
STOPPED = 130


class Runner:
    """Starts what waits and notes what becomes of it, in a thread of its own."""

    def __init__(self, store: JobStore, command: Sequence[str] = WORK) -> None:
        self.store = store
        self._command = command
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._wake = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)
        self._thread.start()

    def start(self, kind: str, target: str, title: str, params: dict[str, Any]) -> Job:
        """A new job, begun as soon as its lane is free. UserError as `JobStore.add`."""
        job = self.store.add(kind, target, title, params)
        self._wake.set()
        return job

    def again(self, job_id: str) -> Job:
        job = self.store.again(job_id)
        self._wake.set()
        return job

    def stop(self, job_id: str) -> Job:
        """Ask a job to stop; what it has made stays, and `again` goes on from there."""
        job = self.store.get(job_id)
        if job.state == "waiting":
            return self.store.change(job_id, "stopped")
        if job.state == "running":
            job = self.store.change(job_id, "stopping")
            child = self._children.get(job_id)
            if child is not None:
                _end_input(child)
        return job

    def close(self) -> None:
        """End the children, each at a place from which it goes on."""
        self._closed = True
        self._wake.set()
        self._thread.join()
        for child in self._children.values():
            _end_input(child)
        for child in self._children.values():
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            for job_id, child in list(self._children.items()):
                if child.poll() is not None:
                    del self._children[job_id]
                    self._ended(job_id, child.returncode)
            for job in self.store.all():
                if job.state == "waiting" and self._lane_is_free(job):
                    self._begin(job)
            self._wake.wait(LOOK_S)

    def _lane_is_free(self, job: Job) -> bool:
        lanes = {_lane(self.store.get(job_id)) for job_id in self._children}
        return _lane(job) not in lanes

    def _begin(self, job: Job) -> None:
        folder = self.store.place(job.id)
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.store.change(job.id, "running")
        with (folder / "log.txt").open("ab") as output:
            self._children[job.id] = subprocess.Popen(
                [*self._command, str(folder)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,  # Ctrl-C is this program's to hand on
            )

    def _ended(self, job_id: str, code: int) -> None:
        stopping = self.store.get(job_id).state == "stopping"
        if code == 0:
            self.store.change(job_id, "done")
        elif stopping or code == STOPPED:
            self.store.change(job_id, "stopped")
        else:
            error = self.store.place(job_id) / "error.json"
            if not error.exists():
                cause = f"The work ended unexpectedly (code {code})."
                told = {"cause": cause, "remedy": "Start it again: it goes on where it was."}
                write_text(error, json.dumps(told))
            self.store.change(job_id, "failed")


def _lane(job: Job) -> str:
    return LANES.get(job.kind, "short")


def _end_input(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None and not child.stdin.closed:
        child.stdin.close()

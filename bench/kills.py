"""Kill training and rendering at random moments and run them again: are the files the same?

A command is run once in peace. Then, in a place of its own, it is killed (SIGKILL, which nothing
can tidy up after) at moments drawn evenly from the time that took, run again each time, and at the
end let finish. Every finished run's files must have the SHA-256 of the ones made in peace. A run
that ends before its kill is compared as well, and the next one starts from nothing.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.commands import command
from bench.settings import ROOT, Settings, tell
from bench.table import Row, Target

STORY = """# The lamp

The lamp stood on the hill. "Good evening," said Anna. It was late.

## Later

The sea was still, and the lamp was lit.
"""
NAME = "killed"


@dataclass(frozen=True)
class Job:
    """A command that makes `files` (a folder) in a working folder; the same words go on with it."""

    name: str
    words: Callable[[Path], Sequence[str]]
    files: Callable[[Path], Path]


@dataclass(frozen=True)
class Survival:
    """How often a job was killed, how many runs ended, and in how many the files differed."""

    kills: int
    ended: int
    different: int
    files: int


def kills(settings: Settings) -> list[Row]:
    """For training and for rendering: runs whose files differ, of which there should be none."""
    rows = []
    for job in (_training(settings), _rendering(settings)):
        survival = survive(job, settings.kills, settings.threads or 1)
        note = (
            f"{survival.kills} kills, {survival.ended} runs that ended, {survival.files} files each"
        )
        rows.append(
            Row(
                f"{job.name}, killed at random moments: runs whose files differ",
                survival.different,
                target=Target(0),
                note=note,
            )
        )
    return rows


def _training(settings: Settings) -> Job:
    def words(place: Path) -> list[str]:
        train = [*command("clone-voice"), "train", str(settings.clips), "--name", NAME]
        train += ["--consent", "for a test", "--base", settings.voice, "--device", "cpu"]
        return [*train, "--steps", str(settings.kill_steps)]

    name = f"training of {settings.kill_steps} steps"
    return Job(name, words, lambda place: place / "home" / "voices" / NAME)


def _rendering(settings: Settings) -> Job:
    def words(place: Path) -> list[str]:
        source = place / "lamp.md"
        source.write_text(STORY, "utf-8")
        render = [*command("story"), "render", str(source), "-o", str(place / "story")]
        for suffix in ("mp4", "html", "srt", "mp3"):
            render += ["-f", suffix]
        return [*render, "-v", settings.voice, "--device", "cpu"]

    return Job("rendering of a story in 4 formats", words, lambda place: place / "story" / "out")


def survive(job: Job, wanted: int, threads: int, seed: int = 0) -> Survival:
    """Run a job in peace, then kill it `wanted` times. Raises RuntimeError where it fails."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        place = _place(folder, 0)
        started = time.monotonic()
        assert _ended(job, place, threads, None)
        took_s = time.monotonic() - started
        right = digests(job.files(place))
        done, ended, different, place = 0, 0, 0, _place(folder, 1)
        while True:
            limit = chance.uniform(0.0, took_s) if done < wanted else None
            if not _ended(job, place, threads, limit):
                done += 1
                tell(f"kills: {job.name}: {done} of {wanted}, this one after {limit:.1f} s")
                continue
            ended += 1
            different += digests(job.files(place)) != right
            if done >= wanted:
                return Survival(done, ended, different, len(right))
            place = _place(folder, ended + 1)


def _place(folder: str, number: int) -> Path:
    """A working folder; they share a name's length, since a path may be in what is made."""
    place = Path(folder, f"{number:04d}")
    place.mkdir()
    return place


def _ended(job: Job, place: Path, threads: int, limit_s: float | None) -> bool:
    """Run the job; False where it was killed after `limit_s`."""
    environment = os.environ | {
        "CLONE_VOICE_HOME": str(place / "home"),
        "OMP_NUM_THREADS": str(threads),
    }
    with (place / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            list(job.words(place)), cwd=ROOT, env=environment, stdout=said, stderr=said
        )
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()  # does nothing to one that has ended
            process.wait()
    if process.returncode:
        lines = (place / "said.txt").read_text("utf-8", "replace").strip().splitlines()[-3:]
        raise RuntimeError(f"{job.name} ended with {process.returncode}: {' '.join(lines)}")
    return True


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder, by its place there; hidden ones too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.relative_to(folder).as_posix()] = digest
    return found

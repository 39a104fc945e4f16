"""What a user waits for: the commands as they are installed, in processes of their own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.settings import ROOT, Settings, tell
from bench.table import Row, Target

MOST_STARTUP_S = 0.4
MOST_STORY_S = 15 * 60.0
MOST_STORY_AGAIN_S = 20.0  # "in seconds": load, look, find everything made


def command(name: str) -> list[str]:
    """How to run one of our commands here: installed beside this Python, or from the checkout."""
    suffix = ".exe" if os.name == "nt" else ""
    program = Path(sys.executable).with_name(name + suffix)
    if program.exists():
        return [str(program)]
    main = name.replace("-", "_") + "_main"
    return [sys.executable, "-c", f"import cli; cli.{main}()"]


def startup(settings: Settings) -> list[Row]:
    """How long `clone-voice --help` takes, after one that is not counted."""
    launch = [*command("clone-voice"), "--help"]
    seconds = [_timed(launch) for _ in range(settings.launches + 1)][1:]
    note = f"median of {len(seconds)}, longest {max(seconds):.2f} s"
    return [
        Row("clone-voice --help", statistics.median(seconds), "s", Target(MOST_STARTUP_S), note)
    ]


def _timed(words: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def story(settings: Settings) -> list[Row]:
    """What `make story` runs once the environment is made, from an empty library, and again."""
    with tempfile.TemporaryDirectory() as folder:
        home, out = Path(folder, "home"), Path(folder, "story")
        words = [*command("story"), "demo", "-o", str(out), *settings.story]
        environment = os.environ | {"CLONE_VOICE_HOME": str(home)}
        seconds = []
        for _ in range(2):
            tell(f"story: {' '.join(words)}")
            started = time.perf_counter()
            subprocess.run(words, check=True, cwd=ROOT, env=environment, stdout=sys.stderr)
            seconds.append(time.perf_counter() - started)
    shortened = f", SHORTENED by {' '.join(settings.story)}" if settings.story else ""
    return [
        Row(f"make story from an empty library{shortened}", seconds[0] / 60, "min",
            Target(MOST_STORY_S / 60)),
        Row(f"make story again{shortened}", seconds[1], "s", Target(MOST_STORY_AGAIN_S)),
    ]  # fmt: skip

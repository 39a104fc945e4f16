"""The speech server under load: the first byte of speech over HTTP, and many clients at once.

The server is the command in a process of its own; the clients are threads of this one, and so
share the machine with it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.memory import resident_mb
from bench.settings import Settings, tell
from bench.table import Row, Target

CLIENTS = 20
PATIENCE_S = 120.0
WORDS = 15
PCM_BYTES_PER_S = 48_000
FIRST_BYTE_S, SPEECH_PER_S, IDLE_MB, READY_S = 0.2, 20.0, 500.0, 3.0
_VERBS = [
    "saw",
    "found",
    "kept",
    "held",
    "left",
    "sold",
    "lost",
    "made",
    "sent",
    "took",
    "drew",
    "gave",
    "hid",
    "won",
    "wore",
]
_THINGS = [
    "lamp",
    "coat",
    "boat",
    "ring",
    "book",
    "drum",
    "fan",
    "bell",
    "map",
    "key",
    "jar",
    "pipe",
    "rope",
    "harp",
    "bowl",
    "tent",
]


@dataclass(frozen=True)
class Answer:
    """One request: seconds to its first byte, and of speech in it."""

    first_byte_s: float
    speech_s: float


def serving(settings: Settings) -> list[Row]:
    """First byte, throughput with 20 clients, and memory at rest, of `clone-voice serve`."""
    with _server(settings.voice) as (url, process):
        _ask(url, settings.voice, _sentence(0))  # loaded and warm from here on
        idle_mb = resident_mb(process.pid)
        alone = [_ask(url, settings.voice, _sentence(n)).first_byte_s for n in range(1, 11)]
        tell(f"serving: first byte {statistics.median(alone):.3f} s")
        began = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            texts = [_sentence(n) for n in range(100, 100 + 3 * CLIENTS)]
            answers = list(pool.map(lambda text: _ask(url, settings.voice, text), texts))
        took_s = time.monotonic() - began
    rate = sum(answer.speech_s for answer in answers) / took_s
    waits = [answer.first_byte_s for answer in answers]
    return [
        Row(
            "first byte of speech over HTTP, one client", statistics.median(alone), "s",
            Target(FIRST_BYTE_S), f"median of {len(alone)}, longest {max(alone):.3f} s",
        ),
        Row(
            f"{CLIENTS} clients at once, sentences of {WORDS} words: speech made in a second",
            rate, "s", Target(SPEECH_PER_S, at_least=True),
            f"{len(answers)} requests, no error; first byte: median "
            f"{statistics.median(waits):.2f} s, longest {max(waits):.2f} s",
        ),
        Row("memory of the server at rest, a voice loaded", idle_mb, "MB", Target(IDLE_MB)),
    ]  # fmt: skip


def studio(settings: Settings) -> list[Row]:
    """How soon the studio's page is there, and its memory at rest with the base loaded."""
    waits = []
    idle_mb = 0.0
    for _ in range(settings.rounds):
        with tempfile.TemporaryDirectory() as home:
            waited_s, idle_mb = _page(home)
            waits.append(waited_s)
    return [
        Row(
            "page ready after `studio` is typed", statistics.median(waits), "s",
            Target(READY_S), f"median of {len(waits)}, longest {max(waits):.2f} s",
        ),
        Row("memory of the studio at rest, the base loaded", idle_mb, "MB", Target(IDLE_MB)),
    ]  # fmt: skip


def _page(home: str) -> tuple[float, float]:
    """Seconds from the command to the page, and MB once a sentence was spoken."""
    import httpx

    key = "the-benchmark's-own-key"
    environment = os.environ | {"CLONE_VOICE_HOME": home, "CLONE_VOICE_KEY": key}
    began = time.monotonic()
    with _running(["studio", "--no-browser"], environment) as (entry, process):
        with httpx.Client(follow_redirects=True, timeout=PATIENCE_S) as client:
            client.get(entry).raise_for_status()
            for part in ("main.js", "tools.js", "jobs.js", "recordings.js", "style.css"):
                client.get(str(httpx.URL(entry).join(f"/page/{part}"))).raise_for_status()
            waited_s = time.monotonic() - began
            speak = str(httpx.URL(entry).join("/v1/audio/speech"))
            client.post(speak, json={"input": _sentence(0)}).raise_for_status()
        return waited_s, resident_mb(process.pid)


@contextmanager
def _server(voice: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    environment = os.environ | {"CLONE_VOICE_KEY": ""}
    with _running(["serve", "--rate", "100000", "--voice", voice], environment) as running:
        yield running


@contextmanager
def _running(
    words: list[str], environment: dict[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A command that serves, on a free port; the URL that it tells, and its process."""
    command = [sys.executable, "-c", "import cli; cli.clone_voice_main()", *words]
    process = subprocess.Popen(
        [*command, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True, env=environment
    )
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        watchdog.cancel()
        yield json.loads(line)["url"], process
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(PATIENCE_S)


def _ask(url: str, voice: str, text: str) -> Answer:
    """Ask for raw samples, of which the length is plain. Raises where the answer is an error."""
    import httpx

    wish: dict[str, Any] = {"input": text, "voice": voice, "response_format": "pcm"}
    began, first, size = time.monotonic(), 0.0, 0
    with httpx.stream("POST", f"{url}/v1/audio/speech", json=wish, timeout=PATIENCE_S) as answer:
        answer.raise_for_status()
        for data in answer.iter_raw():
            first = first or time.monotonic() - began
            size += len(data)
    assert size > PCM_BYTES_PER_S, "an answer holds less than a second of speech"
    return Answer(first, size / PCM_BYTES_PER_S)


def _sentence(number: int) -> str:
    """A sentence of 15 words that was not said before."""
    verb, thing = _VERBS[number % len(_VERBS)], _THINGS[number % len(_THINGS)]
    other = _THINGS[(number // len(_THINGS) + 5) % len(_THINGS)]
    text = f"She {verb} the old {thing} near the quiet river, and then the {other} in town."
    assert len(text.split()) == WORDS
    return text

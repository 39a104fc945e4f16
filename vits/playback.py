"""Sound to the loudspeaker, by sounddevice and the PortAudio library.

Both are optional: they are asked for only when something is to be played.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from vits.audio import Audio
from vits.errors import UserError

T = TypeVar("T")
BLOCK_S = 0.1  # between two questions whether to stop
AHEAD = 8  # pieces made while one is heard, so that no gap is heard between them


def play(pieces: Iterable[Audio], stopped: Callable[[], bool] | None = None) -> float:
    """Play sounds one after the other while the next are being made; the seconds played.

    Returns when the last one has been heard, or at once when `stopped` says so, which is asked
    several times a second. Raises UserError where sound cannot be played.
    """
    stream: Any = None
    n_samples, sample_rate = 0, 1
    try:
        for audio in ahead(pieces, AHEAD):
            if stream is None:
                sample_rate = audio.sample_rate
                stream = open_stream(sample_rate)
            for block in _blocks(audio) if stopped else [audio.samples]:
                if stopped and stopped():
                    stream.abort()  # what is in its buffer is not heard
                    return n_samples / sample_rate
                stream.write(block.reshape(-1, 1))
                n_samples += len(block)
        if stream is not None:
            stream.stop()  # waits for what is still in the buffer
    finally:
        if stream is not None:
            stream.close()
    return n_samples / sample_rate


def _blocks(audio: Audio) -> Iterator[np.ndarray]:
    """A sound in parts of BLOCK_S."""
    size = max(1, int(BLOCK_S * audio.sample_rate))
    for start in range(0, len(audio.samples), size):
        yield audio.samples[start : start + size]


def open_stream(sample_rate: int) -> Any:
    """A started sounddevice.OutputStream of one float32 channel. Raises UserError."""
    instead = "or write the sound to a file with -o"
    try:
        import sounddevice
    except ImportError as error:
        raise UserError(
            "Sound cannot be played: the package sounddevice is not installed.",
            f"Install it with: pip install sounddevice, {instead}.",
        ) from error
    except OSError as error:  # the package is there, the library it needs is not
        raise UserError(
            f"Sound cannot be played: {error}.",
            "Install the PortAudio library (libportaudio2 on Debian and Ubuntu, portaudio on "
            f"Fedora, Arch and Homebrew), {instead}.",
        ) from error
    try:
        stream = sounddevice.OutputStream(
            samplerate=sample_rate, channels=1, dtype="float32", latency="high"
        )
        stream.start()
    except (sounddevice.PortAudioError, ValueError) as error:
        raise UserError(
            f"Sound cannot be played: {error}.", f"Connect a loudspeaker, {instead}."
        ) from error
    return stream


def ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items, up to `depth` of them made beforehand in a thread; errors come through."""
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    abandoned = threading.Event()

    def put(kind: str, value: Any) -> None:
        while not abandoned.is_set():
            with contextlib.suppress(queue.Full):
                ready.put((kind, value), timeout=0.1)
                return

    def work() -> None:
        try:
            for item in items:
                put("item", item)
                if abandoned.is_set():
                    return
            put("end", None)
        except BaseException as error:  # whatever it is, it belongs to the thread that listens
            put("error", error)

    threading.Thread(target=work, name="ahead", daemon=True).start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        abandoned.set()

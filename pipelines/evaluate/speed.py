"""How fast a voice speaks here: seconds of work for a second of speech, and threads for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipelines.evaluate.scores import Speed
from vits.voice import Voice

SENTENCES = 6  # are enough: about 20 s of speech


@contextmanager
def on_threads(threads: int) -> Iterator[None]:
    """Let torch use so many threads while the block runs."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure_speeds(
    voice: Voice, texts: Sequence[str], *, speaker: str | None, language: str
) -> tuple[Speed, ...]:
    """On one thread, and on all that torch would use where those are more."""
    import torch

    counts = sorted({1, torch.get_num_threads()})
    return tuple(_speed(voice, texts[:SENTENCES], speaker, language, count) for count in counts)


def _speed(
    voice: Voice, texts: Sequence[str], speaker: str | None, language: str, threads: int
) -> Speed:
    with on_threads(threads):
        _spoken_s(voice, texts[:1], speaker, language)  # the first one makes kernels
        started = time.perf_counter()
        seconds = _spoken_s(voice, texts, speaker, language)
        return Speed(threads, (time.perf_counter() - started) / seconds)


def _spoken_s(voice: Voice, texts: Sequence[str], speaker: str | None, language: str) -> float:
    return sum(
        speech.audio.duration_s
        for text in texts
        for speech in voice.speak(text, speaker=speaker, language=language)
    )

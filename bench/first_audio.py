"""How soon the first sound of a text is there, once the voice is loaded.

The text is all sentences in a row, each beginning the text once, so that none was read before.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.settings import LANGUAGE, WARM_UP, Settings, counted, in_fresh_process, set_threads, tell
from bench.table import Row, Target

if TYPE_CHECKING:
    from vits.audio import Audio
    from vits.voice import Voice

MOST_S = 0.15


@dataclass(frozen=True)
class Waits:
    """Seconds to the first sound: of the first text after loading, and of each after a warm-up."""

    threads: int
    cold_s: float
    warm_s: tuple[float, ...]


def first_audio(settings: Settings) -> list[Row]:
    """The wait for a piece of the first clause, and for the whole of it, on one thread and all."""
    rows: list[Row] = []
    ways = {
        "in pieces (Voice.stream_audio)": _pieces,
        "a short clause whole (say --play)": _clauses,
    }
    measured: set[int] = set()  # all may be one
    for threads in (1, settings.threads):
        for way, begin in ways.items():
            waits = in_fresh_process(measure, begin, settings.voice, settings.sentences, threads)
            if waits.threads in measured:
                break
            rows.append(_row(settings, way, waits))
            tell(f"first_audio: {way}, {counted(waits.threads)}: done")
        measured.add(waits.threads)
    return rows


def _row(settings: Settings, way: str, waits: Waits) -> Row:
    what = f"first sound, {way}, {settings.voice_name}, {counted(waits.threads)}"
    note = (
        f"median of {len(waits.warm_s)}, longest {max(waits.warm_s):.3f} s; "
        f"the first text after loading, without a warm-up, {waits.cold_s:.3f} s"
    )
    return Row(what, statistics.median(waits.warm_s), "s", Target(MOST_S), note)


def measure(
    begin: Callable[[Voice, str], Iterator[Audio]],
    voice_name: str,
    sentences: Sequence[str],
    threads: int,
) -> Waits:
    """Load, begin one text cold, warm up, then begin a text with each sentence."""
    from vits.voice import Voice

    used = set_threads(threads)
    voice = Voice.load(voice_name)
    cold_s = _wait(begin, voice, WARM_UP)
    voice.warm_up()
    texts = [" ".join([*sentences[i:], *sentences[:i]]) for i in range(len(sentences))]
    return Waits(used, cold_s, tuple(_wait(begin, voice, text) for text in texts))


def _wait(begin: Callable[[Voice, str], Iterator[Audio]], voice: Voice, text: str) -> float:
    started = time.perf_counter()
    first = next(begin(voice, text))
    waited_s = time.perf_counter() - started
    assert len(first.samples), "the first piece is empty"
    return waited_s


def _pieces(voice: Voice, text: str) -> Iterator[Audio]:
    return voice.stream_audio(text, language=LANGUAGE, soon=True)


def _clauses(voice: Voice, text: str) -> Iterator[Audio]:
    return (speech.audio for speech in voice.speak(text, language=LANGUAGE, soon=True))

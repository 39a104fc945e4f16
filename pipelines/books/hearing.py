"""Listening to what was spoken: is this sentence too long or short, silent, clipped, stuck?

Nobody hears a book of ten hours before it is shipped. Each sentence is measured as it is made; what
fails is spoken again with other noise (VITS has no loop to get stuck in, yet a bad draw of the
noise, a broken voice or a text of symbols can give hum, hiss or next to nothing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vits.audio import Audio

if TYPE_CHECKING:
    from pipelines.evaluate import Recogniser

SHORTEST_S, LONGEST_S = 0.025, 0.28  # of sound for each phoneme, at ordinary speed
FEW_SYMBOLS = 6  # below which a duration says nothing
SILENT_DB = -50.0
GAP_S, GAP_DB = 1.5, -60.0  # a hole in the middle of a sentence
CLIPPED_LEVEL, CLIPPED_SHARE = 0.985, 0.004
FRAME_S, BANDS = 0.02, 20
REPEAT_LAGS_S = (0.1, 0.8)  # between a sound and its repetition
REPEAT_S, REPEAT_LIKENESS = 1.6, 0.985
MOST_QUIET = 0.6  # of a repetition; a long pause is like itself too
SHORTEST_HEARD = 12  # characters; a recogniser needs some context
WORST_CER = 0.6  # by a recogniser that itself errs a lot

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """What was measured of a sentence; `faults` are words for people, none if all is well."""

    faults: tuple[str, ...]
    seconds: float

    @property
    def fine(self) -> bool:
        return not self.faults


def listen(
    audio: Audio,
    symbols: Sequence[str],
    *,
    speed: float = 1.0,
    text: str = "",
    language: str = "en",
    recogniser: Recogniser | None = None,
) -> Heard:
    """Measure one sentence against what it should be."""
    samples, rate = audio.samples, audio.sample_rate
    checks = (
        _duration(audio.duration_s, symbols, speed),
        _silence(samples, rate),
        _clipping(samples),
        _repetition(samples, rate),
        _words(audio, text, recogniser, language) if recogniser else "",
    )
    return Heard(tuple(fault for fault in checks if fault), audio.duration_s)


def _duration(seconds: float, symbols: Sequence[str], speed: float) -> str:
    sounds = sum(symbol.isalpha() or ord(symbol[0]) > 0x24F for symbol in symbols[1:])
    if sounds < FEW_SYMBOLS:
        return ""
    each = seconds * speed / sounds
    if each < SHORTEST_S:
        return f"too short: {seconds:.1f} s for {sounds} sounds"
    return f"too long: {seconds:.1f} s for {sounds} sounds" if each > LONGEST_S else ""


def _silence(samples: Samples, rate: int) -> str:
    if not len(samples) or _db(float(np.square(samples, dtype=np.float64).mean())) < SILENT_DB:
        return "silent"
    frame = max(1, int(FRAME_S * rate))
    power = np.square(samples[: len(samples) // frame * frame]).reshape(-1, frame).mean(axis=1)
    loud = np.flatnonzero(10 * np.log10(power + 1e-12) > GAP_DB)
    if len(loud) > 1 and np.diff(loud).max() * FRAME_S > GAP_S:
        return f"a gap of {np.diff(loud).max() * FRAME_S:.1f} s"
    return ""


def _clipping(samples: Samples) -> str:
    share = float((np.abs(samples) > CLIPPED_LEVEL).mean()) if len(samples) else 0.0
    return f"clipped ({share:.1%} of it)" if share > CLIPPED_SHARE else ""


def _repetition(samples: Samples, rate: int) -> str:
    """Whether more than REPEAT_S of it is like what came a moment before: stuck, or a hum."""
    shapes = _shapes(samples, rate)
    least, most = (round(lag / FRAME_S) for lag in REPEAT_LAGS_S)
    needed = round(REPEAT_S / FRAME_S)
    if len(shapes) < needed + least:
        return ""
    quiet: NDArray[np.bool_] = np.abs(shapes).sum(axis=1) == 0
    for lag in range(least, min(most, len(shapes) - needed) + 1):
        alike = (shapes[lag:] * shapes[:-lag]).sum(axis=1) > REPEAT_LIKENESS
        start, end = _longest_run(alike | (quiet[lag:] & quiet[:-lag]))
        if end - start >= needed and quiet[start:end].mean() < MOST_QUIET:
            return f"the same sound again and again, every {lag * FRAME_S:.2f} s"
    return ""


def _shapes(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Spectra of loud frames as unit vectors (frames, BANDS), quiet ones zero: they match none."""
    step = int(FRAME_S * rate)
    count = len(samples) // step
    frames = samples[: count * step].reshape(count, step) * np.hanning(step)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.geomspace(1, power.shape[1] - 1, BANDS + 1).round().astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    level = np.log10(bands + 1e-9)
    centred = level - level.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    loud = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12) > SILENT_DB
    shapes: NDArray[np.float64] = centred / np.maximum(norms, 1e-9) * loud[:, None]
    return shapes


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """The half-open bounds of the longest row of true ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    if not len(edges):
        return 0, 0
    longest = int((edges[1::2] - edges[::2]).argmax())
    return int(edges[2 * longest]), int(edges[2 * longest + 1])


def _words(audio: Audio, text: str, recogniser: Recogniser, language: str) -> str:
    from pipelines.evaluate import error_rates

    if len(text) < SHORTEST_HEARD:
        return ""
    cer = error_rates([text], [recogniser.hear(audio)], language).cer
    return f"heard otherwise (character error rate {cer:.2f})" if (cer or 0) > WORST_CER else ""


def _db(power: float) -> float:
    return 10 * float(np.log10(power + 1e-12))

"""One loudness for a whole sound track, in pieces, so that a long film needs no more memory.

Loudness is ITU-R BS.1770-4 (`vits/loudness.py`). One gain for the whole track brings it to the
target, since a gain that follows the speech would pump. Where a peak between the samples would
still go over the ceiling, a look-ahead limiter takes it down.

A told story's gain goes in steps of half a decibel: a changed line hardly ever moves it, and what
was encoded of all other scenes can be used again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vits.loudness import Meter

TARGET_LUFS = -18.0
CEILING_DBTP = -1.5  # lossy coders overshoot by about a decibel

OVERSAMPLING = 4
REACH = 10  # samples on either side that what is between two depends on
LOOK_AHEAD_S = 0.005
PIECE_S = 20.0
STEP_DB = 0.5  # of a told story's gain

Samples = NDArray[np.float32]


def sample_rate(path: str | Path) -> int:
    """Samples a second of a sound file."""
    import soundfile

    return int(soundfile.info(str(path)).samplerate)


def sample_count(path: str | Path) -> int:
    """Samples of a sound file."""
    import soundfile

    return int(soundfile.info(str(path)).frames)


def track_loudness(path: str | Path) -> float:
    """Integrated loudness in LUFS of a mono sound file; -inf for silence."""
    meter = Meter(sample_rate(path))
    for samples in read_pieces(path, 0, sample_count(path)):
        meter.add(samples)
    return meter.lufs


def levelled(
    path: str | Path, *, lufs: float = TARGET_LUFS, ceiling_dbtp: float = CEILING_DBTP
) -> Iterator[Samples]:
    """The track of a mono sound file at `lufs`, peaks under `ceiling_dbtp`, piece by piece.

    The pieces joined are what the whole track at once would give. Silence stays silence.
    """
    loudness = track_loudness(path)
    gain_db = lufs - loudness if np.isfinite(loudness) else 0.0
    yield from _raised(path, 0, sample_count(path), gain_db, ceiling_dbtp)


def told(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[Samples]:
    """The samples from `start` to `stop` of a told story's track, at the story's level."""
    stop = sample_count(path) if stop is None else stop
    yield from _raised(path, start, stop, told_gain_db(path), CEILING_DBTP)


def told_gain_db(path: str | Path) -> float:
    """What brings a story's track to the target, to the nearest step."""
    path = Path(path)
    return _gain_db(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _gain_db(path: Path, _written: int) -> float:
    loudness = track_loudness(path)
    if not np.isfinite(loudness):
        return 0.0
    return STEP_DB * round((TARGET_LUFS - loudness) / STEP_DB)


def _raised(
    path: str | Path, start: int, stop: int, gain_db: float, ceiling_dbtp: float
) -> Iterator[Samples]:
    """Samples of a file with gain and limiter; those outside of the span count as neighbours."""
    import soundfile

    gain = np.float32(10 ** (gain_db / 20))
    with soundfile.SoundFile(str(path)) as file:
        rate, total = file.samplerate, file.frames
        reach, step = reach_samples(rate), int(PIECE_S * rate)
        for at in range(start, stop, step):
            before, end = max(0, at - reach), min(stop, at + step)
            file.seek(before)
            samples = _read_mono(file, min(total, end + reach) - before) * gain
            limited = limit(samples, rate, ceiling_dbtp)
            yield limited[at - before : end - before]


def reach_samples(rate: int) -> int:
    """How far away a sample can be that another's gain depends on."""
    return 3 * _look_ahead_samples(rate) + 64


def read_pieces(path: str | Path, start: int, stop: int) -> Iterator[Samples]:
    """The samples of a file from `start` to `stop`, mono, as they are."""
    import soundfile

    with soundfile.SoundFile(str(path)) as file:
        file.seek(start)
        step = int(PIECE_S * file.samplerate)
        for at in range(start, stop, step):
            yield _read_mono(file, min(step, stop - at))


def limit(samples: Samples, sample_rate: int, ceiling_dbtp: float) -> Samples:
    """Keep the true peak of `samples` (T,) under the ceiling, changing the gain smoothly.

    The gain that each sample needs is spread over the look-ahead by a running minimum and then
    smoothed by a window of the same length: the smoothed gain is nowhere above the needed one.
    """
    ceiling = 10 ** (ceiling_dbtp / 20)
    peaks = true_peaks(samples)
    if not len(samples) or peaks.max() <= ceiling:
        return samples
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    length = 2 * _look_ahead_samples(sample_rate) + 1
    held = _running_minimum(needed, length)
    window = np.hanning(length + 2)[1:-1]
    padded = np.pad(held, length // 2, mode="edge")
    gain = np.convolve(padded, window / window.sum(), mode="valid")
    limited: Samples = (samples * gain).astype(np.float32)
    return limited


def _running_minimum(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The least of the `length` values around each, an odd number: (T,) -> (T,)."""
    held, span = np.pad(values, length // 2, mode="edge"), 1
    while 2 * span <= length:
        held, span = np.minimum(held[:-span], held[span:]), 2 * span
    rest = length - span
    return np.minimum(held[:-rest], held[rest:]) if rest else held


def true_peaks(samples: Samples) -> NDArray[np.float64]:
    """Highest magnitude around each sample, in between as well: (T,) -> (T,)."""
    peaks = np.abs(samples).astype(np.float64)
    if not len(samples):
        return peaks
    heard = np.pad(samples.astype(np.float64), (REACH, REACH))
    for kernel in _between():
        between = np.abs(np.convolve(heard, kernel, mode="valid"))  # the last before the first
        np.maximum(peaks, np.maximum(between[:-1], between[1:]), out=peaks)
    return peaks


@lru_cache(maxsize=1)
def _between() -> list[NDArray[np.float64]]:
    """Filters that give the values 1/4, 2/4 and 3/4 of the way from one sample to the next.

    A sinc under a Kaiser window; scipy.signal has the same, and takes seconds and 70 MB to import.
    """
    kernels = []
    window = np.kaiser(2 * REACH * OVERSAMPLING + 1, 5.0)
    for step in range(1, OVERSAMPLING):
        places = np.arange(-REACH + 1, REACH + 1) - step / OVERSAMPLING
        weights = window[np.rint((places + REACH) * OVERSAMPLING).astype(int)]
        kernel = np.sinc(places) * weights
        kernels.append(kernel[::-1] / kernel.sum())
    return kernels


def _read_mono(file: Any, count: int) -> Samples:
    samples: Samples = file.read(count, dtype="float32", always_2d=True).mean(axis=1)
    return samples


def _look_ahead_samples(sample_rate: int) -> int:
    return int(LOOK_AHEAD_S * sample_rate)

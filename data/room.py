"""How long a room sounds on after a voice: the reverberation time, from speech alone.

In a room no sound dies away faster than the room lets it: what counts is how steep the steepest
falls of the level are (the decay-rate view of Ratnam et al. 2003 and Wen, Habets and Naylor 2008).
Falls are measured in the higher bands, where speech itself stops abruptly, and the mapping from
their steepness to seconds is fitted to clean recordings convolved with rooms of known time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vits.audio import Audio

BANDS_HZ = ((500.0, 1000.0), (1000.0, 2000.0), (2000.0, 4000.0))
HOP_S, WINDOW_S = 0.008, 0.016
FALL_FRAMES = 16  # 130 ms: longer than the gap in a stop, shorter than most pauses
LEAST_FALL_DB = 4.0
SMOOTH_FRAMES = 5  # a dying sound flickers
FEWEST_FALLS = 4
STEEPEST_SHARE = 30.0  # percentile of the falls that is taken
# what the falls of speech in rooms of known T60 measure, and that T60
MEASURED_S = (0.25, 0.35, 0.48, 0.60, 0.79, 1.10)
TRUE_S = (0.15, 0.30, 0.60, 1.00, 1.60, 2.50)


def reverberation_s(audio: Audio) -> float:
    """Seconds in which sound falls by 60 dB (T60), 0 where too little falls to tell."""
    times = [time for band in _band_levels(audio) for time in _falls(band)]
    if len(times) < FEWEST_FALLS:
        return 0.0
    return float(np.interp(np.percentile(times, STEEPEST_SHARE), MEASURED_S, TRUE_S))


def _band_levels(audio: Audio) -> list[NDArray[np.float64]]:
    """Level in dB every `HOP_S` of each band."""
    size, hop = int(WINDOW_S * audio.sample_rate), int(HOP_S * audio.sample_rate)
    if len(audio.samples) < 4 * size:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(audio.samples, size)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2
    hz = np.fft.rfftfreq(size, 1 / audio.sample_rate)
    bands = [power[:, (hz >= low) & (hz < high)] for low, high in BANDS_HZ]
    kernel = np.ones(SMOOTH_FRAMES) / SMOOTH_FRAMES
    energies = [np.convolve(band.sum(axis=1), kernel, "valid") for band in bands if band.shape[1]]
    return [10 * np.log10(energy + 1e-12) for energy in energies]


def _falls(levels: NDArray[np.float64]) -> list[float]:
    """T60 in seconds of each stretch of `FALL_FRAMES` in which the level falls, noise left out."""
    floor = np.percentile(levels, 10) + 6.0
    t = np.arange(FALL_FRAMES) * HOP_S
    t = t - t.mean()
    result, index = [], 0
    while index + FALL_FRAMES <= len(levels):
        part = levels[index : index + FALL_FRAMES]
        falling = part[0] - part[-1] >= LEAST_FALL_DB and part[-1] > floor
        if falling and (np.diff(part) < 0.5).all():
            slope = float((t @ part) / (t @ t))
            result.append(-60.0 / slope)
            index += FALL_FRAMES
        else:
            index += 1
    return result

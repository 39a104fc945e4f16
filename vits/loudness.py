"""Loudness of sound that comes in pieces: ITU-R BS.1770-4, K-weighted and gated, one channel.

The two filters are applied by their transfer functions, since scipy.signal takes seconds to import
for two biquads.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
STEP_S = 0.1  # a block is four steps: blocks of 0.4 s that overlap by three quarters
STEPS_PER_BLOCK = 4
STEPS_AT_ONCE = 100  # ten seconds are filtered at a time: their transform has little room to spare
LEAD_STEPS = 2  # before it, after which the filters have forgotten what was earlier

Samples = NDArray[np.float32]
Response = NDArray[np.complex128]


class Meter:
    """Integrated loudness: `add` the pieces, then read `lufs`. Memory is that of ten seconds."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._step = round(sample_rate * STEP_S)
        self._before: Samples = np.zeros(0, np.float32)
        self._waiting: list[Samples] = []
        self._powers: list[NDArray[np.float64]] = []

    def add(self, samples: Samples) -> None:
        """Samples (T,) that follow those before."""
        self._waiting.append(samples)
        length = STEPS_AT_ONCE * self._step
        if sum(map(len, self._waiting)) < length:
            return
        rest = np.concatenate(self._waiting)
        while len(rest) >= length:
            self._powers.append(self._measure(rest[:length]))
            self._before = rest[length - LEAD_STEPS * self._step : length]
            rest = rest[length:]
        self._waiting = [rest]

    @property
    def lufs(self) -> float:
        """The loudness so far; -inf for silence. What is shorter than a block is repeated."""
        rest = np.concatenate([np.zeros(0, np.float32), *self._waiting])
        needed = STEPS_PER_BLOCK * self._step
        if not self._powers and 0 < len(rest) < needed:
            rest = np.tile(rest, -(-needed // len(rest)))
        powers = np.concatenate([*self._powers, self._measure(rest)])
        if len(powers) < STEPS_PER_BLOCK:
            return float("-inf")
        return _gated(np.convolve(powers, np.full(STEPS_PER_BLOCK, 1 / STEPS_PER_BLOCK), "valid"))

    def _measure(self, samples: Samples) -> NDArray[np.float64]:
        """Mean square of each whole step of the K-weighted sound."""
        heard = np.concatenate([self._before, samples])
        weighted = _k_weighted(heard, self._rate)[len(self._before) :]
        whole = len(weighted) // self._step * self._step
        return np.square(weighted[:whole]).reshape(-1, self._step).mean(axis=1)


def _gated(power: NDArray[np.float64]) -> float:
    """LUFS of blocks, those left out that are silent, and then those far below the others."""
    heard = power[_lufs(power) > ABSOLUTE_GATE_LUFS]
    if not len(heard):
        return float("-inf")
    gate = 10 ** (RELATIVE_GATE_LU / 10) * heard.mean()
    return float(_lufs(heard[heard > gate].mean()))


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    level: NDArray[np.float64] = -0.691 + 10 * np.log10(np.maximum(power, 1e-12))
    return level


def _k_weighted(samples: Samples, rate: int) -> NDArray[np.float64]:
    """The two filters of BS.1770, designed for any rate."""
    size = 2 ** int(np.ceil(np.log2(len(samples) + rate // 5)))  # room for the ringing
    spectrum = np.fft.rfft(samples.astype(np.float64), size)
    spectrum *= _response(size, rate)
    return np.fft.irfft(spectrum, size)[: len(samples)]


@lru_cache(maxsize=2)
def _response(size: int, rate: int) -> Response:
    """Both filters at the frequencies of a transform; pieces of one length follow each other."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    shelf = _high_shelf(z, rate, 1681.974, 0.7071752, 3.999844)
    return shelf * _high_pass(z, rate, 38.13547, 0.5003270)


def _high_shelf(z: Response, rate: int, hz: float, q: float, gain_db: float) -> Response:
    k = np.tan(np.pi * hz / rate)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416  # so that it is the standard's table at 48 kHz
    over = (high + band * k / q + k * k) + 2 * (k * k - high) * z
    over += (high - band * k / q + k * k) * z**2
    return over / ((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2)


def _high_pass(z: Response, rate: int, hz: float, q: float) -> Response:
    k = np.tan(np.pi * hz / rate)
    under = 1 + 2 * (k * k - 1) / (1 + k / q + k * k) * z
    under += (1 - k / q + k * k) / (1 + k / q + k * k) * z**2
    return (1 - z) ** 2 / under

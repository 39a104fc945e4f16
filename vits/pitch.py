"""The pitch of a recording, frame by frame, by its autocorrelation and the best path through it.

P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise
ratio of a sampled sound", 1993, with the costs that it recommends.
"""

from __future__ import annotations

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from vits.config import AudioConfig

LOWEST_HZ, HIGHEST_HZ = 65.0, 600.0
CANDIDATES = 6
VOICING, SILENCE = 0.45, 0.03  # thresholds: of the autocorrelation, of the level
HIGHER, JUMP, TURN = 0.02, 0.35, 0.14  # costs: an octave down, an octave's jump, voice on or off
STEP_S = 0.01  # that the costs of a transition are for
TOGETHER = 512  # frames whose autocorrelations are held at a time

Floats = NDArray[np.float32]


def pitch_track(samples: Floats, audio: AudioConfig) -> Floats:
    """Pitch of each frame in Hz, (T_samples,) -> (T_samples // hop_length,).

    Where there is no voice, the value is negative: minus what a voice would be likely to have, from
    the nearest that was heard. Zero everywhere if none was.
    """
    n_frames = len(samples) // audio.hop_length
    if not n_frames:
        return np.zeros(0, np.float32)
    strengths, hz = _candidates(samples, n_frames, audio)
    scale = STEP_S * audio.sample_rate / audio.hop_length
    path = _best_path(strengths, np.log2(hz), JUMP * scale, TURN * scale)
    found = hz[np.arange(n_frames), path]
    voiced = path > 0
    if not voiced.any():
        return np.zeros(n_frames, np.float32)
    at = np.flatnonzero(voiced)
    filled = np.exp(np.interp(np.arange(n_frames), at, np.log(found[at])))
    return np.where(voiced, filled, -filled).astype(np.float32)


def _candidates(samples: Floats, n_frames: int, audio: AudioConfig) -> tuple[Floats, Floats]:
    """Strength and pitch in Hz of what each frame may be, (T, 1 + CANDIDATES); first: no voice."""
    size, rate = audio.n_fft, audio.sample_rate
    pad = (size - audio.hop_length) // 2
    padded = np.pad(np.asarray(samples, np.float32), (pad, pad))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: audio.hop_length][:n_frames]
    window = np.hanning(size).astype(np.float32)
    own = _autocorrelation(window[None])[0]
    loudest = max(float(np.abs(samples).max(initial=0.0)), 1e-6)
    low, high = int(rate / HIGHEST_HZ), min(int(rate / LOWEST_HZ) + 2, size // 2)
    strengths = np.zeros((n_frames, 1 + CANDIDATES), np.float32)
    hz = np.full((n_frames, 1 + CANDIDATES), 100.0, np.float32)
    for at in range(0, n_frames, TOGETHER):
        some = frames[at : at + TOGETHER]
        level = np.abs(some).max(1) / loudest
        strengths[at : at + TOGETHER, 0] = VOICING + np.maximum(
            0, 2 - level / (SILENCE / (1 + VOICING))
        )
        centred = (some - some.mean(1, keepdims=True)) * window
        r = _autocorrelation(centred)
        r = r / np.maximum(r[:, :1], 1e-9) / (own / own[0])
        lags, peaks = _peaks(r[:, low - 1 : high + 1])
        found = rate / (lags + low - 1)
        strengths[at : at + TOGETHER, 1:] = peaks - HIGHER * np.log2(HIGHEST_HZ / found)
        hz[at : at + TOGETHER, 1:] = found
    return strengths, hz


def _autocorrelation(frames: Floats) -> Floats:
    """(N, n) -> (N, n // 2) sums of products at each lag."""
    size = 2 * frames.shape[1]
    spectra = scipy.fft.rfft(frames, size)  # numpy's would take twice the precision and time
    power = spectra.real**2 + spectra.imag**2
    return scipy.fft.irfft(power)[:, : frames.shape[1] // 2]


def _peaks(r: Floats) -> tuple[Floats, Floats]:
    """Place and height of the highest peaks of each row, (N, CANDIDATES), between samples."""
    before, here, after = r[:, :-2], r[:, 1:-1], r[:, 2:]
    is_peak = (here > before) & (here >= after)
    ranked = np.where(is_peak, here, -np.inf)
    top = np.argpartition(-ranked, CANDIDATES, axis=1)[:, :CANDIDATES]
    a, b, c = (np.take_along_axis(x, top, 1) for x in (before, here, after))
    bend = np.minimum(a - 2 * b + c, -1e-9)
    shift = np.clip(0.5 * (a - c) / bend, -0.5, 0.5)
    height = np.take_along_axis(ranked, top, 1) - 0.25 * (a - c) * shift
    # above the window's own limit of precision a correlation means no more than perfect
    return (top + 1 + shift).astype(np.float32), np.minimum(height, 1.0).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _best_path(strengths: Floats, octaves: Floats, jump: float, turn: float) -> NDArray[np.int64]:
    """Candidate of each frame with the most strength and the least change, (T, K) -> (T,)."""
    n, k = strengths.shape
    best = strengths[0].astype(np.float64)
    came = np.zeros((n, k), np.int64)
    for t in range(1, n):
        now = np.full(k, -np.inf)
        for to in range(k):
            for source in range(k):
                cost = 0.0
                if (to == 0) != (source == 0):
                    cost = turn
                elif to > 0:
                    cost = jump * abs(octaves[t, to] - octaves[t - 1, source])
                value = best[source] - cost
                if value > now[to]:
                    now[to] = value
                    came[t, to] = source
            now[to] += strengths[t, to]
        best = now
    path = np.zeros(n, np.int64)
    path[-1] = np.argmax(best)
    for t in range(n - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path

"""What alignment hears: mel cepstra and their slopes over time (Davis and Mermelstein 1980)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW_S = 0.025
N_MELS = 32
MEL_RANGE_HZ = (60.0, 7600.0)  # no higher, so that 16 kHz sources look like the others
N_CEPSTRA = 13
DELTA_REACH = 2  # frames to either side
SPEECH_RANGE_DB = 35.0  # below the loudest frames: what lies lower is taken for a pause at first


def alignment_features(samples: np.ndarray, sample_rate: int, hop_length: int) -> Floats:
    """Mel cepstra and their differences over time, (T_samples,) -> (T, 26) float32.

    T = T_samples // hop_length, the frames of `vits.spectral.spectrogram`. Level, microphone and
    the average of the voice are taken out by the mean of the frames with speech.
    """
    log_mel = _log_mel(samples.astype(np.float32), sample_rate, hop_length)
    from scipy.fft import dct

    cepstra = dct(log_mel, type=2, norm="ortho", axis=1)[:, :N_CEPSTRA]
    cepstra = cepstra - cepstra[_loud(log_mel)].mean(axis=0)
    return np.concatenate([cepstra, _differences(cepstra)], axis=1).astype(np.float32)


def _log_mel(samples: Floats, sample_rate: int, hop_length: int) -> Floats:
    """Natural-log mel power (T, N_MELS); frame t is centred on sample (t + 1/2) * hop_length."""
    window_length = round(WINDOW_S * sample_rate)
    n_fft = 1 << (window_length - 1).bit_length()
    n_frames = len(samples) // hop_length
    assert n_frames > 0, "a recording shorter than a frame"
    margin = max(0, n_fft - hop_length)
    padded = np.pad(samples, (margin // 2, margin - margin // 2 + hop_length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length][:n_frames]
    spectrum = np.fft.rfft(frames * _window(n_fft, window_length))
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    mel = power @ _mel_filters(sample_rate, n_fft)
    floor = 1e-6 * mel.max() + 1e-10  # 60 dB below the loudest: digital silence is no phone
    return np.log(np.maximum(mel, floor))


@lru_cache(maxsize=8)
def _window(n_fft: int, length: int) -> Floats:
    """A Hann window of `length` samples in the middle of `n_fft`."""
    left = (n_fft - length) // 2
    return np.pad(np.hanning(length), (left, n_fft - length - left)).astype(np.float32)


@lru_cache(maxsize=8)
def _mel_filters(sample_rate: int, n_fft: int) -> Floats:
    import librosa

    low, high = MEL_RANGE_HZ[0], min(MEL_RANGE_HZ[1], sample_rate / 2)
    bank: Floats = librosa.filters.mel(
        sr=sample_rate, n_fft=n_fft, n_mels=N_MELS, fmin=low, fmax=high
    )
    return np.ascontiguousarray(bank.T, dtype=np.float32)


def _loud(log_mel: Floats) -> NDArray[np.bool_]:
    """Frames (T,) that are within `SPEECH_RANGE_DB` of the loudest ones."""
    level_db = 10 / np.log(10) * np.logaddexp.reduce(log_mel, axis=1)
    return level_db >= np.percentile(level_db, 98) - SPEECH_RANGE_DB


def _differences(values: np.ndarray) -> np.ndarray:
    """Slope over time of (T, D), by regression over `DELTA_REACH` frames to either side."""
    n_frames = len(values)
    padded = np.pad(values, ((DELTA_REACH, DELTA_REACH), (0, 0)), mode="edge")
    reach = range(1, DELTA_REACH + 1)
    slope = sum(
        k * (padded[DELTA_REACH + k :][:n_frames] - padded[DELTA_REACH - k :][:n_frames])
        for k in reach
    )
    return slope / (2 * sum(k * k for k in reach))

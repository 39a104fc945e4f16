"""One loudness for a whole track, measured and reached piece by piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from pipelines.media import loudness
from vits.loudness import Meter

RATE = 22050


def speechlike(seconds: float, seed: int = 0, level: float = 0.05) -> np.ndarray:
    """Noise in bursts of changing strength, with pauses."""
    noise = np.random.default_rng(seed).normal(size=int(seconds * RATE))
    time = np.arange(len(noise)) / RATE
    bursts = np.clip(np.sin(2 * np.pi * 0.7 * time), 0, None) * (1.2 + np.sin(0.3 * time))
    return (level * noise * bursts).astype(np.float32)


def track(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize(("rate", "seconds"), [(22050, 61.3), (48000, 7.0), (24000, 0.9)])
def test_loudness_is_that_of_pyloudnorm(tmp_path: Path, rate: int, seconds: float) -> None:
    samples = speechlike(seconds * rate / RATE)
    expected = pyloudnorm.Meter(rate).integrated_loudness(samples.astype(np.float64))
    found = loudness.track_loudness(track(tmp_path / "a.wav", samples, rate))
    # both reach the standard's filters at 48 kHz, and differ a little where noise meets Nyquist
    assert found == pytest.approx(expected, abs=0.05 if rate == 48000 else 0.15)


@pytest.mark.parametrize("piece_s", [0.03, 1.7, 70.0])
def test_loudness_in_pieces_is_that_of_the_whole(piece_s: float) -> None:
    samples = speechlike(131.0)
    whole, pieces = Meter(RATE), Meter(RATE)
    whole.add(samples)
    size = int(piece_s * RATE)
    for start in range(0, len(samples), size):
        pieces.add(samples[start : start + size])
    assert pieces.lufs == pytest.approx(whole.lufs, abs=1e-6)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64))
    assert whole.lufs == pytest.approx(expected, abs=0.15)


def test_silence_and_nothing_have_no_loudness() -> None:
    meter = Meter(RATE)
    assert meter.lufs == float("-inf")
    meter.add(np.zeros(3 * RATE, np.float32))
    assert meter.lufs == float("-inf")


def test_a_track_comes_to_the_target(tmp_path: Path) -> None:
    path = track(tmp_path / "a.wav", speechlike(30.0, level=0.004))
    levelled = np.concatenate(list(loudness.levelled(path)))
    meter = pyloudnorm.Meter(RATE)
    assert meter.integrated_loudness(levelled.astype(np.float64)) == pytest.approx(-18, abs=0.3)
    assert loudness.true_peaks(levelled).max() <= 10 ** (-1.4 / 20)


def test_pieces_joined_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = speechlike(9.0)
    samples[RATE * 3 : RATE * 3 + 40] *= 20  # peaks to limit, on a seam of the pieces
    samples[RATE * 6 - 5 : RATE * 6 + 5] *= 20
    path = track(tmp_path / "a.wav", samples)
    whole = np.concatenate(list(loudness.levelled(path)))
    monkeypatch.setattr(loudness, "PIECE_S", 1.0)
    pieces = list(loudness.levelled(path))
    assert len(pieces) == 9
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_the_limiter_holds_the_true_peak_and_leaves_the_rest_alone() -> None:
    samples = speechlike(2.0, level=0.02)
    samples[RATE : RATE + 30] = 0.98 * np.sin(np.arange(30) * 1.3)
    limited = loudness.limit(samples, RATE, -6.0)
    assert loudness.true_peaks(limited).max() <= 10 ** (-5.9 / 20)
    far = np.abs(np.arange(len(samples)) - RATE) > 0.02 * RATE
    np.testing.assert_array_equal(limited[far], samples[far])


def test_silence_stays_silence(tmp_path: Path) -> None:
    path = track(tmp_path / "a.wav", np.zeros(RATE, np.float32))
    assert loudness.track_loudness(path) == float("-inf")
    assert not np.concatenate(list(loudness.levelled(path))).any()


def test_true_peaks_are_those_of_four_values_for_each_sample() -> None:
    from scipy.signal import resample_poly

    samples = (np.random.default_rng(0).standard_normal(2000) * 0.2).astype(np.float32)
    dense = np.abs(resample_poly(samples.astype(np.float64), 4, 1)).reshape(-1, 4)
    between = dense[:, 1:].max(axis=1)
    expected = np.maximum(np.abs(samples), between)
    expected[1:] = np.maximum(expected[1:], between[:-1])
    assert loudness.true_peaks(samples)[20:-20] == pytest.approx(expected[20:-20], abs=2e-3)

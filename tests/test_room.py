"""The reverberation time grows with the room's, and a dry recording has little."""

from __future__ import annotations

import numpy as np
from voices import reader

from data.room import reverberation_s
from vits.audio import Audio


def in_room(audio: Audio, t60_s: float) -> Audio:
    random = np.random.default_rng(1)
    length = int(t60_s * audio.sample_rate)
    tail = random.normal(0, 1, length) * 10 ** (-3 * np.arange(length) / length)
    tail *= 0.5 / np.sqrt((tail**2).sum())
    tail[0] += 1
    size = len(audio.samples) + length
    wet = np.fft.irfft(np.fft.rfft(audio.samples, size) * np.fft.rfft(tail, size), size)
    return Audio((wet / np.abs(wet).max()).astype(np.float32), audio.sample_rate)


def test_longer_rooms_measure_longer() -> None:
    clips = [audio for audio, _ in reader(6)][2:]
    means = [
        np.mean([reverberation_s(in_room(clip, t60_s)) for clip in clips])
        for t60_s in (0.3, 0.6, 1.2)
    ]
    assert means == sorted(means)
    assert np.mean([reverberation_s(clip) for clip in clips]) < means[1]
    assert means[2] > 0.8


def test_nothing_to_tell_is_zero() -> None:
    assert reverberation_s(Audio(np.zeros(100, np.float32), 22050)) == 0
    assert reverberation_s(Audio(np.zeros(44100, np.float32), 22050)) == 0

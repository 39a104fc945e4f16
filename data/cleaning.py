"""One way for every clip to sound: its rate, its rumble, its edges, its loudness.

Nothing is done to the voice itself: no noise is removed and nothing is compressed, since a clone
would learn the traces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vits.audio import Audio, resample, with_loudness

LOUDNESS_LUFS = -23.0  # EBU R 128: speech keeps room for its peaks
RUMBLE_HZ = 40.0  # below the lowest voice (about 65 Hz), above steps, traffic and DC
KEPT_SILENCE_S = 0.15  # at both edges: less of it cuts off the ends of sentences
FADE_S = 0.005
FRAME_S, FRAME_HOP_S = 0.025, 0.010
STEADY_FRAMES = 7  # a click is shorter, a vowel longer
LOUD_SPEECH_DB, QUIETEST_SPEECH_DB = 25.0, 40.0  # below the loud frames
ABOVE_NOISE_DB = 6.0
SILENCE_DB = -100.0

Levels = NDArray[np.float64]


@dataclass(frozen=True)
class Cleaned:
    """A clip as it is used, and which part of the recording it was made of, in seconds."""

    audio: Audio
    start_s: float
    end_s: float


def clean(audio: Audio, sample_rate: int) -> Audio:
    """The clip at `sample_rate`, without rumble and long silent edges, at -23 LUFS.

    A silent clip comes back silent; telling it from speech is for `data.checks`.
    """
    return cleaned(audio, sample_rate).audio


def cleaned(audio: Audio, sample_rate: int) -> Cleaned:
    """The same, with the span that was kept."""
    audio = without_rumble(resample(audio, sample_rate))
    start, end = speech_span(audio)
    kept = int(KEPT_SILENCE_S * sample_rate)
    start, end = max(0, start - kept), min(len(audio.samples), end + kept)
    samples = audio.samples[start:end]
    levelled = with_loudness(_faded(Audio(samples, sample_rate)), LOUDNESS_LUFS)
    return Cleaned(levelled, start / sample_rate, end / sample_rate)


def without_rumble(audio: Audio) -> Audio:
    """Remove DC and what is below 40 Hz, as a Butterworth filter of order 4 that turns no phase."""
    samples = audio.samples - audio.samples.mean(dtype=np.float64)
    padding = min(len(samples) - 1, audio.sample_rate // 5)
    # mirrored at the edges, where the filter would answer to a step
    padded = np.pad(samples, padding, "reflect", reflect_type="odd")
    size = 2 ** int(np.ceil(np.log2(len(padded))))
    hz = np.fft.rfftfreq(size, 1 / audio.sample_rate)
    gain = 1 / np.sqrt(1 + (RUMBLE_HZ / np.maximum(hz, 1e-3)) ** 8)
    filtered = np.fft.irfft(np.fft.rfft(padded, size) * gain, size)
    samples = filtered[padding : padding + len(samples)]
    return Audio(np.clip(samples, -1.0, 1.0).astype(np.float32), audio.sample_rate)


def frame_levels_db(audio: Audio) -> Levels:
    """Power of 25 ms frames every 10 ms, in dB of full scale, not below -100; at least one."""
    size = min(int(FRAME_S * audio.sample_rate), len(audio.samples))
    hop = int(FRAME_HOP_S * audio.sample_rate)
    # a running sum: windows over a long recording would take its memory forty times
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio.samples, dtype=np.float64))])
    starts = np.arange(0, len(audio.samples) - size + 1, hop)
    power = (energy[starts + size] - energy[starts]) / size
    return 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))


def speech_span(audio: Audio) -> tuple[int, int]:
    """First sample of the speech and the one after its last; the whole clip if none stands out.

    Speech stands 6 dB above the clip's noise, at most 40 dB below its loud frames, for the better
    part of 70 ms. It begins where the first stretch begins that becomes loud, which breath and
    hiss before it do not, and ends likewise.
    """
    levels = frame_levels_db(audio)
    loud, noise = np.percentile(levels, 95), np.percentile(levels, 10)
    threshold = min(max(loud - QUIETEST_SPEECH_DB, noise + ABOVE_NOISE_DB), loud - ABOVE_NOISE_DB)
    active = levels > threshold
    steady = active & (
        np.convolve(active, np.ones(STEADY_FRAMES, np.int64), "same") > STEADY_FRAMES // 2
    )
    (heard,) = np.nonzero(steady & (levels > loud - LOUD_SPEECH_DB))
    if not len(heard):
        return 0, len(audio.samples)
    (quiet,) = np.nonzero(~steady)
    before, after = quiet[quiet < heard[0]], quiet[quiet > heard[-1]]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(levels) - 1
    hop, size = int(FRAME_HOP_S * audio.sample_rate), int(FRAME_S * audio.sample_rate)
    end = len(audio.samples) if last == len(levels) - 1 else last * hop + size
    return first * hop, end


def _faded(audio: Audio) -> Audio:
    """A few milliseconds in and out, so that a cut makes no click."""
    samples = audio.samples.copy()
    length = min(int(FADE_S * audio.sample_rate), len(samples) // 2)
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]
    return Audio(samples, audio.sample_rate)

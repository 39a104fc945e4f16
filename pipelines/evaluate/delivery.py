"""How something is said: pitch, pace and pauses, of a voice or of a person.

Pitch is pYIN's (Mauch and Dixon 2014) as librosa has it, on sound of 8 kHz, which holds every
voice's fundamental. Its spread is in semitones, so that high and low voices compare.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.cleaning import frame_levels_db, speech_span
from vits.audio import Audio, resample
from vits.text import LANGUAGES, phonemize_lines

PITCH_SAMPLE_RATE = 8_000  # Hz
PITCH_RANGE_HZ = (60.0, 500.0)
PITCH_FRAME, PITCH_HOP, PITCH_RESOLUTION = 512, 80, 0.2  # samples, samples, semitones
SHORTEST_PAUSE_S = 0.15  # a stop consonant is silent for less
PAUSE_DB = 30.0  # below the loud frames
LEVELS_PER_S = 100


@dataclass(frozen=True)
class Delivery:
    """pitch_hz: the median; pitch_spread: standard deviation in semitones; sounds_per_s: phonemes
    in a second, pauses inside the sentence included; pause_s: mean length of those pauses;
    pauses_per_min. None: not measured."""

    pitch_hz: float | None
    pitch_spread: float | None
    sounds_per_s: float | None
    pause_s: float | None
    pauses_per_min: float | None


def delivery(sounds: Sequence[Audio], texts: Sequence[str] = (), language: str = "en") -> Delivery:
    """Measured over all recordings together. `texts` are their words, for the pace."""
    heard = [audio for audio in sounds if np.any(audio.samples)]
    pitch = np.concatenate([pitch_track(audio) for audio in heard] or [np.zeros(0)])
    pauses = [pause for audio in heard for pause in pause_lengths(audio)]
    seconds = sum(spoken_seconds(audio) for audio in heard)
    return Delivery(
        pitch_hz=float(np.median(pitch)) if len(pitch) else None,
        pitch_spread=float(np.std(12 * np.log2(pitch))) if len(pitch) else None,
        sounds_per_s=_pace(sounds, texts, language),
        pause_s=float(np.mean(pauses)) if pauses else None,
        pauses_per_min=60 * len(pauses) / seconds if seconds else None,
    )


def pitch_track(audio: Audio) -> np.ndarray:
    """Fundamental frequency of the voiced frames, (n,) in Hz, 100 frames a second."""
    import librosa

    samples = resample(audio, PITCH_SAMPLE_RATE).samples
    if len(samples) < PITCH_FRAME:
        return np.zeros(0)
    low, high = PITCH_RANGE_HZ
    hz, voiced, _ = librosa.pyin(
        samples, fmin=low, fmax=high, sr=PITCH_SAMPLE_RATE, frame_length=PITCH_FRAME,
        hop_length=PITCH_HOP, resolution=PITCH_RESOLUTION,
    )  # fmt: skip
    return np.asarray(hz[voiced & np.isfinite(hz)], dtype=np.float64)


def pause_lengths(audio: Audio) -> list[float]:
    """Seconds of each pause inside the speech, the silence at the edges left out."""
    start, end = speech_span(audio)
    inside = Audio(audio.samples[start:end], audio.sample_rate)
    if inside.duration_s < SHORTEST_PAUSE_S:
        return []
    levels = frame_levels_db(inside)
    quiet = np.concatenate([[False], levels < np.percentile(levels, 95) - PAUSE_DB, [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    lengths = (edges[1::2] - edges[::2]) / LEVELS_PER_S
    return [float(seconds) for seconds in lengths if seconds >= SHORTEST_PAUSE_S]


def spoken_seconds(audio: Audio) -> float:
    """From the first sound of the speech to its last."""
    start, end = speech_span(audio)
    return (end - start) / audio.sample_rate


def _pace(sounds: Sequence[Audio], texts: Sequence[str], language: str) -> float | None:
    pairs = [(a, t) for a, t in zip(sounds, texts, strict=False) if t.strip()]
    pairs = [(audio, text) for audio, text in pairs if np.any(audio.samples)]
    if not pairs or language not in LANGUAGES:
        return None
    symbols = phonemize_lines([text for _, text in pairs], language)
    count = sum(_is_sound(symbol) for line in symbols for symbol in line)
    seconds = sum(spoken_seconds(audio) for audio, _ in pairs)
    return count / seconds if seconds else None


def _is_sound(symbol: str) -> bool:
    """Whether a symbol is a phoneme: a letter, no mark of stress, length or tone."""
    return len(symbol) == 1 and unicodedata.category(symbol) in ("Ll", "Lo", "Lu")

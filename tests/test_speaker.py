"""Speaker embeddings: unit length, repeatable, about the voice and not about level or pauses."""

from __future__ import annotations

import numpy as np
import pytest

from data.speaker import centroid, embed_clips, similarity, speaker_embedding
from vits.audio import Audio
from vits.errors import UserError

RATE = 22_050


def voice(pitch_hz: float, seconds: float = 2.5, seed: int = 0) -> np.ndarray:
    """A buzz with a wandering pitch, three formants and syllables: enough to be a 'speaker'."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = pitch_hz * (1 + 0.08 * np.sin(2 * np.pi * 0.7 * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wave = np.zeros_like(t)
    tract = 3 * pitch_hz**-0.2  # a higher voice has a shorter vocal tract
    for k in range(1, int(5000 / pitch_hz)):
        formants = (np.array([500, 1500, 2600]) - k * pitch_hz * tract) / 180
        wave += (np.exp(-(formants**2)).sum() + 0.02) / k**0.5 * np.sin(k * phase)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.5 * t)
    return (0.1 * wave * syllables / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="module")
def low() -> np.ndarray:
    return speaker_embedding(voice(110), RATE)


def test_an_embedding_is_256_floats_of_length_one(low: np.ndarray) -> None:
    assert low.shape == (256,)
    assert low.dtype == np.float32
    assert np.linalg.norm(low) == pytest.approx(1, abs=1e-5)


def test_the_same_recording_gives_the_same_embedding(low: np.ndarray) -> None:
    np.testing.assert_array_equal(low, speaker_embedding(voice(110), RATE))


def test_clips_embedded_together_equal_clips_embedded_alone() -> None:
    waves = [voice(110), voice(220, seconds=1.0), voice(160, seconds=4.0)]
    together = embed_clips([Audio(wave, RATE) for wave in waves])
    alone = np.stack([speaker_embedding(wave, RATE) for wave in waves])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_embedding_equals_the_encoders_own_whole_path(low: np.ndarray) -> None:
    from resemblyzer import VoiceEncoder, preprocess_wav

    own = VoiceEncoder("cpu", verbose=False).embed_utterance(preprocess_wav(voice(110), RATE))
    np.testing.assert_allclose(low, own, atol=1e-4)


def test_two_takes_of_one_voice_are_nearer_than_two_voices(low: np.ndarray) -> None:
    again = speaker_embedding(voice(110, seed=3), RATE)
    other = speaker_embedding(voice(240), RATE)
    assert low @ again > low @ other + 0.1


def test_level_and_added_silence_hardly_matter(low: np.ndarray) -> None:
    pause = np.zeros(RATE, np.float32)
    padded = np.concatenate([pause, 0.5 * voice(110), pause])
    assert low @ speaker_embedding(padded, RATE) > 0.95


def test_a_recording_shorter_than_a_window_is_embedded() -> None:
    assert np.isfinite(speaker_embedding(voice(110, seconds=0.3), RATE)).all()


def test_noise_without_speech_and_overloaded_samples_are_embedded() -> None:
    noise = np.random.default_rng(0).normal(0, 1.5, RATE).astype(np.float32)
    assert np.linalg.norm(speaker_embedding(noise, RATE)) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(speaker_embedding(1e-4 * noise, RATE)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("length", [0, RATE])
def test_silence_has_no_speaker(length: int) -> None:
    with pytest.raises(UserError, match="silent"):
        speaker_embedding(np.zeros(length, np.float32), RATE)


def test_the_centroid_lies_between_and_has_length_one() -> None:
    rows = embed_clips([Audio(voice(110), RATE), Audio(voice(220), RATE)])
    middle = centroid(rows)
    assert np.linalg.norm(middle) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(*similarity(rows, middle), atol=1e-5)


def test_no_clips_give_no_rows() -> None:
    assert embed_clips([]).shape == (0, 256)

from __future__ import annotations

import numpy as np
import pytest
from conftest import speech

from data.cleaning import KEPT_SILENCE_S, clean, frame_levels_db, speech_span, without_rumble
from vits.audio import Audio, loudness_lufs, resample

RATE = 22050


def between_silences(before_s: float, after_s: float, sample_rate: int = RATE) -> Audio:
    """Two seconds of speech in a longer recording with a little noise."""
    random = np.random.default_rng(1)
    edges = [random.normal(0, 3e-4, int(s * sample_rate)) for s in (before_s, after_s)]
    middle = speech(1.8, sample_rate).samples  # ends with a syllable, not with a pause
    samples = np.concatenate([edges[0], middle, edges[1]]).astype(np.float32)
    return Audio(samples, sample_rate)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100, 96000])
def test_every_rate_comes_out_at_the_one_asked_for_and_at_one_loudness(sample_rate: int) -> None:
    cleaned = clean(resample(speech(2.0), sample_rate), RATE)
    assert cleaned.sample_rate == RATE
    assert cleaned.samples.dtype == np.float32
    assert loudness_lufs(cleaned) == pytest.approx(-23, abs=0.1)


def test_long_edges_are_trimmed_to_what_is_kept() -> None:
    cleaned = clean(between_silences(1.0, 2.0), RATE)
    assert cleaned.duration_s == pytest.approx(1.8 + 2 * KEPT_SILENCE_S, abs=0.12)


def test_short_edges_stay_and_nothing_is_added() -> None:
    recording = between_silences(0.05, 0.05)
    assert clean(recording, RATE).duration_s == pytest.approx(recording.duration_s, abs=0.02)


def test_a_click_before_the_speech_is_not_its_beginning() -> None:
    recording = between_silences(1.0, 0.2)
    samples = recording.samples.copy()
    samples[2000:2040] = 0.5
    start, _ = speech_span(Audio(samples, RATE))
    assert start / RATE == pytest.approx(1.0, abs=0.06)


def test_a_breath_before_the_speech_is_not_its_beginning() -> None:
    recording = between_silences(1.5, 0.2)
    samples = recording.samples.copy()
    samples[4000:10000] += np.random.default_rng(2).normal(0, 2e-3, 6000).astype(np.float32)
    start, _ = speech_span(Audio(samples, RATE))
    assert start / RATE == pytest.approx(1.5, abs=0.06)


def test_silence_and_steady_noise_are_left_whole() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    for samples in (np.zeros(RATE, np.float32), noise):
        assert speech_span(Audio(samples, RATE)) == (0, RATE)
        assert clean(Audio(samples, RATE), RATE).duration_s == 1.0


def test_rumble_and_dc_go_and_the_voice_stays() -> None:
    t = np.arange(2 * RATE) / RATE
    voice = 0.2 * np.sin(2 * np.pi * 100 * t)
    rumble = 0.3 * np.sin(2 * np.pi * 12 * t) + 0.1
    filtered = without_rumble(Audio((voice + rumble).astype(np.float32), RATE)).samples
    assert np.abs(filtered - voice)[RATE // 2 : -RATE // 2].max() < 0.01


def test_cleaning_gives_the_same_samples_every_time() -> None:
    recording = between_silences(0.5, 0.5, 44100)
    assert np.array_equal(clean(recording, RATE).samples, clean(recording, RATE).samples)


@pytest.mark.parametrize("count", [1, 5, 200, 4000])
def test_the_shortest_sounds_do_not_break_it(count: int) -> None:
    cleaned = clean(Audio(np.full(count, 0.1, np.float32), RATE), RATE)
    assert np.isfinite(cleaned.samples).all()


def test_levels_are_in_decibels_of_full_scale() -> None:
    t = np.arange(RATE) / RATE
    sine = Audio(np.sin(2 * np.pi * 400 * t).astype(np.float32), RATE)
    assert frame_levels_db(sine) == pytest.approx(-3.0, abs=0.1)
    assert frame_levels_db(Audio(np.zeros(100, np.float32), RATE)) == pytest.approx(-100)

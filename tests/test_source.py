"""The pitch of recordings and the harmonic source that sings it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from conftest import speech
from test_model import batch_of, tiny
from torch.nn.functional import pad

from vits.config import AudioConfig
from vits.model import EDGE
from vits.pitch import HIGHEST_HZ, LOWEST_HZ, pitch_track
from vits.source import HarmonicSource

AUDIO = AudioConfig()
RATE = AUDIO.sample_rate


def sung(hz: np.ndarray | float, seconds: float = 1.0) -> np.ndarray:
    """A voice of 20 falling harmonics at a pitch that may change from sample to sample."""
    turn = 2 * np.pi * np.cumsum(np.broadcast_to(hz, int(seconds * RATE))) / RATE
    return sum(np.cos(k * turn + k * k) / k for k in range(1, 21)).astype(np.float32) * 0.1


def cents(a: np.ndarray, b: np.ndarray | float) -> np.ndarray:
    return 1200 * np.abs(np.log2(a / b))


@pytest.mark.parametrize("hz", [70.0, 118.0, 221.0, 430.0, 540.0])
def test_a_steady_pitch_is_found_to_a_few_cents(hz: float) -> None:
    found = pitch_track(sung(hz), AUDIO)
    assert len(found) == RATE // 256
    assert (found[4:-4] > 0).all()
    assert cents(found[4:-4], hz).max() < 10


def test_a_glide_is_followed_without_jumps() -> None:
    hz = np.linspace(110, 330, RATE)
    found = pitch_track(sung(hz), AUDIO)[4:-4]
    expected = hz[128::256][4 : 4 + len(found)]
    assert (found > 0).all()
    assert np.median(cents(found, expected)) < 15
    assert cents(found, expected).max() < 100


def test_noise_and_silence_have_no_voice_but_a_guess_of_one_beside_speech() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    assert (pitch_track(noise, AUDIO) > 0).mean() < 0.05
    assert not pitch_track(np.zeros(RATE, np.float32), AUDIO).any()
    beside = pitch_track(np.concatenate([sung(200.0), 0.01 * noise]), AUDIO)
    assert (beside[4:80] > 0).all()
    assert (beside[95:] < 0).all()
    assert cents(-beside[95:], 200.0).max() < 30


def test_what_is_found_lies_within_the_range_of_voices_and_does_not_depend_on_the_level() -> None:
    found = pitch_track(speech(2.0).samples, AUDIO)
    assert ((np.abs(found) >= LOWEST_HZ * 0.98) & (np.abs(found) <= HIGHEST_HZ * 1.03)).all()
    quiet = pitch_track(speech(2.0).samples * 0.01, AUDIO)
    np.testing.assert_allclose(quiet, found, rtol=1e-3)


def test_the_pitch_of_nothing_is_nothing() -> None:
    assert len(pitch_track(np.zeros(100, np.float32), AUDIO)) == 0


def source() -> HarmonicSource:
    return HarmonicSource(8, 6, 6, AUDIO)


@pytest.mark.parametrize("hz", [80.0, 200.0, 500.0])
def test_pulses_have_the_pitch_and_the_level_that_is_asked_for(hz: float) -> None:
    pulses = source().pulses(torch.full((1, 80), hz))[0].numpy()
    assert cents(pitch_track(pulses * 0.1, AUDIO)[4:-4], hz).max() < 10
    assert np.sqrt(np.mean(pulses[2000:-2000] ** 2)) == pytest.approx(1.0, rel=0.05)


def test_no_harmonic_lies_above_half_the_rate_and_none_below_is_missing() -> None:
    n = 64 * 256
    hz = 100 * RATE / n  # 100 whole periods
    pulses = source().pulses(torch.full((1, 64), hz))[0]
    spectrum = torch.fft.rfft(pulses).abs()
    harmonics = spectrum[100::100][: n // 2 // 100]
    assert harmonics.min() > 0.98 * harmonics.max()
    rest = spectrum.clone()
    rest[::100] = 0
    assert rest.max() < 0.01 * harmonics.max()


def test_pitch_runs_in_straight_lines_between_the_middles_of_frames() -> None:
    pitch = 100 * torch.rand(2, 30)
    lines = torch.nn.functional.interpolate(pitch[:, None], scale_factor=256, mode="linear")
    torch.testing.assert_close(source()._per_sample(pitch), lines[:, 0], atol=1e-4, rtol=0)


def test_without_a_voice_the_source_is_silent() -> None:
    pitch = torch.tensor([[-150.0] * 20 + [150.0] * 20 + [-150.0] * 20 + [0.0] * 20])
    pulses = source().pulses(pitch)[0].view(80, 256)
    assert not pulses[:19].any()
    assert not pulses[41:].any()
    assert (pulses[22:38].abs().amax(1) > 1).all()


def test_the_phase_goes_on_over_frames_and_long_texts() -> None:
    hz = torch.full((1, 4000), 123.4)
    pulses = source().pulses(hz)[0]
    late = pulses[-40 * 256 :].numpy()
    assert cents(pitch_track(late * 0.1, AUDIO)[4:-4], 123.4).max() < 10
    peaks = (pulses > 0.5 * pulses.max()).nonzero().flatten()
    gaps = peaks.diff()
    period = RATE / 123.4
    assert (gaps[gaps > 2] - period).abs().max() < 3


def test_a_source_learns_the_pitch_of_latents() -> None:
    torch.manual_seed(0)
    own = source()
    wave = torch.sin(torch.arange(200) / 9)
    pitch = (160 * torch.exp2(0.5 * wave))[None]
    pitch[:, 150:] *= -1
    z = torch.zeros(1, 8, 200)
    z[0, 0], z[0, 1] = wave, (pitch[0] > 0).float()
    pitch[:, ::7] = torch.nan  # of these nothing is known
    optimizer, mask = torch.optim.Adam(own.parameters(), 0.01), torch.ones(1, 200)
    for _ in range(150):
        optimizer.zero_grad()
        loss = own.loss(own.guess(z, None), pitch, mask)
        loss.backward()
        optimizer.step()
    found = own.pitch(z, None).detach()
    known = ~pitch.isnan()
    assert ((found > 0) == (pitch > 0))[known].float().mean() > 0.97
    both = known & (pitch > 0) & (found > 0)
    assert np.median(cents(found[both].numpy(), pitch[both].numpy())) < 60


def test_unknown_and_masked_frames_do_not_count() -> None:
    own, guess = source(), torch.randn(1, 2, 10)
    pitch = torch.full((1, 10), 200.0)
    known = own.loss(guess[..., :6], pitch[:, :6], torch.ones(1, 6))
    beyond = pitch.clone()
    beyond[:, 6:] = torch.nan
    torch.testing.assert_close(own.loss(guess, beyond, torch.ones(1, 10)), known)
    mask = (torch.arange(10) < 6).float()[None]
    torch.testing.assert_close(own.loss(guess, pitch, mask), known)


def test_training_hears_segments_at_the_real_pitch_and_teaches_it_to_all_parts() -> None:
    model = tiny("source").train()
    batch = batch_of([7, 5], [90, 61])
    pitch = torch.full((2, 90), 180.0)
    pitch[1, 61:] = torch.nan
    out = model(dataclasses.replace(batch, pitch=pitch), 16)
    assert out.pitch is not None
    assert out.pitch.shape == (2, 16 + 2 * EDGE)
    assert out.pitch_loss is not None
    assert out.waveform.isfinite().all()
    out.pitch_loss.backward()
    assert model.posterior_encoder.pre.weight.grad.abs().sum() > 0
    model.zero_grad()
    drawn, loss = model.draw(model(dataclasses.replace(batch, pitch=pitch), 16), 16, 0.4)
    assert loss is not None
    assert drawn.shape == (2, 1, 16 * 256)
    loss.backward()
    assert sum(p.grad.abs().sum() for p in model.flow.parameters() if p.grad is not None) > 0
    assert model.text_encoder.emb.weight.grad.abs().sum() > 0


def test_a_segment_is_what_stands_in_the_whole_but_for_where_its_pulses_begin() -> None:
    """Frames at the edge of a segment see the pulses beside it."""
    model = tiny("source")
    assert model.source is not None
    pitch = torch.full((1, 40), 150.0)
    whole = model.source(pitch)
    part = model.source(pitch[:, 10 - EDGE : 26 + EDGE])[:, EDGE:-EDGE]
    size = whole.shape[-1] // 2
    for spectra in (whole[:, 10:26], part):
        assert spectra.shape == (1, 16, 2 * size)
    level_whole = torch.hypot(*whole[:, 10:26].chunk(2, -1))
    level_part = torch.hypot(*part.chunk(2, -1))
    loud = level_whole > 5
    torch.testing.assert_close(level_part[loud], level_whole[loud], rtol=0.35, atol=1.0)
    silent = pad(pitch, (0, 4))[:, -4:]
    assert not model.source(silent).any()

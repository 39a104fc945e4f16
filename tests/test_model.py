"""The network: what must hold whatever the weights are."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from vits.alignment import monotonic_path, path_from_durations
from vits.config import AudioConfig, HifiganConfig, IstftConfig, VitsConfig
from vits.decoder import HifiganDecoder, InverseStft, IstftDecoder, decode_in_chunks
from vits.duration import SplineCoupling, StochasticDurations, rational_quadratic_spline
from vits.encoders import TextEncoder
from vits.flow import Flow
from vits.layers import (
    WaveNet,
    add_weight_norm,
    fuse_weight_norm,
    norm_conv,
    plain_state_dict,
    sequence_mask,
)
from vits.model import Batch, Vits, take_segments
from vits.spectral import low_pass, mel_spectrogram, spectrogram, stft_magnitude

TINY_HIFIGAN = HifiganConfig(
    initial_channels=32,
    upsample_rates=(8, 8, 4),
    upsample_kernel_sizes=(16, 16, 8),
    resblock_kernel_sizes=(3, 5),
    resblock_dilation_sizes=((1, 3), (1, 3)),
)
DECODERS = ("istft", "source", "hifigan")
KINDS = list(itertools.product(DECODERS, ("deterministic", "stochastic")))


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def tiny(decoder: str = "istft", duration: str = "deterministic", **changes: object) -> Vits:
    """A model of a few thousand weights, none of them zero; `source` is `istft` with one."""
    istft = IstftConfig(channels=16, intermediate_channels=24, n_layers=2)
    if decoder == "source":
        decoder, istft = "istft", dataclasses.replace(istft, source_channels=6, source_bands=9)
    sizes: dict[str, object] = {
        "n_symbols": 20,
        "n_speakers": 3,
        "embedding_channels": 8,
        "gin_channels": 6,
        "inter_channels": 8,
        "hidden_channels": 16,
        "filter_channels": 24,
        "n_layers": 2,
        "posterior_hidden": 12,
        "posterior_layers": 3,
        "flow_hidden": 8,
        "flow_layers": 2,
        "duration_channels": 12,
        "istft": istft,
        "hifigan": TINY_HIFIGAN,
    }
    model = Vits(VitsConfig(**(sizes | {"decoder": decoder, "duration": duration} | changes)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def batch_of(lengths: list[int], frames: list[int]) -> Batch:
    hop = 256
    waveform = 0.1 * torch.randn(len(lengths), max(frames) * hop)
    for row, n in zip(waveform, frames, strict=True):
        row[n * hop :] = 0
    spec = spectrogram(waveform, AudioConfig())
    spec_lengths = torch.tensor(frames)
    return Batch(
        ids=torch.randint(1, 20, (len(lengths), max(lengths))),
        id_lengths=torch.tensor(lengths),
        spec=spec * sequence_mask(spec_lengths, spec.shape[2]),
        spec_lengths=spec_lengths,
        waveform=waveform,
        bandwidth=torch.full((len(lengths),), 11025.0),
        speaker=torch.arange(len(lengths)),
    )


# ---------------------------------------------------------------- whole model


@pytest.mark.parametrize(("decoder", "duration"), KINDS)
def test_a_training_pass_has_a_finite_gradient_for_every_weight(
    decoder: str, duration: str
) -> None:
    model = tiny(decoder, duration).train()
    batch = batch_of([7, 5], [40, 33])
    out = model(batch, 16)
    assert out.waveform.shape == (2, 1, 16 * 256)
    assert out.durations.sum(1).tolist() == [40, 33]
    loss = out.waveform.square().mean() + out.duration_loss.mean()
    loss = loss + (out.z_p - out.m_p).square().mean() + (out.logs_p - out.logs_q).square().mean()
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_a_window_is_the_same_part_of_the_whole_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what its frames depend on at both sides, only the cost differs."""
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    model, segment, window = tiny().eval(), 8, 20
    batch = batch_of([7, 5, 4], [90, 61, 12])
    batch = dataclasses.replace(batch, durations=model.durations(batch))
    whole, part = model(batch, segment), model(batch, segment, window)
    assert part.z_p.shape[2] < whole.z_p.shape[2]
    assert part.judged.sum((1, 2)).tolist() == [window, window, 12]
    for row, start in enumerate(part.window_starts.tolist()):
        inside = part.judged[row, 0].nonzero().flatten()
        for name in ("m_q", "logs_q", "z_p", "m_p", "logs_p"):
            expected = getattr(whole, name)[row][:, inside + start]
            torch.testing.assert_close(getattr(part, name)[row][:, inside], expected)
    assert part.durations.tolist() == whole.durations.tolist()
    torch.testing.assert_close(part.duration_loss, whole.duration_loss)
    inner = part.segment_starts - part.window_starts
    assert all(part.judged[row, 0, at] == 1 for row, at in enumerate(inner.tolist()))


def test_a_window_decodes_and_draws_what_the_whole_pass_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    model, segment = tiny().eval(), 8
    batch = batch_of([7, 5], [90, 61])
    batch = dataclasses.replace(batch, durations=model.durations(batch))
    whole, part = model(batch, segment), model(batch, segment, 20)
    whole = dataclasses.replace(whole, segment_starts=part.segment_starts)
    torch.testing.assert_close(
        model.draw(part, segment, 0.0)[0], model.draw(whole, segment, 0.0)[0], rtol=1e-4, atol=1e-5
    )
    mask = sequence_mask(batch.spec_lengths, batch.spec.shape[2])
    m_q, _ = model.posterior_encoder(batch.spec, mask, whole.g)
    z = take_segments(m_q, part.segment_starts, segment)
    torch.testing.assert_close(part.waveform, model.decoder(z, whole.g), rtol=1e-4, atol=1e-5)


def test_a_window_without_known_durations_searches_the_whole_utterance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    model, batch = tiny().eval(), batch_of([7, 5], [90, 61])
    out = model(batch, 8, 20)
    assert out.durations.tolist() == model.durations(batch).tolist()
    assert out.durations.sum(1).tolist() == [90, 61]


def test_a_window_of_everything_is_the_whole_pass() -> None:
    model, batch = tiny().eval(), batch_of([7, 5], [90, 61])
    out = model(batch, 8, 90)
    assert out.window_starts.tolist() == [0, 0]
    assert torch.equal(out.judged, out.frame_mask)


def test_what_the_prior_draws_in_training_is_what_synthesis_says() -> None:
    """The same text, alignment and place give the same latents, though only a crop is turned."""
    model, segment = tiny().eval(), 16
    batch = batch_of([7, 5], [90, 33])
    out = model(batch, segment)
    drawn, _ = model.draw(out, segment, noise_scale=0.0)
    said = model.latents(
        batch.ids, batch.id_lengths, batch.speaker, noise_scale=0.0, durations=out.durations.long()
    )
    z = take_segments(said.z, out.segment_starts, segment)
    with torch.inference_mode():
        torch.testing.assert_close(drawn, model.decoder(z, said.g), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("decoder", "duration"), KINDS)
def test_synthesis_in_a_batch_equals_one_by_one(decoder: str, duration: str) -> None:
    model = tiny(decoder, duration)
    ids, lengths = torch.randint(1, 20, (3, 12)), torch.tensor([12, 5, 9])
    ids = ids * sequence_mask(lengths, 12).squeeze(1).long()
    speaker = torch.arange(3)
    quiet = {"noise_scale": 0.0, "noise_scale_duration": 0.0, "length_scale": 3.0}
    together = model.infer(ids, lengths, speaker, **quiet)
    assert len(set(together.audio_lengths.tolist())) == 3
    for row, n in enumerate(lengths.tolist()):
        alone = model.infer(ids[row, None, :n], lengths[row, None], speaker[row, None], **quiet)
        assert alone.durations[0].tolist() == together.durations[row, :n].tolist()
        size = int(alone.audio_lengths)
        assert together.audio_lengths[row] == size
        torch.testing.assert_close(together.audio[row, :size], alone.audio[0], atol=1e-5, rtol=0)
        assert not together.audio[row, size:].any()


@pytest.mark.parametrize("duration", ["deterministic", "stochastic"])
def test_chance_of_a_row_is_what_it_is_alone(duration: str) -> None:
    model = tiny("istft", duration)
    ids, lengths = torch.randint(1, 20, (2, 40)), torch.tensor([40, 5])
    ids = ids * sequence_mask(lengths, 40).squeeze(1).long()
    speaker = torch.arange(2)

    def chance(row: int) -> torch.Generator:
        return torch.Generator().manual_seed(row)

    together = model.infer(ids, lengths, speaker, generator=[chance(0), chance(1)])
    for row, n in enumerate(lengths.tolist()):
        alone = model.infer(
            ids[row, None, :n], lengths[row, None], speaker[row, None], generator=chance(row)
        )
        size = int(alone.audio_lengths)
        assert together.audio_lengths[row] == size
        torch.testing.assert_close(together.audio[row, :size], alone.audio[0], atol=1e-4, rtol=0)


def test_each_symbol_sounds_for_at_least_a_frame_and_durations_are_the_sound() -> None:
    model = tiny()
    speech = model.infer(torch.arange(1, 20)[None], torch.tensor([19]), torch.tensor([1]))
    assert speech.durations.min() >= 1
    assert speech.audio.shape[1] == speech.audio_lengths[0] == speech.durations.sum() * 256


def test_a_longer_length_scale_is_slower() -> None:
    model = tiny()
    ids, n, who = torch.arange(1, 20)[None], torch.tensor([19]), torch.tensor([0])
    frames = [
        int(model.infer(ids, n, who, length_scale=s).durations.sum()) for s in (2.0, 4.0, 8.0)
    ]
    assert frames[0] < frames[1] < frames[2]


@pytest.mark.parametrize("duration", ["deterministic", "stochastic"])
def test_the_generator_decides_the_sound(duration: str) -> None:
    model = tiny(duration=duration)

    def said(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        ids, n = torch.arange(1, 20)[None], torch.tensor([19])
        return model.infer(ids, n, torch.tensor([0]), generator=generator).audio

    torch.manual_seed(1)
    first = said(5)
    torch.manual_seed(2)
    assert torch.equal(first, said(5))
    assert not torch.equal(first[:, :1000], said(6)[:, :1000])


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("symbols", [2, 19])
def test_streaming_equals_offline(decoder: str, symbols: int) -> None:
    model = tiny(decoder)
    latents = model.latents(
        torch.randint(1, 20, (1, symbols)),
        torch.tensor([symbols]),
        torch.tensor([0]),
        durations=torch.full((1, symbols), 8),
    )
    n = int(latents.lengths)
    assert latents.z.shape[2] > n  # there is padding, and it is not heard
    with torch.inference_mode():
        whole = model.decoder(latents.z[..., :n], latents.g)[0, 0]
        pieces = list(
            decode_in_chunks(model.decoder, latents.z, latents.g, 256, n, 1, chunk_frames=70)
        )
        offline = model.decode(latents.z, latents.lengths, latents.g)[0, : n * 256]
    assert len(pieces[0]) == 256
    for sound in (torch.cat(list(model.stream(latents))), torch.cat(pieces), offline):
        torch.testing.assert_close(sound, whole, atol=1e-5, rtol=0)


def test_native_and_paper_decoders_reach_no_further_than_their_context() -> None:
    native = IstftDecoder(8, 0, IstftConfig(channels=32, intermediate_channels=32), AudioConfig())
    paper = HifiganDecoder(8, 0, HifiganConfig(initial_channels=32))
    for decoder in (native.eval(), paper.eval()):
        context = decoder.context_frames
        with torch.no_grad():
            for parameter in decoder.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
            z = torch.randn(1, 8, context + 30)
            whole, near = decoder(z)[0, 0], decoder(z[..., : context + 10])[0, 0]
        # what comes later than the context is not heard before it
        torch.testing.assert_close(whole[:2560], near[:2560], atol=1e-5, rtol=0)


def test_converting_a_speaker_to_itself_is_the_decoded_posterior() -> None:
    model = tiny()
    batch, who = batch_of([4], [30]), torch.tensor([2])
    same = model.convert(batch.spec, batch.spec_lengths, who, who, noise_scale=0.0)
    with torch.no_grad():
        g = model.condition(who, None)
        m_q, _ = model.posterior_encoder(batch.spec, torch.ones(1, 1, 30), g)
        torch.testing.assert_close(same, model.decoder(m_q, g).squeeze(1), atol=1e-4, rtol=0)
    other = model.convert(batch.spec, batch.spec_lengths, who, torch.tensor([0]), noise_scale=0.0)
    assert (same - other).abs().max() > 1e-4


def test_conversion_in_a_batch_equals_one_by_one() -> None:
    model = tiny()
    batch = batch_of([4, 4], [30, 21])
    source, target = torch.tensor([0, 1]), torch.tensor([2, 0])
    both = model.convert(batch.spec, batch.spec_lengths, source, target, noise_scale=0.0)
    alone = model.convert(
        batch.spec[1:, :, :21], batch.spec_lengths[1:], source[1:], target[1:], noise_scale=0.0
    )
    torch.testing.assert_close(both[1, : 21 * 256], alone[0], atol=1e-5, rtol=0)
    assert not both[1, 21 * 256 :].any()


def test_a_model_of_one_unnamed_speaker_speaks_and_cannot_convert() -> None:
    model = tiny(speaker="none", gin_channels=0, n_speakers=1)
    assert model.infer(torch.ones(1, 3, dtype=torch.long), torch.tensor([3])).audio.isfinite().all()
    with pytest.raises(ValueError, match="one speaker"):
        model.convert(torch.rand(1, 513, 4), torch.tensor([4]), None, None)


def test_a_person_never_heard_before_is_given_by_an_embedding() -> None:
    model = tiny()
    ids, n = torch.arange(1, 20)[None], torch.tensor([19])
    known = model.infer(ids, n, torch.tensor([1]), noise_scale=0.0).audio
    vector = model.speakers.vectors[1:2].detach()
    torch.testing.assert_close(
        model.infer(ids, n, embedding=vector, noise_scale=0.0).audio, known, atol=1e-6, rtol=0
    )


def test_the_papers_model_has_the_papers_size() -> None:
    one, many = Vits(VitsConfig.paper(178)), Vits(VitsConfig.paper(178, n_speakers=109))
    assert sum(p.numel() for p in one.parameters()) == pytest.approx(36.3e6, rel=2e-3)
    assert sum(p.numel() for p in many.parameters()) == pytest.approx(39.7e6, rel=2e-3)


def test_the_native_model_fits_into_22_megabytes_of_half_floats() -> None:
    model = Vits(VitsConfig(n_symbols=185, n_speakers=10))
    assert 2 * sum(p.numel() for p in model.parameters()) < 22e6


def test_segments_are_what_stands_at_their_starts_and_silence_beyond_the_end() -> None:
    x = torch.arange(10.0).view(1, 1, 10).expand(2, 1, 10)
    assert take_segments(x, torch.tensor([2, 6]), 3)[:, 0].tolist() == [[2, 3, 4], [6, 7, 8]]
    assert take_segments(x[..., :2], torch.tensor([0, 0]), 3)[0, 0].tolist() == [0, 1, 0]


# ---------------------------------------------------------------- parts


def test_the_flow_inverts() -> None:
    flow = Flow(8, 12, 5, 3, 4, 6).eval()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        z, g = torch.randn(2, 8, 20), torch.randn(2, 6, 1)
        mask = sequence_mask(torch.tensor([20, 13]), 20)
        z = z * mask
        z_p = flow(z, mask, g)
        assert (z_p - z).abs().max() > 0.1
        torch.testing.assert_close(flow(z_p, mask, g, reverse=True), z, atol=1e-5, rtol=0)


def test_the_text_encoder_does_not_see_the_padding() -> None:
    encoder = TextEncoder(20, 8, 16, 24, 2, 3, 3, 0.1, 4).eval()
    ids, n = torch.randint(1, 20, (1, 9)), torch.tensor([9])
    with torch.no_grad():
        alone = encoder(ids, sequence_mask(n, 9))
        padded = encoder(torch.cat([ids, torch.randint(1, 20, (1, 6))], 1), sequence_mask(n, 15))
    for a, b in zip(alone, padded, strict=True):
        torch.testing.assert_close(b[..., :9], a, atol=1e-5, rtol=0)
        assert not b[..., 9:].any()


def test_attention_knows_near_places_by_their_distance_only() -> None:
    """A row of equal symbols, far from both ends, encodes to equal states."""
    encoder = TextEncoder(20, 8, 16, 24, 2, 1, 1, 0.0, 4).eval()
    ids = torch.full((1, 30), 3)
    with torch.no_grad():
        x, _, _ = encoder(ids, torch.ones(1, 1, 30))
    middle = x[0, :, 10:20]
    torch.testing.assert_close(middle, middle[:, :1].expand(-1, 10), atol=1e-5, rtol=0)
    assert (x[0, :, 0] - x[0, :, 15]).abs().max() > 1e-4


def test_the_spline_inverts_and_knows_its_slope() -> None:
    x = torch.linspace(-7, 7, 400)
    widths, heights = torch.randn(400, 10), torch.randn(400, 10)
    slopes = torch.randn(400, 9)
    widths[:], heights[:], slopes[:] = widths[0].clone(), heights[0].clone(), slopes[0].clone()
    y, log_slope = rational_quadratic_spline(x, widths, heights, slopes, 5.0, reverse=False)
    assert (y.diff() > 0).all()
    back, back_slope = rational_quadratic_spline(y, widths, heights, slopes, 5.0, reverse=True)
    torch.testing.assert_close(back, x, atol=2e-4, rtol=0)
    torch.testing.assert_close(back_slope, -log_slope, atol=2e-3, rtol=0)
    measured = torch.log(y[2:] - y[:-2]) - torch.log(x[2:] - x[:-2])
    assert (measured - log_slope[1:-1]).abs().median() < 1e-2
    outside = x.abs() > 5
    assert torch.equal(y[outside], x[outside])


def test_duration_couplings_invert_with_opposite_log_determinants() -> None:
    coupling = SplineCoupling(12, 3).eval()
    with torch.no_grad():
        for parameter in coupling.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        z, g = 2 * torch.randn(2, 2, 9), torch.randn(2, 12, 9)
        mask = sequence_mask(torch.tensor([9, 6]), 9)
        z = z * mask
        y, log_det = coupling(z, mask, g)
        back, minus = coupling(y, mask, g, reverse=True)
    torch.testing.assert_close(back, z, atol=1e-4, rtol=0)
    torch.testing.assert_close(minus, -log_det, atol=1e-3, rtol=0)


def test_stochastic_durations_vary_with_the_noise_and_ignore_the_padding() -> None:
    predictor = StochasticDurations(16, 12, 3, 0.5, 6).eval()
    with torch.no_grad():
        for parameter in predictor.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        x, g = torch.randn(1, 16, 7), torch.randn(1, 6, 1)
        mask = torch.ones(1, 1, 7)
        settled = predictor.sample(x, mask, g, 0.0)
        wider = torch.cat([x, torch.randn(1, 16, 4)], 2)
        padded = predictor.sample(wider, sequence_mask(torch.tensor([7]), 11), g, 0.0)
        torch.testing.assert_close(padded[..., :7], settled, atol=1e-5, rtol=0)
        assert not padded[..., 7:].any()
        assert (predictor.sample(x, mask, g, 0.8) - settled).abs().max() > 1e-2


# ---------------------------------------------------------------- alignment


def brute_force(scores: np.ndarray) -> float:
    """The best sum over all ways to cut T frames into S parts of at least one frame."""
    s, t = scores.shape
    best = -np.inf
    for cuts in itertools.combinations(range(1, t), s - 1):
        edges = [0, *cuts, t]
        parts = zip(scores, edges[:-1], edges[1:], strict=True)
        best = max(best, sum(row[a:b].sum() for row, a, b in parts))
    return float(best)


@pytest.mark.parametrize(("symbols", "frames"), [(1, 1), (1, 5), (4, 4), (3, 7), (5, 9)])
def test_alignment_is_the_best_of_all_monotonic_ones(symbols: int, frames: int) -> None:
    scores = torch.randn(4, symbols, frames) * 3 - 20
    full = torch.full((4,), symbols), torch.full((4,), frames)
    path = monotonic_path(scores, *full)
    for row in range(4):
        found = float((scores[row] * path[row]).sum())
        assert found == pytest.approx(brute_force(scores[row].numpy()), abs=1e-3)


def test_alignment_is_monotonic_covers_each_frame_once_and_leaves_out_no_symbol() -> None:
    scores = torch.randn(3, 12, 50)
    n_symbols, n_frames = torch.tensor([12, 7, 1]), torch.tensor([50, 31, 3])
    path = monotonic_path(scores, n_symbols, n_frames)
    for p, s, t in zip(path, n_symbols.tolist(), n_frames.tolist(), strict=True):
        assert not p[s:].any()
        assert not p[:, t:].any()
        inside = p[:s, :t]
        assert (inside.sum(0) == 1).all()
        assert (inside.sum(1) >= 1).all()
        steps = inside.argmax(0).diff()
        assert ((steps == 0) | (steps == 1)).all()


def test_fewer_frames_than_symbols_cannot_be_aligned() -> None:
    with pytest.raises(ValueError, match="fewer frames"):
        monotonic_path(torch.zeros(1, 4, 3), torch.tensor([4]), torch.tensor([3]))


def test_the_alignment_of_training_scores_by_the_normal_density() -> None:
    """The expanded matrix products are log N(z_p; m_p, exp(logs_p)) up to a constant."""
    model = tiny()
    m_p, logs_p = torch.randn(1, 8, 4), 0.3 * torch.randn(1, 8, 4)
    wanted = torch.tensor([[2, 5, 1, 3]])
    z_p = m_p @ path_from_durations(wanted, 11) + 0.01 * torch.randn(1, 8, 11)
    batch = batch_of([4], [11])
    path = model.align(z_p, m_p, logs_p, batch)
    assert path.sum(2).tolist() == wanted.tolist()


# ---------------------------------------------------------------- spectral


def test_the_inverse_transform_undoes_the_forward_one() -> None:
    audio = AudioConfig()
    waveform = 0.3 * torch.randn(2, 40 * audio.hop_length)
    pad = (audio.n_fft - audio.hop_length) // 2
    padded = torch.nn.functional.pad(waveform.unsqueeze(1), (pad, pad), mode="reflect").squeeze(1)
    window = torch.hann_window(audio.n_fft)
    spec = torch.stft(
        padded, audio.n_fft, audio.hop_length, window=window, center=False, return_complex=True
    ).transpose(1, 2)
    back = InverseStft(audio)(spec.real, spec.imag)
    assert back.shape == waveform.shape
    torch.testing.assert_close(back, waveform, atol=1e-5, rtol=0)


def test_whole_frames_of_samples_give_as_many_frames_of_spectrogram() -> None:
    audio = AudioConfig()
    waveform = torch.randn(1, 23 * audio.hop_length)
    assert spectrogram(waveform, audio).shape == (1, 513, 23)
    assert mel_spectrogram(waveform, audio).shape == (1, 80, 23)
    with pytest.raises(ValueError, match="fewer than a window"):
        spectrogram(waveform[:, :1000], audio)


def test_the_gradient_of_magnitudes_is_that_of_the_plain_transform() -> None:
    waveform, window = torch.randn(2, 900, requires_grad=True), torch.hann_window(200)
    plain = torch.stft(waveform, 256, 64, 200, window, center=False, return_complex=True)
    expected = torch.sqrt(plain.real.square() + plain.imag.square() + 1e-6)
    found = stft_magnitude(waveform, 256, 64, window)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    wanted = torch.autograd.grad((expected * weights).sum(), waveform)
    torch.testing.assert_close(torch.autograd.grad((found * weights).sum(), waveform), wanted)


def test_low_pass_keeps_what_is_below_and_removes_what_is_above() -> None:
    rate, n = 22050, 8192
    t = torch.arange(n) / rate
    low, high = torch.sin(2 * torch.pi * 1000 * t), torch.sin(2 * torch.pi * 9000 * t)
    both = (low + high).expand(2, -1)
    out = low_pass(both, torch.tensor([4000.0, rate / 2]), rate)
    middle = slice(1000, -1000)
    torch.testing.assert_close(out[0, middle], low[middle], atol=0.02, rtol=0)
    torch.testing.assert_close(out[1], both[1], atol=1e-5, rtol=0)  # a full band is left alone


# ---------------------------------------------------------------- weight normalisation


def test_weight_normalisation_goes_on_and_off_without_changing_the_function() -> None:
    net = WaveNet(8, 5, 3, gin_channels=4).eval()
    x, mask, g = torch.randn(1, 8, 20), torch.ones(1, 1, 20), torch.randn(1, 4, 1)
    with torch.no_grad():
        before, names = net(x, mask, g), set(net.state_dict())
        add_weight_norm(net)
        torch.testing.assert_close(net(x, mask, g), before, atol=1e-5, rtol=0)
        assert set(net.state_dict()) != names
        plain = plain_state_dict(net)
        assert set(plain) == names
        fuse_weight_norm(net)
        torch.testing.assert_close(net(x, mask, g), before, atol=1e-5, rtol=0)
    assert set(net.state_dict()) == names
    for name, value in net.state_dict().items():
        torch.testing.assert_close(plain[name], value, atol=1e-6, rtol=0)


def test_only_marked_layers_are_normalised() -> None:
    pair = torch.nn.Sequential(norm_conv(torch.nn.Conv1d(1, 1, 1)), torch.nn.Conv1d(1, 1, 1))
    add_weight_norm(pair)
    assert "1.weight" in pair.state_dict()
    assert "0.weight" not in pair.state_dict()

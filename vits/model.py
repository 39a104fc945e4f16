"""VITS whole (arXiv:2106.06103): a conditional VAE from text to waveform, with a flow in its prior.

The equations keep the paper's names: z, z_p, m_p, logs_p, m_q, logs_q.
B batch, C channels, S text symbols, T frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from vits.alignment import monotonic_path, path_from_durations
from vits.config import AudioConfig, VitsConfig
from vits.decoder import HifiganDecoder, IstftDecoder, decode_in_chunks
from vits.duration import DeterministicDurations, StochasticDurations
from vits.encoders import PosteriorEncoder, TextEncoder
from vits.flow import Flow
from vits.layers import FRAME_BLOCK, SYMBOL_BLOCK, Chance, normal, sequence_mask
from vits.source import HarmonicSource

EDGE = 2  # frames beside a segment whose pulses reach into its spectra


@dataclass(frozen=True)
class Batch:
    """What a training step sees. Rows are padded with zeros.

    ids (B, S), id_lengths (B,), spec (B, n_bins, T), spec_lengths (B,), waveform (B, T * hop),
    speaker (B,) for a table, embedding (B, E) for verification embeddings, bandwidth (B,) in Hz,
    durations (B, S) in frames when the alignment is known and need not be searched, pitch (B, T) in
    Hz as `pitch_track` gives it, NaN beyond a row's end.
    """

    ids: Tensor
    id_lengths: Tensor
    spec: Tensor
    spec_lengths: Tensor
    waveform: Tensor
    bandwidth: Tensor
    speaker: Tensor | None = None
    embedding: Tensor | None = None
    durations: Tensor | None = None
    pitch: Tensor | None = None

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        moved = {
            f.name: value.to(device, non_blocking=True)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class VitsOutput:
    """What the losses need: a decoded segment and the distributions behind it.

    T is the whole utterance's, or that of a window of it with what its frames depend on at both
    sides; `judged` is one where the KL holds, which is inside of the window.
    """

    waveform: Tensor  # (B, 1, segment * hop)
    segment_starts: Tensor  # (B,) in frames of the utterance
    window_starts: Tensor  # (B,) likewise, of the first frame below; may lie before the utterance
    z_p: Tensor
    m_p: Tensor
    logs_p: Tensor
    m_q: Tensor
    logs_q: Tensor
    frame_mask: Tensor
    judged: Tensor  # (B, 1, T)
    durations: Tensor  # (B, S) in frames
    duration_loss: Tensor  # (B,)
    g: Tensor | None  # (B, gin, 1)
    pitch: Tensor | None = None  # (B, segment + 2 * EDGE) of a decoder with a harmonic source
    pitch_loss: Tensor | None = None


@dataclass(frozen=True)
class Inference:
    """Speech with its alignment: audio (B, T_samples), audio_lengths (B,), durations (B, S)."""

    audio: Tensor
    audio_lengths: Tensor
    durations: Tensor


@dataclass(frozen=True)
class Latents:
    """One batch on its way to the decoder: z (B, C, T), zero beyond `lengths` (B,) frames."""

    z: Tensor
    lengths: Tensor
    durations: Tensor  # (B, S) in frames
    g: Tensor | None
    melody: Tensor | None = None  # (B, 2), as `HarmonicSource.pitch` takes it


@dataclass(frozen=True)
class View:
    """What posterior and flow see of a batch: spec (B, n_bins, T), mask and judged (B, 1, T).

    starts (B,): where the view begins in each utterance; lengths (B,): frames that are judged,
    which begin `context` frames later.
    """

    spec: Tensor
    mask: Tensor
    judged: Tensor
    starts: Tensor
    lengths: Tensor
    context: int

    @property
    def is_whole(self) -> bool:
        return not self.context

    def cut(self, path: Tensor) -> Tensor:
        """This view's part of what is as long as the utterances are, (B, S, ...) -> (B, S, T)."""
        return _cut(path, self.starts, self.spec.shape[2])

    def segment_offsets(self, segment_frames: int) -> Tensor:
        """Where a random segment of the judged frames begins in the view, (B,)."""
        return self.context + random_starts(self.lengths, segment_frames)


class Speakers(nn.Module):
    """Who speaks, as the conditioning vector g (B, gin, 1).

    `table` learns a row for each speaker. `embedding` projects a speaker-verification embedding, so
    that a person never heard before starts near those who sound alike; `vectors` keeps one for each
    speaker of the voice.
    """

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        self.kind = config.speaker
        width = config.embedding_channels if self.kind == "embedding" else config.gin_channels
        self.vectors = nn.Parameter(torch.randn(config.n_speakers, width) * width**-0.5)
        self.project = nn.Linear(width, config.gin_channels) if self.kind == "embedding" else None
        # unit-length embeddings become vectors of unit variance
        self.gain = width**0.5 if self.kind == "embedding" else 1.0

    def forward(self, speaker: Tensor | None, embedding: Tensor | None) -> Tensor:
        if embedding is None:
            assert speaker is not None, "a speaker or an embedding is needed"
            embedding = self.vectors[speaker]
        g = self.project(embedding * self.gain) if self.project is not None else embedding
        return g.unsqueeze(-1)


class Vits(nn.Module):
    """Text to speech, and speech to speech, in one network."""

    def __init__(self, config: VitsConfig, audio: AudioConfig | None = None) -> None:
        super().__init__()
        self.config = config
        self.audio = audio = audio or AudioConfig()
        c = config
        self.text_encoder = TextEncoder(
            c.n_symbols,
            c.inter_channels,
            c.hidden_channels,
            c.filter_channels,
            c.n_heads,
            c.n_layers,
            c.kernel_size,
            c.p_dropout,
            c.attention_window,
        )
        self.posterior_encoder = PosteriorEncoder(
            c.spec_channels,
            c.inter_channels,
            c.posterior_hidden,
            c.posterior_kernel,
            c.posterior_layers,
            c.gin_channels,
        )
        self.flow = Flow(
            c.inter_channels,
            c.flow_hidden,
            c.flow_kernel,
            c.flow_layers,
            c.n_flows,
            c.gin_channels,
        )
        predictor = StochasticDurations if c.duration == "stochastic" else DeterministicDurations
        self.duration_predictor: StochasticDurations | DeterministicDurations = predictor(
            c.hidden_channels, c.duration_channels, 3, 0.5, c.gin_channels
        )
        self.decoder: IstftDecoder | HifiganDecoder = (
            IstftDecoder(c.inter_channels, c.gin_channels, c.istft, audio)
            if c.decoder == "istft"
            else HifiganDecoder(c.inter_channels, c.gin_channels, c.hifigan)
        )
        self.speakers = Speakers(c) if c.speaker != "none" else None

    def condition(self, speaker: Tensor | None, embedding: Tensor | None) -> Tensor | None:
        """The conditioning vector g (B, gin, 1), or None for a model of one unnamed speaker."""
        return self.speakers(speaker, embedding) if self.speakers is not None else None

    def forward(self, batch: Batch, segment_frames: int, window_frames: int = 0) -> VitsOutput:
        """One training pass, decoding a random segment of each utterance.

        With `window_frames`, posterior and flow see a random window of each utterance instead of
        the whole, and the KL is an estimate from it; the segment lies in the window.
        """
        g = self.condition(batch.speaker, batch.embedding)
        symbol_mask = sequence_mask(batch.id_lengths, batch.ids.shape[1])
        x, m_p, logs_p = self.text_encoder(batch.ids, symbol_mask)
        view = self._view(batch, window_frames)
        m_q, logs_q = self.posterior_encoder(view.spec, view.mask, g)
        z = (m_q + torch.randn_like(m_q) * torch.exp(logs_q)) * view.mask
        z_p = self.flow(z, view.mask, g)
        if view.is_whole:
            path = self.align(z_p, m_p, logs_p, batch)
            durations = path.sum(2)
        else:
            whole = self._whole_path(batch, m_p, logs_p, g)
            durations, path = whole.sum(2), view.cut(whole)
        duration_loss = self.duration_predictor.loss(x, symbol_mask, durations.unsqueeze(1), g)
        offsets = view.segment_offsets(segment_frames)
        pitch, pitch_loss = self._pitch(batch, view, z, g, offsets, segment_frames)
        segment = take_segments(z, offsets, segment_frames)
        return VitsOutput(
            waveform=self.decode_segment(segment, g, pitch),
            segment_starts=view.starts + offsets,
            window_starts=view.starts,
            z_p=z_p,
            m_p=m_p @ path,  # (B, C, S) @ (B, S, T) -> (B, C, T)
            logs_p=logs_p @ path,
            m_q=m_q,
            logs_q=logs_q,
            frame_mask=view.mask,
            judged=view.judged,
            durations=durations,
            duration_loss=duration_loss,
            g=g,
            pitch=pitch,
            pitch_loss=pitch_loss,
        )

    @property
    def source(self) -> HarmonicSource | None:
        """The decoder's harmonic source, where it has one."""
        return self.decoder.source if isinstance(self.decoder, IstftDecoder) else None

    def decode_segment(self, z: Tensor, g: Tensor | None, pitch: Tensor | None) -> Tensor:
        """A training segment (B, C, T) -> (B, 1, T * hop), at the pitch (B, T + 2 * EDGE)."""
        if self.source is None or pitch is None:
            return self.decoder(z, g)
        start = torch.rand(len(z), device=z.device)
        harmonics = self.source(pitch.nan_to_num(0.0), start)[:, EDGE:-EDGE]
        return self.decoder(z, g, None, harmonics)

    def pitch_loss(self, z: Tensor, g: Tensor | None, pitch: Tensor | None) -> Tensor | None:
        """How well the source finds a segment's pitch, (B, C, T), (B, T + 2 * EDGE)."""
        if self.source is None or pitch is None:
            return None
        pitch = pitch[:, EDGE:-EDGE]
        return self.source.loss(self.source.guess(z, g), pitch, torch.ones_like(pitch))

    def _pitch(
        self, batch: Batch, view: View, z: Tensor, g: Tensor | None, offsets: Tensor, width: int
    ) -> tuple[Tensor | None, Tensor | None]:
        """The pitch of the segments, with an edge, and how well it is found in the whole view."""
        if self.source is None or batch.pitch is None:
            return None, None
        pitch = _cut(batch.pitch.unsqueeze(1), view.starts, view.spec.shape[2])
        guess = self.source.guess(z, g, view.mask)
        loss = self.source.loss(guess, pitch[:, 0], view.judged[:, 0])
        return _cut(pitch, offsets - EDGE, width + 2 * EDGE)[:, 0], loss

    def _view(self, batch: Batch, window_frames: int) -> View:
        """The whole utterances, or a random window of each and what its frames depend on."""
        mask = sequence_mask(batch.spec_lengths, batch.spec.shape[2])
        context = self.flow.context_frames + self.posterior_encoder.context_frames
        if not 0 < window_frames < batch.spec.shape[2] - 2 * context:
            starts = torch.zeros_like(batch.spec_lengths)
            return View(batch.spec, mask, mask, starts, batch.spec_lengths, context=0)
        starts = random_starts(batch.spec_lengths, window_frames)
        width = window_frames + 2 * context
        judged = torch.ones(1, 1, width, device=mask.device)
        judged[..., :context] = judged[..., context + window_frames :] = 0.0
        spec, mask = (_cut(x, starts - context, width) for x in (batch.spec, mask))
        lengths = batch.spec_lengths.clamp(max=window_frames)
        return View(spec, mask, mask * judged, starts - context, lengths, context)

    @torch.no_grad()
    def durations(self, batch: Batch) -> Tensor:
        """Frames of each symbol by a search with the weights as they are, (B, S)."""
        g = self.condition(batch.speaker, batch.embedding)
        symbol_mask = sequence_mask(batch.id_lengths, batch.ids.shape[1])
        _, m_p, logs_p = self.text_encoder(batch.ids, symbol_mask)
        return self._whole_path(batch, m_p, logs_p, g).sum(2).long()

    @torch.no_grad()
    def _whole_path(self, batch: Batch, m_p: Tensor, logs_p: Tensor, g: Tensor | None) -> Tensor:
        """The alignment of whole utterances (B, S, T), where a window cannot give it."""
        mask = sequence_mask(batch.spec_lengths, batch.spec.shape[2])
        if batch.durations is not None:
            return path_from_durations(batch.durations, batch.spec.shape[2])
        m_q, logs_q = self.posterior_encoder(batch.spec, mask, g)
        z = (m_q + torch.randn_like(m_q) * torch.exp(logs_q)) * mask
        return self.align(self.flow(z, mask, g), m_p, logs_p, batch)

    def draw(
        self, out: VitsOutput, segment_frames: int, noise_scale: float
    ) -> tuple[Tensor, Tensor | None]:
        """The segments of `out` as the prior draws them at the same alignment, (B, 1, T * hop), and
        how well the source finds their pitch.

        Synthesis hears the flow backwards, which training never does (arXiv:2205.04421, section
        3.3): with this the text encoder and the flow learn from the sound of it too.
        """
        context = self.flow.context_frames
        z_p = out.m_p + torch.randn_like(out.m_p) * torch.exp(out.logs_p) * noise_scale
        width = segment_frames + 2 * context
        starts = out.segment_starts - out.window_starts - context
        z_p, mask = (_cut(x, starts, width) for x in (z_p * out.frame_mask, out.frame_mask))
        z = self.flow(z_p, mask, out.g, reverse=True)
        z = z[..., context : context + segment_frames]
        return self.decode_segment(z, out.g, out.pitch), self.pitch_loss(z, out.g, out.pitch)

    @torch.no_grad()
    def align(self, z_p: Tensor, m_p: Tensor, logs_p: Tensor, batch: Batch) -> Tensor:
        """Which symbol each frame belongs to, (B, S, T): known durations, else a search."""
        if batch.durations is not None:
            return path_from_durations(batch.durations, z_p.shape[2])
        # log N(z_p; m_p, exp(logs_p)) up to a constant, expanded into matrix products
        precision = torch.exp(-2.0 * logs_p)
        scores = (
            (-logs_p - 0.5 * m_p.square() * precision).sum(1).unsqueeze(-1)
            - 0.5 * precision.transpose(1, 2) @ z_p.square()
            + (m_p * precision).transpose(1, 2) @ z_p
        )
        return monotonic_path(scores, batch.id_lengths, batch.spec_lengths)

    @torch.inference_mode()
    def latents(
        self,
        ids: Tensor,
        id_lengths: Tensor,
        speaker: Tensor | None = None,
        *,
        embedding: Tensor | None = None,
        noise_scale: float = 0.667,
        noise_scale_duration: float = 0.8,
        length_scale: float | Tensor = 1.0,
        durations: Tensor | None = None,
        generator: Chance = None,
    ) -> Latents:
        """Everything of synthesis but the decoder. Given `durations` (B, S) are kept.

        `length_scale` is one for all, or (B, 1, S).

        With a generator for each row, a row draws what it would draw alone.

        Symbols and frames are padded to whole blocks: the kernels that are made for each new
        shape, and kept, are then few, which saves time and keeps memory flat over a book.
        """
        g = self.condition(speaker, embedding)
        n_symbols = ids.shape[1]
        ids = pad_to_multiple(ids, SYMBOL_BLOCK)
        mask = sequence_mask(id_lengths, ids.shape[1])
        x, m_p, logs_p = self.text_encoder(ids, mask)
        if durations is None:
            logw = self.duration_predictor.sample(x, mask, g, noise_scale_duration, generator)
            if isinstance(length_scale, Tensor):
                length_scale = pad_to_multiple(length_scale, SYMBOL_BLOCK)
            w = torch.ceil(torch.exp(logw) * mask * length_scale)
            durations = w.squeeze(1).long()
        durations = pad_to_multiple(durations, SYMBOL_BLOCK)
        lengths = durations.sum(1).clamp(min=1)
        frame_mask = pad_to_multiple(sequence_mask(lengths, int(lengths.max())), FRAME_BLOCK)
        path = path_from_durations(durations, frame_mask.shape[2])
        m_p, logs_p = m_p @ path, logs_p @ path
        noise = normal(m_p.shape, m_p, generator, lengths, FRAME_BLOCK)
        z_p = (m_p + noise * torch.exp(logs_p) * noise_scale) * frame_mask
        z = self.flow(z_p, frame_mask, g, reverse=True) * frame_mask
        return Latents(z, lengths, durations[:, :n_symbols], g)

    @torch.inference_mode()
    def infer(
        self,
        ids: Tensor,
        id_lengths: Tensor,
        speaker: Tensor | None = None,
        *,
        embedding: Tensor | None = None,
        noise_scale: float = 0.667,
        noise_scale_duration: float = 0.8,
        length_scale: float = 1.0,
        generator: Chance = None,
    ) -> Inference:
        """Text to speech with the phonemes' durations."""
        latents = self.latents(
            ids,
            id_lengths,
            speaker,
            embedding=embedding,
            noise_scale=noise_scale,
            noise_scale_duration=noise_scale_duration,
            length_scale=length_scale,
            generator=generator,
        )
        longest = int(latents.lengths.max()) * self.audio.hop_length
        audio = self.decode(latents.z, latents.lengths, latents.g)[:, :longest]
        return Inference(audio, latents.lengths * self.audio.hop_length, latents.durations)

    @torch.inference_mode()
    def stream(self, latents: Latents) -> Iterator[Tensor]:
        """The sound of one utterance in pieces (n_samples,), a short one first."""
        assert latents.z.shape[0] == 1, "one utterance at a time"
        yield from decode_in_chunks(
            self.decoder,
            latents.z,
            latents.g,
            self.audio.hop_length,
            int(latents.lengths),
            melody=latents.melody,
        )

    @property
    def conversion_context(self) -> int:
        """Frames at each side that a frame of converted sound can depend on."""
        encoders = self.posterior_encoder.context_frames + 2 * self.flow.context_frames
        return encoders + self.decoder.context_frames

    @torch.inference_mode()
    def convert(
        self,
        spec: Tensor,
        spec_lengths: Tensor,
        source: Tensor | None,
        target: Tensor | None,
        **how: Any,
    ) -> Tensor:
        """Say the same in another speaker's voice, (B, n_bins, T) -> (B, T * hop); section 4.4.

        What `turned` takes.
        """
        z, g, pitch = self.turned(spec, spec_lengths, source, target, **how)
        return self.decode(z, spec_lengths, g, pitch=pitch)

    @torch.inference_mode()
    def turned(
        self,
        spec: Tensor,
        spec_lengths: Tensor,
        source: Tensor | None,
        target: Tensor | None,
        *,
        source_embedding: Tensor | None = None,
        target_embedding: Tensor | None = None,
        noise_scale: float = 1.0,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Latents of the same in another speaker's voice, (B, C, T), and that speaker's g.

        Last, for a decoder with a harmonic source, the pitch (B, T) that the first speaker had: the
        melody is kept. noise (B, C, T) is drawn unless given.
        """
        if self.speakers is None:
            raise ValueError("a model of one speaker cannot convert between speakers")
        mask = sequence_mask(spec_lengths, spec.shape[2])
        g_from = self.speakers(source, source_embedding)
        g_to = self.speakers(target, target_embedding)
        m_q, logs_q = self.posterior_encoder(spec, mask, g_from)
        noise = torch.randn_like(m_q) if noise is None else noise
        z = (m_q + noise * torch.exp(logs_q) * noise_scale) * mask
        pitch = self.source.pitch(z, g_from, mask) if self.source is not None else None
        z_p = self.flow(z, mask, g_from)
        z = self.flow(z_p, mask, g_to, reverse=True)
        return z * mask, g_to, pitch

    @torch.inference_mode()
    def decode(
        self,
        z: Tensor,
        lengths: Tensor,
        g: Tensor | None,
        place: Place | None = None,
        pitch: Tensor | None = None,
        melody: Tensor | None = None,
    ) -> Tensor:
        """Latents to sound, (B, C, T) -> (B, T * hop), silent beyond each row's length in frames.

        The padding is not decoded: biases would make sound of it, and the end of a row hear it.
        `place` is where a window of something longer stands, so that a voice goes on in phase;
        `pitch` (B, T) is the latents' own unless given, by a `melody` (B, 2) if there is one.
        """
        if isinstance(self.decoder, IstftDecoder):
            mask, harmonics = sequence_mask(lengths, z.shape[2]), None
            if self.source is not None and (place is not None or pitch is not None):
                pitch = self.source.pitch(z, g, mask) if pitch is None else pitch
                start = None if place is None else place.take(self.source.turns(pitch))
                harmonics = self.source(pitch, start)
            return self.decoder(z, g, mask, harmonics, melody).squeeze(1)
        sound = z.new_zeros(z.shape[0], z.shape[2] * self.audio.hop_length)
        for row, n in enumerate(lengths.tolist()):
            g_row = g[row, None] if g is not None else None
            sound[row, : n * self.audio.hop_length] = self.decoder(z[row, None, :, :n], g_row)[0, 0]
        return sound


@dataclass
class Place:
    """Which frames of a window are wanted, and where in its period a voice is at the first."""

    start: int
    end: int
    turns: float = 0.0

    def take(self, turns: Tensor) -> Tensor:
        """The turns (1,) to begin the window with, of those it would take, (1, T + 1)."""
        begin = (self.turns - turns[0, self.start]) % 1.0
        self.turns = float((turns[0, self.end] + begin) % 1.0)
        return begin.float()[None]


def pad_to_multiple(x: Tensor, block: int) -> Tensor:
    """Zeros behind the last dimension, up to a whole number of blocks."""
    return torch.nn.functional.pad(x, (0, -x.shape[-1] % block))


def random_starts(lengths: Tensor, segment: int) -> Tensor:
    """A first frame for each row, (B,), so that the segment fits where the row is long enough."""
    room = (lengths - segment).clamp(min=0) + 1
    return (torch.rand(len(lengths), device=lengths.device) * room).long()


def _cut(x: Tensor, starts: Tensor, width: int) -> Tensor:
    """(B, C, T) -> (B, C, width) from `starts` (B,) on; zeros where there is nothing."""
    return take_segments(torch.nn.functional.pad(x, (width, width)), starts + width, width)


def take_segments(x: Tensor, starts: Tensor, segment: int) -> Tensor:
    """(B, C, T) -> (B, C, segment), zero beyond the end of short rows."""
    short = segment - x.shape[2]
    if short > 0:
        x = torch.nn.functional.pad(x, (0, short))
    index = starts[:, None] + torch.arange(segment, device=x.device)[None]
    return x.gather(2, index.clamp(max=x.shape[2] - 1).unsqueeze(1).expand(-1, x.shape[1], -1))

"""A voice as one ONNX graph of any length: symbols in, sound and the symbols' durations out.

Two forms of the same network. Ours takes its noise from outside, so that a seed means here what it
means in PyTorch; Piper's draws it, and has the inputs and outputs that Piper's programs expect.

    ids (1, S), stretch (1, S), speaker (1,), scales (3,), duration_noise (1, 2, S), noise (1, C, N)
        -> audio (1, T * hop_length), durations (1, S)
    input (1, S), input_lengths (1,), scales (3,), sid (1,) -> output (1, 1, T * hop_length)

scales are those of the noise, of the length and of the durations' noise, as Piper orders them;
stretch is a factor on the length of each symbol, 1 for most. A voice of one speaker has no input
for it, one whose durations follow no chance no noise for them. The sound is no longer than the
noise: with noise of one frame the durations are asked for, and cost little more than the text.
Nothing is padded, so nothing is masked.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vits.decoder import InverseStft
from vits.duration import StochasticDurations
from vits.errors import UserError
from vits.files import cannot_write, temporary_name
from vits.fourier import FactoredStft
from vits.model import Vits
from vits.source import HarmonicSource

FEWEST_FRAMES = 2  # of an utterance: the exporter takes one frame for a constant
MOST_SYMBOLS, MOST_FRAMES = 1 << 16, 1 << 20


class Graph(nn.Module):
    """The whole of synthesis for one utterance, in our form."""

    table: Tensor

    melodies: Tensor

    def __init__(self, model: Vits, melodies: Tensor | None = None) -> None:
        super().__init__()
        self.sings = melodies is not None and model.source is not None
        self.register_buffer("melodies", torch.zeros(0, 2) if melodies is None else melodies)
        self.model = copy.deepcopy(model).cpu().float().eval().requires_grad_(False)
        for module in list(self.model.modules()):
            if isinstance(module, HarmonicSource | InverseStft):
                module.factored = FactoredStft(model.audio)
        table = torch.zeros(0, 0)
        if self.model.speakers is not None:
            everybody = torch.arange(self.model.config.n_speakers)
            table = self.model.speakers(everybody, None)[..., 0].detach().clone()
        self.register_buffer("table", table)

    @property
    def is_random(self) -> bool:
        """Whether durations follow chance."""
        return isinstance(self.model.duration_predictor, StochasticDurations)

    def forward(
        self,
        ids: Tensor,
        stretch: Tensor,
        scales: Tensor,
        noise: Tensor,
        duration_noise: Tensor | None = None,
        speaker: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        count = torch.ones_like(noise[0, 0], dtype=torch.int64).sum()
        prior = self.prior(ids, scales[1] * stretch, scales, duration_noise, speaker, count)
        m_p, logs_p, durations, g = prior
        frames = torch.arange(m_p.shape[2])
        drawn = noise[:, :, torch.remainder(frames, count)]  # one frame is too few for a graph
        return self.sound(m_p, logs_p, drawn, scales, g, speaker), durations

    def prior(
        self,
        ids: Tensor,
        length_scale: Tensor,
        scales: Tensor,
        duration_noise: Tensor | None,
        speaker: Tensor | None,
        most_frames: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """m_p and logs_p (1, C, T) of at most so many frames, the durations (1, S) and g."""
        model = self.model
        g = None
        if model.speakers is not None:
            who = torch.zeros(1, dtype=torch.int64) if speaker is None else speaker
            g = self.table[who].unsqueeze(-1)
        mask = torch.ones_like(ids).unsqueeze(1).float()
        x, m_p, logs_p = model.text_encoder(ids, mask)
        predictor = model.duration_predictor
        if isinstance(predictor, StochasticDurations):
            logw = predictor.sample(x, mask, g, scales[2], noise=duration_noise)
        else:
            logw = predictor.sample(x, mask, g)
        durations = torch.ceil(torch.exp(logw).squeeze(1) * length_scale)
        ends = durations.cumsum(1)
        last = ends[0, -1].long()
        if most_frames is not None:
            last = torch.minimum(last, most_frames)
        n_frames: Any = last.clamp(min=FEWEST_FRAMES).item()  # of no known value
        torch._check(n_frames >= FEWEST_FRAMES)
        torch._check(n_frames < MOST_FRAMES)
        # the symbol of each frame: so many have ended before it
        at = (ends <= torch.arange(n_frames)[:, None]).sum(1).clamp(max=ids.shape[1] - 1)
        return m_p[:, :, at], logs_p[:, :, at], durations.long(), g

    def sound(
        self,
        m_p: Tensor,
        logs_p: Tensor,
        noise: Tensor,
        scales: Tensor,
        g: Tensor | None,
        speaker: Tensor | None,
    ) -> Tensor:
        """(1, C, T) -> (1, T * hop_length)."""
        z_p = m_p + noise * torch.exp(logs_p) * scales[0]
        z = self.model.flow(z_p, torch.ones_like(z_p[:, :1]), g, reverse=True)
        if not self.sings:
            made: Tensor = self.model.decoder(z, g).squeeze(1)
            return made
        who = torch.zeros(1, dtype=torch.int64) if speaker is None else speaker
        sung: Tensor = self.model.decoder(z, g, melody=self.melodies[who]).squeeze(1)
        return sung


class PiperGraph(nn.Module):
    """The same as Piper's programs call it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.whole = graph  # a module called `graph` would be taken for the exporter's own

    def forward(
        self, input: Tensor, input_lengths: Tensor, scales: Tensor, sid: Tensor | None = None
    ) -> Tensor:
        ids = input + 0 * input_lengths  # an input that nothing reads would be left out
        drawn = torch.randn_like(torch.stack([ids, ids], 1).float())
        m_p, logs_p, _, g = self.whole.prior(ids, scales[1], scales, drawn, sid)
        noise = torch.randn_like(m_p)
        return self.whole.sound(m_p, logs_p, noise, scales, g, sid).unsqueeze(1)


def write_graph(
    model: Vits, path: Path, melodies: Tensor | None = None, *, piper: bool = False
) -> None:
    """Write a network as one ONNX file, whole or not at all; in Piper's form with `piper`.

    melodies (n_speakers, 2): those of `VoiceConfig.melodies`.
    Raises UserError where the packages for writing ONNX are missing.
    """
    graph = Graph(model, melodies)
    module, inputs = (PiperGraph(graph), _piper(model)) if piper else (graph, _ours(graph))
    outputs = ["output"] if piper else ["audio", "durations"]
    dynamic = {name: sizes for name, (_, sizes) in inputs.items()}
    with _quietly(), torch.inference_mode(False), torch.no_grad():
        program = torch.onnx.export(
            module.eval(),
            (),
            kwargs={name: example for name, (example, _) in inputs.items()},
            dynamo=True,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=dynamic,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    part = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        program.save(str(part))
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _ours(graph: Graph) -> dict[str, tuple[Tensor, Any]]:
    """Examples of the inputs, in order, and which of their sizes vary."""
    config = graph.model.config
    symbols = torch.export.Dim("symbols", min=1, max=MOST_SYMBOLS)
    frames = torch.export.Dim("noise_frames", min=1, max=MOST_FRAMES)
    ids = torch.arange(37).unsqueeze(0) % config.n_symbols
    inputs: dict[str, tuple[Tensor, Any]] = {
        "ids": (ids, {1: symbols}),
        "stretch": (torch.ones(1, 37), {1: symbols}),
        "scales": (torch.tensor([0.667, 1.0, 0.8]), None),
        "noise": (torch.randn(1, config.inter_channels, 53), {2: frames}),
    }
    if graph.is_random:
        inputs["duration_noise"] = (torch.randn(1, 2, 37), {2: symbols})
    if config.n_speakers > 1:
        inputs["speaker"] = (torch.tensor([0]), None)
    return inputs


def _piper(model: Vits) -> dict[str, tuple[Tensor, Any]]:
    symbols = torch.export.Dim("symbols", min=1, max=MOST_SYMBOLS)
    ids = torch.arange(37).unsqueeze(0) % model.config.n_symbols
    inputs: dict[str, tuple[Tensor, Any]] = {
        "input": (ids, {1: symbols}),
        "input_lengths": (torch.tensor([37]), None),
        "scales": (torch.tensor([0.667, 1.0, 0.8]), None),
    }
    if model.config.n_speakers > 1:
        inputs["sid"] = (torch.tensor([0]), None)
    return inputs


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without what the exporter says to its developers. Raises UserError where it is missing."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"Writing ONNX needs a package that is not installed ({error.name}).",
            'Install it with: pip install "clone-voice[onnx]"',
        ) from error
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            log.setLevel(before)

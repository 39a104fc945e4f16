"""A voice's network run by onnxruntime, in the place of the one in PyTorch.

Two kinds of graph are run: ours (`vits/graph.py`), with the same noise for the same seed as in
PyTorch, and those of Piper's voices, which draw their noise themselves. What comes out is sound:
its frames, of a hop each, stand where latents do, so that a `Voice` treats both networks alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vits.checkpoint import VoiceConfig
from vits.errors import UserError
from vits.layers import FRAME_BLOCK, SYMBOL_BLOCK, normal
from vits.model import Latents, pad_to_multiple

OURS = {"ids", "stretch", "scales", "noise"}
PIPERS = {"input", "input_lengths", "scales"}

Arrays = dict[str, NDArray[Any]]


class OnnxNetwork:
    """What a `Voice` asks of its network, from an ONNX file. It speaks, and does nothing else."""

    def __init__(self, path: Path, config: VoiceConfig, device: str = "cpu") -> None:
        """Raises UserError for a file that cannot be run, or is of no known kind."""
        self.config = config
        self.path = path
        self._session = _session(path, device)
        self.inputs = {put.name for put in self._session.get_inputs()}
        self.outputs = [put.name for put in self._session.get_outputs()]
        self.is_pipers = self.inputs >= PIPERS
        if not self.is_pipers and not self.inputs >= OURS:
            raise UserError(
                f"{path} is no voice in a form that is known here: its inputs are "
                f"{', '.join(sorted(self.inputs)) or 'none'}.",
                "Known are the graphs of `clone-voice export` and of Piper.",
            )

    def check(self) -> None:
        """Let it say every symbol once. Raises UserError if it cannot."""
        known = [i for i, s in enumerate(self.config.symbols) if not s.startswith("\x00")]
        chance = [torch.Generator().manual_seed(0)]
        self.latents(
            torch.tensor([known]),
            torch.tensor([len(known)]),
            torch.tensor([self.config.model.n_speakers - 1]),
            noise_scale=0.0,
            noise_scale_duration=0.0,
            length_scale=1.0,
            generator=chance,
        )

    # ------------------------------------------------------------ what Vits has too

    def latents(
        self,
        ids: Tensor,
        id_lengths: Tensor,
        speaker: Tensor,
        *,
        noise_scale: float,
        noise_scale_duration: float,
        length_scale: float | Tensor,
        generator: Sequence[torch.Generator],
    ) -> Latents:
        """Utterances as sound: z (B, hop_length, T), one after the other.

        A `length_scale` (B, 1, S) of each symbol is known to our graphs; Piper's take the mean.
        """
        wanted = torch.as_tensor(length_scale, dtype=torch.float32)
        rows = wanted.reshape(-1, 1, wanted.shape[-1] if wanted.ndim else 1)
        lengths_of = rows.expand(len(ids), 1, ids.shape[1])[:, 0]
        scales = np.array([noise_scale, 1.0, noise_scale_duration], np.float32)
        made = [
            self._one(row[None, :length], own[None, :length], who, scales, chance)
            for row, own, length, who, chance in zip(
                ids, lengths_of, id_lengths.tolist(), speaker.tolist(), generator, strict=True
            )
        ]
        lengths = torch.tensor([sound.shape[1] for sound, _ in made])
        z = torch.zeros(len(made), self.config.audio.hop_length, int(lengths.max()))
        durations = torch.zeros(len(made), ids.shape[1], dtype=torch.int64)
        for row, (sound, frames) in enumerate(made):
            z[row, :, : sound.shape[1]] = sound
            durations[row, : frames.shape[0]] = frames
        return Latents(pad_to_multiple(z, FRAME_BLOCK), lengths, durations, None)

    def decode(self, z: Tensor, lengths: Tensor, g: Tensor | None) -> Tensor:
        """(B, hop_length, T) -> (B, T * hop_length)."""
        return z.transpose(1, 2).flatten(1)

    def stream(self, latents: Latents) -> Iterator[Tensor]:
        """The sound of one utterance (n_samples,), in one piece."""
        n_samples = int(latents.lengths) * self.config.audio.hop_length
        yield self.decode(latents.z, latents.lengths, None)[0, :n_samples]

    # ------------------------------------------------------------ one utterance

    def _one(
        self,
        ids: Tensor,
        stretch: Tensor,
        speaker: int,
        scales: NDArray[np.float32],
        chance: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """ids and stretch (1, S) -> sound (hop_length, T) and frames of each symbol (S,)."""
        if self.is_pipers:
            scales = scales * np.array([1.0, float(stretch.mean()), 1.0], np.float32)
            sound, durations = self._pipers(ids, speaker, scales)
        else:
            feed = {"ids": ids.numpy(), "stretch": stretch.numpy(), "scales": scales}
            sound, durations = self._ours(feed, speaker, chance)
        hop = self.config.audio.hop_length
        n_frames = min(max(1, int(durations.sum())), len(sound) // hop)
        framed = torch.from_numpy(sound[: n_frames * hop].copy()).view(n_frames, hop).t()
        return framed, torch.from_numpy(durations.astype(np.int64))

    def _ours(
        self, feed: Arrays, speaker: int, chance: torch.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The noise has to be as long as the durations turn out, so they are asked for first.

        With noise of one frame the graph makes hardly any sound: a runtime computes all outputs,
        whichever are asked for.
        """
        channels, like = self.config.model.inter_channels, torch.zeros(0)
        feed["noise"] = np.zeros((1, channels, 1), np.float32)
        if "speaker" in self.inputs:
            feed["speaker"] = np.array([speaker], np.int64)
        if "duration_noise" in self.inputs:
            n = feed["ids"].shape[1]
            padded = (1, 2, -(-n // SYMBOL_BLOCK) * SYMBOL_BLOCK)
            drawn = normal(padded, like, [chance], torch.tensor([n]), SYMBOL_BLOCK)
            feed["duration_noise"] = drawn[..., :n].numpy()
        (durations,) = self._run(["durations"], feed)
        n = max(1, int(durations.sum()))
        padded = (1, channels, -(-n // FRAME_BLOCK) * FRAME_BLOCK)
        feed["noise"] = normal(padded, like, [chance], torch.tensor([n]), FRAME_BLOCK).numpy()
        (sound,) = self._run(["audio"], feed)
        return sound[0], durations[0]

    def _pipers(
        self, ids: Tensor, speaker: int, scales: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        feed: Arrays = {"input": ids.numpy(), "scales": scales}
        feed["input_lengths"] = np.array([ids.shape[1]], np.int64)
        if "sid" in self.inputs:
            feed["sid"] = np.array([speaker], np.int64)
        sound, *more = self._run(self.outputs, feed)
        samples = sound.reshape(-1).astype(np.float32)
        n_frames = len(samples) // self.config.audio.hop_length
        frames = more[0].reshape(-1) if more else np.zeros(0)
        if len(frames) != ids.shape[1]:  # it does not say: every symbol is taken to last as long
            frames = np.diff(np.arange(ids.shape[1] + 1) * n_frames // ids.shape[1])
        return samples, frames.round().astype(np.int64)

    def _run(self, outputs: Sequence[str], feed: Arrays) -> list[NDArray[Any]]:
        try:
            made: list[NDArray[Any]] = self._session.run(list(outputs), feed)
        except Exception as error:  # its errors have no common kind of their own
            raise UserError(
                f"{self.path} could not be run: {str(error).splitlines()[0][:200]}",
                "Export or import the voice again.",
            ) from error
        return made


def _session(path: Path, device: str) -> Any:
    import onnxruntime

    onnxruntime.set_seed(0)  # a graph that draws noise begins with the same every time
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if (
        device.startswith("cuda")
        and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    ):
        providers.insert(0, "CUDAExecutionProvider")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its errors have no common kind of their own
        raise UserError(
            f"{path} cannot be read as ONNX: it is cut short, or no such file "
            f"({str(error).splitlines()[0][:120]}).",
            "Get it again from its source.",
        ) from error

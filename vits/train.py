"""The training loop, shared by pretraining and cloning. Yields progress, resumes exactly.

Three objectives use the same loop, because text is not needed for everything:

- `full` is VITS: whole utterances, every loss, a random segment decoded.
- `autoencoder` trains posterior encoder and decoder on short segments of any recording.
- `prior` trains text encoder, flow and durations while the rest stands still.

Everything that decides the next step is in the checkpoint: weights, optimizers, random states and
the place in the epoch. On a CPU with the same number of threads a resumed run is bit for bit the
run that was never stopped.
"""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.config import AudioConfig, TrainConfig, to_dict
from vits.discriminators import Discriminators, Verdict, split_verdicts
from vits.errors import UserError
from vits.layers import add_weight_norm, plain_state_dict, sequence_mask
from vits.losses import (
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    kl_to_normal,
    kl_to_prior,
)
from vits.model import EDGE, Batch, Vits, take_segments
from vits.spectral import low_pass, stft_magnitude

log = logging.getLogger(__name__)

Objective = Literal["full", "autoencoder", "prior"]
SLOW_PARTS = ("text_encoder", "duration_predictor")


class BatchSource(Protocol):
    """Where batches come from: any order, as long as (epoch, position) decides it."""

    def epoch_length(self, epoch: int) -> int:
        """Batches in this epoch."""

    def batch(self, epoch: int, position: int) -> Batch:
        """The batch at this place of this epoch."""


@dataclass(frozen=True)
class Progress:
    """One finished step. `losses` are plain numbers; `seconds` is what the step took."""

    step: int
    total_steps: int
    epoch: int
    losses: Mapping[str, float]
    seconds: float
    clips: int


class Graph(nn.Module):
    """What one step of an objective computes, as one module, so that several devices can share it.

    forward(batch) -> generated and real waveform (B, 1, T) below each source's own bandwidth (None
    for `prior`), and the losses that need no critic. A batch without text trains what needs none.
    """

    def __init__(self, model: Vits, objective: Objective, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.config = config
        self.mel_distance = MelDistance(model.audio, config.mel_windows)

    def forward(self, batch: Batch) -> tuple[Tensor | None, Tensor | None, dict[str, Tensor]]:
        if self.objective == "prior":
            return None, None, self._prior(batch)
        whole = self._synthesise
        if self.objective == "autoencoder" or batch.ids.shape[1] == 0:  # no text
            whole = self._reconstruct
        fakes, real, losses = whole(batch)
        real = self._audible(real, batch)
        fakes = [self._audible(fake, batch) for fake in fakes]
        weights = {"mel": self.config.mel_weight, "drawn": self.config.drawn_weight}
        for (name, weight), fake in zip(weights.items(), fakes, strict=False):
            losses[name] = weight * self.mel_distance(fake.float(), real)
        if len(fakes) == 1:
            return fakes[0], real, losses
        # the critics hear one half of the rows from the posterior, the other from the prior
        fake = torch.cat([fakes[0][0::2], fakes[1][1::2]])
        return fake, torch.cat([real[0::2], real[1::2]]), losses

    def _audible(self, waveform: Tensor, batch: Batch) -> Tensor:
        """(B, 1, T) with nothing above the bandwidth of each row's recording."""
        rate = self.model.audio.sample_rate
        if not bool((batch.bandwidth < rate / 2).any()):
            return waveform
        return low_pass(waveform.squeeze(1), batch.bandwidth, rate).unsqueeze(1)

    def _synthesise(self, batch: Batch) -> tuple[list[Tensor], Tensor, dict[str, Tensor]]:
        config, hop = self.config, self.model.audio.hop_length
        window = config.window_frames if self.training else 0  # what judges sees the whole
        out = self.model(batch, config.segment_frames, window)
        real = take_segments(
            batch.waveform.unsqueeze(1), out.segment_starts * hop, config.segment_frames * hop
        )
        kl = kl_to_prior(out.z_p, out.logs_q, out.m_p, out.logs_p, out.judged)
        losses = {
            "kl": config.kl_weight * kl,
            "duration": config.duration_weight * out.duration_loss.mean(),
        }
        fakes, pitch = [out.waveform], [out.pitch_loss]
        if config.drawn_weight:
            drawn, drawn_pitch = self.model.draw(out, config.segment_frames, config.drawn_noise)
            fakes.append(drawn)
            pitch.append(drawn_pitch)
        return fakes, real, losses | self._pitch(pitch)

    def _pitch(self, found: list[Tensor | None]) -> dict[str, Tensor]:
        known = [loss for loss in found if loss is not None]
        return {"pitch": self.config.pitch_weight * torch.stack(known).mean()} if known else {}

    def _reconstruct(self, batch: Batch) -> tuple[list[Tensor], Tensor, dict[str, Tensor]]:
        model = self.model
        g = model.condition(batch.speaker, batch.embedding)
        mask = sequence_mask(batch.spec_lengths, batch.spec.shape[2])
        m_q, logs_q = model.posterior_encoder(batch.spec, mask, g)
        z = m_q + torch.randn_like(m_q) * torch.exp(logs_q)
        kl = self.config.normal_weight * kl_to_normal(m_q, logs_q, mask)
        z = z * mask
        pitch = None if batch.pitch is None else F.pad(batch.pitch, (EDGE, EDGE), "replicate")
        losses = {"kl": kl, **self._pitch([model.pitch_loss(z, g, pitch)])}
        return [model.decode_segment(z, g, pitch)], batch.waveform.unsqueeze(1), losses

    def _prior(self, batch: Batch) -> dict[str, Tensor]:
        """KL and durations with the posterior encoder standing still."""
        model, config = self.model, self.config
        g = model.condition(batch.speaker, batch.embedding)
        symbol_mask = sequence_mask(batch.id_lengths, batch.ids.shape[1])
        frame_mask = sequence_mask(batch.spec_lengths, batch.spec.shape[2])
        with torch.no_grad():
            m_q, logs_q = model.posterior_encoder(batch.spec, frame_mask, g)
            z = (m_q + torch.randn_like(m_q) * torch.exp(logs_q)) * frame_mask
        x, m_p, logs_p = model.text_encoder(batch.ids, symbol_mask)
        z_p = model.flow(z, frame_mask, g)
        path = model.align(z_p, m_p, logs_p, batch)
        durations = path.sum(2).unsqueeze(1)
        kl = kl_to_prior(z_p, logs_q, m_p @ path, logs_p @ path, frame_mask)
        duration = model.duration_predictor.loss(x, symbol_mask, durations, g).mean()
        return {"kl": config.kl_weight * kl, "duration": config.duration_weight * duration}


@dataclass
class Run:
    """A training run: what is trained, on what, and where its private state lives.

    Under `accelerate launch`, or with a `precision` other than float32, the work goes through
    accelerate; on one device torch alone is enough.
    """

    model: Vits
    critics: Discriminators | None
    source: BatchSource
    config: TrainConfig
    total_steps: int
    folder: Path
    objective: Objective = "full"
    frozen: tuple[str, ...] = ()  # names of model parts that do not learn
    device: str = "cpu"
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    save_every_s: float = 60.0
    should_stop: Callable[[], bool] = lambda: False
    step: int = 0
    epoch: int = 0
    position: int = 0
    ema: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        torch.manual_seed(self.config.seed)
        np.random.seed(self.config.seed)
        random.seed(self.config.seed)
        add_weight_norm(self.model)
        for name, part in self.model.named_children():
            part.requires_grad_(name not in self.frozen)
        self.accelerator = _accelerator(self.precision)
        if self.accelerator is not None:
            self.device = str(self.accelerator.device)
        self.model.to(self.device)
        graph = Graph(self.model, self.objective, self.config).to(self.device).train()
        for name in self.frozen:
            getattr(self.model, name).eval()
        self.optimizer: torch.optim.Optimizer = _optimizer(self._groups(), self.config)
        self.critic_optimizer: torch.optim.Optimizer | None = None
        self.graph: nn.Module = graph
        self.listen: nn.Module | None = self.critics
        if self.critics is not None:
            add_weight_norm(self.critics)
            self.critics.to(self.device).train()
            groups = [
                {
                    "params": list(self.critics.parameters()),
                    "base_lr": self.config.discriminator_learning_rate,
                }
            ]
            self.critic_optimizer = _optimizer(groups, self.config)
        if self.accelerator is not None:
            self.graph, self.optimizer = self.accelerator.prepare(graph, self.optimizer)
            if self.critics is not None:
                self.listen, self.critic_optimizer = self.accelerator.prepare(
                    self.critics, self.critic_optimizer
                )

    def _groups(self) -> list[dict[str, Any]]:
        slow: list[nn.Parameter] = []
        normal: list[nn.Parameter] = []
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                (slow if name.startswith(SLOW_PARTS) else normal).append(parameter)
        rate = self.config.learning_rate
        factor = self.config.slow_learning_rate_factor
        groups: list[dict[str, Any]] = [
            {"params": normal, "base_lr": rate},
            {"params": slow, "base_lr": rate * factor},
        ]
        return [g for g in groups if g["params"] and g["base_lr"] > 0]

    @property
    def state_path(self) -> Path:
        return self.folder / "state.pt"

    @property
    def rank(self) -> int:
        """Which of the processes that share this run this is."""
        return self.accelerator.process_index if self.accelerator is not None else 0

    @property
    def n_processes(self) -> int:
        """How many processes share this run; each takes its own batches."""
        return self.accelerator.num_processes if self.accelerator is not None else 1


def train(run: Run, until: int | None = None) -> Iterator[Progress]:
    """Take steps until `until` or `total_steps`, saving on the way; stops when asked to.

    Raises FloatingPointError when a loss is not finite; the last checkpoint then still stands.
    """
    last = run.total_steps if until is None else min(until, run.total_steps)
    saved = time.monotonic()
    while run.step < last:
        # every process takes a batch of its own, so an epoch ends when not all would get one
        if run.position + run.n_processes > run.source.epoch_length(run.epoch):
            if run.position == 0:
                raise UserError(
                    f"There are fewer batches than the {run.n_processes} processes that train.",
                    "Use fewer processes, smaller batches or more recordings.",
                )
            run.epoch, run.position = run.epoch + 1, 0
            continue
        started = time.perf_counter()
        batch = run.source.batch(run.epoch, run.position + run.rank).to(run.device)
        losses = training_step(run, batch)
        run.step += 1
        run.position += run.n_processes
        yield Progress(
            run.step,
            run.total_steps,
            run.epoch,
            losses,
            time.perf_counter() - started,
            len(batch.waveform) * run.n_processes,
        )
        if run.should_stop():
            break
        if time.monotonic() - saved > run.save_every_s:
            save_state(run)
            saved = time.monotonic()
    save_state(run)


def training_step(run: Run, batch: Batch) -> dict[str, float]:
    """One step of the critics, then one of the model."""
    _set_learning_rates(run)
    fake, real, losses = run.graph(batch)
    judged = run.listen is not None and run.step >= run.config.discriminate_from_step
    if judged and fake is not None and real is not None:
        losses["critics"] = _critic_step(run, real, fake)
        losses |= _adversarial(run, real, fake)
    total = torch.stack([v for k, v in losses.items() if k != "critics" and v.requires_grad]).sum()
    if not torch.isfinite(total):
        raise FloatingPointError(f"step {run.step}: the loss is {total.item()}")
    norm = _descend(run, total, run.optimizer)
    _update_ema(run)
    return {k: v.item() for k, v in losses.items()} | {"total": total.item(), "gradient": norm}


def _descend(run: Run, loss: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Backward, clip, step; the norm of the gradient before clipping."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    if run.accelerator is not None:
        run.accelerator.backward(loss)
        norm = run.accelerator.clip_grad_norm_(parameters, run.config.gradient_clip)
    else:
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, run.config.gradient_clip)
        if not torch.isfinite(norm):  # one such step, saved, would spoil the run for good
            raise FloatingPointError(f"step {run.step}: the gradient is {norm.item()}")
    optimizer.step()
    return float(norm) if norm is not None else 0.0


def _critic_step(run: Run, real: Tensor, fake: Tensor) -> Tensor:
    assert run.listen is not None
    assert run.critic_optimizer is not None
    verdicts = run.listen(torch.cat([real, fake.detach()]))
    loss = discriminator_loss(*split_verdicts(verdicts))
    _descend(run, loss, run.critic_optimizer)
    return loss.detach()


def _adversarial(run: Run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    assert run.critics is not None
    run.critics.requires_grad_(False)  # their gradients are not needed here, and cost a third
    with torch.no_grad():
        on_real: list[Verdict] = run.critics(real)
    on_fake = run.critics(fake)
    run.critics.requires_grad_(True)
    return {
        "feature": run.config.feature_weight * feature_loss(on_real, on_fake),
        "adversarial": run.config.adversarial_weight * adversarial_loss(on_fake),
    }


def _accelerator(precision: str) -> Any | None:
    """accelerate's Accelerator where several processes or another precision need it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 and precision == "float32":
        return None
    try:
        from accelerate import Accelerator, DistributedDataParallelKwargs
    except ImportError as error:
        raise UserError(
            "Training on several devices or in mixed precision needs accelerate.",
            'Install it with: pip install "clone-voice[train]"',
        ) from error
    # a batch without text uses other parts of the network than one with it
    apart = DistributedDataParallelKwargs(find_unused_parameters=True)
    mixed = "no" if precision == "float32" else precision
    return Accelerator(mixed_precision=mixed, kwargs_handlers=[apart])


class MelDistance(nn.Module):
    """Mean absolute log-mel difference, averaged over windows.

    The paper's has one window, the model's own; several resolve time and pitch together
    (multi-scale mel loss of DAC, arXiv:2306.06546). (B, 1, T), (B, 1, T) -> one number.
    """

    def __init__(self, audio: AudioConfig, windows: tuple[int, ...]) -> None:
        super().__init__()
        self.windows = windows
        for n_fft in windows:
            n_mels = min(audio.n_mels, n_fft // 12) if n_fft < 1024 else audio.n_mels
            bank = librosa.filters.mel(
                sr=audio.sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=audio.f_min, fmax=audio.f_max
            )
            self.register_buffer(f"bank_{n_fft}", torch.from_numpy(bank), persistent=False)
            self.register_buffer(f"window_{n_fft}", torch.hann_window(n_fft), persistent=False)

    def forward(self, fake: Tensor, real: Tensor) -> Tensor:
        with torch.autocast(fake.device.type, enabled=False):  # logarithms need the precision
            return self._distance(torch.cat([fake, real]).squeeze(1))

    def _distance(self, both: Tensor) -> Tensor:
        distances = []
        for n_fft in self.windows:
            hop = n_fft // 4
            pad = (n_fft - hop) // 2
            padded = F.pad(both.unsqueeze(1), (pad, pad), mode="reflect").squeeze(1)
            spec = stft_magnitude(padded, n_fft, hop, getattr(self, f"window_{n_fft}"))
            mel = torch.log((getattr(self, f"bank_{n_fft}") @ spec).clamp(min=1e-5))
            a, b = mel.chunk(2)
            distances.append((a - b).abs().mean())
        return torch.stack(distances).mean()


def learning_rate_factor(step: int, total_steps: int, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine down to `decay_to` at the last step."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    done = min(1.0, step / max(1, total_steps))
    return warm * (config.decay_to + (1 - config.decay_to) * 0.5 * (1 + math.cos(math.pi * done)))


def _set_learning_rates(run: Run) -> None:
    factor = learning_rate_factor(run.step, run.total_steps, run.config)
    for optimizer in (run.optimizer, run.critic_optimizer):
        for group in optimizer.param_groups if optimizer is not None else ():
            group["lr"] = group["base_lr"] * factor


def _optimizer(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        groups,
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )


@torch.no_grad()
def _update_ema(run: Run) -> None:
    if run.config.ema_decay <= 0:
        return
    # a young average follows quickly, so that its start is soon forgotten
    decay = min(run.config.ema_decay, (1 + run.step) / (10 + run.step))
    for name, value in run.model.named_parameters():
        if value.requires_grad:
            if name not in run.ema:
                run.ema[name] = value.detach().clone()
            run.ema[name].lerp_(value, 1 - decay)


@torch.no_grad()
def averaged_state(run: Run) -> dict[str, Tensor]:
    """Plain weights, averaged where there is a running average; the run itself is unchanged."""
    current = {n: p.clone() for n, p in run.model.named_parameters() if n in run.ema}
    for name, value in run.model.named_parameters():
        if name in current:
            value.copy_(run.ema[name])
    state = {k: v.detach().clone() for k, v in plain_state_dict(run.model).items()}
    for name, value in run.model.named_parameters():
        if name in current:
            value.copy_(current[name])
    return state


def save_state(run: Run) -> None:
    """Write the run's private state: to a temporary name, then renamed."""
    if run.rank != 0:
        return
    run.folder.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = {
        "config": to_dict(run.config),
        "objective": run.objective,
        "total_steps": run.total_steps,
        "step": run.step,
        "epoch": run.epoch,
        "position": run.position,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "ema": run.ema,
        "torch_random": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state["cuda_random"] = torch.cuda.get_rng_state_all()
    if run.critics is not None and run.critic_optimizer is not None:
        state["critics"] = run.critics.state_dict()
        state["critic_optimizer"] = run.critic_optimizer.state_dict()
    part = run.state_path.with_suffix(".part")
    try:
        torch.save(state, part)
        os.replace(part, run.state_path)
    except (OSError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise UserError(
            f"The training state could not be written to {run.folder}: {error}.",
            "Free some disk space or choose another place, then run the same command again.",
        ) from error


def load_state(run: Run) -> bool:
    """Continue where a run was saved; False where there is nothing to continue."""
    if not run.state_path.exists():
        return False
    try:
        state = torch.load(run.state_path, map_location=run.device, weights_only=True)
    except Exception as error:
        raise UserError(
            f"The training state {run.state_path} cannot be read: {error}.",
            "Delete it to start again.",
        ) from error
    other = UserError(
        f"{run.state_path} belongs to a run with other settings.",
        "Use the same settings, or delete it to start again.",
    )
    expected = {
        "config": to_dict(run.config),
        "objective": run.objective,
        "total_steps": run.total_steps,
    }
    # a setting that is newer than the state was at its default
    state["config"] = to_dict(TrainConfig()) | dict(state.get("config", {}))
    if any(state.get(key) != value for key, value in expected.items()):
        raise other
    try:
        _restore(run, state)
    except (KeyError, RuntimeError, ValueError) as error:  # another model, other frozen parts
        raise other from error
    return True


def _restore(run: Run, state: Mapping[str, Any]) -> None:
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    run.ema = state["ema"]
    if run.critics is not None and run.critic_optimizer is not None:
        run.critics.load_state_dict(state["critics"])
        run.critic_optimizer.load_state_dict(state["critic_optimizer"])
    run.step, run.epoch, run.position = state["step"], state["epoch"], state["position"]
    torch.set_rng_state(state["torch_random"].cpu())
    if torch.cuda.is_available() and "cuda_random" in state:
        torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda_random"]])

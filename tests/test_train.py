"""The training loop: it learns, and being stopped changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import speech
from torch import Tensor

import vits.train
from vits.config import AudioConfig, DiscriminatorConfig, IstftConfig, TrainConfig, VitsConfig
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.model import Batch, Vits
from vits.spectral import spectrogram
from vits.train import (
    MelDistance,
    Run,
    averaged_state,
    learning_rate_factor,
    load_state,
    save_state,
    train,
)

FRAMES, SYMBOLS = 48, 8
SETTINGS = TrainConfig(
    batch_size=2, learning_rate=2e-3, segment_frames=16, mel_windows=(512,), ema_decay=0.9
)


@pytest.fixture(autouse=True)
def _own_random_state() -> Iterator[None]:
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    np.random.set_state(state)


class Clips:
    """Four clips of half a second in batches of two, each epoch the other way round."""

    def __init__(self, bandwidth: float = 11025.0) -> None:
        hop = AudioConfig().hop_length
        samples = speech(3.0).samples
        rows = [samples[i * 9000 :][: FRAMES * hop] for i in range(4)]
        self.waveform = torch.from_numpy(np.stack(rows))
        self.spec = spectrogram(self.waveform, AudioConfig())
        self.ids = torch.arange(4 * SYMBOLS).view(4, SYMBOLS) % 19 + 1
        self.bandwidth = bandwidth
        self.asked: list[tuple[int, int]] = []

    def epoch_length(self, epoch: int) -> int:
        return 2

    def batch(self, epoch: int, position: int) -> Batch:
        self.asked.append((epoch, position))
        at = [2 * position, 2 * position + 1]
        at = at[::-1] if epoch % 2 else at
        return Batch(
            ids=self.ids[at],
            id_lengths=torch.full((2,), SYMBOLS),
            spec=self.spec[at],
            spec_lengths=torch.full((2,), FRAMES),
            waveform=self.waveform[at],
            bandwidth=torch.full((2,), self.bandwidth),
            speaker=torch.zeros(2, dtype=torch.long),
        )


def new_run(folder: Path, steps: int = 6, critics: bool = True, **changes: Any) -> Run:
    torch.manual_seed(3)
    model = Vits(
        VitsConfig(
            n_symbols=20,
            gin_channels=6,
            embedding_channels=8,
            inter_channels=16,
            hidden_channels=16,
            filter_channels=24,
            n_layers=1,
            posterior_hidden=24,
            posterior_layers=2,
            flow_hidden=12,
            flow_layers=2,
            n_flows=2,
            duration_channels=12,
            istft=IstftConfig(channels=48, intermediate_channels=96, n_layers=2),
        )
    )
    ears = DiscriminatorConfig(
        periods=(2, 5), period_channels=(4, 8), resolutions=((512, 128),), resolution_channels=4
    )
    settings: dict[str, Any] = {
        "model": model,
        "critics": Discriminators(ears) if critics else None,
        "source": Clips(),
        "config": SETTINGS,
        "total_steps": steps,
        "folder": folder,
    }
    return Run(**(settings | changes))


def everything(run: Run) -> dict[str, Tensor]:
    """All that decides the next step, as named tensors."""
    found = {f"model.{k}": v for k, v in run.model.state_dict().items()}
    found |= {f"ema.{k}": v for k, v in run.ema.items()}
    found["random"] = torch.get_rng_state()
    pairs = [("model", run.optimizer)]
    if run.critics is not None and run.critic_optimizer is not None:
        found |= {f"critics.{k}": v for k, v in run.critics.state_dict().items()}
        pairs.append(("critics", run.critic_optimizer))
    for name, optimizer in pairs:
        for index, state in optimizer.state_dict()["state"].items():
            found |= {f"{name}.optimizer.{index}.{k}": v for k, v in state.items()}
    return {k: v.clone() for k, v in found.items()}


def assert_same(one: Run, other: dict[str, Tensor]) -> None:
    state = everything(one)
    assert state.keys() == other.keys()
    assert [k for k, v in state.items() if not torch.equal(v, other[k])] == []


def test_the_whole_of_vits_learns_one_batch_by_heart(tmp_path: Path) -> None:
    quick = replace(SETTINGS, learning_rate=5e-3)
    steps = list(train(new_run(tmp_path, steps=50, critics=False, config=quick)))
    fell = {k: steps[-1].losses[k] / steps[0].losses[k] for k in ("mel", "kl", "duration")}
    assert fell["mel"] < 0.4
    assert fell["kl"] < 0.5
    assert fell["duration"] < 0.8


def test_each_objective_trains_its_parts_and_leaves_the_frozen_ones_alone(tmp_path: Path) -> None:
    parts = {
        "autoencoder": ("text_encoder", "flow", "duration_predictor"),
        "prior": ("posterior_encoder", "decoder", "speakers"),
    }
    for objective, frozen in parts.items():
        run = new_run(tmp_path / objective, 2, critics=False, objective=objective, frozen=frozen)
        before = {k: v.clone() for k, v in run.model.state_dict().items()}
        assert all(np.isfinite(s.losses["total"]) for s in train(run))
        after = run.model.state_dict()
        moved = {k.split(".")[0] for k, v in before.items() if not torch.equal(v, after[k])}
        assert not moved & set(frozen)
        assert moved >= {n for n, _ in run.model.named_children()} - set(frozen) - {"speakers"}


def test_what_the_prior_draws_is_learned_from_its_sound(tmp_path: Path) -> None:
    settings = replace(SETTINGS, learning_rate=5e-3, drawn_weight=22.5)
    steps = list(train(new_run(tmp_path, steps=50, critics=False, config=settings)))
    assert steps[-1].losses["drawn"] < 0.6 * steps[0].losses["drawn"]


class WordlessClips(Clips):
    """The same clips without their texts."""

    def batch(self, epoch: int, position: int) -> Batch:
        ids = torch.zeros(2, 0, dtype=torch.long)
        lengths = torch.zeros(2, dtype=torch.long)
        return replace(super().batch(epoch, position), ids=ids, id_lengths=lengths)


def test_a_batch_without_text_trains_what_needs_none(tmp_path: Path) -> None:
    run = new_run(tmp_path, 2, critics=False, source=WordlessClips())
    before = {k: v.clone() for k, v in run.model.state_dict().items()}
    assert {"mel", "kl"} <= set(list(train(run))[-1].losses)
    after = run.model.state_dict()
    moved = {k.split(".")[0] for k, v in before.items() if not torch.equal(v, after[k])}
    assert moved == {"posterior_encoder", "decoder", "speakers"}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """What a run of six steps ends in that was never stopped."""
    with torch.random.fork_rng(devices=[]):
        run = new_run(tmp_path_factory.mktemp("uninterrupted"))
        for _ in train(run):
            pass
        return everything(run)


def test_a_resumed_run_is_bit_for_bit_the_run_that_was_never_stopped(
    tmp_path: Path, uninterrupted: dict[str, Tensor]
) -> None:
    first = new_run(tmp_path)
    first.should_stop = lambda: first.step == 3  # in the middle of an epoch
    assert [p.step for p in train(first)] == [1, 2, 3]
    torch.manual_seed(999)
    second = new_run(tmp_path)
    assert load_state(second)
    assert (second.step, second.epoch, second.position) == (3, 1, 1)
    assert [p.step for p in train(second)] == [4, 5, 6]
    assert second.source.asked == [(1, 1), (2, 0), (2, 1)]
    assert_same(second, uninterrupted)


def test_a_run_killed_at_any_moment_goes_on_from_what_was_saved(
    tmp_path: Path, uninterrupted: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = new_run(tmp_path, save_every_s=0.0)
    steps = train(first)
    next(steps)
    next(steps)  # the first step is saved, the second is not
    whole, saved = torch.save, first.state_path.read_bytes()

    def killed(state: object, path: Path) -> None:
        whole({"torn": 1}, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(vits.train.torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    monkeypatch.undo()
    assert first.state_path.read_bytes() == saved
    second = new_run(tmp_path)
    assert load_state(second)
    assert second.step == 1
    for _ in train(second):
        pass
    assert_same(second, uninterrupted)


def test_a_run_in_several_sittings_is_the_same_run(
    tmp_path: Path, uninterrupted: dict[str, Tensor]
) -> None:
    run = new_run(tmp_path)
    for until in (1, 4, None):
        for _ in train(run, until):
            pass
    assert_same(run, uninterrupted)


def test_there_may_be_nothing_to_resume(tmp_path: Path) -> None:
    assert not load_state(new_run(tmp_path))


def test_a_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    save_state(new_run(tmp_path))
    others = [
        new_run(tmp_path, 7),
        new_run(tmp_path, config=replace(SETTINGS, learning_rate=1e-3)),
        new_run(tmp_path, objective="prior"),
        new_run(tmp_path, frozen=("text_encoder",)),
    ]
    for other in others:
        with pytest.raises(UserError, match="other settings"):
            load_state(other)
    save_state(new_run(tmp_path / "alone", critics=False))
    with pytest.raises(UserError, match="other settings"):
        load_state(new_run(tmp_path / "alone"))


def test_a_damaged_state_is_one_clear_line(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    save_state(run)
    run.state_path.write_bytes(run.state_path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"state\.pt cannot be read.*start again"):
        load_state(run)


def test_a_state_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path)
    save_state(run)
    saved = run.state_path.read_bytes()

    def full(state: object, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vits.train.torch, "save", full)
    with pytest.raises(UserError, match=r"could not be written.*Free some disk space"):
        save_state(run)
    assert run.state_path.read_bytes() == saved
    assert list(tmp_path.iterdir()) == [run.state_path]


@pytest.mark.parametrize("critics", [False, True])
def test_a_loss_that_is_no_number_stops_the_run_and_spares_the_checkpoint(
    tmp_path: Path, critics: bool
) -> None:
    run = new_run(tmp_path, critics=critics, save_every_s=0.0)
    steps = train(run)
    next(steps)
    next(steps)
    run.source.waveform[:] = float("nan")
    with pytest.raises(FloatingPointError, match="step 2"):
        next(steps)
    again = new_run(tmp_path, critics=critics)
    assert load_state(again)
    assert again.step == 2
    assert all(value.isfinite().all() for value in again.model.state_dict().values())


def test_a_gradient_that_is_no_number_is_no_step(tmp_path: Path) -> None:
    run = new_run(tmp_path, critics=False)
    weight = run.model.text_encoder.proj.weight
    weight.register_hook(lambda gradient: gradient * float("inf"))
    before = weight.detach().clone()
    with pytest.raises(FloatingPointError, match="gradient"):
        next(train(run))
    assert torch.equal(weight, before)


def test_the_running_average_follows_the_weights_and_stays_between_them(tmp_path: Path) -> None:
    run = new_run(tmp_path, critics=False)
    name = "decoder.head.weight"
    seen = []
    for _ in train(run):
        seen.append(run.model.get_parameter(name).detach().clone())
    average, low, high = run.ema[name], torch.stack(seen).amin(0), torch.stack(seen).amax(0)
    assert (average >= low - 1e-6).all()
    assert (average <= high + 1e-6).all()
    assert not torch.equal(average, seen[-1])
    weights = run.model.state_dict()[name].clone()
    state = averaged_state(run)
    torch.testing.assert_close(state[name], average)
    assert torch.equal(run.model.state_dict()[name], weights)  # the run itself is unchanged
    assert not any("parametrizations" in key for key in state)


def test_text_encoder_and_durations_can_be_slowed_or_stopped(tmp_path: Path) -> None:
    moved = {}
    for factor in (1.0, 0.1, 0.0):
        config = replace(SETTINGS, slow_learning_rate_factor=factor)
        run = new_run(tmp_path, 1, critics=False, config=config)
        weight = run.model.text_encoder.emb.weight
        before = weight.detach().clone()
        next(train(run))
        moved[factor] = float((weight.detach() - before).abs().sum())
    assert moved[0.0] == 0
    assert moved[0.1] == pytest.approx(0.1 * moved[1.0], rel=0.05)


def test_what_a_narrow_source_lacks_is_not_judged(tmp_path: Path) -> None:
    """Above 4 kHz the generated sound may be anything."""
    run = new_run(tmp_path, critics=False, source=Clips(bandwidth=4000.0))
    fake, real, _ = run.graph(run.source.batch(0, 0))
    for sound in (fake, real):
        power = torch.fft.rfft(sound.detach()).abs().square().mean((0, 1))
        hz = torch.fft.rfftfreq(sound.shape[-1], 1 / 22050)
        assert power[hz > 4500].max() < 1e-6 * power.max()


def test_the_learning_rate_warms_up_and_falls_to_its_last_value() -> None:
    config = TrainConfig(warmup_steps=10, decay_to=0.2)
    factors = [learning_rate_factor(step, 100, config) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert np.argmax(factors) in range(9, 12)
    assert factors[100] == pytest.approx(0.2)
    assert np.diff(factors[10:]).max() <= 0


def test_mel_distance_is_zero_for_the_same_and_grows_with_the_difference() -> None:
    distance = MelDistance(AudioConfig(), (512, 1024))
    sound = torch.from_numpy(speech(1.0).samples.copy()).view(1, 1, -1)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=sound.shape)).float()
    assert distance(sound, sound) == 0
    near, far = (distance(sound, sound + scale * noise) for scale in (1e-4, 1e-2))
    assert 0 < near < far

"""What decides a base: sizes, stages, steps, who is heard how often, who it speaks as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from vits import train
from vits.config import TrainConfig
from vits.errors import UserError

PRIOR = ("text_encoder", "flow", "duration_predictor")
SOUND = ("posterior_encoder", "decoder", "speakers")
SHARES = {"autoencoder": 0.15, "critics": 0.15, "prior": 0.2, "join": 0.3, "finish": 0.2}
"""Of the time that `minutes` gives, for each stage that trains."""
SOURCE_CHANNELS = 40  # of the network that finds the pitch; what is left of 22 MB
Precision = Literal["auto", "float32", "bf16", "fp16"]


@dataclass(frozen=True)
class PretrainConfig:
    """What decides a base; `--config` may change any of it (JSON or YAML).

    steps: of each stage. weights: how often a corpus, by its name, is heard in segments and in
    sentences, 1.0 each unless given. model: changes to the sizes of the native network. speakers:
    who the base speaks as, by name, and whose recordings they are of; without any the
    `n_speakers` with most text, women and men in turn. languages: what it is said to speak; without
    any all that have texts. sources: `what` and `licence` of a corpus, for the card. start_from: a
    voice whose weights are the start instead of chance.
    """

    name: str = "base"
    steps: Mapping[str, int] = field(
        default_factory=lambda: {
            "autoencoder": 2600, "critics": 8000, "prior": 2400, "join": 4000, "finish": 3000,
        }
    )  # fmt: skip
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    model: Mapping[str, Any] = field(
        default_factory=lambda: {"istft": {"source_channels": SOURCE_CHANNELS}}
    )
    speakers: Mapping[str, str] = field(default_factory=dict)
    n_speakers: int = 4
    languages: tuple[str, ...] = ()
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    segment_batch: int = 16
    sentence_batch: int = 12
    segment_frames: int = 40
    longest_frames: int = 900
    ramp_epochs: int = 0
    noise_scale: float = 0.4
    precision: Precision = "auto"
    start_from: str = ""
    licence: str = "see the sources"
    seed: int = 0
    score: bool = True


def read_config(path: Path | None) -> PretrainConfig:
    """The configuration in a JSON or YAML file. Raises UserError naming what is wrong in it."""
    if path is None:
        return PretrainConfig()
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML too
        if not isinstance(values, dict):
            raise ValueError("it is not an object")
        known = {f.name for f in fields(PretrainConfig)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"it has unknown fields: {', '.join(unknown)}")
        empty = PretrainConfig()
        if isinstance(values.get("languages"), list):
            values["languages"] = tuple(map(str, values["languages"]))
        for name, value in values.items():
            if not isinstance(value, type(getattr(empty, name))):
                raise ValueError(f"'{name}' should be like {getattr(empty, name)!r}")
        steps = {**empty.steps, **values.get("steps", {})}
        if unknown := sorted(set(steps) - set(SHARES)):
            raise ValueError(f"there are no stages {', '.join(unknown)}")
        weights = {str(k): (float(a), float(b)) for k, (a, b) in values.get("weights", {}).items()}
        return PretrainConfig(**{**values, "steps": steps, "weights": weights})
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise UserError(
            f"{path} is no configuration of a pretraining: {error}.",
            "Write fields such as steps, weights, speakers; leave out what is to stay.",
        ) from error


@dataclass(frozen=True)
class Stage:
    """One stage of training: what learns, on what, from which stage's weights it starts."""

    name: str
    objective: train.Objective
    config: TrainConfig
    source: Literal["segments", "sentences", "mixed"]
    frozen: tuple[str, ...] = ()
    critics: bool = False
    # the stages whose weights it takes, one over the other, and which parts of them (): all
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def stages(config: PretrainConfig) -> tuple[Stage, ...]:
    """The stages that train, in their order."""
    segment, sentence, frames = (
        config.segment_batch, config.sentence_batch, config.segment_frames
    )  # fmt: skip
    seed = config.seed
    return (
        Stage(
            "autoencoder", "autoencoder",
            TrainConfig(
                batch_size=segment, learning_rate=8e-4, warmup_steps=200, ema_decay=0.998, seed=seed
            ),
            "segments", frozen=PRIOR,
        ),
        Stage(
            "critics", "autoencoder",
            TrainConfig(
                batch_size=segment, learning_rate=4e-4, discriminator_learning_rate=4e-4,
                warmup_steps=50, ema_decay=0.999, seed=seed + 1,
            ),
            "segments", frozen=(*PRIOR, "posterior_encoder", "speakers"), critics=True,
            parts={"autoencoder": ()},
        ),
        Stage(
            "prior", "prior",
            TrainConfig(
                batch_size=sentence, learning_rate=8e-4, warmup_steps=200, decay_to=0.05,
                ema_decay=0.998, betas=(0.9, 0.98), seed=seed + 2,
            ),
            "sentences", frozen=SOUND, parts={"autoencoder": ()},
        ),
        Stage(
            "join", "full",
            TrainConfig(
                batch_size=sentence, learning_rate=3e-4, warmup_steps=200, decay_to=0.2,
                segment_frames=frames, kl_weight=0.5, drawn_weight=45.0, ema_decay=0.998,
                betas=(0.9, 0.98),
                seed=seed + 3,
            ),
            "mixed", parts={"autoencoder": (), "critics": (), "prior": PRIOR},
        ),
        Stage(
            "finish", "full",
            TrainConfig(
                batch_size=sentence, learning_rate=2e-4, discriminator_learning_rate=2e-4,
                warmup_steps=50, segment_frames=32, kl_weight=0.5, drawn_weight=45.0,
                ema_decay=0.998,
                seed=seed + 4,
            ),
            "mixed", critics=True,
            parts={"autoencoder": (), "critics": (), "prior": PRIOR, "join": ()},
        ),
    )  # fmt: skip

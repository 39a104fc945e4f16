"""The weights and configuration of a voice, in and out: safetensors and config.json.

Nothing here is pickled. Weights are stored as float16, imported ones as float32, without weight
normalisation, and computed with as float32. Loading is strict: every missing, extra or reshaped
tensor is named.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from vits.config import (
    AudioConfig,
    DiscriminatorConfig,
    TextConfig,
    VitsConfig,
    from_dict,
    to_dict,
)
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.files import atomic_file, write_text
from vits.layers import plain_state_dict
from vits.model import Vits
from vits.source import MIDDLE_HZ
from vits.text.frontend import FrontEnd

log = logging.getLogger(__name__)
Module = TypeVar("Module", bound=nn.Module)

FORMAT = "clone-voice voice 1"
WEIGHTS = "voice.safetensors"
CONFIG = "config.json"
CRITICS = "discriminators.safetensors"
NAMED = 6  # wrong tensors named in the message; the log names them all


@dataclass(frozen=True)
class Speaker:
    """One speaker of a voice: a name, what a cast is chosen by, and a pace of their own.

    length_scale: by which their sounds last longer than the network has them last, beside the
    voice's own. pitch_hz, pitch_range: around which pitch, and by what, theirs goes farther up and
    down; a voice without a harmonic source keeps to the network's.
    """

    name: str
    gender: str = ""
    language: str = "en"
    length_scale: float = 1.0
    pitch_hz: float = MIDDLE_HZ
    pitch_range: float = 1.0


@dataclass(frozen=True)
class VoiceConfig:
    """What config.json holds: sizes, audio, symbols, languages and speakers."""

    model: VitsConfig
    audio: AudioConfig
    symbols: tuple[str, ...]
    languages: tuple[str, ...] = ("en",)
    speakers: tuple[Speaker, ...] = (Speaker("speaker"),)
    noise_scale: float = 0.667
    noise_scale_duration: float = 0.8
    length_scale: float = 1.0
    discriminators: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    text: TextConfig = field(default_factory=TextConfig)

    def __post_init__(self) -> None:
        if len(self.symbols) != self.model.n_symbols:
            raise UserError(
                f"The configuration lists {len(self.symbols)} symbols for a model of "
                f"{self.model.n_symbols}.",
                "Use the configuration that came with the weights.",
            )
        wrong = [s.name for s in self.speakers
                 if not (s.length_scale > 0 and s.pitch_hz > 0 and s.pitch_range >= 0)]  # fmt: skip
        if wrong:
            raise UserError(
                f"The configuration gives {wrong[0]!r} a pace or pitch that cannot be.",
                "Use the configuration that came with the weights.",
            )
        if len(self.speakers) != self.model.n_speakers:
            raise UserError(
                f"The configuration lists {len(self.speakers)} speakers for a model of "
                f"{self.model.n_speakers}.",
                "Use the configuration that came with the weights.",
            )

    def length_scale_of(self, speaker: Speaker) -> float:
        """By which the durations of the network are multiplied for a speaker."""
        return self.length_scale * speaker.length_scale

    def melodies(self) -> Tensor | None:
        """The speakers' melodies (n_speakers, 2), as `HarmonicSource.pitch` takes them.

        None where nobody has one of their own.
        """
        if all(speaker.pitch_range == 1.0 for speaker in self.speakers):
            return None
        rows = [(math.log2(s.pitch_hz / MIDDLE_HZ), s.pitch_range) for s in self.speakers]
        return torch.tensor(rows, dtype=torch.float32)

    @property
    def front_end(self) -> FrontEnd:
        """How text becomes this voice's ids."""
        return FrontEnd(self.text, self.symbols, self.languages, self.model.add_blank)


def save_voice(
    folder: Path, model: Vits, config: VoiceConfig, dtype: torch.dtype = torch.float16
) -> None:
    """Write weights and configuration into a voice folder, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(plain_state_dict(model), folder / WEIGHTS, dtype)
    save_config(folder, config)


def save_config(folder: Path, config: VoiceConfig) -> None:
    """Write config.json, whole or not at all."""
    values = {"format": FORMAT, **to_dict(config)}
    write_text(folder / CONFIG, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def save_critics(folder: Path, critics: Discriminators) -> None:
    """Write the discriminators beside a voice, for others to start from."""
    save_tensors(plain_state_dict(critics), folder / CRITICS)


def load_config(folder: Path) -> VoiceConfig:
    """Read config.json. Raises UserError naming the file and what is wrong."""
    path = folder / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is not a voice: it has no {CONFIG}.", "Name a voice folder."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read: {error}.", "Get the voice again from its source."
        ) from error
    if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
        raise UserError(
            f"{path} is not the configuration of a voice of this program.",
            "Voices of other programs have to be imported.",
        )
    parts: dict[str, Any] = {"model": VitsConfig, "audio": AudioConfig}
    parts |= {"discriminators": DiscriminatorConfig, "text": TextConfig}
    for name, kind in parts.items():
        if name in values:
            values[name] = from_dict(kind, values[name], f"{path}: {name}")
    if isinstance(values.get("speakers"), list):
        values["speakers"] = [
            from_dict(Speaker, s, f"{path}: speakers") for s in values["speakers"]
        ]
    return from_dict(VoiceConfig, values, str(path))


def load_voice(folder: Path) -> tuple[Vits, VoiceConfig]:
    """Build the model of a voice folder with its weights, in evaluation mode."""
    config = load_config(folder)
    model = _built(lambda: Vits(config.model, config.audio), folder)
    load_strictly(model, read_tensors(folder / WEIGHTS), str(folder / WEIGHTS))
    return model.eval(), config


def load_critics(folder: Path, config: VoiceConfig) -> Discriminators | None:
    """The discriminators beside a voice, or None where there are none."""
    if not (folder / CRITICS).exists():
        return None
    critics = _built(lambda: Discriminators(config.discriminators), folder)
    load_strictly(critics, read_tensors(folder / CRITICS), str(folder / CRITICS))
    return critics


def _built(build: Callable[[], Module], folder: Path) -> Module:
    """A new network; loading one must not change what a training run draws next."""
    try:
        with torch.random.fork_rng(devices=[]):
            return build()
    except (ArithmeticError, AssertionError, MemoryError, RuntimeError, ValueError) as error:
        raise UserError(
            f"No network can have the sizes in {folder / CONFIG}: {error}.",
            "Use the configuration that came with the weights.",
        ) from error


def with_speakers(
    model: Vits, config: VoiceConfig, speakers: tuple[Speaker, ...], vectors: Tensor | None
) -> tuple[Vits, VoiceConfig]:
    """The same network with other speakers, whose vectors are (n_speakers, width).

    None where the network knows no speakers, and is to be one other person's.
    """
    sizes = replace(config.model, n_speakers=len(speakers))
    changed = Vits(sizes, config.audio)
    state = plain_state_dict(model)
    if vectors is not None:
        state["speakers.vectors"] = vectors
    load_strictly(changed, state, "the base")
    return changed, replace(config, model=sizes, speakers=speakers)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file as float32. Raises UserError if it cannot be read."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The weights {path} cannot be read: {error}.", "Get the voice again from its source."
        ) from error
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Copy plain weights into a module. Raises UserError naming every tensor that does not fit."""
    expected = plain_state_dict(module)
    wrong = {
        "missing": sorted(set(expected) - set(tensors)),
        "extra": sorted(set(tensors) - set(expected)),
        "wrong shape": [
            f"{k} {tuple(tensors[k].shape)} instead of {tuple(v.shape)}"
            for k, v in expected.items()
            if k in tensors and tensors[k].shape != v.shape
        ],
        "not numbers": [k for k, v in tensors.items() if not bool(v.isfinite().all())],
    }
    problems = [f"{kind}: {_some(names)}" for kind, names in wrong.items() if names]
    if problems:
        for kind, names in wrong.items():
            if len(names) > NAMED:  # all are named, but not all in one line
                log.warning("%s, %s: %s", where, kind, ", ".join(names))
        raise UserError(
            f"{where} does not fit its configuration ({'; '.join(problems)}).",
            "Use weights and configuration that belong together.",
        )
    module.load_state_dict(dict(tensors))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def save_tensors(
    state: Mapping[str, Tensor], path: Path, dtype: torch.dtype = torch.float16
) -> None:
    """Write tensors as safetensors of one type, whole or not at all."""
    ready = {
        k: v.detach().to("cpu", dtype if v.is_floating_point() else v.dtype).contiguous()
        for k, v in state.items()
    }
    with atomic_file(path) as file:
        file.write(save(ready))

"""What decides a model and a training run: frozen dataclasses, saved beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from vits.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class AudioConfig:
    """How sound becomes frames. Frequencies in Hz, lengths in samples."""

    sample_rate: int = 22050
    n_fft: int = 1024
    hop_length: int = 256
    win_length: int = 1024
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float | None = None

    def __post_init__(self) -> None:
        _check(self.sample_rate > 0, "sample_rate must be positive")
        _check(
            0 < self.hop_length <= self.win_length <= self.n_fft,
            "0 < hop <= win <= n_fft must hold",
        )

    @property
    def n_bins(self) -> int:
        """Bins of the linear spectrogram."""
        return self.n_fft // 2 + 1

    def frames(self, seconds: float) -> int:
        """Whole frames in this many seconds."""
        return int(seconds * self.sample_rate) // self.hop_length


@dataclass(frozen=True)
class HifiganConfig:
    """The paper's decoder, HiFi-GAN (arXiv:2010.05646), in its V1 sizes."""

    initial_channels: int = 512
    upsample_rates: tuple[int, ...] = (8, 8, 2, 2)
    upsample_kernel_sizes: tuple[int, ...] = (16, 16, 4, 4)
    resblock: Literal["1", "2"] = "1"
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    resblock_dilation_sizes: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))


@dataclass(frozen=True)
class IstftConfig:
    """The native decoder: ConvNeXt blocks at frame rate and an inverse STFT (arXiv:2306.00814).

    `source_channels`: of the network that finds the pitch for a harmonic source; 0 is none.
    `source_bands`: at how many frequencies the source is shaped.
    """

    channels: int = 256
    intermediate_channels: int = 768
    n_layers: int = 6
    kernel_size: int = 7
    source_channels: int = 0
    source_bands: int = 65


@dataclass(frozen=True)
class VitsConfig:
    """The sizes of one VITS. The defaults are the native model's; `paper()` gives the paper's.

    `speaker` says what conditions the voice: nothing, a learned table, or a speaker-verification
    embedding of `embedding_channels` that is projected to `gin_channels`.
    """

    n_symbols: int
    n_speakers: int = 1
    speaker: Literal["none", "table", "embedding"] = "embedding"
    gin_channels: int = 192
    embedding_channels: int = 256
    spec_channels: int = 372  # the first 8 kHz: recordings of any bandwidth share one latent space
    inter_channels: int = 96
    hidden_channels: int = 192
    filter_channels: int = 576
    n_heads: int = 2
    n_layers: int = 4
    kernel_size: int = 3
    p_dropout: float = 0.1
    attention_window: int = 4
    posterior_hidden: int = 128
    posterior_kernel: int = 5
    posterior_layers: int = 8
    flow_hidden: int = 96
    flow_kernel: int = 5
    flow_layers: int = 4
    n_flows: int = 4
    duration: Literal["deterministic", "stochastic"] = "deterministic"
    duration_channels: int = 192
    decoder: Literal["istft", "hifigan"] = "istft"
    istft: IstftConfig = field(default_factory=IstftConfig)
    hifigan: HifiganConfig = field(default_factory=HifiganConfig)
    add_blank: bool = False

    def __post_init__(self) -> None:
        _check(self.n_symbols > 0, "n_symbols must be positive")
        _check(self.hidden_channels % self.n_heads == 0, "n_heads must divide hidden_channels")
        _check(self.inter_channels % 2 == 0, "inter_channels must be even")
        _check((self.speaker == "none") == (self.gin_channels == 0), "gin_channels needs a speaker")

    @classmethod
    def paper(cls, n_symbols: int, n_speakers: int = 1, **changes: Any) -> VitsConfig:
        """The sizes of the paper (arXiv:2106.06103) and its published checkpoints."""
        sizes: dict[str, Any] = {
            "n_symbols": n_symbols,
            "n_speakers": n_speakers,
            "speaker": "table" if n_speakers > 1 else "none",
            "gin_channels": 256 if n_speakers > 1 else 0,
            "spec_channels": 513,
            "inter_channels": 192,
            "hidden_channels": 192,
            "filter_channels": 768,
            "n_layers": 6,
            "posterior_hidden": 192,
            "posterior_layers": 16,
            "flow_hidden": 192,
            "duration": "stochastic",
            "duration_channels": 192,
            "decoder": "hifigan",
            "add_blank": True,
        }
        return cls(**(sizes | changes))


@dataclass(frozen=True)
class TextConfig:
    """How text becomes the symbols of a voice.

    `native` is our own table (`vits/text/symbols.py`); `espeak`, `characters` and the names of
    cleaners are for voices of other programs (`vits/text/frontend.py`). `begin` and `end` stand
    around every utterance; `blanks` says whether the model's blanks, whose id is `blank`, stand
    outside them too.
    """

    front_end: str = "native"
    espeak_voice: str = ""
    lower_case: bool = False
    uroman: bool = False
    begin: str = ""
    end: str = ""
    blanks: Literal["around", "between"] = "around"
    blank: int = 0


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Which critics listen: the paper's, or a light set for training without a GPU."""

    kind: Literal["light", "paper"] = "light"
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    period_channels: tuple[int, ...] = (8, 24, 64, 96)
    resolutions: tuple[tuple[int, int], ...] = ((512, 128), (1024, 256), (2048, 512))
    resolution_channels: int = 16


@dataclass(frozen=True)
class TrainConfig:
    """One training run. Learning rates per second-moment step, lengths in seconds or frames."""

    batch_size: int = 8
    learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    slow_learning_rate_factor: float = 1.0  # of the text encoder and the duration predictor
    betas: tuple[float, float] = (0.8, 0.99)
    eps: float = 1e-9
    weight_decay: float = 0.01
    warmup_steps: int = 0
    decay_to: float = 0.1  # of the learning rate, reached on a cosine at the last step
    segment_frames: int = 32
    window_frames: int = 0  # of each utterance that posterior and flow learn from; 0 is all
    mel_weight: float = 45.0
    mel_windows: tuple[int, ...] = (512, 1024, 2048)
    kl_weight: float = 1.0
    normal_weight: float = 0.05  # of the KL to N(0, 1), where there is no text
    drawn_weight: float = 0.0  # of the mel distance of what the prior draws; 0 leaves it out
    drawn_noise: float = 0.4  # how freely the prior draws for it
    duration_weight: float = 1.0
    pitch_weight: float = 5.0  # of a harmonic source, where there is one
    feature_weight: float = 2.0
    adversarial_weight: float = 1.0
    gradient_clip: float = 5.0
    discriminate_from_step: int = 0
    ema_decay: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self.batch_size > 0, "batch_size must be positive")
        _check(self.segment_frames > 0, "segment_frames must be positive")
        _check(self.learning_rate > 0, "learning_rate must be positive")


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON values."""
    return asdict(config)


def from_dict(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build a config from JSON values, naming every field that is missing, unknown or wrong.

    Raises UserError naming `where` the values came from.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where} is not an object with fields.", "Use the original file.")
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise UserError(
            f"{where} has unknown fields: {', '.join(unknown)}.",
            "Use the file that came with the weights, or a newer version of this program.",
        )
    nested = {"istft": IstftConfig, "hifigan": HifiganConfig}
    ready = {
        name: from_dict(nested[name], value, f"{where}: {name}")
        if name in nested and isinstance(value, Mapping)
        else _tuples(value)
        for name, value in values.items()
    }
    hints = get_type_hints(kind)
    wrong = [
        f"{name} = {value!r}" for name, value in ready.items() if not _fits(value, hints[name])
    ]
    if wrong:
        raise UserError(f"{where} has wrong values: {', '.join(wrong)}.", "Use the original file.")
    try:
        return kind(**ready)
    except TypeError as error:
        raise UserError(f"{where} is incomplete: {error}.", "Use the original file.") from error


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is what a field's type says; a whole number is a float, a bool is neither."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = inner[:1] * len(value) if inner[-1] is ... else inner
        return len(value) == len(kinds) and all(map(_fits, value, kinds))
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise UserError(f"The configuration is wrong: {rule}.", "Correct the value and try again.")

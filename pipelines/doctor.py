"""What this machine has and how fast it is: the facts behind `clone-voice doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Distribution name: what it is for. The second table is what one can do without.
NEEDED = {
    "torch": "the network",
    "numba": "monotonic alignment in training",
    "phonemizer": "text to phonemes",
    "espeakng-loader": "text to phonemes",
    "soundfile": "reading and writing sound",
    "av": "reading other formats, writing films",
    "pillow": "drawing pages",
    "resemblyzer": "how similar a voice is",
    "pocketsphinx": "how well it is understood",
}
OPTIONAL = {
    "accelerate": ("several devices and mixed precision", "clone-voice[train]"),
    "tensorboard": ("curves while training", "clone-voice[train]"),
    "transformers": ("the network that bench/ compares with", "clone-voice[bench]"),
}
# Beside a CPU build of torch these fail to load, and others that look for them fail too.
CUDA_ONLY = ("torchaudio", "torchvision", "torchcodec")
MATRIX = 1024  # rows and columns of the matrices that are timed
SENTENCE = "The quick brown fox jumps over the lazy dog, and the day goes on."


@dataclass(frozen=True)
class Package:
    """One distribution; `version` is None where it is not installed."""

    name: str
    version: str | None
    purpose: str
    remedy: str = ""


@dataclass(frozen=True)
class Speed:
    """What was measured here. `real_time_factor` is seconds of work for a second of speech."""

    threads: int
    matmul_gflops: float
    convolution_gflops: float
    real_time_factor: float | None
    note: str = ""


@dataclass(frozen=True)
class Store:
    """A folder this program fills, and how to empty it."""

    name: str
    path: Path
    bytes: int
    cleaning: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything that `clone-voice doctor` reports."""

    system: str
    python: str
    cores: int
    devices: tuple[str, ...]
    packages: tuple[Package, ...]
    warnings: tuple[str, ...]
    speed: Speed | None
    stores: tuple[Store, ...]

    @property
    def missing(self) -> tuple[Package, ...]:
        """Needed packages that are not installed."""
        return tuple(p for p in self.packages if p.version is None and p.name in NEEDED)


def diagnose(measure: bool = True) -> Diagnosis:
    """Look at this machine; with `measure`, time it for a few seconds too."""
    packages = tuple(_packages())
    complete = not any(p.version is None and p.name in NEEDED for p in packages)
    return Diagnosis(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_version()} ({sys.executable})",
        cores=os.cpu_count() or 1,
        devices=_devices() if complete else (),
        packages=packages,
        warnings=tuple(_warnings()),
        speed=_speed() if measure and complete else None,
        stores=tuple(_stores()),
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> list[Package]:
    repair = "python bootstrap.py setup"
    needed = [Package(name, _version(name), purpose, repair) for name, purpose in NEEDED.items()]
    rows = [(name, *row) for name, row in OPTIONAL.items()]
    return needed + [
        Package(name, _version(name), purpose, f"pip install '{extra}'")
        for name, purpose, extra in rows
    ]


def _warnings() -> list[str]:
    torch = _version("torch") or ""
    warnings = [
        f"{name} is installed beside a CPU build of torch and breaks transformers: "
        f"pip uninstall {name}"
        for name in CUDA_ONLY
        if "+cpu" in torch and _version(name)
    ]
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError):
        warnings.append(
            "say --play has no way to a loudspeaker: install sounddevice and, on Linux, the "
            "system's PortAudio library (libportaudio2 on Debian and Ubuntu)"
        )
    return warnings


def _devices() -> tuple[str, ...]:
    import torch

    names = ["cpu"]
    if torch.cuda.is_available():
        names += [
            f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        names.append("mps")
    return tuple(names)


def _speed() -> Speed:
    import torch

    matrix = torch.randn(MATRIX, MATRIX)
    # A layer like those of the decoder: 256 channels, 7 taps, about 12 s of frames.
    layer, frames = torch.nn.Conv1d(256, 256, 7, padding=3), torch.randn(1, 256, 1024)
    with torch.inference_mode():
        matmul = 2 * MATRIX**3 / _fastest(lambda: matrix @ matrix)
        convolution = 2 * 256 * 256 * 7 * 1024 / _fastest(lambda: layer(frames))
    factor, note = _real_time_factor()
    return Speed(torch.get_num_threads(), matmul / 1e9, convolution / 1e9, factor, note)


def _fastest(work: Callable[[], object], runs: int = 8) -> float:
    """Seconds of the fastest of several runs, after one that warms up."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _real_time_factor() -> tuple[float | None, str]:
    """Seconds of work for a second of the base's speech, and why there is none if so."""
    from vits.errors import UserError
    from vits.voice import Voice

    try:
        voice = Voice.load("base")
    except UserError as error:
        return None, str(error)
    spoken_s = 0.0

    def speak() -> None:
        nonlocal spoken_s
        spoken_s = sum(speech.audio.duration_s for speech in voice.speak(SENTENCE))

    seconds = _fastest(speak, runs=3)
    return seconds / spoken_s, ""


def _stores() -> list[Store]:
    from vits.library import folder_bytes, home

    voices, training, graphs = (home() / name for name in ("voices", "training", "onnx"))
    return [
        Store("voices", voices, folder_bytes(voices), "clone-voice remove NAME"),
        Store(
            "training (states, prepared clips, features)",
            training,
            folder_bytes(training),
            "clone-voice remove NAME, or delete the folder: voices stay, training cannot resume",
        ),
        Store(
            "ONNX graphs of --engine onnx",
            graphs,
            folder_bytes(graphs),
            "delete the folder: they are made again",
        ),
    ]

"""What a training run shows of itself: spoken samples, spectrogram pictures, curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vits.audio import Audio, write_audio
from vits.config import AudioConfig
from vits.errors import UserError
from vits.files import atomic_file
from vits.spectral import mel_spectrogram

# dark violet, red, orange, pale yellow: quiet to loud
COLOURS = ((12, 8, 38), (120, 28, 109), (237, 105, 37), (252, 255, 200))


def write_snapshot(folder: Path, name: str, audio: Audio, config: AudioConfig) -> None:
    """Keep a spoken sample as `name`.wav and its mel spectrogram as `name`.png."""
    folder.mkdir(parents=True, exist_ok=True)
    write_audio(folder / f"{name}.wav", audio)
    picture = spectrogram_picture(audio, config)
    with atomic_file(folder / f"{name}.png") as file:
        picture.save(file, format="PNG")


def spectrogram_picture(audio: Audio, config: AudioConfig, height: int = 160) -> Image.Image:
    """The mel spectrogram as a picture: time to the right, pitch upwards, a frame to a pixel."""
    samples = torch.from_numpy(audio.samples.astype(np.float32)).unsqueeze(0)
    mel = mel_spectrogram(samples, config)[0].flip(0).numpy()
    loud = np.clip((mel - np.log(1e-4)) / (mel.max() - np.log(1e-4) + 1e-6), 0, 1)
    steps = np.linspace(0, 1, len(COLOURS))
    rgb = np.stack([np.interp(loud, steps, [c[i] for c in COLOURS]) for i in range(3)], -1)
    image = Image.fromarray(rgb.round().astype(np.uint8))
    return image.resize((image.width, height), Image.Resampling.BILINEAR)


class Curves:
    """Losses over steps for TensorBoard; needs the package tensorboard."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(
                "Curves need TensorBoard, which is not installed.",
                'Install it with: pip install "clone-voice[train]"',
            ) from error
        self._writer: Any = SummaryWriter(str(folder))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """One point of every curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()

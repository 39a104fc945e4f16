"""An IP-Adapter: pictures in which somebody looks as in a portrait (arXiv:2308.06721).

The file has the projection of an image's embedding and the attention to it; the encoder of images
is in `image_encoder/` beside it, as the adapters are published.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from pipelines.hub import find_model
from pipelines.images.modelfiles import short_hash
from vits.errors import UserError

ENCODER = "image_encoder"
FILES = ("*.json", "*ip-adapter_sd*", "*image_encoder/*")  # of a hub's repository
NAMES = {  # the plain adapters, as they are published
    "SD": ("models/ip-adapter_sd15.safetensors", "models/ip-adapter_sd15.bin"),
    "SDXL": ("sdxl_models/ip-adapter_sdxl.safetensors", "sdxl_models/ip-adapter_sdxl.bin"),
}
SUFFIXES = (".safetensors", ".bin")
BLANK = 224  # pixels of the picture that stands where there is no portrait, at no strength


class Adapter:
    """One adapter by the name of its file, its folder, or a hub's id."""

    def __init__(self, name: str, scale: float) -> None:
        if not 0 < scale <= 2:
            raise UserError(f"ip_scale={scale} cannot be.", "Choose one up to 2; 0.6 is usual.")
        self.name, self.scale = name, scale
        path = Path(name).expanduser()
        self._file = path if path.is_file() else None
        self._folder = path.parent if self._file else find_model(name, files=FILES)

    @cached_property
    def facts(self) -> list[object]:
        """What decides pictures that are drawn with it."""
        return [[short_hash(path) for path in self._candidates], self.scale]

    @cached_property
    def credit(self) -> str:
        return f"IP-Adapter {self._candidates[0].stem} [{short_hash(self._candidates[0])}]"

    def attach(self, pipe: Any) -> None:
        """Put it into a pipeline. UserError where it is for another base, or not whole."""
        file = self._fitting(pipe)
        if not (file.parent / ENCODER / "config.json").is_file():
            raise UserError(
                f"Beside {file.name} there is no folder {ENCODER}, which reads portraits.",
                f"Put the adapter's {ENCODER} into {file.parent}.",
            )
        try:
            pipe.load_ip_adapter(
                str(file.parent),
                subfolder="",
                weight_name=file.name,
                image_encoder_folder=ENCODER,
                local_files_only=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError, IndexError, AttributeError) as error:
            raise UserError(
                f"The IP-Adapter {file.name} does not fit the model.", "Take one for the same base."
            ) from error

    def shown(self, pipe: Any, portraits: Sequence[Image.Image]) -> dict[str, Any]:
        """What the pipeline is told: the portraits, or nothing at no strength."""
        pipe.set_ip_adapter_scale(self.scale if portraits else 0.0)
        pictures = [picture.convert("RGB") for picture in portraits]
        return {"ip_adapter_image": [pictures or [Image.new("RGB", (BLANK, BLANK), "white")]]}

    def _fitting(self, pipe: Any) -> Path:
        if self._file:
            return self._file
        base = "SDXL" if getattr(pipe, "text_encoder_2", None) is not None else "SD"
        named = (self._folder / name for name in NAMES[base])
        return next((path for path in named if path.is_file()), self._candidates[0])

    @cached_property
    def _candidates(self) -> list[Path]:
        """The adapter's file; in a folder, those there are. UserError for none."""
        if self._file:
            return [self._file]
        published = [self._folder / name for names in NAMES.values() for name in names]
        beside = (path for path in self._folder.iterdir() if path.suffix in SUFFIXES)
        found = [path for path in published if path.is_file()] or sorted(beside)
        if not found:
            raise UserError(
                f"{self._folder} holds no IP-Adapter.", "Name its file, such as ip-adapter_sd15."
            )
        return found

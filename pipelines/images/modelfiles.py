"""What a model file is, told from the names of its tensors; nothing in it is run or loaded.

A `.safetensors` file begins with its table of tensors. A `.ckpt` or `.pt` is a pickle: it is read
by `torch.load(weights_only=True)`, which refuses all but plain tensors, onto the `meta` device.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vits.errors import UserError

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
_SDXL_NAMES = ("conditioner.embedders", "lora_te2_", "text_model_2", "text_encoder_2", "clip_g")
Shapes = Mapping[str, tuple[int, ...]]

# the web UI's folders, and where its extension for additional networks keeps LoRAs
FOLDERS = {
    "checkpoint": ("models/Stable-diffusion", "Stable-diffusion"),
    "vae": ("models/VAE", "VAE"),
    "lora": (
        *("models/Lora", "Lora", "models/LyCORIS"),
        *("extensions/sd-webui-additional-networks/models/lora", "models/lora"),
    ),
    "embedding": ("embeddings", "models/embeddings"),
}


@dataclass(frozen=True)
class ModelFile:
    """What a file is: its kind, the family of models it belongs to, and notes of its maker."""

    path: Path
    kind: str  # checkpoint, vae, lora, locon, loha, embedding, unknown
    base: str  # SD 1.x, SD 2.x, SDXL, or empty
    licence: str = ""
    title: str = ""

    @property
    def hash(self) -> str:
        """The web UI's short hash: ten digits of the SHA-256."""
        return short_hash(self.path)


def short_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:10]


def identify(path: Path) -> ModelFile:
    """What the file is. UserError if it cannot be read as a model's weights."""
    shapes, notes = _table(path)
    kind = _kind(shapes)
    licence = notes.get("modelspec.license") or notes.get("license", "")
    title = notes.get("modelspec.title") or notes.get("ss_output_name", "")
    return ModelFile(path, kind, _base(kind, shapes, notes), licence, title)


def list_models(folder: Path) -> Iterator[ModelFile | UserError]:
    """Every model file below a folder, in order; an error for one that cannot be read."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            try:
                yield identify(path)
            except UserError as error:
                yield error


def find_file(root: Path, kind: str, name: str) -> Path:
    """The file `name` (with or without suffix) of a kind in the web UI's folder `root`."""
    folders = [root / folder for folder in FOLDERS[kind] if (root / folder).is_dir()] or [root]
    known: list[str] = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                if name in (path.name, path.stem):
                    return path
                known.append(path.stem)
    there = ", ".join(known) if known else "none"
    raise UserError(f"There is no {kind} '{name}' in {root}.", f"There are: {there}.")


# ---------------------------------------------------------------- reading


def _table(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    if path.suffix.lower() == ".safetensors":
        return _safetensors_table(path)
    return _pickle_table(path), {}


def _safetensors_table(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            if size > 100_000_000:
                raise ValueError("a table of that size is none")
            table = json.loads(file.read(size))
        notes = {str(key): str(value) for key, value in table.pop("__metadata__", {}).items()}
        return {name: tuple(entry["shape"]) for name, entry in table.items()}, notes
    except (OSError, ValueError, struct.error, KeyError, AttributeError, TypeError) as error:
        raise _unreadable(path) from error


def _pickle_table(path: Path) -> dict[str, tuple[int, ...]]:
    import pickle

    import torch

    try:
        data = torch.load(path, map_location="meta", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise _unreadable(path) from error
    return {name: tuple(t.shape) for name, t in _tensors(data, "") if hasattr(t, "shape")}


def _tensors(data: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        inner = data.get("state_dict", data)
        for key, value in inner.items():
            yield from _tensors(value, f"{prefix}{key}" if not prefix else f"{prefix}.{key}")
    else:
        yield prefix, data


def _unreadable(path: Path) -> UserError:
    return UserError(
        f"{path} is not a model's weights, or is damaged.",
        "Give a whole .safetensors file, or a .ckpt that holds tensors alone.",
    )


# ---------------------------------------------------------------- telling


def _kind(shapes: Shapes) -> str:
    names = list(shapes)
    if _any(names, "hada_w1_a"):
        return "loha"
    if _any(names, "lora_down", "lora_A", "lora.down"):
        convolved = any(
            "lora_down" in name and len(shape) == 4 and shape[2:] == (3, 3)
            for name, shape in shapes.items()
        )
        return "locon" if convolved else "lora"
    if _any(names, "model.diffusion_model.", "down_blocks.0.", "cond_stage_model."):
        return (
            "vae"
            if _any(names, "encoder.down") and not _any(names, "diffusion_model")
            else "checkpoint"
        )
    if _any(names, "decoder.conv_in", "decoder.conv_out", "decoder.mid"):
        return "vae"
    if any(
        name.startswith(("string_to_param", "emb_params", "clip_l", "clip_g")) for name in names
    ):
        return "embedding"
    small = len(names) <= 2 and all(
        shape[-1:] in ((768,), (1024,), (1280,)) for shape in shapes.values()
    )
    return "embedding" if small and names else "unknown"


def _base(kind: str, shapes: Shapes, notes: Mapping[str, str]) -> str:
    named = ("ss_base_model_version", "modelspec.architecture")
    told = " ".join(notes.get(name, "") for name in named).lower()
    if "sdxl" in told or "xl-v1" in told:
        return "SDXL"
    if "v2" in told:
        return "SD 2.x"
    if "v1" in told:
        return "SD 1.x"
    names = list(shapes)
    if _any(names, *_SDXL_NAMES):
        return "SDXL"
    if kind == "vae":
        return ""
    width = _context_width(shapes)
    return {768: "SD 1.x", 1024: "SD 2.x", 2048: "SDXL"}.get(width, "")


def _context_width(shapes: Shapes) -> int:
    """How wide the text is that the network attends to."""
    for name, shape in shapes.items():
        if "attn2" in name and ("to_k" in name) and shape and not name.endswith("alpha"):
            if "lora_up" in name or "lora_B" in name or "lora.up" in name:
                continue
            return shape[1] if len(shape) > 1 else 0
    for name, shape in shapes.items():
        if name.startswith(("string_to_param", "emb_params")) and shape:
            return shape[-1]
    widths = {shape[-1] for shape in shapes.values() if shape}
    return next(iter(widths)) if len(widths) == 1 else 0


def _any(names: Iterable[str], *parts: str) -> bool:
    return any(part in name for name in names for part in parts)

"""Where a Stable Diffusion comes from: a folder of diffusers, one file or a hub; and its VAE."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.hub import SAFE_FILES, find_model
from pipelines.images.modelfiles import find_file, identify
from vits.errors import UserError


@dataclass(frozen=True)
class Source:
    """Where the weights are. `model` is a folder, a hub's id, one file, or a name in `webui`.

    `config` is a folder or id of the same family, which a single file needs where there is no
    network; `webui` is the web UI's folder, in which LoRAs, embeddings and VAEs are found.
    `ip_adapter` is a file of an IP-Adapter, a folder or a hub's id with some: characters are then
    drawn after their portraits, as strongly as `ip_scale` says.
    """

    model: str
    config: str = ""
    vae: str = ""
    webui: str = ""
    device: str = "cpu"
    safety: bool = False
    ip_adapter: str = ""
    ip_scale: float = 0.6


def find_weights(source: Source) -> Path:
    """The folder or file of the model. UserError where there is none."""
    path = Path(source.model).expanduser()
    if path.is_file():
        return path
    if source.webui and not path.exists() and "/" not in source.model:
        return find_file(Path(source.webui), "checkpoint", source.model)
    folder = find_model(source.model, files=(*SAFE_FILES, "*.bin"))
    if not (folder / "model_index.json").is_file():
        raise UserError(
            f"{folder} is no model of diffusers (it has no model_index.json).",
            "Give such a folder, a .safetensors or .ckpt file, or a hub's id.",
        )
    return folder


def load_pipe(source: Source, path: Path) -> Any:
    """The pipeline, on its device. UserError for what cannot be loaded."""
    from diffusers import DiffusionPipeline

    if path.is_file():
        pipe = _single_file(source, path)
    else:
        checker = {} if source.safety else {"safety_checker": None}
        index = json.loads((path / "model_index.json").read_text("utf-8"))
        more = checker if "safety_checker" in index else {}
        try:
            pipe = DiffusionPipeline.from_pretrained(path, **more)
        except (OSError, ValueError, AttributeError) as error:
            raise _broken(path, error) from error
    if source.vae:
        pipe.vae = _vae(source)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(source.device)


def _single_file(source: Source, path: Path) -> Any:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    file = identify(path)
    if file.kind != "checkpoint":
        raise UserError(
            f"{path} is no whole model, but: {file.kind}.",
            "Give a checkpoint; a LoRA goes into the prompt, <lora:name:0.8>.",
        )
    kind = StableDiffusionXLPipeline if file.base == "SDXL" else StableDiffusionPipeline
    more: dict[str, Any] = {}
    if source.config:
        more["config"] = str(find_model(source.config))
    if kind is StableDiffusionPipeline:
        more |= {"safety_checker": None, "feature_extractor": None}
    try:
        offline = bool(source.config)
        return kind.from_single_file(str(path), local_files_only=offline, **more)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if not source.config:
            raise UserError(
                f"{path} needs the configuration of its family, which is not on this machine.",
                "Name a folder of the same family: config=FOLDER (its weights are not used).",
            ) from error
        raise _broken(path, error) from error


def vae_path(source: Source) -> Path:
    path = Path(source.vae).expanduser()
    if path.exists() or not source.webui:
        return path
    return find_file(Path(source.webui), "vae", source.vae)


def _vae(source: Source) -> Any:
    from diffusers import AutoencoderKL

    path = vae_path(source)
    try:
        if path.is_dir():
            return AutoencoderKL.from_pretrained(path)
        config = {"config": str(Path(source.config) / "vae")} if source.config else {}
        return AutoencoderKL.from_single_file(str(path), **config)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(f"{path} is no VAE that can be read.", "Name another.") from error


def licence_of(path: Path) -> str:
    """The licence of a model, from its card or the table of its file, as ', name'."""
    if path.is_file():
        licence = identify(path).licence
        return f", {licence}" if licence else ""
    card = path / "README.md"
    if card.is_file():
        for line in card.read_text("utf-8", "replace").splitlines()[:40]:
            if line.startswith("license:"):
                return f", {line.removeprefix('license:').strip()}"
    return ""


def _broken(path: Path, error: Exception) -> UserError:
    reason = str(error).partition("\n")[0][:160] or type(error).__name__
    return UserError(
        f"The model {path} cannot be loaded ({reason}).",
        "Download it again, or name another.",
    )

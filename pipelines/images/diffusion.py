"""Stable Diffusion by diffusers: 1.x, 2.x, SDXL, Turbo, LCM; a folder, a hub's id, or one file.

Prompts have the web UI's emphasis and any length (compel), `<lora:name:0.8>` and the names of
textual inversions. The same wish, model and machine give the same picture: chance comes from a
generator on the CPU.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipelines.images.adapter import Adapter
from pipelines.images.emphasis import for_compel
from pipelines.images.failure import PictureFailed
from pipelines.images.loading import Source, find_weights, licence_of, load_pipe, vae_path
from pipelines.images.modelfiles import ModelFile, find_file, identify, short_hash
from pipelines.images.samplers import make_scheduler
from pipelines.images.wish import CHUNK, Lora, Wish, parameters, split_loras
from vits.errors import UserError

log = logging.getLogger(__name__)

FLAT = 2.0  # standard deviation of a picture that shows nothing (black, from NaN)
SINGLE = (".safetensors", ".ckpt")
_SIZES = {"SDXL": (1024, 576)}


class Diffusion:
    """Draws wishes with one model; the weights are loaded when the first is drawn."""

    name = "diffusion"

    def __init__(self, source: Source) -> None:
        self.source = source
        self._loras: tuple[Lora, ...] = ()
        self._embeddings: set[str] = set()
        self.path = find_weights(source)

    # ------------------------------------------------------------ facts

    def usual(self, wish: Wish) -> Wish:
        """The wish with what suits distilled models, where it asks for nothing of its own."""
        name = f"{self.path.name} {self.source.model}".lower()
        plain = Wish(wish.prompt)
        if (wish.steps, wish.cfg) != (plain.steps, plain.cfg):
            return wish
        if "turbo" in name:
            return replace(wish, steps=2, cfg=0.0)
        if "lcm" in name:
            return replace(wish, steps=4, cfg=1.5, sampler="LCM")
        return wish

    def facts(self, wish: Wish) -> dict[str, object]:
        """What decides a picture beside the wish: the model's and the LoRAs' hashes."""
        found = {"model": self.hash, "vae": self._vae_hash(), "loras": self._lora_hashes(wish)}
        return found | ({"adapter": self._adapter.facts} if self.takes_portraits else {})

    @property
    def takes_portraits(self) -> bool:
        """Whether pictures can be drawn after portraits of who is in them."""
        return bool(self.source.ip_adapter)

    @cached_property
    def hash(self) -> str:
        """The web UI's short hash of a file; for a folder, of the weights in it."""
        if self.path.is_file():
            return short_hash(self.path)
        weights = sorted(self.path.rglob("*.safetensors")) or sorted(self.path.rglob("*.bin"))
        hashes = [f"{path.relative_to(self.path)} {short_hash(path)}" for path in weights]
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:10]

    def credits(self, wish: Wish) -> list[str]:
        """A line for the model and each LoRA: name, hash, licence where it says one."""
        lines = [f"{self.path.stem} [{self.hash}]{licence_of(self.path)}"]
        if self.takes_portraits:
            lines.append(self._adapter.credit)
        for lora in split_loras(wish.prompt)[1]:
            file = self._lora_file(lora)
            licence = f", {file.licence}" if file.licence else ""
            lines.append(f"{file.title or lora.name} [{file.hash}]{licence}")
        return lines

    def _lora_hashes(self, wish: Wish) -> list[str]:
        return [self._lora_file(lora).hash for lora in split_loras(wish.prompt)[1]]

    def _vae_hash(self) -> str:
        return short_hash(vae_path(self.source)) if self.source.vae else ""

    # ------------------------------------------------------------ drawing

    def draw(
        self,
        wish: Wish,
        before: Image.Image | None = None,
        portraits: Sequence[Image.Image] = (),
    ) -> Image.Image:
        """The picture; with `before` that picture, changed by the wish's strength. Who is in it
        looks as in the `portraits`, where the source has an IP-Adapter.

        PictureFailed where what comes out shows nothing; UserError for parts that are not there.
        """
        wish = self.usual(wish)
        prompt, loras = split_loras(wish.prompt)
        self._take_loras(loras)
        self._take_embeddings(f"{prompt} {wish.negative}")
        pipe = self._pipe
        pipe.scheduler = make_scheduler(wish.sampler, self._scheduler_config)
        told = self._told(prompt, wish.negative)
        if self.takes_portraits:
            told |= self._adapter.shown(pipe, portraits)
        if before is None:
            picture = self._run(pipe, wish, told, height=wish.height, width=wish.width)
        else:
            size = (wish.width, wish.height)
            picture = self._again(wish, told, before.convert("RGB").resize(size))
        if wish.hires > 1:
            picture = self._larger(wish, told, picture)
        picture.info[CHUNK] = parameters(
            wish, Model_hash=self.hash, Model=self.path.stem, Lora_hashes=self._lora_line(loras)
        )
        return picture

    def _larger(self, wish: Wish, told: dict[str, Any], picture: Image.Image) -> Image.Image:
        size = (_eighths(wish.width * wish.hires), _eighths(wish.height * wish.hires))
        wish = replace(wish, steps=wish.hires_steps or wish.steps)
        return self._again(wish, told, picture.resize(size, Image.Resampling.LANCZOS))

    def _again(self, wish: Wish, told: dict[str, Any], picture: Image.Image) -> Image.Image:
        from diffusers import AutoPipelineForImage2Image

        pipe = AutoPipelineForImage2Image.from_pipe(self._pipe)
        pipe.set_progress_bar_config(disable=True)
        strength = max(wish.strength, 1 / wish.steps + 1e-3)  # at least one step
        return self._run(pipe, wish, told, image=picture, strength=strength)

    def _run(self, pipe: Any, wish: Wish, told: dict[str, Any], **more: Any) -> Image.Image:
        import torch

        result = pipe(
            **told,
            num_inference_steps=wish.steps,
            guidance_scale=wish.cfg,
            generator=torch.Generator("cpu").manual_seed(wish.seed),
            **more,
        )
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise PictureFailed("the model's safety checker held the picture back")
        picture: Image.Image = result.images[0]
        if np.asarray(picture, np.float32).std() < FLAT:
            raise PictureFailed("the picture is of one colour (the model's numbers overflowed)")
        return picture

    def _told(self, prompt: str, negative: str) -> dict[str, Any]:
        """Prompt and negative prompt as the network takes them, of any length."""
        import torch
        from compel import CompelForSD, CompelForSDXL, DiffusersTextualInversionManager

        pipe = self._pipe
        two = getattr(pipe, "text_encoder_2", None) is not None
        kind = CompelForSDXL if two else CompelForSD
        more = {} if two else {
            "textual_inversion_manager": DiffusersTextualInversionManager(pipe)
        }  # fmt: skip
        with torch.no_grad():
            found = kind(pipe, device=self.source.device, **more)(
                for_compel(prompt), negative_prompt=for_compel(negative)
            )
        told = {"prompt_embeds": found.embeds, "negative_prompt_embeds": found.negative_embeds}
        if two:
            told["pooled_prompt_embeds"] = found.pooled_embeds
            told["negative_pooled_prompt_embeds"] = found.negative_pooled_embeds
        return told

    # ------------------------------------------------------------ loading

    @cached_property
    def _pipe(self) -> Any:
        pipe = load_pipe(self.source, self.path)
        if self.takes_portraits:
            self._adapter.attach(pipe)
        return pipe

    @cached_property
    def _adapter(self) -> Adapter:
        return Adapter(self.source.ip_adapter, self.source.ip_scale)

    @cached_property
    def _scheduler_config(self) -> Any:
        return self._pipe.scheduler.config

    # ------------------------------------------------------------ LoRAs and embeddings

    def _lora_file(self, lora: Lora) -> ModelFile:
        path = Path(lora.name)
        if not path.is_file():
            if not self.source.webui:
                raise UserError(
                    f"The prompt asks for the LoRA '{lora.name}', and no folder was named.",
                    "Name the web UI's folder or one with LoRAs: webui=FOLDER.",
                )
            path = find_file(Path(self.source.webui), "lora", lora.name)
        file = identify(path)
        if file.kind == "loha":
            raise UserError(
                f"The LoRA '{lora.name}' is a LoHa, which cannot be loaded here.",
                "Take a LoRA or LoCon, or draw on the web UI: a1111:URL.",
            )
        return file

    def _take_loras(self, loras: tuple[Lora, ...]) -> None:
        if loras == self._loras:
            return
        if self._loras:
            self._pipe.unload_lora_weights()
        self._loras = ()
        names = []
        for number, lora in enumerate(loras):
            file = self._lora_file(lora)
            name = f"lora{number}"
            try:
                self._pipe.load_lora_weights(
                    str(file.path.parent), weight_name=file.path.name, adapter_name=name
                )
            except (ValueError, KeyError, RuntimeError, AttributeError, TypeError) as error:
                base = f" (it is for {file.base})" if file.base else ""
                raise UserError(
                    f"The LoRA '{lora.name}' does not fit the model {self.path.name}{base}.",
                    "Take one for the same base.",
                ) from error
            names.append(name)
        if names:
            self._pipe.set_adapters(names, [lora.weight for lora in loras])
        self._loras = loras

    def _lora_line(self, loras: tuple[Lora, ...]) -> str:
        return ", ".join(f"{lora.name}: {self._lora_file(lora).hash}" for lora in loras)

    def _take_embeddings(self, text: str) -> None:
        """Textual inversions whose names stand in the prompt."""
        from pipelines.images.modelfiles import FOLDERS, SUFFIXES

        if not self.source.webui:
            return
        for folder in FOLDERS["embedding"]:
            for path in sorted((Path(self.source.webui) / folder).rglob("*")):
                wanted = path.suffix.lower() in SUFFIXES and path.stem in text
                if wanted and path.stem not in self._embeddings:
                    self._load_embedding(path)

    def _load_embedding(self, path: Path) -> None:
        try:
            self._pipe.load_textual_inversion(str(path), token=path.stem)
        except (ValueError, KeyError, RuntimeError, OSError) as error:
            raise UserError(
                f"The textual inversion {path.name} does not fit the model {self.path.name}.",
                "Take one for the same base, or leave its name out of the prompt.",
            ) from error
        self._embeddings.add(path.stem)


def _eighths(length: float) -> int:
    return max(8, 8 * round(length / 8))

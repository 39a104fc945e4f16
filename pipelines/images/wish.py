"""What a picture is asked for with, and the web UI's `parameters` text that remembers it.

The text is the prompt, then `Negative prompt: ...`, then one line `Steps: 20, Sampler: Euler a,
CFG scale: 7, Seed: 1, Size: 512x512, ...`; it stands in a PNG text chunk of that name.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from PIL import Image

from vits.errors import UserError

CHUNK = "parameters"
LORA = re.compile(r"<lora:([^:<>]+)(?::(-?\d*\.?\d+))?[^<>]*>")
_FIELD = re.compile(r'\s*([\w ]+): ("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_NAMES = {
    "steps": "Steps",
    "sampler": "Sampler",
    "cfg": "CFG scale",
    "seed": "Seed",
    "strength": "Denoising strength",
    "hires": "Hires upscale",
    "hires_steps": "Hires steps",
}


@dataclass(frozen=True)
class Wish:
    """One picture. `hires` above 1 draws it larger in a second pass, changed by `strength`."""

    prompt: str
    negative: str = ""
    steps: int = 20
    sampler: str = "Euler a"
    cfg: float = 7.0
    seed: int = 0
    width: int = 640
    height: int = 360
    hires: float = 1.0
    hires_steps: int = 0  # as many as `steps`
    strength: float = 0.5

    def facts(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Lora:
    """`<lora:name:0.8>` in a prompt."""

    name: str
    weight: float


def split_loras(prompt: str) -> tuple[str, tuple[Lora, ...]]:
    """The prompt without its `<lora:...>`, and what they name."""
    loras = tuple(Lora(m[1].strip(), float(m[2] or 1)) for m in LORA.finditer(prompt))
    bare = re.sub(r"\s*,\s*(?=,|$)", "", LORA.sub("", prompt)).strip(" ,")
    return bare, loras


def parameters(wish: Wish, **more: str) -> str:
    """The wish as the web UI writes it; `more` are further fields, such as the model's name."""
    values: dict[str, object] = {
        "Steps": wish.steps,
        "Sampler": wish.sampler,
        "CFG scale": f"{wish.cfg:g}",
        "Seed": wish.seed,
        "Size": f"{wish.width}x{wish.height}",
    }
    if wish.hires > 1:
        values["Denoising strength"] = f"{wish.strength:g}"
        values["Hires upscale"] = f"{wish.hires:g}"
        values["Hires steps"] = wish.hires_steps
    values |= {name.replace("_", " "): text for name, text in more.items() if text}
    line = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in values.items())
    negative = f"\nNegative prompt: {wish.negative}" if wish.negative else ""
    return f"{wish.prompt}{negative}\n{line}"


def read_parameters(text: str) -> tuple[Wish, dict[str, str]]:
    """The wish that `parameters` wrote, or the web UI, and all fields. UserError if it is none."""
    head, _, last = f"\n{text.strip()}".rpartition("\n")
    found = {m[1].strip(): _unquoted(m[2].strip()) for m in _FIELD.finditer(last)}
    if "Steps" not in found:
        raise UserError("The text holds no settings of a picture.", "Give a PNG that has them.")
    prompt, _, negative = head.partition("\nNegative prompt: ")
    wish = Wish(prompt.strip(), negative.strip())
    try:
        width, height = map(int, found.get("Size", f"{wish.width}x{wish.height}").split("x"))
        kinds = {field.name: type(getattr(wish, field.name)) for field in fields(Wish)}
        changes = {
            name: kinds[name](found[label]) for name, label in _NAMES.items() if label in found
        }
    except ValueError as error:
        raise UserError(
            f"The settings of the picture are garbled: {last}", "Give another."
        ) from error
    return replace(wish, width=width, height=height, **changes), found


def wish_of_png(path: Path) -> tuple[Wish, dict[str, str]]:
    """What a PNG says that it was made with. UserError if it says nothing."""
    try:
        with Image.open(path) as image:
            text = image.info.get(CHUNK)
    except OSError as error:
        raise UserError(f"{path} is no picture that can be read.", "Give a PNG.") from error
    if not isinstance(text, str):
        raise UserError(
            f"{path} does not say what it was made with (no '{CHUNK}' text).",
            "Give a PNG as this program or the web UI wrote it.",
        )
    return read_parameters(text)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search(r'[,:"\n]', value) else value


def _unquoted(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value

"""What tuning a language model leaves: an adapter, bound to the base that it was made on.

    adapter_model.safetensors, adapter_config.json    peft's own form (LoRA, prompts), or
    delta.safetensors                                 what whole weights were changed by
    adapter.json                                      the base, its weights' digest, the tuning

The base itself is never in it. An adapter is refused on other weights than its base's.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vits.errors import UserError
from vits.files import write_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CARD, DELTA, PEFT = "adapter.json", "delta.safetensors", "adapter_config.json"
FORMAT = 1
SAMPLED = 1 << 16  # bytes of each end of a weights file that tell it from others


@dataclass(frozen=True)
class Card:
    """What an adapter is: `base` as --llm names it, `weights` the digest of the base's weights."""

    base: str
    weights: str
    method: str
    settings: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT


def write_card(folder: Path, card: Card) -> None:
    write_text(folder / CARD, json.dumps(asdict(card), ensure_ascii=False, indent=1) + "\n")


def read_card(folder: Path) -> Card:
    """The card of an adapter. UserError for a folder that holds none, or one of other versions."""
    path = folder / CARD
    try:
        fields = json.loads(path.read_text("utf-8"))
        known = fields.get("format") == FORMAT
        card = Card(**fields) if known else None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{folder} holds no adapter: {CARD} cannot be read.",
            "Tune one: digital-human train PERSONA --base hf:MODEL.",
        ) from error
    if card is None:
        raise UserError(
            f"The adapter in {folder} was made by another version of this program.",
            "Tune it again: digital-human train PERSONA --base hf:MODEL --force.",
        )
    return card


def weights_digest(folder: Path) -> str:
    """What tells a model's weights from others: sizes and both ends of its safetensors files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(f"{path.name} {path.stat().st_size} ".encode())
        digest.update(ends_of(path))
    return digest.hexdigest()


def ends_of(path: Path) -> bytes:
    """The file's first and last bytes: the whole of a small one."""
    with path.open("rb") as file:
        first = file.read(SAMPLED)
        file.seek(max(len(first), path.stat().st_size - SAMPLED))
        return first + file.read()


def refuse_other_base(adapter: Path, base: Path, name: str) -> Card:
    """The adapter's card, if it was made on the weights in `base`; else UserError."""
    card = read_card(adapter)
    if card.weights != weights_digest(base):
        raise UserError(
            f"The adapter in {adapter} was tuned on {card.base}, and {name} has other weights.",
            f"Talk with --llm {card.base}, or leave the adapter out with --untuned.",
        )
    return card


def put_on(model: PreTrainedModel, adapter: Path) -> Any:
    """The model with an adapter on it. UserError for one that is damaged or of another shape."""
    from safetensors import SafetensorError

    try:
        if (adapter / DELTA).exists():
            return _with_delta(model, adapter / DELTA)
        from peft import PeftModel

        return PeftModel.from_pretrained(model, str(adapter))
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(
            f"The adapter in {adapter} cannot be put on its base ({reason}).",
            "It is damaged: tune it again with --force.",
        ) from error


def _with_delta(model: PreTrainedModel, path: Path) -> PreTrainedModel:
    import torch
    from safetensors import safe_open

    parameters = dict(model.named_parameters())
    with safe_open(str(path), framework="pt") as file, torch.no_grad():
        for name in file.keys():  # noqa: SIM118  (it is no dict)
            weight = parameters[name]
            delta = file.get_tensor(name).to(weight.device, torch.float32)
            weight.copy_((weight.float() + delta).to(weight.dtype))
    return model

"""`digital-human merge`: base plus adapter as one model, which writes as the two do together."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.llm.adapters import DELTA, Card, put_on, read_card, refuse_other_base
from pipelines.llm.chat import user
from pipelines.llm.local import LocalModel
from pipelines.persona.models import ADAPTER
from pipelines.persona.tuning.methods import METHODS
from pipelines.persona.tuning.train import base_of
from vits.errors import UserError

PROBE = "Good evening. 晚上好，你是谁？"


@dataclass(frozen=True)
class Merged:
    """Where the model is, and how far its logits are from base plus adapter, at most."""

    folder: Path
    base: str
    difference: float


def merge(persona: Path, output: Path, *, base: str = "", force: bool = False) -> Merged:
    """Write base plus adapter to `output`. `base` is where the base is, if it has moved."""
    adapter = persona / ADAPTER
    card = read_card(adapter)
    _refuse_prompts(card, adapter)
    if output.exists() and any(output.iterdir()) and not force:
        raise UserError(f"{output} is not empty.", "Name another folder, or add --force.")
    model = base_of(base or card.base, "cpu")
    refuse_other_base(adapter, model.folder, model.source)
    together = put_on(model.model, adapter)
    before = _logits(together, model)
    merged = together.merge_and_unload() if hasattr(together, "merge_and_unload") else together
    _write(merged, model, output)
    after = LocalModel(str(output))
    difference = float((before - _logits(after.model, after)).abs().max())
    return Merged(output, card.base, difference)


def _refuse_prompts(card: Card, adapter: Path) -> None:
    if METHODS[card.method].packs or (adapter / DELTA).exists():
        return
    raise UserError(
        f"An adapter by {card.method} stands before the words, not in the weights: it cannot be "
        "merged.",
        "Talk with it as it is, or tune with --method lora.",
    )


def _logits(network: Any, model: LocalModel) -> Any:
    """What the next token may be, all along a probe: (1, T, vocabulary)."""
    import torch

    ids = model.tokenizer(model.prompt([user(PROBE)], think=False), return_tensors="pt")
    with torch.inference_mode():
        return network(input_ids=ids["input_ids"]).logits.float().clone()


def _write(merged: Any, model: LocalModel, output: Path) -> None:
    new = output.with_name(f".{output.name}.part")
    shutil.rmtree(new, ignore_errors=True)
    merged.save_pretrained(str(new))
    for path in model.folder.iterdir():  # tokenizer, template, licence: all but the weights
        small = path.suffix in (".json", ".jinja", ".txt", ".model", ".md", "") and path.is_file()
        if small and not (new / path.name).exists() and "safetensors" not in path.name:
            shutil.copyfile(path, new / path.name)
    if output.exists():
        shutil.rmtree(output)
    new.rename(output)

"""Which language model a persona talks by: what was asked for, what it was tuned on, or none."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.llm.adapters import CARD, read_card, refuse_other_base
from pipelines.llm.config import default_model, open_model

if TYPE_CHECKING:
    from pipelines.llm.chat import LanguageModel

log = logging.getLogger(__name__)
ADAPTER = "adapter"  # the folder, in the persona's
EXTRACTIVE = "extractive"


def model_of(
    persona: Path, spec: str | None, device: str, *, untuned: bool = False
) -> LanguageModel | None:
    """The model; None to quote only. A model of this machine gets the persona's adapter.

    UserError for an adapter that was tuned on other weights, unless it is left out (`untuned`).
    """
    adapter = persona / ADAPTER
    tuned = (adapter / CARD).exists() and not untuned
    spec = spec or (_tuned_on(adapter) if tuned else "") or default_model() or EXTRACTIVE
    if spec == EXTRACTIVE:
        return None
    model = open_model(spec, device=device)
    if not tuned:
        return model
    from pipelines.llm.local import LocalModel

    if isinstance(model, LocalModel):
        refuse_other_base(adapter, model.folder, spec)
        model.adapter = adapter
    else:
        log.warning("%s answers as it is: an adapter is put on models of this machine", spec)
    return model


def _tuned_on(adapter: Path) -> str:
    """The base as --llm names it, in 4 bits where it was tuned so."""
    card = read_card(adapter)
    return f"{card.base},int4" if card.method == "qlora" else card.base

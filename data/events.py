"""How far a preparation is: what the modules of `data` tell while they work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StageEvent:
    """Progress of one stage: `done` of `total` `unit`s."""

    stage: str
    done: float
    total: float
    unit: str
    note: str = ""


OnStage = Callable[[StageEvent], None]

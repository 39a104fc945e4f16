"""How far a long piece of work is: what libraries report and the command line draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`done` of `total` `unit`s of one `stage`; work that was there already counts as done.

    `total` is None while it is not known. `eta_s`, seconds to the end of the stage, is given
    where the work knows better than its rate so far tells. `note` is a word on the state (the
    loss, the line being read).
    """

    stage: str
    done: float
    total: float | None = None
    unit: str = ""
    note: str = ""
    eta_s: float | None = None


OnProgress = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """For callers who do not want to know."""

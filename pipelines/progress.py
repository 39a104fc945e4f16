"""How far a long piece of work is: what libraries report and the command line draws."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

TOTAL = "in all"  # the stage of work that has several, in percent of the time it takes


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


class Pace:
    """Rate and time left of one stage, from what was done since this run began it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: dict[str, tuple[float, float]] = {}  # stage: time, done

    def measure(self, progress: Progress) -> tuple[float | None, float | None]:
        """Units a second, and seconds left; None where not known yet."""
        now = self._clock()
        began, done_before = self._first.setdefault(progress.stage, (now, progress.done))
        elapsed, done_now = now - began, progress.done - done_before
        rate = done_now / elapsed if elapsed > 0 and done_now > 0 else None
        if progress.eta_s is not None or progress.total is None or rate is None:
            return rate, progress.eta_s
        return rate, max(0.0, progress.total - progress.done) / rate

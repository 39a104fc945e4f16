"""How long things took on this machine before, for honest estimates.

    HOME/past.json   {"narration:base": [seconds of sound, seconds of work], ...}

Older work counts less and less, so that another machine or a faster version is soon believed.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from vits.errors import UserError
from vits.files import write_text
from vits.library import home

log = logging.getLogger(__name__)

FILE_NAME = "past.json"
FADE = 0.8  # of what is remembered, at every new note


@dataclass
class Past:
    """What each kind of work took: units done and seconds spent, by its name."""

    rates: dict[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Past:
        """What this machine remembers; nothing where the file is not there or not whole."""
        try:
            data = json.loads(_path().read_text("utf-8"))
            return cls({str(k): (float(done), float(took)) for k, (done, took) in data.items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return cls()

    def note(self, kind: str, done: float, seconds: float) -> None:
        """Remember that `done` units took `seconds`."""
        if done <= 0 or seconds <= 0:
            return
        before, took = self.rates.get(kind, (0.0, 0.0))
        self.rates[kind] = (FADE * before + done, FADE * took + seconds)

    def seconds(self, kind: str, units: float) -> float | None:
        """How long `units` will take; None where nothing like it was done here."""
        done, took = self.rates.get(kind, (0.0, 0.0))
        return units * took / done if done else None

    def save(self) -> None:
        """Keep it. A library that cannot be written costs the memory and nothing else."""
        rates = {kind: [round(x, 4) for x in pair] for kind, pair in sorted(self.rates.items())}
        try:
            write_text(_path(), json.dumps(rates, indent=1) + "\n")
        except UserError as error:
            log.info("not remembered: %s", error)


def _path() -> Path:
    return home() / FILE_NAME

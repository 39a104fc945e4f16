"""Measurements as rows of one Markdown table: what, measured, target, met."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADER = ("what", "measured", "target", "met")


@dataclass(frozen=True)
class Target:
    """A bound that a measurement keeps: at most `limit`, or with `at_least` no less than it."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether `value` keeps it; what is not a number never does."""
        return value >= self.limit if self.at_least else value <= self.limit

    def words(self, unit: str) -> str:
        return f"at {'least' if self.at_least else 'most'} {with_unit(f'{self.limit:g}', unit)}"


@dataclass(frozen=True)
class Row:
    """One measurement. `value` is None where it failed, and `note` then says why."""

    what: str
    value: float | None
    unit: str = ""
    target: Target | None = None
    note: str = ""

    @property
    def measured(self) -> str:
        value = "failed" if self.value is None else with_unit(number(self.value), self.unit)
        return f"{value} ({self.note})" if self.note else value

    @property
    def met(self) -> str:
        """yes, no, or a dash where nothing was aimed at."""
        if self.value is None:
            return "no"
        if self.target is None:
            return "-"
        return "yes" if self.target.met(self.value) else "no"

    @property
    def cells(self) -> tuple[str, str, str, str]:
        aimed = self.target.words(self.unit) if self.target else "-"
        return self.what, self.measured, aimed, self.met


def number(value: float) -> str:
    """Three significant digits, whole numbers from 100 on."""
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:#.3g}".rstrip(".")


def with_unit(value: str, unit: str) -> str:
    """'0.3 s', '21 times', '5 %'; a bare number where there is no unit."""
    return f"{value} {unit}" if unit else value


def ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """How many times `slower` is `faster`: the median over pairs that were measured together."""
    return statistics.median(a / b for a, b in zip(slower, faster, strict=True))


def markdown(rows: Iterable[Row]) -> str:
    """The table, a line for each row."""
    lines = [HEADER, ("---",) * len(HEADER), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

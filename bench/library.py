"""What a library of a million audiobooks needs, worked out from one book that is made here.

Measured: how much sound a core makes in an hour, everything included, and what it weighs, as it is
delivered and as it is kept for edits. Assumed, and printed with the result: how long a book is
and what a core and a gigabyte cost, which options change.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.audiobooks import make, novel
from bench.settings import Settings, tell
from bench.table import Row

BOOKS = 1_000_000
BOOK_WORDS = 90_000  # a novel
WORDS_PER_HOUR = 9_600  # as narrators read
DAYS = 30.0  # in which it is to be made
CORES_A_MACHINE = 64


@dataclass(frozen=True)
class Measured:
    """One book: hours of sound, hours that processors worked, and bytes."""

    sound_h: float
    core_h: float
    delivered: int
    kept: int


@dataclass(frozen=True)
class Needs:
    """What the library needs. Money is in the currency of the prices."""

    sound_h: float
    core_h: float
    machines: float
    delivered_tb: float
    kept_tb: float
    computing: float
    storing_a_month: float


def needs(one: Measured, core_price: float, gigabyte_price: float) -> Needs:
    """The whole from one: all of it grows with the hours of sound."""
    sound_h = BOOKS * BOOK_WORDS / WORDS_PER_HOUR
    core_h = sound_h * one.core_h / one.sound_h
    delivered_tb, kept_tb = (sound_h * b / one.sound_h / 1e12 for b in (one.delivered, one.kept))
    return Needs(
        sound_h=sound_h,
        core_h=core_h,
        machines=core_h / CORES_A_MACHINE / (DAYS * 24),
        delivered_tb=delivered_tb,
        kept_tb=kept_tb,
        computing=core_h * core_price,
        storing_a_month=delivered_tb * 1000 * gigabyte_price,
    )


def library(settings: Settings) -> list[Row]:
    """The sheet: cores, machines, storage and cost of a million books."""
    one = _measured(settings)
    core_price, gigabyte_price = settings.prices
    need = needs(one, core_price, gigabyte_price)
    what = f"a million books of {BOOK_WORDS:,} words"
    made = f"from {one.sound_h * 60:.0f} min made here in {one.core_h * 3600:.0f} s of a core"
    note = f"{made}; {settings.voice_name}"
    return [
        Row(f"{what}: sound", need.sound_h / 1e6, "million hours"),
        Row(f"{what}: one core makes", one.sound_h / one.core_h, "times real time", note=note),
        Row(f"{what}: computing", need.core_h / 1e3, "thousand core hours"),
        Row(f"{what}: machines of {CORES_A_MACHINE} cores for {DAYS:.0f} days", need.machines),
        Row(f"{what}: delivered (m4b)", need.delivered_tb, "TB"),
        Row(f"{what}: kept for edits, if it is kept", need.kept_tb, "TB"),
        Row(f"{what}: computing costs", need.computing, note=f"at {core_price:g} a core hour"),
        Row(f"{what}: a month of storage costs", need.storing_a_month,
            note=f"at {gigabyte_price:g} a GB and month, delivered files alone"),
    ]  # fmt: skip


def _measured(settings: Settings) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "novel.txt"), Path(folder, "out")
        source.write_text(novel(settings, settings.chapters), "utf-8")
        run = make(settings, source, out)
        delivered = _bytes(path for path in out.glob("*.m4b"))
        kept = _bytes(path for path in (out / ".shelf").rglob("*"))
    tell(f"library: {delivered / 1e6:.1f} MB delivered, {kept / 1e6:.1f} MB kept")
    sound_h = float(run.told["duration_s"]) / 3600
    return Measured(sound_h, run.cpu_s / 3600, delivered, kept)


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())

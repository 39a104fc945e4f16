"""How long a log of 100,000 messages takes to learn, and whether memory stays flat.

The log is WhatsApp's, two people in two languages, its sentences drawn from small sets with numbers
and words that vary, an hour between talks. Memory is the resident set of `digital-human learn`.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bench.commands import command
from bench.memory import watch
from bench.planted import EN, ZH, cases
from bench.settings import Settings, tell
from bench.table import Row, Target

MOST_S, MOST_GROWTH = 60.0, 10.0


def learning(settings: Settings) -> list[Row]:
    """Seconds for all messages, and the memory of the second half against the first's."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "chat.txt")
        with log.open("w", encoding="utf-8") as file:
            file.writelines(chat(settings.messages))
        words = [*command("digital-human"), "learn", str(log), "--me", "Mira Lin"]
        started = time.perf_counter()
        samples = watch([*words, "-o", str(Path(folder, "mira"))], Path(folder, "err"), settings)
        seconds = time.perf_counter() - started
    tell(f"learning: {settings.messages / seconds:.0f} messages a second")
    settled = [s.megabytes for s in samples if s.at_s >= samples[-1].at_s / 2]
    growth = 100 * (max(settled) / settled[0] - 1)
    what = f"digital-human learn, {settings.messages} messages"
    return [
        Row(what, seconds, "s", Target(MOST_S)),
        Row(f"memory of {what}: growth in the second half", growth, "%", Target(MOST_GROWTH),
            f"at most {max(s.megabytes for s in samples):.0f} MB"),
    ]  # fmt: skip


def chat(messages: int, seed: int = 0) -> Iterator[str]:
    """Lines of a WhatsApp chat: ordinary messages, one in ten with something private in it."""
    chance = random.Random(seed)
    planted = [case.text for case in cases(500, seed)]
    plain = [line for line in (ZH + EN).splitlines() if line and "{" not in line]
    now = datetime(2020, 1, 1, 8)
    for number in range(messages):
        now += timedelta(seconds=chance.choice([20, 40, 90, 3600]))
        text = chance.choice(planted) if number % 10 == 0 else chance.choice(plain)
        words = f" {chance.choice(plain).split()[0]} {chance.randint(1, 10**6)}" * (number % 3)
        speaker = ("Mira Lin", "Jonas Weber")[chance.randrange(2)]
        yield f"{now:%d/%m/%Y, %H:%M} - {speaker}: {text}{words}\n"

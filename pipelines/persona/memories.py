"""What a persona was told to remember: who, what, where, when, also by the Chinese calendar.

Kept as `memories.jsonl` of the persona, a line each, by a fixed form; found again by the words of
a question. A day that comes every year (a birthday) is told with its next date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from pipelines.llm.tools import Arguments
from pipelines.persona.knowledge.words import terms_of
from vits.errors import UserError
from vits.files import write_text

MEMORIES = "memories.jsonl"
MOST = 10_000
LUNAR_FORM = "lunar MM-DD (lunar 08-15), a leap month as lunar leap MM-DD"
_LUNAR = re.compile(
    r"(?:lunar|农历|阴历|旧历)\s*(leap|闰)?\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})", re.I
)
_HAN_LUNAR = re.compile(
    r"(?:农历|阴历|旧历)?(闰)?(正|一|二|三|四|五|六|七|八|九|十|冬|腊|十一|十二)月"
    r"(初[一二三四五六七八九十]|十[一二三四五六七八九]?|二十[一二三四五六七八九]?|廿[一二三四五六七八九]?|三十)"
)
_YEARLY = re.compile(r"(?<!\d)(\d{1,2})-(\d{1,2})(?!\d)")
_MONTHS = {name: i for i, name in enumerate("一二三四五六七八九十", 1)} | {
    "正": 1, "冬": 11, "十一": 11, "腊": 12, "十二": 12,
}  # fmt: skip
_DIGITS = {name: i for i, name in enumerate("一二三四五六七八九", 1)}


class Memory(Arguments):
    """Something to remember. Every part but the topic may be empty."""

    topic: str = Field(min_length=1, max_length=200, description="What it is about: birthday, key.")
    person: str = Field("", max_length=200, description="Whose, or who.")
    relation: str = Field("", max_length=200, description="Who that is to me: sister, plumber.")
    time: str = Field(
        "",
        max_length=100,
        description=f"When: YYYY-MM-DD, MM-DD for every year, or {LUNAR_FORM}.",
    )
    object: str = Field("", max_length=200, description="The thing it is about.")
    place: str = Field("", max_length=200, description="Where that thing is, or where it happens.")

    def line(self, today: date) -> str:
        """In words, with the next date of a day that comes every year."""
        parts = [
            self.topic,
            f"{self.person} ({self.relation})" if self.relation else self.person,
            self.object,
            self.place and f"at: {self.place}",
            self.time and f"when: {self.time}",
        ]
        coming = next_date(self.time, today)
        if coming:
            parts.append(f"next: {coming.isoformat()}, in {(coming - today).days} days")
        return "; ".join(part for part in parts if part)


def remember(persona: Path, memory: Memory) -> None:
    """Keep it; one on the same topic, person and object is replaced."""
    known = read_memories(persona)
    key = _key(memory)
    kept = [*(other for other in known if _key(other) != key), memory]
    if len(kept) > MOST:
        raise UserError(f"{persona} remembers {MOST} things already.", "Forget some.")
    lines = (json.dumps(m.model_dump(), ensure_ascii=False) for m in kept)
    write_text(persona / MEMORIES, "".join(f"{line}\n" for line in lines))


def read_memories(persona: Path) -> list[Memory]:
    """All of them in order. UserError for a file that is damaged."""
    path = persona / MEMORIES
    if not path.exists():
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
        return [Memory.model_validate_json(line) for line in lines if line.strip()]
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged.", "Mend or delete it.") from error


def recalled(persona: Path, question: str, most: int = 5) -> list[Memory]:
    """What holds words of a question, most of them first."""
    asked = set(terms_of(question))
    scored = [(len(asked & set(_terms(m))), i, m) for i, m in enumerate(read_memories(persona))]
    found = sorted((s for s in scored if s[0]), key=lambda s: (-s[0], -s[1]))
    return [memory for _, _, memory in found[:most]]


def next_date(time: str, today: date) -> date | None:
    """The next day, today or later, of a time that comes every year; None for any other."""
    lunar = _LUNAR.search(time)
    if lunar:
        return _next_lunar(int(lunar[2]), int(lunar[3]), bool(lunar[1]), today)
    han = _HAN_LUNAR.search(time)
    if han:
        return _next_lunar(_MONTHS[han[2]], _day(han[3]), bool(han[1]), today)
    yearly = _YEARLY.fullmatch(time.strip())
    if yearly:
        return _next_of_year(int(yearly[1]), int(yearly[2]), today)
    return None


def _next_of_year(month: int, day: int, today: date) -> date | None:
    for year in range(today.year, today.year + 9):  # 29 February is not in every year
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _next_lunar(month: int, day: int, leap: bool, today: date) -> date | None:
    """The next such day of the Chinese calendar. A leap month that is not there is its usual one;
    the 30th of a month that has 29 days is its last."""
    from lunar_python import Lunar
    from lunar_python.LunarYear import LunarYear

    if not (1 <= month <= 12 and 1 <= day <= 30):
        return None
    for year in range(today.year - 1, today.year + 3):
        whole = LunarYear.fromYear(year)
        wanted = -month if leap and whole.getLeapMonth() == month else month
        days = whole.getMonth(wanted).getDayCount()
        solar = Lunar.fromYmd(year, wanted, min(day, days)).getSolar()
        found = date(solar.getYear(), solar.getMonth(), solar.getDay())
        if found >= today:
            return found
    return None


def lunar_words(today: date) -> str:
    """A day by the Chinese calendar: '农历八月十五'."""
    from lunar_python import Solar

    lunar = Solar.fromYmd(today.year, today.month, today.day).getLunar()
    return f"农历{lunar.getMonthInChinese()}月{lunar.getDayInChinese()}"


def _day(words: str) -> int:
    if words == "三十":
        return 30
    tens = {"初": 0, "十": 10, "廿": 20}
    if words.startswith("二十"):
        return 20 + _DIGITS.get(words[2:], 0)
    return 10 if words == "初十" else tens[words[0]] + _DIGITS.get(words[1:], 0)


def _key(memory: Memory) -> tuple[str, ...]:
    return tuple(part.casefold() for part in (memory.topic, memory.person, memory.object))


def _terms(memory: Memory) -> Sequence[str]:
    return terms_of(" ".join(str(value) for value in memory.model_dump().values()))

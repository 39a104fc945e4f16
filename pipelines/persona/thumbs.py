"""Thumbs up and down on answers, as they are given in a chat: `thumbs.jsonl` of the persona.

A preference is two answers to the same question after the same talk, one liked and one not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from pipelines.llm.chat import Message
from vits.errors import UserError
from vits.files import write_text

THUMBS = "thumbs.jsonl"


@dataclass(frozen=True)
class Thumb:
    """An answer, what was said before it, and whether it was liked."""

    before: tuple[Message, ...]  # ends with the question
    answer: str
    up: bool


@dataclass(frozen=True)
class Preference:
    """After `before`, `chosen` was liked better than `rejected`."""

    before: tuple[Message, ...]
    chosen: str
    rejected: str


def give(persona: Path, *thumbs: Thumb) -> None:
    """Keep thumbs; the latest on an answer holds."""
    known = read_thumbs(persona)
    new = {(thumb.before, thumb.answer) for thumb in thumbs}
    kept = [thumb for thumb in known if (thumb.before, thumb.answer) not in new]
    lines = (json.dumps(_fields(thumb), ensure_ascii=False) for thumb in [*kept, *thumbs])
    write_text(persona / THUMBS, "".join(f"{line}\n" for line in lines))


def read_thumbs(persona: Path) -> list[Thumb]:
    """All thumbs, in order. UserError for a file that is damaged."""
    path = persona / THUMBS
    if not path.exists():
        return []
    try:
        entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
        return [
            Thumb(
                tuple(Message(m["role"], m["content"]) for m in entry["before"]),
                str(entry["answer"]),
                bool(entry["up"]),
            )
            for entry in entries
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged.", "Mend or delete it.") from error


def preferences(thumbs: Sequence[Thumb]) -> Iterator[Preference]:
    """Each liked answer with each that was not, to the same question."""
    talks: dict[tuple[Message, ...], tuple[list[str], list[str]]] = {}
    for thumb in thumbs:
        liked, not_liked = talks.setdefault(thumb.before, ([], []))
        (liked if thumb.up else not_liked).append(thumb.answer)
    for before, (liked, not_liked) in talks.items():
        for chosen, rejected in product(liked, not_liked):
            yield Preference(before, chosen, rejected)


def _fields(thumb: Thumb) -> dict[str, object]:
    before = [{"role": m.role, "content": m.content} for m in thumb.before]
    return {"before": before, "answer": thumb.answer, "up": thumb.up}

"""card.json: what is known about a voice. Who speaks, who agreed to it, what it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from vits.errors import UserError
from vits.files import write_text

CARD = "card.json"


@dataclass(frozen=True)
class Card:
    """One voice in words and numbers.

    `sources` are the recordings it was made from, each with a name, a licence and where it is
    from. `training` and `scores` are what the training said and what was measured. `others` keeps
    what a newer version wrote, so that reading and writing lose nothing.
    """

    name: str = ""
    who: str = ""
    consent: str = ""
    licence: str = ""
    base: str = ""
    base_licence: str = ""
    base_hash: str = ""
    clips: int = 0
    seconds: float = 0.0
    sources: tuple[Mapping[str, str], ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    software: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)


def read_card(folder: Path) -> Card:
    """The card of a voice folder; an empty one, with the folder's name, where there is none.

    Raises UserError naming the file if it is no JSON object or a value has the wrong type.
    """
    path = folder / CARD
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Card(name=folder.name)
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(values, dict):
        raise _unreadable(path, "it is not a JSON object")
    known = {f.name for f in fields(Card)} - {"others"}
    card = replace(
        _typed({k: v for k, v in values.items() if k in known}, path),
        others={k: v for k, v in values.items() if k not in known},
    )
    return card if card.name else replace(card, name=folder.name)


def write_card(folder: Path, card: Card) -> None:
    """Write card.json, whole or not at all."""
    values = asdict(card)
    values |= values.pop("others")
    write_text(folder / CARD, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def _typed(values: dict[str, Any], path: Path) -> Card:
    empty = Card()
    ready: dict[str, Any] = {}
    for name, value in values.items():
        wanted = getattr(empty, name)
        if isinstance(wanted, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(wanted, tuple) and isinstance(value, list):
            value = tuple(value)
        if type(value) is not type(wanted):
            raise _unreadable(path, f"'{name}' should be {_WORDS[type(wanted)]}")
        ready[name] = value
    return Card(**ready)


_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
    dict: "an object",
}


def _unreadable(path: Path, cause: str) -> UserError:
    return UserError(
        f"{path} cannot be read: {cause}.", "Correct the file, or get the voice again."
    )


def software() -> str:
    """The program and its version, as a card names it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"clone-voice {version('clone-voice')}"
    except PackageNotFoundError:
        return "clone-voice"

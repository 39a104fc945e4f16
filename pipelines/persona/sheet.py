"""`persona.yaml`: what is known of a person's manner, for a person to read and to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.persona.habits import Cited, Habits
from vits.errors import UserError
from vits.files import write_text

FILE_NAME = "persona.yaml"
_HEAD = (
    "# How {name} writes, as measured in the logs. Change what is wrong; learning again with\n"
    "# --force measures anew. `lines` are places in the logs (file:line).\n"
)


class Pattern(BaseModel):
    """Something the person does, how often, and where for example."""

    model_config = ConfigDict(extra="forbid")
    what: str
    times: int = 0
    lines: list[str] = Field(default_factory=list)


class Sheet(BaseModel):
    """Habits of a person. `about` and `rules` are for a human to write; `never_says` for both."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    about: str = ""
    rules: list[str] = Field(default_factory=list)
    languages: dict[str, float] = Field(default_factory=dict)  # share of turns
    greetings: list[Pattern] = Field(default_factory=list)
    partings: list[Pattern] = Field(default_factory=list)
    sentence_length: int = 0  # the median, in words or Chinese characters
    asks: float = 0.0  # share of turns with a question
    exclaims: float = 0.0
    favourite_words: list[str] = Field(default_factory=list)
    emoji: list[str] = Field(default_factory=list)
    emoji_share: float = 0.0  # of turns
    humour: dict[str, Any] = Field(default_factory=dict)
    topics: list[str] = Field(default_factory=list)
    never_says: list[str] = Field(default_factory=list)
    decides: list[Pattern] = Field(default_factory=list)


def opening(name: str) -> str:
    """The first words to a model that speaks as a person, while it is tuned and when it talks."""
    return (
        f"You are an AI that speaks in the manner of {name}. You are not {name}. If "
        "anybody asks in any way whether you are human, real or an AI, say that you are an AI."
    )


def sheet_of(name: str, habits: Habits) -> Sheet:
    """The sheet of what was measured."""
    turns = max(1, habits.turns)

    def share(count: int) -> float:
        return round(count / turns, 3)

    return Sheet(
        name=name,
        languages={key: share(n) for key, n in habits.languages.most_common()},
        greetings=_patterns(habits.greetings, 8),
        partings=_patterns(habits.partings, 8),
        sentence_length=habits.median_sentence(),
        asks=share(habits.questions),
        exclaims=share(habits.exclamations),
        favourite_words=habits.favourites(),
        emoji=[sign for sign, _ in habits.emoji.most_common(12)],
        emoji_share=share(habits.with_emoji),
        humour={
            "laughs": share(habits.laughing),
            "how": [laugh for laugh, _ in habits.laughter.most_common(5)],
        },
        topics=habits.topics(),
        never_says=habits.never() + _unused(habits),
        decides=_patterns(habits.reasoning, 12),
    )


def _patterns(found: dict[str, Cited], most: int) -> list[Pattern]:
    ordered = sorted(found.items(), key=lambda pair: (-pair[1].count, pair[0]))[:most]
    return [Pattern(what=what, times=c.count, lines=c.lines) for what, c in ordered]


def _unused(habits: Habits) -> list[str]:
    """Kinds of expression that somebody who wrote 50 turns would have used, and did not."""
    if habits.turns < 50:
        return []
    unused = [("emoji", habits.with_emoji), ("exclamation marks", habits.exclamations)]
    return [name for name, count in unused if not count]


def write_sheet(folder: Path, sheet: Sheet) -> None:
    """Write it as YAML with a word on what it is."""
    body = yaml.safe_dump(sheet.model_dump(), allow_unicode=True, sort_keys=False, width=100)
    write_text(folder / FILE_NAME, _HEAD.format(name=" ".join(sheet.name.split())) + body)


def read_sheet(folder: Path) -> Sheet:
    """The sheet of a persona, as it was changed. Raises UserError, naming what is wrong."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise UserError(
            f"{folder} is no persona: it has no {FILE_NAME}.",
            "Make one: digital-human learn LOGS --me NAME -o FOLDER.",
        )
    try:
        return Sheet.model_validate(yaml.safe_load(path.read_text("utf-8-sig")))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise UserError(f"{path} cannot be read ({reason}).", "Mend it, or learn again with --force.")

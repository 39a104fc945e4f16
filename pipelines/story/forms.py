"""What a story can be written as: `forms.yaml` has lengths, aspect, hashtags and what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from pipelines.story.script import did_you_mean
from vits.errors import UserError

NAMES = ("story", "novel", "douyin", "xiaohongshu", "ad")


class Form(BaseModel):
    """One kind of story. `words` is for a scene."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenes: int
    words: int
    aspect: Literal["16:9", "9:16", "1:1"]
    hashtags: int = 0
    asks: str


@lru_cache(maxsize=1)
def _forms() -> dict[str, Form]:
    text = files("pipelines.story").joinpath("forms.yaml").read_text("utf-8")
    return {name: Form.model_validate(fields) for name, fields in yaml.safe_load(text).items()}


def find_form(name: str) -> Form:
    """The form `name`. UserError lists them if there is none such."""
    if name not in _forms():
        raise UserError(
            f"There is no form '{name}'{did_you_mean(name, NAMES)}.",
            f"Choose among: {', '.join(NAMES)}.",
        )
    return _forms()[name]


@dataclass(frozen=True)
class Wishes:
    """What a user asks of a story; None and '' leave it to the form and the author."""

    form: str = "story"
    scenes: int | None = None
    words: int | None = None
    language: str = "en"
    age: int | None = None
    tone: str = ""
    style: str = ""
    seed: int = 0

    @property
    def kind(self) -> Form:
        return find_form(self.form)

    @property
    def count(self) -> int:
        return self.scenes or self.kind.scenes

    @property
    def length(self) -> int:
        return self.words or self.kind.words

    @property
    def listeners(self) -> str:
        return "anybody" if self.age is None else f"{self.age} years old"

"""The sentences that a voice speaks to be scored, for each language in two sets.

`report` is what scores are reported on; `select` chooses among checkpoints, so that a reported
score was never a goal. They were written for this and hold every sound of their language.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from vits.errors import UserError

Purpose = Literal["report", "select"]


def load_sentences(language: str, purpose: Purpose = "report") -> list[str]:
    """The sentences of a language that ship for reporting (20), or for choosing (12).

    Raises UserError where there are none.
    """
    name = language if purpose == "report" else f"{language}-{purpose}"
    try:
        text = (files("pipelines") / "sentences" / f"{name}.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"There are no sentences to evaluate a voice in {language!r}.",
            "Give sentences of your own.",
        ) from None
    return [line for line in text.splitlines() if line]

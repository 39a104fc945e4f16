"""From which sureness on a passage may answer: learned from questions with and without an answer.

Questions with one are made from passages of the documents themselves (some rare words of a
sentence, not all of them, as people ask); those without are a list on daily subjects that ships. A
question of the list that the documents happen to answer looks like noise among the others.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

from pipelines.persona.knowledge.passages import sentences_of
from pipelines.persona.knowledge.words import terms_of
from pipelines.persona.namelists import question_list

if TYPE_CHECKING:
    from pipelines.persona.knowledge.base import Knowledge

QUESTIONS = 40
KEPT_TERMS = 0.7  # of a sentence's words that a question repeats


def threshold_of(knowledge: Knowledge) -> float:
    """The threshold that errs least over both kinds, wrong answers counting twice as much."""
    asked = [q for text in knowledge.some_passages(QUESTIONS) for q in _question(text)]
    known = [_best(knowledge, question) for question in asked]
    unknown = [_best(knowledge, question) for question in question_list()]
    candidates = sorted({*known, *unknown})
    middles = [(a + b) / 2 for a, b in pairwise(candidates)]

    def errors(threshold: float) -> tuple[float, float]:
        refused = sum(sure < threshold for sure in known) / max(1, len(known))
        invented = sum(sure >= threshold for sure in unknown) / max(1, len(unknown))
        return refused + 2 * invented, abs(threshold - 0.45)

    return min(middles or [0.45], key=errors)


def _best(knowledge: Knowledge, question: str) -> float:
    return max((found.sure for found in knowledge.search(question)), default=0.0)


def _question(text: str) -> list[str]:
    """One question on the longest sentence of a passage."""
    sentences = sentences_of(text)
    if not sentences:
        return []
    terms = list(dict.fromkeys(terms_of(max(sentences, key=len))))
    chance = random.Random(text)
    kept = [term for term in terms if chance.random() < KEPT_TERMS][:6]
    return [" ".join(kept)] if len(kept) >= 2 else []

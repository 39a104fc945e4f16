"""How much of planted private data `pipelines.persona.privacy` finds, and how much more it takes.

A planted value counts as found if every character of it that is a letter or a digit is masked; what
is masked counts as right if it touches something planted. Each message is met as the first of a
log in which nobody is known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.planted import Case, cases
from bench.settings import Settings, tell
from bench.table import Row, Target
from pipelines.persona.names import Names
from pipelines.persona.privacy import KINDS, Finding, find_private

LEAST_RECALL, LEAST_PRECISION = 0.98, 0.95


def privacy(settings: Settings) -> list[Row]:
    """Recall and precision of each kind, over both languages and for names in each."""
    planted = cases(settings.planted)
    found = [find_private(case.text, Names()) for case in planted]
    rows: list[Row] = []
    for kind in KINDS:
        for language in ("zh", "en") if kind == "name" else ("",):
            pairs = [
                (case, spans)
                for case, spans in zip(planted, found, strict=True)
                if language in ("", case.language)
            ]
            rows += _rows(kind, language, pairs)
    return rows


def _rows(kind: str, language: str, pairs: Sequence[tuple[Case, list[Finding]]]) -> list[Row]:
    counts: Counter[str] = Counter()
    for case, spans in pairs:
        for value in case.planted:
            if value.kind == kind:
                covered = _covered(case.text, value, spans)
                counts["planted"] += 1
                counts["found"] += covered
                if not covered:
                    tell(f"privacy: left unmasked ({kind}): {case.text}")
        for span in spans:
            if span.kind == kind:
                right = any(span.start < v.end and v.start < span.end for v in case.planted)
                counts["masked"] += 1
                counts["right"] += right
                if not right:
                    tell(f"privacy: masked, not private ({kind}): {case.text}")
    what = f"private data masked, {kind}{f' ({language})' if language else ''}"
    recall = counts["found"] / counts["planted"] if counts["planted"] else None
    precision = counts["right"] / counts["masked"] if counts["masked"] else None
    of = f"{counts['found']} of {counts['planted']}"
    beside = f"{counts['masked'] - counts['right']} of {counts['masked']} were none"
    return [
        Row(f"{what}: recall", recall, "", Target(LEAST_RECALL, at_least=True), of),
        Row(f"{what}: precision", precision, "", Target(LEAST_PRECISION, at_least=True), beside),
    ]


def _covered(text: str, value: Finding, spans: Sequence[Finding]) -> bool:
    masked = {place for span in spans for place in range(span.start, span.end)}
    return all(at in masked for at in range(value.start, value.end) if text[at].isalnum())

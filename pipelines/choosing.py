"""Which checkpoint of a training becomes the voice, and whether it was trained too long.

A check is what was measured of one checkpoint: `step`, `similarity` to the person and `cer` on
sentences that no training and no report holds, `mos` (DNSMOS P.808) of the same, and `held_out`,
the loss on clips that training never sees. What could not be measured is missing. Step 0 is the
base with the new speaker's conditioning, before it learned anything: what a clone must not fall
behind in clarity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Check = dict[str, float]

CHECKS, STEPS_BETWEEN_CHECKS = 3, 50  # how often a checkpoint is judged, at most
ERROR_WEIGHT = 0.5  # of the character error rate against similarity
LESS_CLEAR = 0.03  # more character errors than the start's
LESS_NATURAL = 0.15  # below the start's opinion score
OVER_TRAINED = 1.05  # times the lowest loss of the held-out clips


def check_points(steps: int) -> list[int]:
    """The steps after which a checkpoint is judged; the first and the last always are."""
    checks = min(CHECKS, max(1, steps // STEPS_BETWEEN_CHECKS))
    points = [math.ceil(steps * i / checks) for i in range(1, checks + 1)]
    return [0, *points] if steps else [0]


def score(similarity: float, cer: float | None) -> float:
    """What is compared between checkpoints of equal clarity."""
    return similarity - ERROR_WEIGHT * (cer or 0.0)


def choose(checks: Sequence[Check]) -> Check:
    """The check whose weights become the voice.

    The best score among those that are as clear and natural as the start was and not yet
    over-trained; where there are none such, the best score of all.
    """
    able = [check for check in checks if not _is_worse(check, checks)]
    return max(able or checks, key=lambda check: check["score"])


def _is_worse(check: Check, checks: Sequence[Check]) -> bool:
    start = checks[0]
    if start["step"] == 0:
        if _rise(start, check, "cer") > LESS_CLEAR or _rise(check, start, "mos") > LESS_NATURAL:
            return True
        if check["similarity"] < start["similarity"]:
            return True
    losses = [c["held_out"] for c in checks if "held_out" in c]
    return "held_out" in check and check["held_out"] > OVER_TRAINED * min(losses)


def _rise(before: Check, after: Check, name: str) -> float:
    """By how much a measure grew; 0 where it is missing."""
    return after[name] - before[name] if name in before and name in after else 0.0


def over_training(checks: Sequence[Check]) -> str:
    """What got worse while training went on, in words; '' where nothing did."""
    if len(checks) < 2:
        return ""
    last, found = checks[-1], []
    losses = [check["held_out"] for check in checks if "held_out" in check]
    if len(losses) > 1 and losses[-1] > OVER_TRAINED * min(losses):
        found.append("the clips held out are reproduced less well")
    errors = [check["cer"] for check in checks if "cer" in check]
    if len(errors) > 1 and errors[-1] > min(errors) + LESS_CLEAR:
        found.append("unseen sentences are understood less well")
    natural = [check["mos"] for check in checks if "mos" in check]
    if len(natural) > 1 and natural[-1] < max(natural) - LESS_NATURAL:
        found.append("unseen sentences sound less natural")
    if not found or choose(checks) is last:
        return ""
    return f"At step {last['step']:.0f} " + " and ".join(found)


def summary(checks: Sequence[Check]) -> dict[str, Any]:
    """What a card says of it."""
    return {
        "chosen_step": choose(checks)["step"],
        "checks": [dict(check) for check in checks],
        "over_trained": over_training(checks),
    }

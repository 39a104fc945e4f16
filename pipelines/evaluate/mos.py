"""How natural a recording sounds, as a network guesses that listeners would say: DNSMOS.

DNSMOS (arXiv:2010.15258) guesses the mean opinion score of ITU-T P.808, its successor
(arXiv:2110.01763) that of P.835 for the whole (`overall`), 1 to 5. Both come with the package
speechmos and run offline on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from vits.audio import Audio, resample

MOS_SAMPLE_RATE = 16_000  # Hz


@dataclass(frozen=True)
class Opinion:
    """Mean opinion scores, 1 to 5."""

    p808: float
    overall: float


def available() -> bool:
    """Whether the extra `eval` is installed."""
    return find_spec("speechmos") is not None


def opinion(audio: Audio) -> Opinion | None:
    """The scores of one recording; None for a silent one, and without speechmos."""
    if not np.any(audio.samples) or not available():
        return None
    samples = np.clip(resample(audio, MOS_SAMPLE_RATE).samples, -1.0, 1.0)
    told = _dnsmos().run(samples, MOS_SAMPLE_RATE)
    return Opinion(float(told["p808_mos"]), float(told["ovrl_mos"]))


def mean_opinion(opinions: Sequence[Opinion | None]) -> Opinion | None:
    """The mean of those that there are."""
    known = [o for o in opinions if o is not None]
    if not known:
        return None
    return Opinion(
        float(np.mean([o.p808 for o in known])), float(np.mean([o.overall for o in known]))
    )


@lru_cache(maxsize=1)
def _dnsmos() -> Any:
    from speechmos import dnsmos

    return dnsmos

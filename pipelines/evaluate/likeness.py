"""How near a voice sounds to a person: cosines of speaker embeddings (`data.speaker`).

A score alone says little. Its ceiling is what the person's own recordings reach, its floor what
other people reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.speaker import centroid, embed_clips
from vits.audio import Audio


def similarities(spoken: Sequence[Audio], reference: np.ndarray) -> np.ndarray:
    """Cosine of each recording with the reference (256,), (N,); a silent one has 0."""
    result = np.zeros(len(spoken))
    sounding = [i for i, audio in enumerate(spoken) if np.any(audio.samples)]
    result[sounding] = embed_clips([spoken[i] for i in sounding]) @ reference
    return result


def ceiling(embeddings: np.ndarray, held_out: Sequence[Audio]) -> float | None:
    """What the person's own recordings reach: (N, 256) of the clips, and others of theirs.

    Without others, each clip against the centroid of the rest; None for a single clip.
    """
    if held_out:
        return float((embed_clips(held_out) @ centroid(embeddings)).mean())
    if len(embeddings) < 2:
        return None
    rest = (centroid(np.delete(embeddings, i, axis=0)) for i in range(len(embeddings)))
    return float(np.mean([own @ others for own, others in zip(embeddings, rest, strict=True)]))


def floor(others: Sequence[Audio], reference: np.ndarray) -> float | None:
    """What other people reach against the reference (256,); None where nobody else is heard."""
    return float(similarities(others, reference).mean()) if others else None

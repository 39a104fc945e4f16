"""Which language a text is in, by its script and its smallest words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_SMALL = {
    "en": "the of and to in that was he it his is with as for had you not be her on at by",
    "de": "der die und das nicht ich ist zu ein mit sich auf den war dem von er es sie des im",
    "fr": "de la le et les des en un une que est dans pour qui il au sur pas plus par ne se",
    "es": "de la que el en y los se del las un por con una su para es al lo como más",
    "it": "di che e la il un a per in una mi ma lo non si con le come io ha della",
    "nl": "de en het van ik te dat die in een hij niet zijn is was op aan met als",
}
_SETS = {language: frozenset(text.split()) for language, text in _SMALL.items()}
SAMPLE_CHARACTERS = 40_000


def guess_language(texts: Iterable[str]) -> str:
    """An ISO 639-1 code; 'en' where nothing tells."""
    text = _sample(texts)
    letters = len(re.findall(r"[^\W\d_]", text)) or 1
    scripts = {
        "ja": len(re.findall(r"[\u3040-\u30ff]", text)) * 4,
        "zh": len(re.findall(r"[\u3400-\u9fff]", text)),
        "ko": len(re.findall(r"[\uac00-\ud7af]", text)),
        "ru": len(re.findall(r"[\u0400-\u04ff]", text)),
    }
    if scripts["ja"] > 0.3 * scripts["zh"] and scripts["ja"] > 0.2 * letters:
        return "ja"
    if 0.25 * letters < max(count for code, count in scripts.items() if code != "ja"):
        return max(("zh", "ko", "ru"), key=lambda code: scripts[code])
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    counts = {code: sum(words[word] for word in known) for code, known in _SETS.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] else "en"


def _sample(texts: Iterable[str]) -> str:
    parts: list[str] = []
    size = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if size >= SAMPLE_CHARACTERS:
            break
    return " ".join(parts)[:SAMPLE_CHARACTERS]

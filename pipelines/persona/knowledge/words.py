"""A question or passage as the words by which it is found: BM25's side of the search.

Chinese is cut by jieba as search engines do (words and the words in them), English by a light
stemming of plurals and endings, so that 'counted' finds 'count'.
"""

from __future__ import annotations

import re

from pipelines.persona.habits import segmenter
from pipelines.persona.namelists import STOP_WORDS, word_list

_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+(?:\.\d+)?")
_ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|ly)$")
_EMPTY = (STOP_WORDS - word_list("telling")) | word_list("asking")


def terms_of(text: str) -> list[str]:
    """Its words in order, without those that every text has."""
    found: list[str] = []
    for run in re.findall(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+", text.lower()):
        if _HAN_RUN.fullmatch(run):
            found += segmenter().cut_for_search(run)
        else:
            found += (stem(word) for word in _WORD.findall(run) if word not in _EMPTY)
    return [word for word in found if word not in _EMPTY]


def stem(word: str) -> str:
    """A word without its plural or ending, where enough is left of it."""
    if not word.isascii() or len(word) < 4 or not word.isalpha():
        return word
    short = _ENDINGS.sub("", word)
    short = short if len(short) >= 3 else word
    if len(short) > 3 and short[-1] == short[-2] and short != word:
        short = short[:-1]
    return short.rstrip("e") if len(short) > 3 else short

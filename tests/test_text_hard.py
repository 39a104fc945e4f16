"""Sixty hard sentences in three languages, each with what a dictionary says.

The English ones are in espeak's IPA, the Chinese ones in pinyin as it is said (after sandhi,
neutral tones and erhua, r5), the Japanese ones in IPA with pitch accent; each was read through
by hand against the readings and accents that dictionaries give.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import require

from vits.text import phonemize_lines
from vits.text.pinyin import syllable_ipa

ROWS = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "hard_sentences.tsv").read_text("utf-8").splitlines()
]


def chinese_ipa(expected: str) -> str:
    """Pinyin of the table -> IPA: words apart by |, syllables by spaces, marks between clauses."""
    out = ""
    for clause, mark in re.findall(r"([^,.?!]+)([,.?!])", expected):
        words = [word.split() for word in clause.split("|")]
        spoken = []
        for i, word in enumerate(words):
            ipa = ""
            for k, syllable in enumerate(word):
                if syllable == "r5":
                    continue
                rest = word[k + 1 :]
                last = i == len(words) - 1 and all(s == "r5" for s in rest)
                ipa += syllable_ipa(syllable, erhua=rest[:1] == ["r5"], last=last)
            spoken.append(ipa)
        out += ("" if not out else " ") + " ".join(spoken) + mark
    return out


def test_the_table_has_sixty_sentences_of_three_languages() -> None:
    assert len({text for _, text, _ in ROWS}) == 60
    assert {language for language, _, _ in ROWS} == {"en", "zh", "ja"}


@pytest.mark.parametrize(("language", "text", "expected"), ROWS, ids=[row[1] for row in ROWS])
def test_a_hard_sentence_is_read_as_the_dictionary_says(
    language: str, text: str, expected: str
) -> None:
    if language == "ja":
        require(find_spec("pyopenjtalk"), "pyopenjtalk-plus is not installed")
    (symbols,) = phonemize_lines([text], language)
    wanted = chinese_ipa(expected) if language == "zh" else expected
    assert "".join(symbols[1:]) == wanted

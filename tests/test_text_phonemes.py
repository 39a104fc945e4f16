"""Words become IPA, each word its own, from a library that comes with the package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vits.errors import UserError
from vits.text import SYMBOLS, check_language, encode, phonemize_lines, warm_up
from vits.text.espeak import _readable_path
from vits.text.phonemes import phonemize_clauses

RUN_TOGETHER = (
    "of",
    "the",
    "in",
    "to",
    "a",
    "I",
    "have",
    "been",
    "not",
    "going",
    "at",
    "for",
    "no",
)


def ipa(words: list[str], language: str = "en") -> list[str]:
    (sounds,) = phonemize_clauses([words], language)
    return ["".join(sound) for sound in sounds]


def test_english_and_german_lines_start_with_their_mark_and_end_as_sentences() -> None:
    (english,) = phonemize_lines(["Hello, world"], "en")
    (german,) = phonemize_lines(["Guten Tag!"], "de")
    assert "".join(english) == "‹en›həlˈoʊ, wˈɜːld."
    assert "".join(german) == "‹de›ɡˈuːtən tˈɑːk!"


def test_words_that_espeak_runs_together_are_told_apart() -> None:
    text = "most of the men in the end could not have been at the cover of a book"
    words = text.split()
    sounds = dict(zip(words, ipa(words), strict=True))
    assert (sounds["of"], sounds["in"], sounds["cover"], sounds["book"]) == (
        "əv",
        "ɪn",
        "kˈʌvɚɹ",
        "bˈʊk",
    )
    assert sounds["have"].endswith("v")
    assert all(sounds.values())


def test_a_word_that_espeak_splits_stays_one() -> None:
    before, phone, after = ipa(["my", "iPhone", "rings"])
    assert (before, phone.replace("ˈ", ""), after) == ("maɪ", "aɪfoʊn", "ɹˈɪŋz")


def test_repeated_words_each_get_their_own_sounds() -> None:
    words = ["no", "one", "had", "to", "know", "no", "one", "of", "the", "no", "one"]
    sounds = ipa(words)
    assert [s.replace("ˈ", "") for s in sounds] == [
        *("noʊ", "wʌn", "hæd", "tə", "noʊ", "noʊ", "wʌn", "ʌv", "ðə", "noʊ", "wʌn")
    ]


def test_words_are_read_in_their_clause() -> None:
    assert ipa(["the", "apple"])[0] == "ðɪ"
    assert ipa(["the", "/ˈɛf/"]) == ["ðɪ", "ˈɛf"]
    assert ipa(["the", "/bˈiː/"]) == ["ðə", "bˈiː"]


def test_many_lines_at_once_are_what_each_is_alone() -> None:
    lines = ["The first of the two.", "Ah!", "", "Of the people, by the people.", "2 of the 3."]
    together = phonemize_lines(lines, "en")
    assert together == [phonemize_lines([line], "en")[0] for line in lines]
    assert together[2] == ()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(RUN_TOGETHER), min_size=1, max_size=40))
def test_every_word_keeps_a_sound_however_words_run_together(words: list[str]) -> None:
    sounds = ipa(words)
    assert len(sounds) == len(words)
    assert all(sounds)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.text(
        alphabet=[chr(i) for i in range(0x61, 0x180) if chr(i).isalpha()], min_size=1, max_size=30
    )
)
def test_whatever_espeak_writes_is_in_the_table(word: str) -> None:
    for language in ("en", "de"):
        encode(phonemize_lines([word], language)[0], SYMBOLS)


def test_a_language_that_cannot_be_read_is_refused_with_those_that_can() -> None:
    with pytest.raises(UserError, match=r"'xx'.*de, en, ja, zh"):
        check_language("xx")


def test_the_first_sentence_can_be_prepared_for() -> None:
    warm_up("en")


def test_a_data_folder_too_deep_for_espeak_gets_a_short_name(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100) / "espeak-ng-data"
    deep.mkdir(parents=True)
    (deep / "phontab").write_bytes(b"x")
    other = _readable_path(str(deep))
    assert len(os.fsencode(other)) <= 150
    assert (Path(other) / "phontab").read_bytes() == b"x"
    assert _readable_path("/short") == "/short"

"""The symbol table is frozen: every voice's weights are laid out by it."""

from __future__ import annotations

import hashlib

import pytest

from vits.errors import UserError
from vits.text import LANGUAGE_MARKS, PAD, SYMBOLS, encode

PINYIN_IPA = (
    "p pʰ m f t tʰ n l k kʰ x tɕ tɕʰ ɕ ʈʂ ʈʂʰ ʂ ɻ ts tsʰ s a o ɤ i ɿ ʅ u y ɛ e ə ʊ œ ɥ w j ŋ ɚ "
    "˥˥ ˧˥ ˨˩˦ ˥˩ ˧"
)
JAPANESE_IPA = "a i ɯ e o aː iː ɯᵝ k ɡ s ɕ z dʑ t ts tɕ d n ɲ ç h ɸ b p m j ɾ w ɴ ŋ ʔ i̥ ɯ̥ ↑ ↓ ɰ ã"


def test_the_table_is_the_one_that_saved_voices_were_trained_with() -> None:
    digest = hashlib.sha256("\n".join(SYMBOLS).encode()).hexdigest()
    assert len(SYMBOLS) == 185
    assert digest == "49feb62b8969066697129ffada221d812875a81e061cc84200824cd5833b9754"


def test_every_symbol_stands_once_and_padding_is_zero() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS)
    assert SYMBOLS.index(PAD) == 0


@pytest.mark.parametrize("inventory", [PINYIN_IPA, JAPANESE_IPA])
def test_languages_that_come_later_find_their_sounds(inventory: str) -> None:
    import unicodedata

    letters = [c for c in inventory.replace("ç", "\0") if not c.isspace()]
    for letter in letters:
        for part in unicodedata.normalize("NFD", letter) if letter != "\0" else "ç":
            assert part in SYMBOLS, part


def test_encoding_is_the_position_in_the_table() -> None:
    symbols = (LANGUAGE_MARKS["en"], "h", "ˈ", "a", "ɪ", ".")
    assert [SYMBOLS[i] for i in encode(symbols)] == list(symbols)
    assert encode(["b", "a"], ("_", "a", "b")) == [2, 1]


def test_a_symbol_that_a_voice_lacks_is_named_and_not_dropped() -> None:
    with pytest.raises(UserError, match="ʒ"):
        encode(["a", "ʒ"], ("_", "a"))

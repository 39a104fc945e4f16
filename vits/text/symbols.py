"""The one symbol table: what a voice reads, for every language it may ever speak.

A symbol is one IPA character, one mark of stress, length or tone, one punctuation mark, or one
language mark. Affricates, diphthongs and aspirated stops are sequences of symbols, so that a
language added later finds its sounds here and shares what other languages have taught the voice.
The letters are those of the International Phonetic Alphabet (IPA Handbook, 1999; chart of 2020)
with the few that espeak-ng adds for English (ᵻ, ᵿ, ɚ) and the apical vowels of Chinese
linguistics (ɿ, ʅ). Tones are Chao's letters ˥˦˧˨˩ (1930); ↑ and ↓ are the rise and the fall of
Japanese pitch accent.

The order is part of every saved voice: never reorder or remove. A new symbol takes the place of a
reserved one, so that a table's length, and with it every weight's shape, stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vits.errors import UserError

PAD = "_"
SPACE = " "
LANGUAGE_MARKS = {"zh": "‹zh›", "ja": "‹ja›", "en": "‹en›", "de": "‹de›"}
# Later languages take these in order; a table that is full would change every weight's shape.
RESERVED = tuple(f"‹r{index}›" for index in range(16))

PUNCTUATION = (".", ",", "!", "?", ";", ":", "…", "—", '"', "(", ")", "-")
SENTENCE_ENDS = (".", "!", "?", "…")

VOWELS = tuple("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻᵿɿʅ")
CONSONANTS = tuple(
    "pbtdʈɖcɟkɡqɢʔmɱnɳɲŋɴʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxχɣʁħʕhɦɬɮʋɹɻjɰlɭʎʟwʍɥɕʑɺɧɫʜʢʡɓɗʄɠʛǀǁǂǃʘ"
)
# Combining marks are symbols of their own: nasal, syllabic, non-syllabic, voiceless (below and
# above), dental, voiced, raised, lowered, unreleased, extra short, centralised, mid-centralised.
DIACRITICS = tuple("ʰʲʷˠˤʼ˞ⁿˡᵝ") + tuple(
    "\u0303\u0329\u032f\u0325\u030a\u032a\u032c\u031d\u031e\u031a\u0306\u0308\u033d"
)
LENGTH = ("ː", "ˑ")
STRESS = ("ˈ", "ˌ")
TONES = ("˥", "˦", "˧", "˨", "˩", "↑", "↓", "→", "↗", "↘")

SYMBOLS: tuple[str, ...] = (
    PAD,
    SPACE,
    *LANGUAGE_MARKS.values(),
    *PUNCTUATION,
    *STRESS,
    *LENGTH,
    *VOWELS,
    *CONSONANTS,
    *DIACRITICS,
    *TONES,
    *RESERVED,
)

SYMBOL_IDS: Mapping[str, int] = {symbol: index for index, symbol in enumerate(SYMBOLS)}


def encode(symbols: Iterable[str], table: Sequence[str] = SYMBOLS) -> list[int]:
    """The ids of `symbols` in `table` (a voice's own, or the one above).

    Raises UserError that names every symbol the table lacks: none is dropped silently.
    """
    ids = SYMBOL_IDS if table is SYMBOLS else {symbol: index for index, symbol in enumerate(table)}
    symbols = tuple(symbols)
    missing = sorted({symbol for symbol in symbols if symbol not in ids})
    if missing:
        raise UserError(
            f"The voice has no symbol for {' '.join(missing)}.",
            "Choose a voice that speaks this language, or spell the word in the lexicon "
            "with sounds the voice knows.",
        )
    return [ids[symbol] for symbol in symbols]

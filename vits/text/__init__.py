"""Text -> the symbols a voice reads, with each word's span in the source."""

from vits.text.lexicon import Lexicon
from vits.text.marks import Emphasis, Passage, passages, voice_names, without_marks
from vits.text.phonemes import LANGUAGES, check_language, warm_up
from vits.text.planner import (
    Utterance,
    Word,
    check_script,
    phonemize_lines,
    plan,
    unknown_characters,
)
from vits.text.symbols import LANGUAGE_MARKS, PAD, SYMBOLS, encode

__all__ = [
    "LANGUAGES",
    "LANGUAGE_MARKS",
    "PAD",
    "SYMBOLS",
    "Emphasis",
    "Lexicon",
    "Passage",
    "Utterance",
    "Word",
    "check_language",
    "check_script",
    "encode",
    "passages",
    "phonemize_lines",
    "plan",
    "unknown_characters",
    "voice_names",
    "warm_up",
    "without_marks",
]

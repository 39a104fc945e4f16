"""Text -> the symbols a voice reads, with each word's span in the source."""

from vits.text.phonemes import LANGUAGES, check_language
from vits.text.plan import phonemize_lines
from vits.text.symbols import LANGUAGE_MARKS, PAD, SYMBOLS, encode

__all__ = ["LANGUAGES", "LANGUAGE_MARKS", "PAD", "SYMBOLS", "check_language", "encode", "phonemize_lines"]

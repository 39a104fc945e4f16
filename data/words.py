"""What was said against what was heard: error rates of characters and of words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from vits.text.normalize import READERS, normalize

UNSPACED = ("zh", "ja")  # written without spaces between words: only characters are counted


@dataclass(frozen=True)
class ErrorRates:
    """Edits by length of the reference, of characters and of words; None: not measured."""

    cer: float | None
    wer: float | None


def error_rates(texts: Sequence[str], heard: Sequence[str], language: str = "en") -> ErrorRates:
    """The error rates of what was heard, over all texts together.

    Both sides are compared as they are said: '25' is 'twenty five', case and punctuation are not
    heard. Texts in which nothing is said do not count. Chinese and Japanese have no word errors.
    """
    import jiwer

    pairs = [(said(t, language), said(h, language)) for t, h in zip(texts, heard, strict=True)]
    pairs = [pair for pair in pairs if pair[0]]
    if not pairs:
        return ErrorRates(None, None)
    truth, guess = [t for t, _ in pairs], [h for _, h in pairs]
    wer = None if language in UNSPACED else float(jiwer.wer(truth, guess))
    return ErrorRates(cer=float(jiwer.cer(truth, guess)), wer=wer)


def known_rates(
    texts: Sequence[str], heard: Sequence[str | None], language: str = "en"
) -> ErrorRates:
    """`error_rates`, not measured where nobody listened."""
    known = [h for h in heard if h is not None]
    return error_rates(texts, known, language) if known else ErrorRates(None, None)


def said(text: str, language: str) -> str:
    """A text as it is said: words in small letters with single spaces, numbers written out."""
    if language in READERS:
        words = [_spoken_word(token.spoken, text[token.char_start : token.char_end])
                 for token in normalize(text, language).tokens if token.spoken]  # fmt: skip
        text = " ".join(words)
    letters = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    space = "" if language in UNSPACED else " "
    return space.join(re.sub(r"[^\w']|_", " ", letters).split())


def _spoken_word(spoken: tuple[str, ...], written: str) -> str:
    """The words of a token; where the reader gives sounds in place of words, as it is written."""
    return written if any(word.startswith("/") for word in spoken) else " ".join(spoken)

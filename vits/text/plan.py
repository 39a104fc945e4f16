"""Long text -> utterances a voice speaks one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from vits.text.normalize import Token, tokenize
from vits.text.phonemes import phonemize_clauses
from vits.text.symbols import LANGUAGE_MARKS, PUNCTUATION, SENTENCE_ENDS, SPACE


def phonemize_lines(lines: list[str], language: str) -> list[tuple[str, ...]]:
    """The symbols of each line: language mark, phonemes, and a sentence's end, added if missing.

    All lines go to espeak in one batch. Raises UserError for a language that cannot be read.
    """
    tokenized = [tokenize(line) for line in lines]
    clauses: list[list[str]] = []
    for tokens in tokenized:
        clauses += _clauses(tokens)
    sounds = iter(phonemize_clauses(clauses, language))
    return [_line_symbols(tokens, sounds, language) for tokens in tokenized]


def _clauses(tokens: list[Token]) -> list[list[str]]:
    clauses: list[list[str]] = [[]]
    for token in tokens:
        if token.mark:
            clauses.append([])
        clauses[-1].extend(token.spoken)
    return clauses


def _line_symbols(
    tokens: list[Token], sounds: Iterator[list[tuple[str, ...]]], language: str
) -> tuple[str, ...]:
    symbols: list[str] = [LANGUAGE_MARKS[language]]
    words = iter(next(sounds))
    for token in tokens:
        if token.mark:
            if len(symbols) > 1 and symbols[-1] not in PUNCTUATION:
                symbols.append(token.mark)
            words = iter(next(sounds))
        for _ in token.spoken:
            word = next(words)
            if word and len(symbols) > 1:
                symbols.append(SPACE)
            symbols.extend(word)
    if symbols[-1] in ",;:—":
        symbols.pop()
    if symbols[-1] not in SENTENCE_ENDS:
        symbols.append(".")
    return tuple(symbols)

"""What stands between a text and a voice's ids, for our own voices and those of other programs.

`native` reads our languages into our one table of IPA. `espeak` voices (VITS, Piper, Coqui) read
espeak's IPA of any language, `characters` voices (MMS) read letters, and the cleaners of
fast-fine-tuning (`vits/text/legacy/`) read their own notations. Whatever the kind, a text becomes
`Utterance`s with each word in its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

from vits.config import TextConfig
from vits.errors import UserError
from vits.text.legacy import CLEANERS
from vits.text.legacy.pieces import Piece
from vits.text.lexicon import Lexicon
from vits.text.normalize import READERS, Normalized, is_unspoken, normalize
from vits.text.phonemes import ESPEAK, espeak_clauses
from vits.text.planner import (
    Item,
    Manner,
    Read,
    Rendered,
    Utterance,
    lines_in,
    native,
    plan_in,
    render,
    sounded,
)
from vits.text.sentences import Sentence
from vits.text.symbols import LANGUAGE_MARKS
from vits.text.tokens import Token, plain

_ANY_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_MARKS = ".,!?;:…—"
# Marks that a table may lack, and what it is likely to have in their place.
_NEAREST = {";": ",", ":": ",", "—": "-…,", "…": ".", "!": ".", "?": "."}
_SAME = {"ɡ": "g", "g": "ɡ", "ʦ": "ts", "ʧ": "tʃ", "ʤ": "dʒ"}


def front_ends() -> list[str]:
    """The names that a voice's configuration may give."""
    return ["native", "espeak", "characters", *CLEANERS]


@dataclass(frozen=True)
class FrontEnd:
    """How one voice reads. `symbols` is its table, a symbol's place its id."""

    config: TextConfig
    symbols: tuple[str, ...]
    languages: tuple[str, ...]
    add_blank: bool

    def __post_init__(self) -> None:
        if self.config.front_end not in front_ends():
            raise UserError(
                f"The voice reads its text with {self.config.front_end!r}, which is not known.",
                f"Known are: {', '.join(front_ends())}.",
            )

    @cached_property
    def table(self) -> Mapping[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols)}

    def plan(
        self,
        text: str | Iterable[str],
        language: str,
        lexicon: Lexicon | None = None,
        first_clause_short: bool = False,
    ) -> Iterator[Utterance]:
        """Utterances of a text, as `vits.text.plan` gives them, in this voice's symbols."""
        return plan_in(self.manner(language, lexicon), text, first_clause_short)

    def lines(
        self, lines: Sequence[str], language: str, lexicon: Lexicon | None = None
    ) -> list[tuple[str, ...]]:
        """The symbols of each line, one utterance however long it is."""
        return lines_in(self.manner(language, lexicon), lines)

    def manner(self, language: str, lexicon: Lexicon | None = None) -> Manner:
        """How it reads a language. Raises UserError for one that it cannot."""
        kind, sentences = self.config.front_end, READERS.get(language, READERS["en"])
        if kind == "native":
            return native(language, lexicon)
        if kind == "espeak":
            read = partial(_read_espeak, voice=self.config.espeak_voice, lexicon=lexicon)
            return Manner(language, sentences, read, self._render)
        if kind == "characters":
            return Manner(language, sentences, self._read_characters, self._render_pieces)
        cleaner = partial(CLEANERS[kind].pieces, language=language)
        return Manner(language, READERS["zh"], partial(_read_pieces, cleaner), self._render_pieces)

    # ------------------------------------------------------------ ids

    def known(self, symbols: Sequence[str]) -> list[int]:
        """The places of the symbols that the table has."""
        return [i for i, symbol in enumerate(symbols) if symbol in self.table]

    def lost(self, symbols: Sequence[str]) -> list[str]:
        """The symbols that the table lacks, but for typography and marks of language."""
        marks = LANGUAGE_MARKS.values()  # a voice of one language may have none
        return [s for s in symbols if s not in self.table and s not in marks and not _silent(s)]

    def ids(self, symbols: Sequence[str]) -> list[int]:
        """The ids of those of `symbols` that it has, with blanks where the model has them."""
        ids = [self.table[symbol] for symbol in symbols if symbol in self.table]
        if not self.add_blank:
            return ids
        blank = self.config.blank
        spaced = [x for i in ids for x in (i, blank)]
        return [blank, *spaced] if self.config.blanks == "around" else spaced[:-1]

    # ------------------------------------------------------------ rendering

    def _render(self, items: list[Item]) -> Rendered:
        symbols, words = render(items)
        return self._framed(tuple(self._fitted(symbols)) if symbols else (), words, moved=False)

    def _render_pieces(self, items: list[Item]) -> Rendered:
        """Items one after the other as they are: their own spaces and marks are among them."""
        while items and not items[0].sounds and not items[0].token.mark.strip():
            items = items[1:]
        while items and not items[-1].sounds and not items[-1].token.mark.strip():
            items = items[:-1]
        symbols: list[str] = []
        words: list[tuple[Item, tuple[int, int]]] = []
        for item in items:
            start = len(symbols)
            symbols += [s for sound in item.sounds for s in sound] or [*item.token.mark]
            if item.sounds:
                words.append((item, (start, len(symbols))))
        return self._framed(tuple(self._fitted(symbols)) if words else (), words, moved=True)

    def _framed(
        self, symbols: tuple[str, ...], words: list[tuple[Item, tuple[int, int]]], moved: bool
    ) -> Rendered:
        begin, end = self.config.begin, self.config.end
        if not symbols or not begin:
            return symbols, words
        return (begin, *symbols, end), [(item, (a + 1, b + 1)) for item, (a, b) in words]

    def _fitted(self, symbols: Sequence[str]) -> list[str]:
        """Each symbol as the table writes it; one symbol stays one."""
        return [self._nearest(symbol) for symbol in symbols]

    def _nearest(self, symbol: str) -> str:
        if symbol in self.table:
            return symbol
        choices = (_SAME.get(symbol, ""), *_NEAREST.get(symbol, ""))
        return next((choice for choice in choices if choice in self.table), symbol)

    # ------------------------------------------------------------ characters

    def _read_characters(self, sentences: list[Sentence]) -> list[Read]:
        return [self._characters(sentence.text) for sentence in sentences]

    def _characters(self, text: str) -> Read:
        """Letters as they are; words are what spaces part."""
        items, unknown, at = [], [], 0
        for match in re.finditer(r"\s+|\S+", text):
            written, at = match[0], match.start()
            if written.isspace():
                items.append(Item(Token((), " ", *match.span()), ()))
                continue
            known = tuple(char for char in self._letters(written) if char in self.table)
            unknown += [char for char in written if self._cannot_say(char)]
            token = Token((written,), "", at, match.end())
            items.append(Item(token, (known,)) if known else Item(Token((), " ", at, at), ()))
        return items, tuple(dict.fromkeys(unknown))

    def _cannot_say(self, char: str) -> bool:
        if is_unspoken(char) or char in self.table:
            return False
        return not any(letter in self.table for letter in self._letters(char))

    def _letters(self, written: str) -> str:
        if self.config.uroman:
            written = uroman(written)
        return written.lower() if self.config.lower_case else written


def _silent(symbol: str) -> bool:
    return len(symbol) == 1 and is_unspoken(symbol)


def _read_pieces(cleaner: partial[list[Piece]], sentences: list[Sentence]) -> list[Read]:
    """Sentences by a cleaner of pieces; what it could not read is named."""
    read: list[Read] = []
    for sentence in sentences:
        items = []
        unknown: list[str] = []
        for piece in cleaner(sentence.text):
            unknown += piece.unknown
            if piece.is_word:
                token = Token((piece.symbols,), "", piece.start, piece.end)
                items.append(Item(token, (tuple(piece.symbols),)))
            elif piece.symbols:
                items.append(Item(Token((), piece.symbols, piece.start, piece.end), ()))
        read.append((items, tuple(dict.fromkeys(unknown))))
    return read


def _read_espeak(sentences: list[Sentence], voice: str, lexicon: Lexicon | None) -> list[Read]:
    """Sentences by espeak's voice of any language; ours are normalised as ours are."""
    own = next((language for language, name in ESPEAK.items() if name == voice), None)
    read = [
        normalize(s.text, own, lexicon) if own else _plain_words(s.text, lexicon) for s in sentences
    ]
    return sounded(sentences, read, partial(_espeak_symbols, voice=voice))


def _espeak_symbols(clauses: list[list[str]], voice: str) -> list[list[tuple[str, ...]]]:
    return [
        [
            tuple(
                char
                for part in word
                for char in (part if part == "ç" else unicodedata.normalize("NFD", part))
                if not char.isspace() and char not in "_\u200d"
            )
            for word in clause
        ]
        for clause in espeak_clauses(clauses, voice)
    ]


def _plain_words(text: str, lexicon: Lexicon | None) -> Normalized:
    """Words and marks of a language that only espeak knows; it reads numbers itself."""
    flat, tokens, at = plain(text), [], 0
    while at < len(flat):
        entry = lexicon.match(flat, at) if lexicon else None
        match = _ANY_WORD.match(flat, at)
        if entry:
            tokens.append(entry)
        elif match:
            tokens.append(Token((match[0],), "", at, match.end()))
        elif flat[at] in _MARKS:
            tokens.append(Token((), flat[at], at, at + 1))
        at = tokens[-1].char_end if tokens and tokens[-1].char_end > at else at + 1
    return Normalized(tuple(tokens), ())


def uroman(text: str) -> str:
    """Any script in Latin letters. Raises UserError where uroman is not installed."""
    return str(_romanizer().romanize_string(text))


@lru_cache(maxsize=1)
def _romanizer() -> Any:
    try:
        from uroman import Uroman
    except ImportError as error:
        raise UserError(
            "This voice reads its language in Latin letters by uroman, which is not installed.",
            "Install it with: pip install uroman",
        ) from error
    return Uroman()

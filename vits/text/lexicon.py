"""The user's own pronunciations: names and words that the rules read wrongly.

A file of lines `word<TAB>IPA` or `word<TAB>respelling`; '#' opens a comment. IPA is recognised by
its characters, or written between slashes; anything else is a respelling in ordinary letters, read
as if it stood in the text ('Siobhan<TAB>shivawn'). A word may be several ('New York'), and upper
and lower case are the same. Chinese words may be given in pinyin ('长安<TAB>chang2 an1').
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vits.errors import UserError
from vits.text.pinyin import SYLLABLE, syllable_ipa
from vits.text.symbols import SYMBOL_IDS
from vits.text.tokens import LATIN, Token, is_cjk, plain

_ORDINARY = re.compile(rf"[{LATIN}' -]+")
_NOT_IN_WORDS = frozenset('_ .,!?;:…—"()-') | {s for s in SYMBOL_IDS if len(s) > 1}


@dataclass(frozen=True)
class Lexicon:
    """Words in lower case -> what is spoken for them (`Token.spoken`: words, or '/IPA/')."""

    entries: Mapping[str, tuple[str, ...]]
    _by_first: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_first: dict[str, list[str]] = {}
        for key in sorted(self.entries, key=len, reverse=True):
            by_first.setdefault(key[0], []).append(key)
        frozen = {first: tuple(keys) for first, keys in by_first.items()}
        object.__setattr__(self, "_by_first", frozen)

    @classmethod
    def load(cls, path: str | Path) -> Lexicon:
        """Read a file. Raises UserError that names the file and the line of a bad row."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise UserError(
                f"The lexicon {path} cannot be read: {error.strerror}.", "Check the path."
            ) from error
        except UnicodeDecodeError as error:
            raise UserError(f"The lexicon {path} is not UTF-8.", "Save it as UTF-8.") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str = "lexicon") -> Lexicon:
        """Read the lines of a lexicon; `name` is what errors call it."""
        entries: dict[str, tuple[str, ...]] = {}
        for number, line in enumerate(text.split("\n"), 1):
            row = line.strip("\r")
            if row.strip() and not row.lstrip().startswith("#"):
                key, spoken = _row(row, f"{name}:{number}")
                if entries.get(key, spoken) != spoken:
                    raise UserError(
                        f"{name}:{number}: {key!r} is here with two pronunciations.",
                        "Keep one of them.",
                    )
                entries[key] = spoken
        return cls(entries)

    @property
    def digest(self) -> str:
        """SHA-256 of the entries, for keys of cached audio."""
        rows = "\n".join(f"{key}\t{' '.join(self.entries[key])}" for key in sorted(self.entries))
        return hashlib.sha256(rows.encode()).hexdigest()

    def match(self, text: str, start: int) -> Token | None:
        """The longest entry that stands at `start` of plain `text`, with its possessive 's."""
        for key in self._by_first.get(text[start].lower(), ()):
            end = start + len(key)
            if text[start:end].lower() != key or _goes_on(text, end):
                continue
            if re.compile(rf"'s(?![{LATIN}\d])", re.IGNORECASE).match(text, end):
                return Token(_possessive(self.entries[key]), "", start, end + 2)
            return Token(self.entries[key], "", start, end)
        return None


def _goes_on(text: str, end: int) -> bool:
    """Whether the word is longer than the entry; scripts without spaces do not say."""
    if is_cjk(text[end - 1]):
        return False
    return end < len(text) and text[end - 1].isalnum() and text[end].isalnum()


def _possessive(spoken: tuple[str, ...]) -> tuple[str, ...]:
    last = spoken[-1]
    if not last.startswith("/"):
        return (*spoken[:-1], last + "'s")
    sound = last[-2]
    ending = "ɪz" if sound in "szʃʒ" else "s" if sound in "ptkfθ" else "z"
    return (*spoken[:-1], f"{last[:-1]}{ending}/")


def _row(row: str, where: str) -> tuple[str, tuple[str, ...]]:
    parts = [part.strip() for part in row.split("\t") if part.strip()]
    if len(parts) != 2:
        raise UserError(
            f"{where}: a row is word<TAB>pronunciation, this is {row!r}.",
            "Put one tab between the word and how it is said.",
        )
    word, said = parts
    key = " ".join(plain(unicodedata.normalize("NFC", word)).lower().split())
    if is_cjk(key[:1]) and all(SYLLABLE.fullmatch(part) for part in said.split()):
        return key, (_from_pinyin(said.split(), where),)
    if not said.startswith("/") and _ORDINARY.fullmatch(plain(said)) and not _has_ipa(said):
        return key, tuple(plain(said).split())
    return key, _ipa(said, where)


def _from_pinyin(syllables: list[str], where: str) -> str:
    try:
        return f"/{''.join(syllable_ipa(s) for s in syllables)}/"
    except ValueError as error:
        raise UserError(f"{where}: {error}.", "Write syllables as in chang2 an1.") from error


def _has_ipa(said: str) -> bool:
    """Letters that stand in IPA and in no English or German word."""
    return any(char in SYMBOL_IDS and ord(char) > 0x17F for char in said)


def _ipa(said: str, where: str) -> tuple[str, ...]:
    words = []
    for word in said.strip("/[] ").split():
        symbols = [
            c
            for part in word
            for c in (part if part == "ç" else unicodedata.normalize("NFD", part))
        ]
        symbols = [{"g": "ɡ", "'": "ˈ", ":": "ː"}.get(c, c) for c in symbols if c not in ".͜͡‿"]
        wrong = sorted({c for c in symbols if c not in SYMBOL_IDS or c in _NOT_IN_WORDS})
        if wrong:
            raise UserError(
                f"{where}: {' '.join(wrong)} in {said!r} is neither IPA nor a letter.",
                "Write IPA, or respell the word in ordinary letters.",
            )
        words.append(f"/{''.join(symbols)}/")
    if not words or words == ["//"]:
        raise UserError(f"{where}: the pronunciation is empty.", "Write how the word is said.")
    return tuple(words)

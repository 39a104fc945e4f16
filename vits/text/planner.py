"""Long text -> utterances that a voice speaks one after the other.

Sentences come from `sentences.py`, are read as a whole (espeak wants the clause around a word) and
are then cut where they are too long for one breath. Every word keeps its place in the source and
its range of symbols, from which speech gets its word timings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from vits.errors import UserError
from vits.text.lexicon import Lexicon
from vits.text.normalize import READERS, Normalized, foreign_letters, normalize
from vits.text.phonemes import check_language, phonemize_clauses
from vits.text.sentences import CLAUSE_PAUSE_S, CUT_PAUSE_S, Sentence, batches, chunks_of
from vits.text.symbols import LANGUAGE_MARKS, SENTENCE_ENDS, SPACE
from vits.text.tokens import Reader, Token, words

MAX_SYMBOLS = 200
_OPENING_WORDS = 6
_CONJUNCTIONS = words(
    "and but or because which that who when where while if as for with to of in on at by from "
    "und oder aber weil dass die der das wenn als mit für von auf bei"
)


@dataclass(frozen=True)
class Word:
    """A written word: its span in the source text and its range in `Utterance.symbols`."""

    text: str
    char_start: int
    char_end: int
    symbol_start: int
    symbol_end: int


@dataclass(frozen=True)
class Utterance:
    """What a voice says in one breath.

    text: the source from `char_start` to `char_end` (half-open, positions in the whole stream).
    symbols: language mark, phonemes with ' ' between words, marks of punctuation; ends in one of
        . ! ? …; empty where nothing is to be said (a pause at the very beginning, a row of stars).
    pause_s: seconds of silence after it.
    unknown: source characters in it that cannot be spoken, in order, each once.
    """

    text: str
    char_start: int
    char_end: int
    language: str
    symbols: tuple[str, ...]
    words: tuple[Word, ...]
    pause_s: float
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """A token with the sounds of each of its spoken words; a mark has none."""

    token: Token
    sounds: tuple[tuple[str, ...], ...]

    @property
    def size(self) -> int:
        """Symbols it takes with the space before it."""
        return sum(len(sound) + 1 for sound in self.sounds) + len(self.token.mark)


Read = tuple[list[Item], tuple[str, ...]]  # items, characters that cannot be spoken
Rendered = tuple[tuple[str, ...], list[tuple[Item, tuple[int, int]]]]


@dataclass(frozen=True)
class Manner:
    """How one kind of voice reads: sentences to items, items to symbols with the words' ranges."""

    language: str
    sentences: Reader
    read: Callable[[list[Sentence]], list[Read]]
    render: Callable[[list[Item]], Rendered]


def native(language: str, lexicon: Lexicon | None = None) -> Manner:
    """How our own voices read. Raises UserError for a language that cannot be read."""
    check_language(language)
    return Manner(
        language,
        READERS[language],
        partial(_read, language=language, lexicon=lexicon),
        partial(render, opening=(LANGUAGE_MARKS[language],)),
    )


def plan(
    text: str | Iterable[str],
    *,
    language: str = "en",
    lexicon: Lexicon | None = None,
    first_clause_short: bool = False,
) -> Iterator[Utterance]:
    """Utterances of `text`, or of chunks of it, as they become complete.

    Raises UserError for a language that cannot be read, for markup that is wrong, and for a
    sentence with no speakable character in it but letters of another script.
    """
    return plan_in(native(language, lexicon), text, first_clause_short)


def plan_in(
    manner: Manner, text: str | Iterable[str], opening: bool = False
) -> Iterator[Utterance]:
    """`plan` in any manner of reading; `opening` asks for a short first clause."""
    for batch in batches(chunks_of(text), manner.sentences):
        for utterance in _speak(batch, manner, opening):
            opening = opening and not utterance.symbols
            yield utterance


def phonemize_lines(
    lines: Sequence[str], language: str, lexicon: Lexicon | None = None
) -> list[tuple[str, ...]]:
    """The symbols of each line: language mark, phonemes, and a sentence's end, added if missing.

    A line is one utterance however long it is; one with nothing to say in it gives (). All lines
    go to espeak in one batch. Raises UserError for a language that cannot be read.
    """
    return lines_in(native(language, lexicon), lines)


def lines_in(manner: Manner, lines: Sequence[str]) -> list[tuple[str, ...]]:
    """`phonemize_lines` in any manner of reading."""
    read = manner.read([Sentence(line, 0, 0.0) for line in lines])
    return [manner.render(items)[0] for items, _ in read]


def unknown_characters(text: str, language: str, lexicon: Lexicon | None = None) -> tuple[str, ...]:
    """The characters of `text` that cannot be spoken in `language`, in order, each once."""
    check_language(language)
    ((_, unknown),) = _read([Sentence(text, 0, 0.0)], language, lexicon)
    return unknown


def check_script(text: str, language: str) -> None:
    """Raise UserError if `text` has letters, and none of them is read in `language`."""
    check_language(language)
    ((items, unknown),) = _read([Sentence(text, 0, 0.0)], language, None)
    if unknown and not any(item.sounds for item in items):
        _refuse_foreign(text, 0, language)


def _speak(batch: list[Sentence], manner: Manner, opening: bool) -> Iterator[Utterance]:
    for sentence, (items, unknown) in zip(batch, manner.read(batch), strict=True):
        if unknown and not any(item.sounds for item in items):
            _refuse_foreign(sentence.text, sentence.char_start, manner.language)
        groups = _split(items)
        if opening and any(item.sounds for item in items):
            groups, opening = [*_opening(groups[0]), *groups[1:]], False
        yield from _utterances(sentence, groups, unknown, manner)


def _refuse_foreign(text: str, position: int, language: str) -> None:
    foreign = foreign_letters(text)
    if foreign:
        raise UserError(
            f"The text at character {position} is in another script than {language!r}: "
            f"{text.strip()[:20]!r}.",
            "Choose the language of the text, or a voice that speaks it.",
        )


def _read(sentences: list[Sentence], language: str, lexicon: Lexicon | None) -> list[Read]:
    """(items, unknown characters) of each sentence, all sounds from one call of espeak."""
    read = [normalize(sentence.text, language, lexicon) for sentence in sentences]
    return sounded(sentences, read, partial(phonemize_clauses, language=language))


def sounded(
    sentences: Sequence[Sentence],
    read: Sequence[Normalized],
    phonemize: Callable[[list[list[str]]], list[list[tuple[str, ...]]]],
) -> list[Read]:
    """Sentences that were normalised, with the sounds of their words, all from one call."""
    clauses: list[list[str]] = []
    for normal in read:
        clauses += _clauses(normal.tokens)
    sounds = iter([sound for clause in phonemize(clauses) for sound in clause])
    result: list[Read] = []
    for sentence, normal in zip(sentences, read, strict=True):
        items: list[Item] = []
        lost = set(normal.unknown)
        for token in normal.tokens:
            said = tuple(next(sounds) for _ in token.spoken)
            said = tuple(sound for sound in said if sound)
            if said or token.mark:
                items.append(Item(token, said))
            else:
                span = range(token.char_start, token.char_end)
                lost.update(at for at in span if not sentence.text[at].isspace())
        unknown = dict.fromkeys(sentence.text[at] for at in sorted(lost))
        result.append((items, tuple(unknown)))
    return result


def _clauses(tokens: Iterable[Token]) -> list[list[str]]:
    """The spoken words between marks."""
    clauses: list[list[str]] = [[]]
    for token in tokens:
        if token.mark:
            clauses.append([])
        clauses[-1].extend(token.spoken)
    return [clause for clause in clauses if clause]


def _split(items: list[Item]) -> list[list[Item]]:
    """Halve what is over MAX_SYMBOLS, at the best place near the middle, until it fits."""
    sizes = [item.size for item in items]
    total = sum(sizes)
    if total <= MAX_SYMBOLS - 2 or sum(1 for item in items if item.sounds) < 2:
        return [items]
    best, cut, passed = float("inf"), 0, 0
    for index in range(1, len(items)):
        passed += sizes[index - 1]
        if not items[index].sounds or not any(item.sounds for item in items[:index]):
            continue
        cost = abs(passed / total - 0.5) + _cut_cost(items[index - 1], items[index])
        if cost < best:
            best, cut = cost, index
    return [*_split(items[:cut]), *_split(items[cut:])] if cut else [items]


def _cut_cost(left: Item, right: Item) -> float:
    """How bad it is to breathe between two items, in parts of the sentence's length."""
    if left.token.mark.strip():
        return {",": 0.15}.get(left.token.mark.strip(), 0.0)
    opens = right.token.spoken and right.token.spoken[0].lower() in _CONJUNCTIONS
    return 0.4 if opens else 0.7


def _opening(items: list[Item]) -> list[list[Item]]:
    """A short first clause and the rest, so that the first sound comes soon."""
    places = [index for index, item in enumerate(items) if item.sounds]
    if len(places) <= _OPENING_WORDS + 2:
        return [items]
    marks = [i for i in range(places[0] + 1, places[_OPENING_WORDS]) if items[i].token.mark]
    joints = [i for i in places[2 : _OPENING_WORDS + 1] if _cut_cost(items[i - 1], items[i]) < 0.5]
    cut = marks[0] + 1 if marks else joints[-1] if joints else places[_OPENING_WORDS]
    while cut < len(items) and items[cut].token.mark:
        cut += 1
    return [items[:cut], items[cut:]]


def _utterances(
    sentence: Sentence, groups: list[list[Item]], unknown: tuple[str, ...], manner: Manner
) -> Iterator[Utterance]:
    """One utterance a group; together their texts are the sentence."""
    start = 0
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        end = len(sentence.text) if last else groups[index + 1][0].token.char_start
        text = sentence.text[start:end].rstrip()
        base = sentence.char_start + start
        symbols, words = manner.render(group)
        pause = sentence.pause_s if last else _inner_pause(group)
        yield Utterance(
            text,
            base,
            base + len(text),
            manner.language,
            symbols,
            tuple(_word(sentence, item, *place) for item, place in words),
            pause,
            tuple(char for char in unknown if char in text),
        )
        start = end


def _inner_pause(group: list[Item]) -> float:
    return CLAUSE_PAUSE_S if group[-1].token.mark.strip() else CUT_PAUSE_S


def _word(sentence: Sentence, item: Item, symbol_start: int, symbol_end: int) -> Word:
    start, end = item.token.char_start, item.token.char_end
    base = sentence.char_start
    return Word(sentence.text[start:end], base + start, base + end, symbol_start, symbol_end)


def render(items: list[Item], opening: tuple[str, ...] = ()) -> Rendered:
    """The symbols of one utterance, and each word's half-open range in them."""
    symbols = [*opening]
    words: list[tuple[Item, tuple[int, int]]] = []
    mark = ""
    for item in items:
        if item.token.mark:
            mark = _stronger(mark, item.token.mark)
            continue
        if words:
            symbols += [mark, SPACE] if mark else [SPACE]
        mark = ""
        start = len(symbols)
        for index, sound in enumerate(item.sounds):
            symbols += [SPACE, *sound] if index else sound
        words.append((item, (start, len(symbols))))
    if not words:
        return (), []
    return (*symbols, mark if mark in SENTENCE_ENDS else "."), words


def _stronger(first: str, second: str) -> str:
    order = "?!….—;:,"
    return min(first or second, second, key=order.index)

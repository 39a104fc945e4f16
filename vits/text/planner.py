"""Long text -> utterances that a voice speaks one after the other, in flat memory.

The text is a stream of characters. From the place where the last utterance ended, a window of
bounded length decides where the next sentence ends; a decision that would need characters not yet
there waits for them. So the same text gives the same utterances however it is cut into chunks, a
book needs no more memory than a page, and a text that is still being written is spoken as soon as a
sentence is complete.

Markup: `[pause:2.5]` is that many seconds of silence, `[break]` that of a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vits.errors import UserError
from vits.text.lexicon import Lexicon
from vits.text.normalize import READERS, foreign_letters, normalize
from vits.text.phonemes import check_language, phonemize_clauses
from vits.text.symbols import LANGUAGE_MARKS, SENTENCE_ENDS, SPACE
from vits.text.tokens import LATIN, NAME_BEFORE, Reader, Token, plain, words

SENTENCE_PAUSE_S = 0.35
PARAGRAPH_PAUSE_S = 0.7
CLAUSE_PAUSE_S = 0.15
CUT_PAUSE_S = 0.05  # where a long sentence had to be cut and no mark stands
LONGEST_PAUSE_S = 60.0
MAX_SYMBOLS = 200
MAX_CHARS = 800  # a sentence longer than this is cut before it is read
_WINDOW = MAX_CHARS + 800
_CHUNK = 4096
_BATCH = 16  # sentences a call of espeak; the first is read alone, for the first sound to come soon
_OPENING_WORDS = 6

_MARKUP_PATTERN = r"\[(?:pause|break)(?::[ ]?[^\]\s]{0,12}(?:[ ]?m?s)?)?\]"
_LONGEST_MARKUP = 25
MARKUP = re.compile(_MARKUP_PATTERN)
_GAP = re.compile(rf"(?:\s|{_MARKUP_PATTERN})*")
_END = re.compile(
    rf"(?P<mark>(?:\.(?: \.)+|[.!?…]+)[\"')\]}}]*)|(?P<line>\n)|(?P<markup>{_MARKUP_PATTERN})"
)
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
class _Sentence:
    """A piece of source text that is read as a whole, and the silence after it."""

    text: str
    char_start: int
    pause_s: float


@dataclass(frozen=True)
class _Item:
    """A token with the sounds of each of its spoken words; a mark has none."""

    token: Token
    sounds: tuple[tuple[str, ...], ...]

    @property
    def size(self) -> int:
        """Symbols it takes with the space before it."""
        return sum(len(sound) + 1 for sound in self.sounds) + len(self.token.mark)


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
    check_language(language)
    return _plan(text, language, lexicon, first_clause_short)


def _plan(
    text: str | Iterable[str], language: str, lexicon: Lexicon | None, opening: bool
) -> Iterator[Utterance]:
    for batch in _batches(_chunks(text), READERS[language]):
        for utterance in _speak(batch, language, lexicon, opening):
            opening = opening and not utterance.symbols
            yield utterance


def phonemize_lines(
    lines: Sequence[str], language: str, lexicon: Lexicon | None = None
) -> list[tuple[str, ...]]:
    """The symbols of each line: language mark, phonemes, and a sentence's end, added if missing.

    A line is one utterance however long it is; one with nothing to say in it gives (). All lines
    go to espeak in one batch. Raises UserError for a language that cannot be read.
    """
    check_language(language)
    read = _read([_Sentence(line, 0, 0.0) for line in lines], language, lexicon)
    return [_render(items, language)[0] for items, _ in read]


def unknown_characters(text: str, language: str, lexicon: Lexicon | None = None) -> tuple[str, ...]:
    """The characters of `text` that cannot be spoken in `language`, in order, each once."""
    check_language(language)
    ((_, unknown),) = _read([_Sentence(text, 0, 0.0)], language, lexicon)
    return unknown


def check_script(text: str, language: str) -> None:
    """Raise UserError if `text` has letters, and none of them is read in `language`."""
    check_language(language)
    ((items, unknown),) = _read([_Sentence(text, 0, 0.0)], language, None)
    if unknown and not any(item.sounds for item in items):
        _refuse_foreign(text, 0, language)


# --- stream -> sentences -------------------------------------------------------------------


def _chunks(text: str | Iterable[str]) -> Iterator[str]:
    if isinstance(text, str):
        return (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))
    return iter(text)


def _batches(chunks: Iterator[str], reader: Reader) -> Iterator[list[_Sentence]]:
    """Sentences in growing batches; one never waits for a chunk that the text before it needs not.

    Memory: one chunk and one window.
    """
    buffer, base, final, size = "", 0, False, 1
    while True:
        batch: list[_Sentence] = []
        position = 0
        while len(batch) < size:
            found = _next_sentence(
                buffer[position : position + _WINDOW], final, reader, base + position
            )
            if found is None:
                break
            sentence, length = found
            position += length
            batch += [sentence] if sentence else []
        buffer, base = buffer[position:], base + position
        if batch:
            yield batch
            size = min(2 * size, _BATCH)
            continue
        if final:
            return
        chunk = next(chunks, None)
        final = chunk is None
        buffer += chunk or ""


def _next_sentence(
    window: str, final: bool, reader: Reader, base: int
) -> tuple[_Sentence | None, int] | None:
    """(the first sentence of the window, characters used), or None if more must be seen.

    A window of full length is never extended, so the answer depends on the text alone.
    """
    final = final or len(window) == _WINDOW
    flat = plain(window)
    gap = _gap(flat, 0, final)
    if gap is None or (gap == 0 and not window):
        return None
    if gap:  # before the first sentence: only markup counts
        pause = _marked_pause(flat[:gap], base)
        return (None if pause is None else _Sentence("", base, pause)), gap
    end = _sentence_end(window, flat, final, reader)
    if end is None:
        return None
    after = _gap(flat, end, final)
    if after is None:
        return None
    text = window[:end].rstrip()
    return _Sentence(text, base, _pause(flat, end, after, base)), after


def _gap(flat: str, start: int, final: bool) -> int | None:
    """Where the white space and markup from `start` on end; None if that cannot be seen yet."""
    match = _GAP.match(flat, start)
    assert match is not None
    end = match.end()
    if final:
        return end
    seen = flat[end : end + _LONGEST_MARKUP]
    unfinished = seen.startswith("[") and "]" not in seen and len(seen) < _LONGEST_MARKUP
    return None if end == len(flat) or unfinished else end


def _pause(flat: str, end: int, after: int, base: int) -> float:
    gap = flat[end:after]
    marked = _marked_pause(gap, base + end)
    if marked is not None:
        return marked
    if gap.count("\n") >= 2:
        return PARAGRAPH_PAUSE_S
    if not flat[:end].rstrip("\"')]} \n").endswith((".", "!", "?", "…", ":")) and "\n" not in gap:
        cut_at_mark = flat[:end].rstrip().endswith((",", ";", "—", ")"))
        return (
            CLAUSE_PAUSE_S
            if cut_at_mark
            else CUT_PAUSE_S
            if after < len(flat)
            else SENTENCE_PAUSE_S
        )
    return SENTENCE_PAUSE_S


def _marked_pause(gap: str, base: int) -> float | None:
    """Seconds that the markup in `gap` asks for, all of it together; None without markup."""
    marks = list(MARKUP.finditer(gap))
    if not marks:
        return None
    return sum(_seconds(mark[0], base + mark.start()) for mark in marks)


def _seconds(markup: str, position: int) -> float:
    written = markup.strip("[]").partition(":")[2].strip()
    if not written:
        return PARAGRAPH_PAUSE_S
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s?(ms|s)?", written)
    seconds = float(match[1]) * (0.001 if match[2] == "ms" else 1.0) if match else -1.0
    if not 0 <= seconds <= LONGEST_PAUSE_S:
        raise UserError(
            f"{markup} at character {position} is no length of time "
            f"from 0 to {LONGEST_PAUSE_S:.0f} seconds.",
            "Write seconds, as in [pause:2.5].",
        )
    return seconds


def _sentence_end(window: str, flat: str, final: bool, reader: Reader) -> int | None:
    for match in _END.finditer(flat, 0, len(flat)):
        if match.start() >= MAX_CHARS:
            break
        if match["markup"]:
            return match.start()
        ends = _line_ends if match["line"] else _mark_ends
        verdict = ends(window, flat, match, final, reader)
        if verdict is None:
            return None
        if verdict:
            return match.start() if match["line"] else match.end()
    if len(flat) > MAX_CHARS + _LONGEST_MARKUP:
        return _cut_long(flat)
    return len(flat) if final else None


def _cut_long(flat: str) -> int:
    """Where to cut a sentence that has no end in sight: at a clause, a space, or anywhere."""
    head = flat[:MAX_CHARS]
    for pattern in (r"[,;:—)]\s", r"\s"):
        cuts = [match.end() for match in re.finditer(pattern, head)]
        if cuts and cuts[-1] > MAX_CHARS // 4:
            return cuts[-1]
    return MAX_CHARS


def _line_ends(
    window: str, flat: str, match: re.Match[str], final: bool, reader: Reader
) -> bool | None:
    """A line break ends a sentence before an empty line, a list item or a heading, and after a
    short line that stops without a mark before a capital: a title, a verse."""
    del window, reader
    gap = _gap(flat, match.start(), final)
    if gap is None:
        return None
    space = flat[match.start() : gap]
    if space.count("\n") >= 2 or "[" in space or gap == len(flat):
        return True
    if re.match(r"[*•·\-–—#>]\s|#+\s|\d{1,3}[.)]\s", flat[gap : gap + 6]):
        return True
    if len(flat) - gap < 6 and not final:
        return None
    before = flat[: match.start()].rstrip()
    line = before[before.rfind("\n") + 1 :]
    if re.match(r"\s*#+\s", line):
        return True
    stops = not before.endswith((",", ";", ":", "-", "—", "–"))
    return (
        stops
        and len(line) < 50
        and (flat[gap].isupper() or flat[gap] in "\"'" or flat[gap].isdigit())
    )


def _mark_ends(
    window: str, flat: str, match: re.Match[str], final: bool, reader: Reader
) -> bool | None:
    """Whether . ! ? … ends a sentence here; None if what follows cannot be seen yet."""
    end = match.end()
    if end == len(flat):
        return True if final else None
    if any(char in "。！？｡" for char in window[match.start() : end]):
        return True
    if not flat[end].isspace() and flat[end] != "[":
        return False
    gap = _gap(flat, end, final)
    if gap is None or gap == end:
        return None if gap is None else False
    if gap == len(flat) or "[" in flat[end:gap] or flat[end:gap].count("\n") >= 2:
        return True
    following = re.compile(rf"[\"'(\[]*([{LATIN}\d]*)").match(flat, gap)
    assert following is not None
    if following.end() == len(flat) and not final:
        return None
    return _ends_before(flat, match, following[1], reader)


def _ends_before(flat: str, match: re.Match[str], following: str, reader: Reader) -> bool:
    mark = match["mark"]
    stops = mark.rstrip("\"')]}")
    closed = stops != mark
    if following[:1].islower() and (closed or "…" in stops or stops.count(".") > 1):
        return False
    if stops != "." or closed:
        return True
    before = re.search(rf"([{LATIN}\d.]*)$", flat[: match.start()])
    word = before[1] if before else ""
    ahead = flat[: match.start() - len(word)]
    if len(word) == 1 and ahead and not ahead[-1].isspace() and ahead[-1] not in "\"'(":
        return True  # '5 °C.' is no initial
    named = NAME_BEFORE.search(ahead) is not None
    return _dot_ends(word, following, named, reader)


def _dot_ends(word: str, following: str, named: bool, reader: Reader) -> bool:
    """Whether the dot after `word` ends a sentence when `following` comes next.

    `named`: a name stands before the word, so that 'St.' is a street.
    """
    name = word.lower()
    opens = following.lower() in reader.starters
    capital = following[:1].isupper()
    if name in reader.never_end or (name in reader.titles and word[0].isupper()):
        return False
    if name in reader.before_number and re.match(r"\d|[IVXLC]+$", following):
        return False
    if name in reader.place_names and word[0].isupper():
        return named and capital and opens
    if reader.ordinal_dot and re.fullmatch(r"\d{1,4}|[IVX]{2,}", word):
        return opens and capital
    if len(word) == 1 and word.isalpha() and capital:  # an initial, unless it is 'I' or 'x'
        return opens or word.islower() or word == "I"
    if re.fullmatch(rf"([{LATIN}]\.)+[{LATIN}]", word) or name in reader.may_end:
        return opens and capital
    return not (len(word) == 1 and word.isupper() and following[:1].islower())


# --- sentence -> utterances ----------------------------------------------------------------


def _speak(
    batch: list[_Sentence], language: str, lexicon: Lexicon | None, opening: bool
) -> Iterator[Utterance]:
    for sentence, (items, unknown) in zip(batch, _read(batch, language, lexicon), strict=True):
        if unknown and not any(item.sounds for item in items):
            _refuse_foreign(sentence.text, sentence.char_start, language)
        groups = _split(items)
        if opening and any(item.sounds for item in items):
            groups, opening = [*_opening(groups[0]), *groups[1:]], False
        yield from _utterances(sentence, groups, unknown, language)


def _refuse_foreign(text: str, position: int, language: str) -> None:
    foreign = foreign_letters(text)
    if foreign:
        raise UserError(
            f"The text at character {position} is in another script than {language!r}: "
            f"{text.strip()[:20]!r}.",
            "Choose the language of the text, or a voice that speaks it.",
        )


def _read(
    sentences: list[_Sentence], language: str, lexicon: Lexicon | None
) -> list[tuple[list[_Item], tuple[str, ...]]]:
    """(items, unknown characters) of each sentence, all sounds from one call of espeak."""
    read = [normalize(sentence.text, language, lexicon) for sentence in sentences]
    clauses: list[list[str]] = []
    for normal in read:
        clauses += _clauses(normal.tokens)
    sounds = iter([sound for clause in phonemize_clauses(clauses, language) for sound in clause])
    result = []
    for sentence, normal in zip(sentences, read, strict=True):
        items: list[_Item] = []
        lost = set(normal.unknown)
        for token in normal.tokens:
            said = tuple(next(sounds) for _ in token.spoken)
            said = tuple(sound for sound in said if sound)
            if said or token.mark:
                items.append(_Item(token, said))
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


def _split(items: list[_Item]) -> list[list[_Item]]:
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


def _cut_cost(left: _Item, right: _Item) -> float:
    """How bad it is to breathe between two items, in parts of the sentence's length."""
    if left.token.mark:
        return {",": 0.15}.get(left.token.mark, 0.0)
    opens = right.token.spoken and right.token.spoken[0].lower() in _CONJUNCTIONS
    return 0.4 if opens else 0.7


def _opening(items: list[_Item]) -> list[list[_Item]]:
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
    sentence: _Sentence, groups: list[list[_Item]], unknown: tuple[str, ...], language: str
) -> Iterator[Utterance]:
    """One utterance a group; together their texts are the sentence."""
    start = 0
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        end = len(sentence.text) if last else groups[index + 1][0].token.char_start
        text = sentence.text[start:end].rstrip()
        base = sentence.char_start + start
        symbols, words = _render(group, language)
        pause = sentence.pause_s if last else _inner_pause(group)
        yield Utterance(
            text,
            base,
            base + len(text),
            language,
            symbols,
            tuple(_word(sentence, item, *place) for item, place in words),
            pause,
            tuple(char for char in unknown if char in text),
        )
        start = end


def _inner_pause(group: list[_Item]) -> float:
    return CLAUSE_PAUSE_S if group[-1].token.mark else CUT_PAUSE_S


def _word(sentence: _Sentence, item: _Item, symbol_start: int, symbol_end: int) -> Word:
    start, end = item.token.char_start, item.token.char_end
    base = sentence.char_start
    return Word(sentence.text[start:end], base + start, base + end, symbol_start, symbol_end)


def _render(
    items: list[_Item], language: str
) -> tuple[tuple[str, ...], list[tuple[_Item, tuple[int, int]]]]:
    """The symbols of one utterance, and each word's half-open range in them."""
    symbols = [LANGUAGE_MARKS[language]]
    words: list[tuple[_Item, tuple[int, int]]] = []
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

"""A stream of characters -> sentences, each with the silence after it, in flat memory.

From the place where the last sentence ended, a window of bounded length decides where the next one
ends; a decision that would need characters not yet there waits for them. So the same text gives the
same sentences however it is cut into chunks, a book needs no more memory than a page, and a text
that is still being written is spoken as soon as a sentence is complete.

Markup (`marks.py`): `[pause:2.5]` is that many seconds of silence, `[break]` that of a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vits.errors import UserError
from vits.text.marks import LONGEST_PAUSE_MARK, PAUSE_PATTERN
from vits.text.tokens import LATIN, NAME_BEFORE, Reader, is_cjk, plain

SENTENCE_PAUSE_S = 0.35
PARAGRAPH_PAUSE_S = 0.7
CLAUSE_PAUSE_S = 0.15
CUT_PAUSE_S = 0.05  # where a long sentence had to be cut and no mark stands
LONGEST_PAUSE_S = 60.0
MAX_CHARS = 800  # a sentence longer than this is cut before it is read
_WINDOW = MAX_CHARS + 800
_CHUNK = 4096
_BATCH = 16  # sentences a call of espeak; the first is read alone, for the first sound to come soon

MARKUP = re.compile(PAUSE_PATTERN)
_GAP = re.compile(rf"(?:\s|{PAUSE_PATTERN})*")
_END = re.compile(
    rf"(?P<mark>(?:\.(?: \.)+|[.!?…]+)[\"')\]}}]*)|(?P<line>\n)|(?P<markup>{PAUSE_PATTERN})"
)


@dataclass(frozen=True)
class Sentence:
    """A piece of source text that is read as a whole, and the silence after it."""

    text: str
    char_start: int
    pause_s: float


def chunks_of(text: str | Iterable[str]) -> Iterator[str]:
    """A text in pieces of one size, or the pieces that it comes in."""
    if isinstance(text, str):
        return (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))
    return iter(text)


def batches(chunks: Iterator[str], reader: Reader) -> Iterator[list[Sentence]]:
    """Sentences in growing batches; one never waits for a chunk that the text before it needs not.

    Memory: one chunk and one window.
    """
    buffer, base, final, size = "", 0, False, 1
    while True:
        batch: list[Sentence] = []
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
) -> tuple[Sentence | None, int] | None:
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
        return (None if pause is None else Sentence("", base, pause)), gap
    end = _sentence_end(window, flat, final, reader)
    if end is None:
        return None
    after = _gap(flat, end, final)
    if after is None:
        return None
    text = window[:end].rstrip()
    return Sentence(text, base, _pause(flat, end, after, base)), after


def _gap(flat: str, start: int, final: bool) -> int | None:
    """Where the white space and markup from `start` on end; None if that cannot be seen yet."""
    match = _GAP.match(flat, start)
    assert match is not None
    end = match.end()
    if final:
        return end
    seen = flat[end : end + LONGEST_PAUSE_MARK]
    unfinished = seen.startswith("[") and "]" not in seen and len(seen) < LONGEST_PAUSE_MARK
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
    """Where the first sentence ends; None if that cannot be seen yet. `flat` is plain `window`."""
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
    if len(flat) > MAX_CHARS + LONGEST_PAUSE_MARK:
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
    if is_cjk(flat[gap]):  # no capitals to go by: lines of prose are longer than a title
        return stops and len(line) < 16
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

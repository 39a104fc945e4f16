"""Subtitles: what is said, in pieces that can be read in time, cut where words begin.

Widths and times follow what broadcasters ask for (two lines of 42 characters, 20 for Chinese and
Japanese; 1 to 6 seconds): a full-width character counts as two columns, 42 columns a line, 40 for
CJK. Cuts fall at the end of sentences first, then of clauses, then between words.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pysubs2

from pipelines.i18n.width import is_wide, text_columns
from pipelines.media.labels import DEFAULT_LABEL, DIGITAL_SOURCE_TYPE, PRODUCER, Label
from pipelines.media.timeline import TimedLine, Timeline, writable
from vits.files import write_text

LINE_COLUMNS = 42
CJK_LINE_COLUMNS = 40  # 20 characters
LINES = 2
LONGEST_S = 6.0
SHORTEST_S = 1.0
LINGER_S = 0.4  # a cue stays this long after its last word, if nothing follows
BRIDGED_S = 0.5  # a shorter gap between two cues would only flicker

_SENTENCE_END = ".!?…。！？"
_CLAUSE_END = ",;:—–、，；：)"
_CLOSING = "\"'”’»」』）)]》"


@dataclass(frozen=True)
class Token:
    """A word with the punctuation and space up to the next one."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Cue:
    """What stands on the screen at one time: one or two lines of tokens."""

    speaker: str
    start_s: float
    end_s: float
    rows: tuple[tuple[Token, ...], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple("".join(token.text for token in row).strip() for row in self.rows)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def cues(timeline: Timeline) -> list[Cue]:
    """All cues of a story, in order, none overlapping the next."""
    found = [cue for line in timeline.lines for cue in _line_cues(line)]
    return _unhurried(found, timeline.duration_s)


def write_srt(timeline: Timeline, path: str | Path) -> None:
    """SubRip. It has no place for metadata, so that alone it carries no label."""
    blocks = [
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues(timeline), start=1)
    ]
    write_text(Path(path), "\n".join(blocks))


def write_vtt(timeline: Timeline, path: str | Path, *, label: Label = DEFAULT_LABEL) -> None:
    """WebVTT with the speakers as voices, labelled in a NOTE."""
    note = f"NOTE\nAIGC {label.json}\nDigitalSourceType {DIGITAL_SOURCE_TYPE}"
    blocks = [f"WEBVTT\n\n{note.replace('-->', '')}"]
    for cue in cues(timeline):
        voice = _vtt(cue.speaker).replace("\n", " ")
        text = f"<v {voice}>{_vtt(cue.text)}" if voice else _vtt(cue.text)
        blocks.append(f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n{text}")
    write_text(Path(path), "\n\n".join(blocks) + "\n")


def write_ass(timeline: Timeline, path: str | Path, *, label: Label = DEFAULT_LABEL) -> None:
    """Advanced SubStation Alpha as karaoke: each word fills with colour while it is said."""
    file = pysubs2.SSAFile()
    file.info |= {
        "Title": _one_line(timeline.title),
        "PlayResX": "1280",
        "PlayResY": "720",
        "AIGC": label.json,
        "DigitalSourceType": DIGITAL_SOURCE_TYPE,
    }
    file.styles["Default"] = _karaoke_style()
    for cue in cues(timeline):
        start, end = _centiseconds(cue.start_s), _centiseconds(cue.end_s)
        event = pysubs2.SSAEvent(start=start * 10, end=end * 10, text=_karaoke(cue))
        event.name = _one_line(cue.speaker).replace(",", " ")
        file.append(event)
    write_text(Path(path), file.to_string("ass", header_notice=PRODUCER))


# ---------------------------------------------------------------- cutting


def _tokens(line: TimedLine) -> list[Token]:
    """The line's text cut at its words; text before the first word belongs to it."""
    if not line.words:
        return [Token(_one_line(line.text), line.start_s, line.end_s)]
    inner = [_cut(line.text, a.char_end, b.char_start) for a, b in pairwise(line.words)]
    return [
        Token(_one_line(line.text[start:end]), word.start_s, word.end_s)
        for word, (start, end) in zip(
            line.words, pairwise([0, *inner, len(line.text)]), strict=True
        )
    ]


def _cut(text: str, start: int, end: int) -> int:
    """Where to cut between two words: after the space, or before what opens the next one."""
    for at in range(end, start, -1):
        if text[at - 1].isspace():
            return at
    for at in range(start, end):
        if unicodedata.category(text[at]) in ("Ps", "Pi"):
            return at
    return end


def _line_cues(line: TimedLine) -> list[Cue]:
    """One spoken line as the cheapest sequence of cues (dynamic programming over its tokens)."""
    tokens = _tokens(line)
    if not "".join(token.text for token in tokens).strip():
        return []
    columns = _line_columns(line.text)
    best: list[tuple[float, int]] = [(0.0, 0)]  # cost up to here, where its last cue begins
    for end in range(1, len(tokens) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            cost = _cue_cost(tokens[start:end], columns, last=end == len(tokens))
            if math.isinf(cost) and start < end - 1:
                break  # longer ones fit even less
            options.append((best[start][0] + cost, start))
        best.append(min(options))
    cuts = [len(tokens)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    pieces = [tokens[start:end] for start, end in pairwise(reversed(cuts))]
    return [
        Cue(line.speaker, piece[0].start_s, piece[-1].end_s, _rows(piece, columns))
        for piece in pieces
        if any(token.text.strip() for token in piece)
    ]


def _cue_cost(tokens: Sequence[Token], columns: int, *, last: bool) -> float:
    """How bad these tokens are as one cue; infinite if they do not fit."""
    duration_s = tokens[-1].end_s - tokens[0].start_s
    rows = _rows(tokens, columns)
    too_wide = any(_width(row) > columns for row in rows)
    if len(tokens) > 1 and (duration_s > LONGEST_S or len(rows) > LINES or too_wide):
        return math.inf
    hurried = max(0.0, SHORTEST_S - duration_s)
    return 3.0 + 4.0 * hurried + (0.0 if last else _break_cost(tokens[-1].text))


def _break_cost(text: str) -> float:
    """How much it hurts to cut after `text`."""
    bare = text.rstrip().rstrip(_CLOSING)
    if bare.endswith(tuple(_SENTENCE_END)):
        return -1.0
    if bare.endswith(tuple(_CLAUSE_END)) or text.rstrip() != bare:
        return 1.0
    return 4.0


def _rows(tokens: Sequence[Token], columns: int) -> tuple[tuple[Token, ...], ...]:
    """One row if it fits, else two of about the same width; more only where two cannot hold it."""
    if _width(tokens) <= columns:
        return (tuple(tokens),)
    cuts = [
        cut
        for cut in range(1, len(tokens))
        if max(_width(tokens[:cut]), _width(tokens[cut:])) <= columns
    ]
    if not cuts:
        return _many_rows(tokens, columns)
    cut = min(cuts, key=lambda cut: _row_cost(tokens, cut))
    return tuple(tokens[:cut]), tuple(tokens[cut:])


def _row_cost(tokens: Sequence[Token], cut: int) -> float:
    """Rows of one width, a clause to each where that can be had; the lower may be longer."""
    above, below = _width(tokens[:cut]), _width(tokens[cut:])
    uneven = above - below if above > below else 0.7 * (below - above)
    return uneven + 4.0 * _break_cost(tokens[cut - 1].text)


def _many_rows(tokens: Sequence[Token], columns: int) -> tuple[tuple[Token, ...], ...]:
    """Rows filled one after the other; a token wider than a row is cut through."""
    rows: list[tuple[Token, ...]] = []
    row: tuple[Token, ...] = ()
    for token in tokens:
        for piece in _pieces(token, columns):
            if row and _width((*row, piece)) > columns:
                rows.append(row)
                row = ()
            row = (*row, piece)
    return (*rows, row)


def _pieces(token: Token, columns: int) -> list[Token]:
    """The token in parts that each fit a row (parts of a word share its time by width)."""
    if _width((token,)) <= columns:
        return [token]
    texts = [""]
    for character in token.text:
        if text_columns((texts[-1] + character).strip()) > columns:
            texts.append("")
        texts[-1] += character
    total, now, parts = text_columns(token.text), token.start_s, []
    for text in texts:
        end_s = now + (token.end_s - token.start_s) * text_columns(text) / total
        parts.append(Token(text, now, end_s))
        now = end_s
    return parts


def _width(tokens: Sequence[Token]) -> int:
    return text_columns("".join(token.text for token in tokens).strip())


def _line_columns(text: str) -> int:
    wide = sum(map(is_wide, text))
    return CJK_LINE_COLUMNS if 2 * wide > len(text) else LINE_COLUMNS


def _unhurried(found: Sequence[Cue], duration_s: float) -> list[Cue]:
    """Let cues stay a little longer where there is time, up to the longest a cue may be."""
    result = []
    for number, cue in enumerate(found):
        limit = found[number + 1].start_s if number + 1 < len(found) else duration_s
        end_s = max(cue.end_s + LINGER_S, cue.start_s + SHORTEST_S)
        if limit - end_s < BRIDGED_S:
            end_s = limit
        end_s = min(end_s, limit, max(cue.start_s + LONGEST_S, cue.end_s))
        result.append(replace(cue, end_s=max(end_s, min(cue.end_s, limit))))
    return result


# ---------------------------------------------------------------- writing


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _centiseconds(seconds: float) -> int:
    return round(seconds * 100)


def _one_line(text: str) -> str:
    """Every run of white space and control characters as one space, the ends kept."""
    return "".join(
        " " if character.isspace() else character for character in writable(text)
    ).replace("  ", " ")


def _vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _karaoke(cue: Cue) -> str:
    """Every token with its time in hundredths; silence before a token is an empty syllable."""
    parts, now = [], _centiseconds(cue.start_s)
    for number, row in enumerate(cue.rows):
        parts += [r"\N"] if number else []
        for place, token in enumerate(row):
            start, end = _centiseconds(token.start_s), _centiseconds(token.end_s)
            if start > now:
                parts.append(f"{{\\k{start - now}}}")
            text = token.text.lstrip() if place == 0 else token.text
            text = text.rstrip() if place == len(row) - 1 else text
            parts.append(f"{{\\kf{max(0, end - max(start, now))}}}{_ass(text)}")
            now = max(now, end)
    return "".join(parts)


def _ass(text: str) -> str:
    r"""Braces open commands, and a backslash would begin \N: a word joiner keeps it plain."""
    return text.replace("\\", "\\\u2060").replace("{", r"\{").replace("}", r"\}")


def _karaoke_style() -> pysubs2.SSAStyle:
    return pysubs2.SSAStyle(
        fontname="Georgia",
        fontsize=46,
        primarycolor=pysubs2.Color(255, 209, 102),
        secondarycolor=pysubs2.Color(255, 255, 255),
        outlinecolor=pysubs2.Color(20, 18, 30),
        backcolor=pysubs2.Color(0, 0, 0, 128),
        outline=2.5,
        shadow=0.5,
        alignment=pysubs2.Alignment.BOTTOM_CENTER,
        marginl=80,
        marginr=80,
        marginv=44,
    )

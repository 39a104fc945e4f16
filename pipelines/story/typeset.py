"""Setting text: where lines may break, lines of even length, and the size that fills a page.

Latin breaks at spaces and after dashes. Chinese and Japanese break between any two characters,
save that closing marks and small kana never begin a line and opening marks never end one (the
basic rules of JIS X 4051 and CLREQ). Lines are chosen for the paragraph as a whole, by the least
sum of squared gaps, as Knuth and Plass do (Software: Practice and Experience 11, 1981).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, pairwise
from pathlib import Path

from PIL import ImageFont

FONT = Path(__file__).parent / "fonts" / "StorybookKai-Regular.ttf"

NOT_FIRST = frozenset(
    "、。，．,.!?！？：；:;）)］]」』】〕》〉}”’»…‥—–～〜ー々〻ゝゞヽヾ・·%％℃"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ゛゜"
)
NOT_LAST = frozenset("（(［[「『【〔《〈{“‘«")
_DASHES = frozenset("-–—…")
_STOPS = frozenset("、。，．；：")
_CLOSING = frozenset("）］」』】〕》〉｝”’")
_OPENING = frozenset("（［「『【〔《〈｛")
NARROW_SPACE = 0.07
_NO_GLYPH = "\U0010ffff"
WIDOW = 0.18  # a last line shorter than this share of the width looks lost
SPREAD = 20.0  # weight of a lost last line against uneven ones

Measure = Callable[[str], float]


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The bundled font, `size` pixels to the em. Layout needs no system library."""
    return ImageFont.truetype(str(FONT), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def has_glyph(char: str) -> bool:
    """Whether the font can draw `char`, rather than an empty box."""
    if char.isspace():
        return True
    return bytes(font(16).getmask(char)) != _empty_box()


@lru_cache(maxsize=1)
def _empty_box() -> bytes:
    return bytes(font(16).getmask(_NO_GLYPH))


def drawable(text: str) -> str:
    """`text` without what the font has no form for (emoji, say), spaces made single."""
    return " ".join("".join(char if has_glyph(char) else " " for char in text).split())


def is_wide(char: str) -> bool:
    """Chinese characters, kana and the marks that are set among them."""
    return "\u2e80" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or "\uff00" <= char <= "￯"


def runs(text: str) -> list[tuple[str, float]]:
    """The text in pieces, each with the ems by which the next one stands nearer than its width.

    The font's spaces are wide for Latin text, and full-width marks that meet keep half of their
    empty squares (JIS X 4051, CLREQ).
    """
    cuts = [(i, nearer) for i, (a, b) in enumerate(pairwise(text), 1) if (nearer := _nearer(a, b))]
    starts = [0, *(i for i, _ in cuts)]
    ends = [*(i for i, _ in cuts), len(text)]
    shifts = [*(nearer for _, nearer in cuts), 0.0]
    return [(text[i:j], shift) for i, j, shift in zip(starts, ends, shifts, strict=True)]


def _nearer(a: str, b: str) -> float:
    if a == " ":
        return NARROW_SPACE
    if a in _STOPS and (b in _STOPS or b in _CLOSING or b in _OPENING):
        return 0.5
    if a in _CLOSING and is_wide(a) and (b in _STOPS or b in _CLOSING or b in _OPENING):
        return 0.5
    if a in "？！" and b in _CLOSING:
        return 0.25
    return 0.0


def advance(text: str, size: int) -> float:
    """How wide a line is when it is drawn, in pixels."""
    face = font(size)
    return sum(face.getlength(piece) - nearer * size for piece, nearer in runs(text))


def hang(line: str, size: int) -> float:
    """How far a line that opens with a full-width bracket moves out, so that its edge is even."""
    return 0.5 * size if line and line[0] in _OPENING and is_wide(line[0]) else 0.0


def units(text: str) -> list[str]:
    """The pieces between which a line may break, spaces kept behind their word."""
    cuts = [i for i, (a, b) in enumerate(pairwise(text), 1) if _may_break(a, b)]
    return [text[i:j] for i, j in pairwise([0, *cuts, len(text)]) if i < j]


def _may_break(a: str, b: str) -> bool:
    if b == " " or b in NOT_FIRST or a in NOT_LAST:
        return False
    if a == " ":
        return True
    if is_wide(a) or is_wide(b):
        return True
    return a in _DASHES and b.isalpha()


def break_lines(text: str, width: float, measure: Measure, *, even: bool = False) -> list[str]:
    """`text` in as few lines as fit in `width`, of lengths as even as can be.

    With `even` the last line counts as the others do, which suits centred titles. A piece that
    is wider than a line is cut between characters.
    """
    pieces = [part for unit in units(text) for part in _fitting(unit, width, measure)]
    if not pieces:
        return []
    widths = [measure(piece) for piece in pieces]
    ends = [0.0, *accumulate(widths)]
    bare = [measure(piece.rstrip()) - w for piece, w in zip(pieces, widths, strict=True)]

    def length(i: int, j: int) -> float:
        return ends[j] - ends[i] + bare[j - 1]

    cuts = _best_cuts(len(pieces), width, length, even)
    return ["".join(pieces[i:j]).rstrip() for i, j in pairwise(cuts)]


def _best_cuts(
    count: int, width: float, length: Callable[[int, int], float], even: bool
) -> list[int]:
    """Indices 0 = c0 < c1 < ... = count: fewest lines first, then the least cost."""
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
    for j in range(1, count + 1):
        choices = []
        for i in range(j - 1, -1, -1):
            filled = length(i, j) / width
            if filled > 1 and i < j - 1:
                break
            lines, cost, _ = best[i]
            choices.append((lines + 1, cost + _cost(filled, j == count and not even), i))
        best.append(min(choices))
    cuts = [count]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][2])
    return cuts[::-1]


def _cost(filled: float, last: bool) -> float:
    if not last:
        return (1 - filled) ** 2
    return SPREAD * (WIDOW - filled) ** 2 if filled < WIDOW else 0.0


def _fitting(unit: str, width: float, measure: Measure) -> Iterator[str]:
    while len(unit) > 1 and measure(unit.rstrip()) > width:
        count = max(1, sum(1 for end in range(1, len(unit)) if measure(unit[:end]) <= width))
        yield unit[:count]
        unit = unit[count:]
    yield unit


# ---------------------------------------------------------------- blocks


@dataclass(frozen=True)
class Block:
    """Paragraphs in lines, at one size, with the distances that belong to it (pixels)."""

    paragraphs: tuple[tuple[str, ...], ...]
    size: int
    leading: float  # from one line to the next
    gap: float  # more of it between paragraphs

    @property
    def height(self) -> float:
        lines = sum(len(lines) for lines in self.paragraphs)
        return lines * self.leading + max(0, len(self.paragraphs) - 1) * self.gap

    @property
    def width(self) -> float:
        lines = (line for lines in self.paragraphs for line in lines)
        return max((advance(line, self.size) for line in lines), default=0.0)


def set_block(
    paragraphs: Sequence[str], size: int, width: float, *, leading: float = 1.5, gap: float = 0.55
) -> Block:
    """The paragraphs at `size`, broken to `width`. `leading` and `gap` are in ems."""
    measure = lru_cache(maxsize=None)(partial(advance, size=size))
    broken = tuple(tuple(break_lines(text, width, measure)) for text in paragraphs)
    return Block(tuple(filter(None, broken)), size, leading * size, gap * size)


def fit_block(
    paragraphs: Sequence[str], sizes: Sequence[int], width: float, height: float
) -> Block:
    """The largest of `sizes` (ascending) at which all fits; what never does is cut with '…'."""
    first = bisect_right(
        sizes, height, lo=1, key=lambda size: set_block(paragraphs, size, width).height
    )
    block = set_block(paragraphs, sizes[first - 1], width)
    return block if block.height <= height else _cut_to(block, height)


def _cut_to(block: Block, height: float) -> Block:
    kept: list[tuple[str, ...]] = []
    room = height
    for lines in block.paragraphs:
        count = int((room + 1e-6) // block.leading)
        if count <= 0:
            break
        kept.append(lines[:count])
        room -= len(kept[-1]) * block.leading + block.gap
    last = kept[-1][-1].rstrip(" .,;:!?。，、；：！？")
    kept[-1] = (*kept[-1][:-1], f"{last} …")
    return Block(tuple(kept), block.size, block.leading, block.gap)

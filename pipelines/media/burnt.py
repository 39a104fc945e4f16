"""Captions drawn into the frames of a film: cues as subtitles cut them, the spoken word in colour.

FFmpeg's own filter for it needs a library that its Python wheels lack; the bundled font has Latin,
Chinese and Japanese. A caption is drawn once for each word and blended into the planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipelines.media.motion import Plane, bt709
from pipelines.media.subtitles import Cue
from pipelines.story.typeset import drawable, font

INK, LIT, BOX = (255, 255, 255), (255, 214, 92), (18, 22, 30)
BOX_STRENGTH = 150  # of 255
NOTICE_S = 5.0


@dataclass(frozen=True)
class Strip:
    """A drawn caption, ready to blend: planes and strength, at rows `top` and below it."""

    top: int
    luma: NDArray[np.float32]
    chroma: tuple[NDArray[np.float32], NDArray[np.float32]]
    strength: NDArray[np.float32]
    half: NDArray[np.float32]

    def blend(self, frame: Plane, size: tuple[int, int]) -> None:
        """Lay it over `frame`, (H * 3 / 2, W): Y, then U and V of half the size."""
        width, height = size
        rows = slice(self.top, self.top + len(self.luma))
        luma = frame[:height][rows]
        luma[:] = luma + (self.luma - luma) * self.strength
        half_rows = slice(self.top // 2, self.top // 2 + len(self.half))
        flat = frame[height:].reshape(-1)
        count = width * height // 4
        for plane, colour in zip((flat[:count], flat[count:]), self.chroma, strict=True):
            part = plane.reshape(height // 2, width // 2)[half_rows]
            part[:] = part + (colour - part) * self.half


class Captions:
    """Cues over a film of `size`; a `notice` stands in its corner for the first `notice_s`."""

    def __init__(
        self,
        cues: Sequence[Cue],
        size: tuple[int, int],
        *,
        notice: str = "",
        notice_s: float = NOTICE_S,
    ) -> None:
        self._size = size
        self._cues = cues
        self._notice_s = notice_s
        self._at = 0
        self._notice = _label(notice, size) if notice else None
        self._strip = lru_cache(maxsize=2)(self._draw)

    def lay(self, frame: Plane, now_s: float) -> None:
        """Draw what stands at that time of the film; times rise from call to call."""
        if self._notice and now_s < self._notice_s:
            self._notice.blend(frame, self._size)
        while self._at < len(self._cues) and self._cues[self._at].end_s <= now_s:
            self._at += 1
        if self._at < len(self._cues) and self._cues[self._at].start_s <= now_s:
            strip = self._strip(self._at, _spoken_word(self._cues[self._at], now_s))
            if strip:
                strip.blend(frame, self._size)

    def _draw(self, number: int, word: int) -> Strip | None:
        width, height = self._size
        rows = [
            [text for token in row if (text := _text(token.text))]
            for row in self._cues[number].rows
        ]
        if not any(rows):
            return None
        size = _letters(rows, width, height)
        leading, pad = round(size * 1.34), round(size * 0.42)
        tall = 2 * ((leading * len(rows) + 2 * pad + 1) // 2)
        image = Image.new("RGBA", (width, tall))
        pen, face, at = ImageDraw.Draw(image), font(size), 0
        wide = max(face.getlength("".join(row).strip()) for row in rows)
        box = ((width - wide) / 2 - 2 * pad, 0, (width + wide) / 2 + 2 * pad, tall - 1)
        pen.rounded_rectangle(box, pad, fill=(*BOX, BOX_STRENGTH))
        for line, row in enumerate(rows):
            x = (width - face.getlength("".join(row).strip())) / 2
            for text in row:
                fill = LIT if at == word else INK
                pen.text((x, pad + line * leading), text, font=face, fill=(*fill, 255))
                x += face.getlength(text)
                at += 1
        top = height - tall - round(height * (0.05 if width > height else 0.12))
        return _strip(image, top - top % 2)


def _spoken_word(cue: Cue, now_s: float) -> int:
    """Which drawn token of the cue is being said: the last that has begun; -1 before the first."""
    tokens = [token for row in cue.rows for token in row if _text(token.text)]
    return sum(token.start_s <= now_s for token in tokens) - 1


def _text(text: str) -> str:
    """What the font can draw of a token, its space kept."""
    kept = drawable(text)
    return f"{kept} " if kept and text[-1:].isspace() else kept


def _letters(rows: Sequence[Sequence[str]], width: int, height: int) -> int:
    """The size of letters: comfortable, and no row wider than the film."""
    size = round(min(width, height) * 0.052)
    widest = max(font(size).getlength("".join(row)) for row in rows)
    return max(10, min(size, int(size * 0.88 * width / max(1.0, widest))))


def _label(text: str, size: tuple[int, int]) -> Strip:
    """A small notice in the upper right corner."""
    width, height = size
    face = font(round(min(width, height) * 0.030))
    pad = round(face.size * 0.6)
    kept = drawable(text)
    while face.getlength(kept) > width * 0.86 and face.size > 8:
        face = font(round(face.size) - 1)
    tall = 2 * ((round(face.size * 1.4) + 2 * pad + 1) // 2)
    image = Image.new("RGBA", (width, tall))
    pen, wide = ImageDraw.Draw(image), face.getlength(kept)
    left = width - wide - 3 * pad
    box = (left - pad, pad / 2, width - 1.5 * pad, tall - 1 - pad / 2)
    pen.rounded_rectangle(box, pad * 0.7, fill=(*BOX, BOX_STRENGTH))
    pen.text((left, pad), kept, font=face, fill=(*INK, 235))
    return _strip(image, 2 * (round(height * 0.02) // 2))


def _strip(image: Image.Image, top: int) -> Strip:
    pixels = np.asarray(image, np.float32)
    luma, blue, red = bt709(pixels[..., :3])
    strength = (pixels[..., 3] / np.float32(255)).astype(np.float32)
    halves = tuple(_halved(plane) for plane in (blue, red))
    return Strip(top, luma, (halves[0], halves[1]), strength, _halved(strength))


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    half: NDArray[np.float32] = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return half

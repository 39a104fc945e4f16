"""A slow move over a still picture, smooth to fractions of a pixel.

A move that is rounded to whole pixels trembles at these speeds (a tenth of a pixel a frame), so
each frame is resampled at exact positions: Catmull-Rom cubic (Keys 1981), rows and columns
apart, on the planes that the encoder takes (Y, and U and V of half the size), compiled by numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from pipelines.media.picture import read_picture

ZOOM = 1.06  # nearest to farthest; a page of text loses at most its margin
ZOOM_PER_S = 0.008  # a short scene moves less, so that no scene hurries
SAME_SHAPE = 0.15  # a picture this near to the film's shape is cut to fit, another gets a border
STRIP = 32  # columns turned into rows at a time: they fit the cache
PAD = 4  # the cubic reaches two samples over the edge, half-size planes included

# where the near end of the move looks, in shares of what there is to move: x, y in [-1, 1];
# scenes take them in turn, coming nearer and going away alternately
TARGETS = ((0.5, -0.3), (-0.5, 0.3), (-0.4, -0.5), (0.4, 0.5))

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class Planes:
    """A picture as the encoder wants it: BT.709, limited range, 4:2:0, edges repeated by PAD.

    Columns first, (W, H), which is how they are read.
    """

    y: Plane
    u: Plane
    v: Plane


@dataclass(frozen=True)
class Window:
    """The part of a prepared picture that fills the frame: left, top and scale in its pixels."""

    left: float
    top: float
    scale: float  # prepared pixels per pixel of the frame


@dataclass(frozen=True)
class Move:
    """From one window to another at constant speed."""

    start: Window
    end: Window

    def at(self, progress: float) -> Window:
        """The window at `progress` in [0, 1]."""
        a, b, p = self.start, self.end, progress
        return Window(
            a.left + (b.left - a.left) * p,
            a.top + (b.top - a.top) * p,
            a.scale + (b.scale - a.scale) * p,
        )


def plan_move(number: int, duration_s: float, size: tuple[int, int]) -> Move:
    """The move of scene `number` (from 0): the same story always moves the same way."""
    zoom = 1 + min(ZOOM - 1, ZOOM_PER_S * duration_s)
    x, y = TARGETS[number % len(TARGETS)]
    far, near = _window(1.0, 0.0, 0.0, size), _window(zoom, x, y, size)
    return Move(far, near) if number % 2 == 0 else Move(near, far)


def _window(zoom: float, x: float, y: float, size: tuple[int, int]) -> Window:
    scale = ZOOM / zoom
    left, top = ((round(side * ZOOM) - side * scale) / 2 for side in size)
    return Window(left * (1 + x), top * (1 + y), scale)


def prepare(path: Path, size: tuple[int, int]) -> Planes:
    """Read a picture for frames of `size` (width, height), large enough for the nearest view."""
    picture = _filled(read_picture(path), (_even(size[0] * ZOOM), _even(size[1] * ZOOM)))
    luma, blue, red = bt709(np.asarray(picture, np.float32))
    halves = (_half(plane) for plane in (blue, red))
    return Planes(*(_padded(plane) for plane in (luma, *halves)))


def _even(length: float) -> int:
    return 2 * round(length / 2)


def _filled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Exactly `size`: cut if the shape is near, else whole on a blurred, darker copy of itself."""
    shape = (picture.width / picture.height) / (size[0] / size[1])
    cut = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    if abs(np.log(shape)) <= np.log1p(SAME_SHAPE):
        return cut
    ground = cut.filter(ImageFilter.GaussianBlur(size[1] / 24))
    ground = ImageEnhance.Brightness(ground).enhance(0.6)
    whole = ImageOps.contain(picture, size, Image.Resampling.LANCZOS)
    ground.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return ground


def bt709(rgb: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """(H, W, 3) in 0..255 -> Y, Cb, Cr (H, W) in limited range (ITU-R BT.709)."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        16 + luma * (219 / 255),
        128 + (blue - luma) * (224 / 255 / 1.8556),
        128 + (red - luma) * (224 / 255 / 1.5748),
    )


def _half(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    return plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def _padded(plane: NDArray[np.float32]) -> Plane:
    return np.ascontiguousarray(np.pad(np.rint(plane).astype(np.uint8), PAD, mode="edge").T)


class Camera:
    """Looks at one picture through windows. Raises UserError if the picture cannot be read."""

    def __init__(self, picture: Path, size: tuple[int, int]) -> None:
        """Frames will be of `size` (width, height), both even."""
        self.size = width, height = size
        self._planes = prepare(picture, size)
        self._areas = (
            _Area(self._planes.y, 1, width, height),
            _Area(self._planes.u, 2, width // 2, height // 2),
            _Area(self._planes.v, 2, width // 2, height // 2),
        )

    def shoot(self, window: Window, frame: Plane) -> None:
        """Fill `frame` (H * 3 / 2, W), the planes Y, U and V one after the other."""
        flat = frame.reshape(-1)
        for area in self._areas:
            count = area.width * area.height
            area.view(window, flat[:count].reshape(area.height, area.width))
            flat = flat[count:]


class _Area:
    """One plane and its scratch memory: a new 4 MB for each frame costs as much as the work."""

    def __init__(self, plane: Plane, shrunk: int, width: int, height: int) -> None:
        self.plane, self.shrunk, self.width, self.height = plane, shrunk, width, height
        self._middle = np.empty((plane.shape[1], -(-width // STRIP) * STRIP), np.float32)

    def view(self, window: Window, out: Plane) -> None:
        columns = _taps(window.left / self.shrunk, window.scale, self.width, STRIP)
        rows = _taps(window.top / self.shrunk, window.scale, self.height, 1)
        _resample(self.plane, *columns, *rows, self._middle, out)


def _taps(
    start: float, step: float, count: int, multiple: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """First sample (n,) and four weights (4, n) of each output sample on one axis.

    The centre of output sample i lies at start + (i + 1/2) step of the unpadded input, whose
    sample k has its centre at k + 1/2. n is `count` rounded up to a multiple; the samples beyond
    `count` repeat the last one.
    """
    number = np.minimum(np.arange(-(-count // multiple) * multiple), count - 1)
    position = start + (number + 0.5) * step - 0.5
    nearest = np.floor(position)
    t = position - nearest
    weights = 0.5 * np.stack(
        [
            -t + 2 * t**2 - t**3,
            2 - 5 * t**2 + 3 * t**3,
            t + 4 * t**2 - 3 * t**3,
            -(t**2) + t**3,
        ]
    )
    return nearest.astype(np.int64) - 1 + PAD, weights.astype(np.float32)


@numba.njit(nogil=True, cache=True)
def _resample(
    plane: Plane,
    first_column: NDArray[np.int64],
    column_weights: NDArray[np.float32],
    first_row: NDArray[np.int64],
    row_weights: NDArray[np.float32],
    middle: NDArray[np.float32],
    out: Plane,
) -> None:
    """Columns of `plane` (columns first) into `middle` (rows first), then rows into `out`.

    Both inner loops run along memory, which lets the compiler use vectors: three times as fast
    as picking samples one by one.
    """
    tall = plane.shape[1]
    strip = np.empty((STRIP, tall), np.float32)
    for left in range(0, middle.shape[1], STRIP):
        for j in range(STRIP):
            k = first_column[left + j]
            w0, w1, w2, w3 = column_weights[:, left + j]
            s0, s1, s2, s3 = plane[k], plane[k + 1], plane[k + 2], plane[k + 3]
            column = strip[j]
            for i in range(tall):
                column[i] = (
                    w0 * np.float32(s0[i])
                    + w1 * np.float32(s1[i])
                    + w2 * np.float32(s2[i])
                    + w3 * np.float32(s3[i])
                )
        for i in range(tall):
            row = middle[i]
            for j in range(STRIP):
                row[left + j] = strip[j, i]

    half, low, high = np.float32(0.5), np.float32(0), np.float32(255)
    for i in range(out.shape[0]):
        k = first_row[i]
        w0, w1, w2, w3 = row_weights[:, i]
        m0, m1, m2, m3 = middle[k], middle[k + 1], middle[k + 2], middle[k + 3]
        row_out = out[i]
        for j in range(out.shape[1]):
            value = w0 * m0[j] + w1 * m1[j] + w2 * m2[j] + w3 * m3[j] + half
            row_out[j] = np.uint8(np.int32(min(max(value, low), high)))

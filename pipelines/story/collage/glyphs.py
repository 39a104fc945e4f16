"""The bundled pictograms, and the step from SVG to pixels.

Noto Emoji (Apache-2.0), reduced by `recipes/pictograms.py`; resvg draws them, without any font or
library of the system, the same on every machine.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from functools import lru_cache
from importlib.resources import files

from PIL import Image

CELL = 128.0  # every pictogram is drawn in a square of this side


@lru_cache(maxsize=1)
def _bodies() -> dict[str, str]:
    packed = files("pipelines.story.collage").joinpath("pictograms.json.gz").read_bytes()
    return dict(json.loads(gzip.decompress(packed)))


@lru_cache(maxsize=1)
def pictograms_hash() -> str:
    """SHA-256 of the whole set, which decides every picture."""
    text = json.dumps(_bodies(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def has_glyph(name: str) -> bool:
    return name in _bodies()


def glyph(name: str, tone: str = "") -> str:
    """SVG of a pictogram in its cell; people come in a `tone` of skin (light, medium ...)."""
    return _bodies().get(f"{name}-{tone}") or _bodies()[name]


def rasterise(svg: str) -> Image.Image:
    """The picture that a whole SVG document describes, RGB."""
    import resvg_py

    data = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(data))) as opened:
        return opened.convert("RGB")

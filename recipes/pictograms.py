"""Reduce Noto Emoji and Unicode CLDR to what the collage needs: `python recipes/pictograms.py`.

    npm pack @iconify-json/noto@1.2.9 && tar xzf iconify-json-noto-*.tgz -C NOTO
    npm pack cldr-annotations-full@48.2.0 && tar xzf cldr-annotations-full-*.tgz -C CLDR
    python recipes/pictograms.py NOTO/package CLDR/package pipelines/story/collage

`collage/concepts.tsv` beside this says which glyphs, of what kind and size, and by which words a
text means them; CLDR adds its own name of each glyph in English, Chinese and Japanese.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh", "ja")
TABLES = Path(__file__).parent / "collage"
TONES = ("light", "medium-light", "medium", "medium-dark")
SCENERY = (
    *("sun", "sun-with-face", "full-moon", "full-moon-face", "leafless-tree", "herb", "coral"),
    *("window", "framed-picture", "potted-plant", "ringed-planet", "tropical-fish"),
    *("blossom", "evergreen-tree", "deciduous-tree", "palm-tree", "cactus", "books", "lotus"),
)  # fmt: skip
OWN = {  # what Noto has no picture of
    "@button": '<circle cx="64" cy="64" r="56" fill="#8d9aa8"/><circle cx="64" cy="61" r="55" '
    'fill="#c9d3dc"/><circle cx="64" cy="61" r="43" fill="#b4c0cb"/><circle cx="64" cy="63" r="41" '
    'fill="#d7dfe6"/><g fill="#69757f"><circle cx="51" cy="49" r="7"/><circle cx="77" cy="49" '
    'r="7"/><circle cx="51" cy="76" r="7"/><circle cx="77" cy="76" r="7"/></g><path d="M26 46a43 '
    '43 0 0 1 26-24" stroke="#fff" stroke-width="7" stroke-linecap="round" fill="none"/>',
    "@fireworks": "".join(
        f'<g transform="translate({x} {y}) scale({s})" stroke="{c}" stroke-width="5" '
        'stroke-linecap="round">'
        + "".join(f'<path d="M0-12V-34" transform="rotate({a})"/>' for a in range(0, 360, 30))
        + f'<circle r="4" fill="{c}"/></g>'
        for x, y, s, c in (
            (44, 46, 1.2, "#ffb84d"),
            (92, 34, 0.8, "#f56a8b"),
            (88, 90, 1, "#6cc5f0"),
        )
    ),
}


def rows(name: str) -> Iterator[list[str]]:
    for line in (TABLES / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def main(noto: Path, cldr: Path, out: Path) -> None:
    icons = json.loads((noto / "icons.json").read_text("utf-8"))["icons"]
    codes = json.loads((noto / "chars.json").read_text("utf-8"))
    names = {language: names_of(cldr, language) for language in LANGUAGES}
    characters = {
        name: "".join(chr(int(c, 16)) for c in code.split("-")) for code, name in codes.items()
    }
    concepts: dict[str, Any] = {}
    glyphs = {name: icons[name]["body"] for name in SCENERY} | OWN
    ignored = {language: set(words(text)) for language, text in rows("ignored.tsv")}
    for name, kind, height, *texts in rows("concepts.tsv"):
        concept, _, glyph = name.partition("=")
        glyph = glyph or concept
        glyphs |= {glyph: OWN[glyph]} if glyph in OWN else toned(icons, glyph)
        meant = dict(zip(LANGUAGES, map(words, texts), strict=True))
        for language in LANGUAGES:
            own = names[language].get(characters.get(glyph, ""), "")
            if own and own not in meant[language] and own not in ignored[language]:
                meant[language].append(own)
        concepts[concept] = {"glyph": glyph, "kind": kind, "height": float(height), "words": meant}
    settings = [
        {
            "aspect": aspect,
            "value": value,
            "words": dict(zip(LANGUAGES, map(words, texts), strict=True)),
        }
        for aspect, value, *texts in rows("settings.tsv")
    ]
    tables = {
        "concepts": concepts,
        "settings": settings,
        "ignored": {language: sorted(ignored[language]) for language in LANGUAGES},
    }
    text = json.dumps(tables, ensure_ascii=False, indent=1, sort_keys=True)
    (out / "words.json").write_text(text + "\n", "utf-8")
    packed = gzip.compress(json.dumps(glyphs, sort_keys=True).encode(), 9, mtime=0)
    (out / "pictograms.json.gz").write_bytes(packed)
    (out / "UNICODE-LICENSE.txt").write_bytes((cldr / "LICENSE").read_bytes())
    print(f"{len(concepts)} concepts, {len(glyphs)} glyphs, {len(packed)} bytes")


def words(text: str) -> list[str]:
    return text.split("|")


def names_of(cldr: Path, language: str) -> dict[str, str]:
    path = cldr / "annotations" / language / "annotations.json"
    found = json.loads(path.read_text("utf-8"))["annotations"]["annotations"]
    return {char: entry["tts"][0].casefold() for char, entry in found.items() if "tts" in entry}


def toned(icons: dict[str, Any], glyph: str) -> dict[str, str]:
    """The glyph in every tone of skin, where it has any."""
    found = {
        f"{glyph}-{tone}": icons[f"{glyph}-{tone}-skin-tone"]["body"]
        for tone in TONES
        if f"{glyph}-{tone}-skin-tone" in icons
    }
    return found or {glyph: icons[glyph]["body"]}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))

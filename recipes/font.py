"""Make the font that draws the pages: a subset of LXGW WenKai, under the name Storybook Kai.

    apt-get download fonts-lxgw-wenkai && dpkg-deb -x fonts-lxgw-wenkai_*.deb wenkai
    pip install fonttools
    python recipes/font.py wenkai/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf

Kept: Latin with its extensions, Greek and Cyrillic of the Asian sets, every character of
GB 2312 and of JIS X 0208, and the punctuation around them. Dropped: hinting, vertical metrics
and alternate forms, which the pages do not use.

LXGW WenKai is under the SIL Open Font License 1.1, which reserves the names 'LXGW' and its
Chinese form for the original: a subset is a modified version, so it carries a name of its own.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Storybook Kai"
TARGET = Path(__file__).parents[1] / "pipelines/story/fonts/StorybookKai-Regular.ttf"
MAX_BYTES = 6_000_000
SOURCE_SHA256 = "bbf534b0ca093928f94d1782855e65a19a32cde82b075d495d072025521953c8"
# Inclusive ranges of code points beside the two character sets.
RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x024F),  # Latin-1, Latin Extended-A and -B (pinyin's tone marks)
    (0x1E00, 0x1EFF),  # Latin Extended Additional (Vietnamese)
    (0x2010, 0x203A),  # dashes, quotation marks, ellipsis
    (0x20A0, 0x20BF),  # currencies
    (0x2460, 0x2473),  # circled numbers
    (0x3000, 0x30FF),  # CJK punctuation, kana
    (0xFF01, 0xFFEE),  # full and half width forms
)
DESCRIBES = {1: FAMILY, 2: "Regular", 3: f"{FAMILY} Regular", 4: FAMILY, 6: "StorybookKai-Regular"}
KEPT_NAMES = (0, 5, 13, 14)  # copyright, version, licence, licence address


def charset(codec: str) -> set[str]:
    """Every two-byte character of `codec` (a 94 by 94 set in its EUC form)."""
    found = set()
    for row in range(0xA1, 0xFF):
        for column in range(0xA1, 0xFF):
            try:
                found.add(bytes([row, column]).decode(codec))
            except UnicodeDecodeError:  # an empty cell of the table
                continue
    return found


def wanted() -> set[str]:
    """The characters that the subset keeps, where the source has them."""
    ranges = {chr(code) for first, last in RANGES for code in range(first, last + 1)}
    return ranges | charset("gb2312") | charset("euc_jp")


def rename(font: TTFont) -> None:
    """Give the subset its own name and keep the notices of copyright and licence."""
    table = font["name"]
    kept = [n for n in table.names if n.nameID in KEPT_NAMES and n.platformID == 3]
    table.names = kept
    for name_id, text in DESCRIBES.items():
        table.setName(text, name_id, 3, 1, 0x409)


def main(source: Path) -> None:
    """Write the subset of `source` to TARGET and say what it holds."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if digest != SOURCE_SHA256:
        print(f"note: {source.name} is another version than the one that ships ({digest})")
    options = subset.Options(
        hinting=False,
        layout_features=[],
        glyph_names=False,
        notdef_outline=True,
        recalc_timestamp=False,
        drop_tables=["vhea", "vmtx", "BASE", "GDEF", "GSUB", "gasp"],
    )
    font = subset.load_font(source, options)
    missing = (charset("gb2312") | charset("euc_jp")) - {chr(c) for c in font.getBestCmap()}
    assert not missing, f"the source lacks {''.join(sorted(missing))}"
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(wanted())))
    subsetter.subset(font)
    rename(font)
    font["OS/2"].achVendID = "    "  # the vendor of the original made no such version
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, TARGET, options)
    size = TARGET.stat().st_size
    assert size <= MAX_BYTES, f"{size} bytes are more than {MAX_BYTES}"
    print(f"{TARGET}: {len(font.getBestCmap())} characters, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

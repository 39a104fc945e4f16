"""Bodies for heads: most animals and people of the pictogram set are heads alone.

A puppet is cut from a few plain shapes in the head's own colours, 128 wide and 226 tall, its feet
on the lower edge; a whole-bodied pictogram is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.story.collage.glyphs import CELL, glyph
from pipelines.story.collage.staging import Figure
from pipelines.story.collage.svg import placed

PUPPET_HEIGHT = 226.0


@dataclass(frozen=True)
class Coat:
    """The colours of an animal's body, and its tail."""

    body: str
    dark: str
    belly: str
    tail: str = ""
    foot: str = ""


COATS = {
    "fox": Coat("#f2650f", "#b8420c", "#fbd9c4", "brush", "#7a3a22"),
    "wolf": Coat("#8d9499", "#6b7176", "#d6dade", "brush"),
    "bear": Coat("#8a5a44", "#6b4333", "#c69a80", "stub"),
    "polar-bear": Coat("#eef3f6", "#cfdbe2", "#ffffff", "stub"),
    "panda": Coat("#f4f4f2", "#3b3b3d", "#ffffff", "stub", "#3b3b3d"),
    "koala": Coat("#8c979c", "#6d787d", "#d3dadd", "stub"),
    "lion": Coat("#f5b942", "#c98a1f", "#fbe2ae", "tuft"),
    "tiger-face": Coat("#f79a2b", "#c96f12", "#fdebd3", "stripes"),
    "frog": Coat("#a5c91c", "#7f9f10", "#e4f0a0", ""),
    "rabbit-face": Coat("#c5cfd6", "#a1adb6", "#f2f5f7", "puff"),
    "cat-face": Coat("#fbb829", "#d18f12", "#fde9bd", "long"),
    "dog-face": Coat("#f3d9bf", "#8d5f4e", "#fff4e8", "short"),
    "mouse-face": Coat("#9aa5ab", "#7b868c", "#d8dfe3", "thin"),
    "pig-face": Coat("#f7bfa6", "#e39a80", "#fcdccd", "curl"),
    "hamster": Coat("#e9a868", "#c07d3e", "#fdf0df", "stub"),
    "monkey-face": Coat("#a9805a", "#856041", "#e8cfae", "long"),
    "unicorn": Coat("#e4eaee", "#c3ced6", "#f6f9fa", "mane"),
    "robot": Coat("#8fa3ad", "#6b7f8a", "#c4d2d9", ""),
    "alien": Coat("#a9bdc7", "#7f96a3", "#cfdde4", ""),
    "boar": Coat("#7d5a4f", "#5e4239", "#a8857a", "thin"),
}
SKIN = {
    "light": "#fadcbc",
    "medium-light": "#e0bb95",
    "medium": "#bf8f68",
    "medium-dark": "#9b643d",
}
PEOPLE = frozenset(
    [
        "girl",
        "boy",
        "child",
        "baby",
        "woman",
        "man",
        "old-woman",
        "old-man",
        "princess",
        "prince",
        "person-with-crown",
        "mage",
        "santa-claus",
    ]
)
SKIRTS = frozenset(
    ["girl", "woman", "old-woman", "princess", "mage", "person-with-crown", "santa-claus"]
)
ROBES = {"mage": ("#5d6b80", "#465264"), "santa-claus": ("#d9363e", "#aa2830")}
# pictograms that look to the right; the others look to the left, or at us
TO_THE_RIGHT = frozenset(
    ["kangaroo", "parrot", "duck", "dolphin", "snake", "rooster", "lizard", "worm", "peacock"]
)


def is_puppet(figure: Figure) -> bool:
    return figure.concept.glyph in COATS or figure.concept.glyph in PEOPLE


def figure_height(figure: Figure) -> float:
    """Units from the feet to the top of the figure's drawing."""
    return PUPPET_HEIGHT if is_puppet(figure) else CELL


def draw_figure(figure: Figure, to_the_right: bool) -> str:
    """SVG of the figure in its own units, looking (where it has a side) left or right."""
    name = figure.concept.glyph
    if name in COATS:
        return _flipped(_animal(figure, COATS[name]), to_the_right)
    if name in PEOPLE:
        return _person(figure)
    return _flipped(glyph(name, figure.tone), to_the_right != (name in TO_THE_RIGHT))


def _flipped(svg: str, flip: bool) -> str:
    return f'<g transform="translate(128 0) scale(-1 1)">{svg}</g>' if flip else svg


# ---------------------------------------------------------------- animals


def _animal(figure: Figure, coat: Coat) -> str:
    foot = coat.foot or coat.dark
    arms = foot if figure.concept.glyph == "panda" else coat.dark
    scarf = _scarf(*figure.clothes) if figure.named else ""
    return (
        f"{_tail(coat)}"
        f'<ellipse cx="46" cy="217" rx="19" ry="9" fill="{foot}"/>'
        f'<ellipse cx="82" cy="217" rx="19" ry="9" fill="{foot}"/>'
        f'<path d="M44 96C32 128 25 160 27 192C28 213 40 221 64 221S100 213 101 192'
        f'C103 160 96 128 84 96Z" fill="{coat.body}"/>'
        f'<ellipse cx="64" cy="172" rx="25" ry="40" fill="{coat.belly}"/>'
        f'<ellipse cx="32" cy="158" rx="10" ry="29" fill="{arms}" transform="rotate(13 32 158)"/>'
        f'<ellipse cx="96" cy="158" rx="10" ry="29" fill="{arms}" transform="rotate(-13 96 158)"/>'
        f'<ellipse cx="64" cy="113" rx="30" ry="12" fill="#000" opacity=".16"/>'
        f'{scarf}<g transform="translate(3 0) scale(.953)">{glyph(figure.concept.glyph)}</g>'
    )


def _scarf(colour: str, dark: str) -> str:
    """What a friend is known by, on every page."""
    return (
        f'<path d="M74 118C84 134 88 152 84 170L68 166C71 150 68 134 62 122Z" fill="{dark}"/>'
        f'<path d="M38 108C48 122 80 122 90 108L93 122C80 138 48 138 35 122Z" fill="{colour}"/>'
    )


def _tail(coat: Coat) -> str:
    """The tail, behind the body and to its right."""
    thick = f'fill="none" stroke="{coat.body}" stroke-linecap="round"'
    if coat.tail == "brush":
        return (
            f'<path d="M80 214C112 222 128 208 126 184C125 168 132 150 148 138C160 160 162 196 '
            f'140 212C122 225 98 222 80 220Z" fill="{coat.dark}"/>'
            f'<path d="M148 138C136 146 130 158 127 170L137 163L142 170L150 162L157 167'
            f'C157 156 153 146 148 138Z" fill="#f4f1ec"/>'
        )
    if coat.tail in ("long", "stripes"):
        marks = ""
        if coat.tail == "stripes":
            marks = (
                '<path d="M92 208C122 214 136 196 130 170" fill="none" stroke="#4a3420" '
                'stroke-width="13" stroke-dasharray="5 10"/>'
            )
        return f'<path d="M92 208C122 214 136 196 130 166" {thick} stroke-width="13"/>{marks}'
    if coat.tail == "tuft":
        return (
            f'<path d="M92 208C122 214 134 196 130 172" {thick} stroke-width="9"/>'
            f'<ellipse cx="131" cy="162" rx="12" ry="17" fill="#9a5b1e"/>'
        )
    if coat.tail == "thin":
        return f'<path d="M92 212C130 222 142 196 128 178" {thick} stroke-width="6"/>'
    if coat.tail == "short":
        return f'<path d="M94 204C114 202 122 190 122 174" {thick} stroke-width="12"/>'
    if coat.tail == "curl":
        curl = "M98 196C116 202 122 184 110 184C102 186 108 200 122 196"
        return f'<path d="{curl}" {thick} stroke-width="6"/>'
    if coat.tail == "puff":
        return '<circle cx="104" cy="202" r="14" fill="#f7f9fa"/>'
    if coat.tail == "mane":
        return '<path d="M94 200C124 196 138 214 126 226C132 206 112 214 96 214Z" fill="#f2619a"/>'
    if coat.tail == "stub":
        return f'<circle cx="101" cy="204" r="9" fill="{coat.dark}"/>'
    return ""


# ---------------------------------------------------------------- people


def _person(figure: Figure) -> str:
    name = figure.concept.glyph
    colour, dark = ROBES.get(name, figure.clothes)
    skin = SKIN[figure.tone]
    if name == "baby":
        body = _romper(colour, dark, skin)
    elif name in SKIRTS:
        body = _dress(colour, dark, skin, longer=name != "girl")
    else:
        body = _trousers(colour, dark, skin)
    cape = ""
    if name in ("prince", "person-with-crown"):
        cape = '<path d="M46 106L22 206C50 216 78 216 106 206L82 106Z" fill="#8e2f3e"/>'
    neck = f'<rect x="55" y="98" width="18" height="20" rx="6" fill="{skin}"/>'
    shade = '<ellipse cx="64" cy="117" rx="26" ry="9" fill="#000" opacity=".15"/>'
    head = placed(glyph(name, figure.tone), 5, 2, 0.92)
    return f"{cape}{neck}{body}{shade}{head}"


def _arms(dark: str, skin: str) -> str:
    return (
        f'<circle cx="25" cy="172" r="8.5" fill="{skin}"/>'
        f'<circle cx="103" cy="172" r="8.5" fill="{skin}"/>'
        f'<path d="M46 116C28 128 20 148 18 168L33 170C37 154 42 146 50 138Z" fill="{dark}"/>'
        f'<path d="M82 116C100 128 108 148 110 168L95 170C91 154 86 146 78 138Z" fill="{dark}"/>'
    )


def _shoes(left: float, right: float) -> str:
    return (
        f'<ellipse cx="{left}" cy="219" rx="15" ry="7" fill="#4b2f2a"/>'
        f'<ellipse cx="{right}" cy="219" rx="15" ry="7" fill="#4b2f2a"/>'
    )


def _dress(colour: str, dark: str, skin: str, *, longer: bool) -> str:
    hem = 206 if longer else 194
    return (
        f'<rect x="44" y="188" width="12" height="30" fill="{skin}"/>'
        f'<rect x="72" y="188" width="12" height="30" fill="{skin}"/>'
        f"{_shoes(48, 80)}{_arms(dark, skin)}"
        f'<path d="M46 112C56 118 72 118 82 112C88 140 98 170 104 {hem}'
        f'C80 {hem + 7} 48 {hem + 7} 24 {hem}C30 170 40 140 46 112Z" fill="{colour}"/>'
        f'<path d="M26.500 {hem - 9}C50 {hem - 2} 78 {hem - 2} 101.500 {hem - 9}L104 {hem}'
        f'C80 {hem + 7} 48 {hem + 7} 24 {hem}Z" fill="#fff" opacity=".55"/>'
        f'<path d="M50 113C58 122 70 122 78 113L82 119C70 131 58 131 46 119Z" fill="#fff" '
        f'opacity=".75"/>'
    )


def _trousers(colour: str, dark: str, skin: str) -> str:
    return (
        f'{_shoes(46, 82)}<path d="M38 172H90L88 214H68L64 190L60 214H40Z" fill="#4d5a73"/>'
        f"{_arms(dark, skin)}"
        f'<path d="M44 112C56 118 72 118 84 112C92 130 94 160 92 182C74 188 54 188 36 182'
        f'C34 160 36 130 44 112Z" fill="{colour}"/>'
        f'<path d="M52 113L64 126L76 113L80 120L66 134H62L48 120Z" fill="#fff" opacity=".8"/>'
        f'<g fill="{dark}"><circle cx="64" cy="146" r="3"/><circle cx="64" cy="163" r="3"/></g>'
    )


def _romper(colour: str, dark: str, skin: str) -> str:
    return (
        f'{_arms(dark, skin)}<ellipse cx="44" cy="214" rx="19" ry="11" fill="{dark}"/>'
        f'<ellipse cx="84" cy="214" rx="19" ry="11" fill="{dark}"/>'
        f'<path d="M44 110C34 136 26 168 32 200C36 216 92 216 96 200C102 168 94 136 84 110Z" '
        f'fill="{colour}"/>'
        f'<path d="M48 110C54 130 74 130 80 110C86 116 84 138 64 140C44 138 42 116 48 110Z" '
        f'fill="#fff" opacity=".85"/>'
    )

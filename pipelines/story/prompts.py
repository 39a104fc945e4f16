"""Prompts for Stable Diffusion: put together of parts, and held to rules by code.

A prompt is tags with commas between, the most important first: subject, material, detail, quality,
style, colours, light. Emphasis as the web UI writes it: `(tag)` is x1.1, `[tag]` less, `(tag:1.3)`.
The rules are those that users of such models work by; `problems` names every one that is broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

MOST_TAGS, MOST_WORDS, FEWEST_DETAILS, DEEPEST = 40, 60, 5, 3
QUALITY = ("(best quality,4k,8k,highres,masterpiece:1.2)", "ultra-detailed")
REALISTIC = "(realistic,photorealistic,photo-realistic:1.37)"
DRAWN_TOUCHES = ("ultra-fine painting", "vivid colors", "professional")
REAL_TOUCHES = ("HDR", "UHD", "sharp focus", "professional")
FACES = (
    "beautiful detailed eyes",
    "beautiful detailed nose",
    "beautiful detailed lips",
    "extremely detailed eyes and face",
    "longeyelashes",
)
NEGATIVE = (
    "nsfw,(low quality,normal quality,worst quality,jpeg artifacts),cropped,monochrome,lowres,"
    "low saturation,((watermark)),(white letters)"
)
NEGATIVE_PEOPLE = (
    "skin spots,acnes,skin blemishes,age spot,mutated hands,mutated fingers,deformed,bad anatomy,"
    "disfigured,poorly drawn face,extra limb,ugly,poorly drawn hands,missing limb,floating limbs,"
    "disconnected limbs,out of focus,long neck,long body,extra fingers,fewer fingers,"
    "(multi nipples),bad hands,signature,username,bad feet,blurry,bad body"
)
LABELS = (
    *("subject", "material", "medium", "additional detail", "details", "quality", "image quality"),
    *("style", "art style", "color tone", "colour tone", "light", "lighting", "prompt"),
)
_FIXED = frozenset((*QUALITY, REALISTIC))
_WEIGHT = re.compile(r":\s*\d+(?:\.\d+)?\s*(?=[)\]])")
_LORA = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"[A-Za-z0-9][\w'/-]*")
_FOREIGN = re.compile(r"[^\x20-\x7e]")
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|there|this|that|which|who|because|please)\b",
    re.IGNORECASE,
)
_FACE = re.compile(r"\beyes?\b.*\bnose\b.*\blips?\b", re.DOTALL)
_PEOPLE = re.compile(
    r"\b(?:\d+(?:girl|boy|man|woman|other)s?|girls?|boys?|m[ae]n|wom[ae]n|child|children|kids?|bab(?:y|ies)"
    r"|(?:grand)?(?:mother|father|ma|pa)|mom|mum|dad|sisters?|brothers?|king|queen|prince(?:ss)?"
    r"|wizard|witch|fairy|fisherman|farmer|teacher|doctor|sailor|soldier|people|person|lady"
    r"|daughter|son|uncle|aunt|keeper|hunter|knight|portrait of a (?:wo)?man)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Prompt:
    """What a picture is to show, and what it is not to."""

    positive: str
    negative: str

    @property
    def printed(self) -> str:
        """In the form that people copy it from."""
        return f"**Prompt:** {self.positive}\n**Negative Prompt:** {self.negative}"


@dataclass(frozen=True)
class Parts:
    """A prompt before it is put together; each part is tags in order of weight.

    `repeated` are looks of characters and places, which stand word for word in every scene.
    `drawn`: an illustration, not a photograph. `people`: somebody with a human face is in it.
    """

    subject: tuple[str, ...]
    repeated: tuple[str, ...] = ()
    material: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    light: tuple[str, ...] = ()
    drawn: bool = True
    people: bool = False


def compose(parts: Parts) -> Prompt:
    """The prompt of `parts`, in order and within the limits: details go first where they do not
    fit, what is repeated and the subject last."""
    faces: tuple[str, ...] = FACES if parts.people else ()
    touches: tuple[str, ...] = DRAWN_TOUCHES if parts.drawn else REAL_TOUCHES
    while True:
        told = (*parts.subject, *parts.repeated, *parts.material, *parts.detail, *faces)
        rest = (*touches, *parts.style, *parts.colours, *parts.light)
        fixed = QUALITY if parts.drawn else (*QUALITY, REALISTIC)
        tags = _once((*told, *fixed, *rest))
        if _fits(tags):
            break
        shorter = _shortened(parts)
        if shorter == parts:
            if not touches and len(faces) <= 3:
                break
            touches, faces = (), faces[:3]  # eyes, nose and lips stay
        parts = shorter
    negative = NEGATIVE + (f",{NEGATIVE_PEOPLE}" if parts.people else "")
    return Prompt(",".join(tags), negative)


def _fits(tags: Sequence[str]) -> bool:
    counted = [tag for tag in tags if tag not in _FIXED]
    return len(counted) <= MOST_TAGS and sum(map(word_count, counted)) <= MOST_WORDS


def _shortened(parts: Parts) -> Parts:
    """One tag less, of the part that can spare it best; the same if none can."""
    for name, least in (
        ("detail", 2),
        ("colours", 1),
        ("light", 1),
        ("material", 1),
        ("style", 1),
        ("detail", 0),
        ("subject", 2),
        ("repeated", 2),
        ("subject", 1),
        ("repeated", 0),
    ):
        tags = getattr(parts, name)
        if len(tags) > least:
            return replace(parts, **{name: tags[:-1]})
    return parts


def _once(tags: Iterable[str]) -> tuple[str, ...]:
    """Without repetition, the first of each kept."""
    seen: dict[str, str] = {}
    for tag in tags:
        if tag.strip():
            seen.setdefault(tag.strip().casefold(), tag.strip())
    return tuple(seen.values())


# ---------------------------------------------------------------- the rules


def split_tags(text: str) -> list[str]:
    """The tags of a prompt: cut at the commas that stand in no bracket."""
    tags, depth, tag = [], 0, ""
    for char, escaped in _characters(text):
        depth += 0 if escaped else (char in "([<") - (char in ")]>")
        if char == "," and depth <= 0:
            tags.append(tag.strip())
            tag = ""
        else:
            tag += f"\\{char}" if escaped else char
    return [tag for tag in (*tags, tag.strip()) if tag]


def word_count(tag: str) -> int:
    """Words of a tag, its weight and brackets not counted."""
    return len(_WORD.findall(_WEIGHT.sub("", _LORA.sub("", tag))))


def shows_people(text: str) -> bool:
    """Whether somebody with a human face is named in English text."""
    return bool(_PEOPLE.search(text))


def problems(prompt: Prompt, *, drawn: bool = True, people: bool = False) -> list[str]:
    """Every rule that the prompt breaks, in words that a model or a person can mend it by."""
    return [
        *_form_problems(prompt.positive),
        *_count_problems(prompt.positive),
        *_group_problems(prompt.positive, drawn, people),
        *_negative_problems(prompt.negative, people),
    ]


def tag_problems(tags: Iterable[str]) -> list[str]:
    """What is wrong with the form of single tags, before they are put together."""
    return [problem for tag in tags for problem in _form_problems(tag)]


def _form_problems(text: str) -> Iterator[str]:
    if found := _FOREIGN.search(text):
        yield f"Write English only, in ASCII: '{found[0]}' is not."
    bare = _WEIGHT.sub("", _LORA.sub("", text))
    for mark in ('"', "'", ".", ":"):
        if mark in (bare if mark != "'" else re.sub(r"\w'\w", "", bare)):
            yield f"Leave out the mark {mark} in '{_short(text)}'."
    deepest, left = _depth(text)
    if left:
        yield f"The brackets in '{_short(text)}' do not match."
    elif deepest > DEEPEST:
        yield f"Brackets nest at most {DEEPEST} deep."
    for tag in split_tags(bare):
        words = word_count(tag)
        if words > 12 or (words > 5 and _SENTENCE.search(tag)):
            yield f"Write words and short phrases, no sentences: '{_short(tag)}'."
    for tag in split_tags(text):
        if tag.split(":")[0].strip().lower() in LABELS:
            yield f"Leave out the label '{_short(tag)}'."


def _count_problems(text: str) -> Iterator[str]:
    counted = [tag for tag in split_tags(text) if tag not in _FIXED]
    words = sum(map(word_count, counted))
    if len(counted) > MOST_TAGS:
        yield f"At most {MOST_TAGS} tags, these are {len(counted)}."
    if words > MOST_WORDS:
        yield f"At most {MOST_WORDS} words, these are {words}."
    if len(counted) < FEWEST_DETAILS:
        yield f"At least {FEWEST_DETAILS} details, these are {len(counted)}."


def _group_problems(text: str, drawn: bool, people: bool) -> Iterator[str]:
    tags = split_tags(text)
    places = [tags.index(group) if group in tags else -1 for group in QUALITY]
    if places[0] < 0 or places[1] != places[0] + 1:
        yield f"The quality part opens with {','.join(QUALITY)}."
    elif places[0] == 0:
        yield "The subject comes first, quality behind it."
    if drawn and REALISTIC in tags:
        yield f"A drawn style has no {REALISTIC}."
    if not drawn and REALISTIC not in tags:
        yield f"A photograph has {REALISTIC}."
    if people and not _FACE.search(text):
        yield "People get eyes, nose and lips, in this order."


def _negative_problems(text: str, people: bool) -> Iterator[str]:
    if not text.startswith(NEGATIVE):
        yield f"The negative prompt begins with {NEGATIVE}."
    if people and NEGATIVE_PEOPLE not in text:
        yield "The negative prompt for people lacks its group."


def _depth(text: str) -> tuple[int, int]:
    """How deep brackets nest, and how many are left open (or closed too often)."""
    depth = deepest = 0
    for char, escaped in _characters(text):
        depth += 0 if escaped else (char in "([") - (char in ")]")
        deepest = max(deepest, depth)
        if depth < 0:
            return deepest, depth
    return deepest, depth


def _characters(text: str) -> Iterator[tuple[str, bool]]:
    """Every character, and whether a backslash stood before it."""
    escaped = False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        yield char, escaped
        escaped = False


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"

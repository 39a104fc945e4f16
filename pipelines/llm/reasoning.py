"""What a model thinks before it answers, kept out of the answer.

Models write their reasoning between marks of their own: `<think>…</think>` (DeepSeek, Qwen and
most), `◁think▷…◁/think▷` (Kimi), `<|channel|>analysis…<|message|>` (gpt-oss, "harmony"). Where
the prompt already opened the mark, only the closing one is in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis", "<|channel|>final<|message|>"),
)
_OPENED = {opened.lower(): closed.lower() for opened, closed in MARKS}
_ANY_OPEN = re.compile("|".join(re.escape(opened) for opened, _ in MARKS), re.IGNORECASE)
_ANY_CLOSE = re.compile("|".join(re.escape(closed) for _, closed in MARKS), re.IGNORECASE)
_LONGEST = max(len(mark) for pair in MARKS for mark in pair)


def without_reasoning(text: str) -> str:
    """The answer alone, of a whole reply. A reasoning that never ends leaves nothing."""
    closed = _ANY_CLOSE.search(text)
    opened = _ANY_OPEN.search(text)
    if closed and (opened is None or closed.start() < opened.start()):  # opened in the prompt
        text = text[closed.end() :]
    return "".join(answers([text])).strip()


def opens_reasoning(prompt: str) -> bool:
    """Whether a prompt ends inside the mark, so that the answer begins with reasoning."""
    return prompt.rstrip().lower().endswith(tuple(_OPENED))


def answers(pieces: Iterable[str], *, inside: bool = False) -> Iterator[str]:
    """The pieces of a streamed reply without its reasoning; `inside` if the prompt opened it."""
    held, closing = "", r"</think>" if inside else ""
    fresh = True  # space before the first word of an answer is the reasoning's
    for piece in pieces:
        held += piece
        while True:
            pattern = re.compile(re.escape(closing), re.IGNORECASE) if closing else _ANY_OPEN
            match = pattern.search(held)
            if match is None:
                break
            if not closing and (text := _led(held[: match.start()], fresh)):
                yield text
            closing = "" if closing else _OPENED[match[0].lower()]
            held, fresh = held[match.end() :], True
        keep = _partial(held)
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        if not closing and (text := _led(ready, fresh)):
            fresh = False
            yield text
    if not closing and (text := _led(held, fresh)):
        yield text


def _led(text: str, fresh: bool) -> str:
    return text.lstrip() if fresh else text


def _partial(text: str) -> int:
    """How many characters at the end may be the beginning of a mark."""
    tail = text[-_LONGEST:].lower()
    marks = [mark.lower() for pair in MARKS for mark in pair]
    for start in range(len(tail)):
        if any(mark.startswith(tail[start:]) for mark in marks):
            return len(tail) - start
    return 0

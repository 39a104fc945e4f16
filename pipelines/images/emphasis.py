"""The web UI's emphasis: `(x)` is x1.1, `[x]` less by as much, `(x:1.3)`, `\\(` a parenthesis."""

from __future__ import annotations

import re

UP = 1.1
_TOKEN = re.compile(
    r"\\[()\[\]\\]|[()\[\]]|:\s*[+-]?\d*\.?\d+\s*\)|\bBREAK\b|[^\\()\[\]:B]+|.", re.DOTALL
)

Piece = tuple[str, float]


def weighted(prompt: str) -> list[Piece]:
    """The prompt in pieces with their weights; what is not closed counts to the end."""
    pieces: list[Piece] = []
    round_open: list[int] = []
    square_open: list[int] = []

    def multiply(start: int, factor: float) -> None:
        for at in range(start, len(pieces)):
            pieces[at] = (pieces[at][0], pieces[at][1] * factor)

    for token in _TOKEN.findall(prompt):
        if token.startswith("\\") and len(token) == 2:
            pieces.append((token[1], 1.0))
        elif token == "(":
            round_open.append(len(pieces))
        elif token == "[":
            square_open.append(len(pieces))
        elif token.startswith(":") and token.endswith(")") and round_open:
            multiply(round_open.pop(), float(token[1:-1]))
        elif token == ")" and round_open:
            multiply(round_open.pop(), UP)
        elif token == "]" and square_open:
            multiply(square_open.pop(), 1 / UP)
        elif token == "BREAK":
            pieces.append((" , ", 1.0))
        else:
            pieces.append((token, 1.0))
    for start in round_open:
        multiply(start, UP)
    for start in square_open:
        multiply(start, 1 / UP)
    return _joined(pieces)


def for_compel(prompt: str) -> str:
    """The prompt as compel wants it: `(x)1.3`, parentheses that are meant escaped."""
    parts = []
    for text, weight in weighted(prompt):
        bare = re.sub(r"([()\\\"])", r"\\\1", text).replace("+", " ").replace("-", " ")
        plain = abs(weight - 1) < 1e-6 or not bare.strip()
        parts.append(bare if plain else f"({bare.strip()}){weight:.4g}")
    return " ".join(" ".join(parts).split())


def _joined(pieces: list[Piece]) -> list[Piece]:
    result: list[Piece] = []
    for text, weight in pieces:
        if result and abs(result[-1][1] - weight) < 1e-9:
            result[-1] = (result[-1][0] + text, weight)
        else:
            result.append((text, weight))
    return result

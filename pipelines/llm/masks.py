"""What bends the writing of a local model: the grammar of a JSON Schema, and the wish to stop.

The mask of the tokens that the grammar allows next comes from llguidance. When the answer has had
its tokens, only those of the allowed ones stay that bring the JSON nearer to its end, so that even
a model that would ramble on closes its strings and lists.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import LogitsProcessor, StoppingCriteria

if TYPE_CHECKING:
    from pipelines.llm.chat import Schema

# The first of these kinds that the grammar allows ends the JSON soonest.
_CLOSERS = (b'"', b"}", b"]", b",", b":")


class SchemaMask(LogitsProcessor):
    """Lets only JSON of the schema through; from `most` new tokens on, only towards its end."""

    def __init__(self, guide: Any, schema: Schema, read: int, most: int) -> None:
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_json_schema(
            json.dumps(_closed(schema)), defaults={"whitespace_flexible": False}
        )
        self.guide, self.read, self.most = guide, read, most
        self.matcher = LLMatcher(guide, grammar)
        self._raise()

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (1, vocabulary) with what is not allowed at -inf."""
        written = input_ids.shape[1] - self.read
        if written > 0 and not self.matcher.is_stopped():
            self.matcher.consume_token(int(input_ids[0, -1]))
            self._raise()
        allowed = torch.zeros(scores.shape[1], dtype=torch.bool)
        mask = self._allowed(written >= self.most)[: scores.shape[1]]
        allowed[: len(mask)] = torch.from_numpy(mask)
        return scores.masked_fill(~allowed.to(scores.device)[None], float("-inf"))

    def _allowed(self, closing: bool) -> np.ndarray:
        """Which tokens may come next, (vocabulary,) of bool."""
        mask = np.frombuffer(self.matcher.compute_logit_bias(), np.uint8) > 0
        if not closing:
            return mask
        stops = np.zeros_like(mask)
        stops[self.guide.eos_tokens] = True
        for kind in (stops, *self._closers):
            nearer = mask & kind
            if nearer.any():
                return np.asarray(nearer)
        return mask

    @cached_property
    def _closers(self) -> list[np.ndarray]:
        """For each of _CLOSERS the tokens that are that and nothing else."""
        size = self.guide.vocab_size
        words = [self.guide.decode_bytes([token]) for token in range(size)]
        return [np.array([word == closer for word in words]) for closer in _CLOSERS]

    def _raise(self) -> None:
        if self.matcher.is_error():
            raise ValueError(f"llguidance: {self.matcher.get_error()}")


def _closed(schema: Any) -> Any:
    """The schema with no other properties than those it names: a model would invent some."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    parts = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), Mapping):
        parts.setdefault("additionalProperties", False)
    return parts


class Counted(StoppingCriteria):
    """Counts what is written, and ends it when somebody asks for that."""

    def __init__(self, stop: threading.Event, read: int) -> None:
        self.stop, self.read, self.written = stop, read, 0

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """For every sequence (batch,) whether it is to end here."""
        self.written = input_ids.shape[1] - self.read
        return torch.full((input_ids.shape[0],), self.stop.is_set(), device=input_ids.device)

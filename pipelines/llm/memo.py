"""Answers of a language model, kept: what was asked once is not asked, waited or paid for again.

A run that was killed goes on with the same words; the same question to the same model with the
same seed finds its answer among the assets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from pipelines.assets import Assets, asset_key
from pipelines.llm.chat import ChatOptions, LanguageModel, Message, Reply, Schema, Usage

VERSION = 1


@dataclass
class Remembering:
    """A language model whose answers are kept in `assets`. Streams are passed on unkept."""

    model: LanguageModel
    assets: Assets

    @property
    def usage(self) -> Usage:
        return self.model.usage

    @property
    def name(self) -> str:
        return self.model.name

    def fingerprint(self) -> dict[str, object]:
        return self.model.fingerprint()

    def complete(
        self,
        messages: Sequence[Message],
        options: ChatOptions | None = None,
        schema: Schema | None = None,
    ) -> Reply:
        options = options or ChatOptions()
        decides = {
            "model": self._fingerprint,
            "messages": [asdict(message) for message in messages],
            "options": asdict(options),
            "schema": schema,
        }
        path = self.assets.get_or_make(
            asset_key("llm", VERSION, decides),
            ".json",
            lambda part: part.write_text(
                json.dumps(asdict(self.model.complete(messages, options, schema))), "utf-8"
            ),
        )
        return Reply(**json.loads(path.read_text("utf-8")))

    def stream(
        self, messages: Sequence[Message], options: ChatOptions | None = None
    ) -> Iterator[str]:
        return self.model.stream(messages, options or ChatOptions())

    @cached_property
    def _fingerprint(self) -> dict[str, object]:
        return self.model.fingerprint()

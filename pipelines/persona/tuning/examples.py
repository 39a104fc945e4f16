"""Turns -> tokens to learn from: the person's own count in the loss, what others said is given.

Each dialogue is written in the model's own template, with the same first words as when it is talked
to later. The latest dialogues are held out, to tell when the model only learns by heart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipelines.llm.chat import Message, assistant, system, user
from pipelines.llm.local import LocalModel
from pipelines.persona.learn import TURNS
from pipelines.persona.sheet import opening, read_sheet
from vits.errors import UserError

HELD_OUT, FEWEST = 0.1, 5  # the share of dialogues held out; with fewer dialogues, none
IGNORED = -100  # the label of what is not learned
_MARK = "\ue000answer\ue000"  # what no answer holds
UNASKED = "…"  # stands for a question where the person wrote of themselves


@dataclass(frozen=True)
class Dialogue:
    """Turns of others ('user') and of the person ('assistant') in alternation."""

    turns: tuple[Message, ...]
    time_s: float | None


@dataclass(frozen=True)
class Example:
    """Token ids, and labels that are the same or -100 where nothing is learned."""

    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class Split:
    """Dialogues to learn from, and the latest ones, which are held out."""

    learned: list[Dialogue]
    held: list[Dialogue]

    @property
    def digest(self) -> str:
        whole = repr([*self.learned, "|", *self.held])
        return sha256(whole.encode("utf-8", "replace")).hexdigest()


def split_of(persona: Path) -> Split:
    """The dialogues of a persona, the latest tenth held out. UserError where there are none."""
    path = persona / TURNS
    read_sheet(persona)
    try:
        lines = path.read_text("utf-8").splitlines()
        dialogues = [_dialogue(json.loads(line)) for line in lines if line.strip()]
    except FileNotFoundError:
        dialogues = []
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged.", "Learn the logs again with --force.") from error
    if not dialogues:
        raise UserError(
            f"{persona} has no turns to tune with.",
            "Give it some: digital-human learn LOGS --me NAME -o FOLDER.",
        )
    return _by_time(dialogues)


def _dialogue(line: dict[str, object]) -> Dialogue:
    said = line["messages"]
    assert isinstance(said, list)
    turns = tuple(Message(m["role"], m["content"]) for m in said)
    time = line.get("time_s")
    return Dialogue(turns, float(time) if isinstance(time, int | float) else None)


def _by_time(dialogues: list[Dialogue]) -> Split:
    """The latest are held out; those without a time count as the earliest."""
    dialogues.sort(key=lambda d: float("-inf") if d.time_s is None else d.time_s)
    count = max(1, int(HELD_OUT * len(dialogues))) if len(dialogues) >= FEWEST else 0
    cut = len(dialogues) - count
    return Split(dialogues[:cut], dialogues[cut:])


class Writer:
    """Writes dialogues as a model reads them. `length` is the most tokens of one example."""

    def __init__(self, model: LocalModel, name: str, length: int) -> None:
        self.model, self.length = model, length
        self.first = system(opening(name))
        self.too_long = 0

    def examples(self, dialogues: Sequence[Dialogue]) -> list[Example]:
        """What fits; of a dialogue that is too long the oldest turns go first."""
        return [e for dialogue in dialogues for e in self._fitting(_asked(dialogue.turns))]

    def _fitting(self, turns: list[Message]) -> Iterator[Example]:
        while turns:
            found = self._examples(turns)
            if all(len(example.input_ids) <= self.length for example in found):
                yield from found
                return
            turns = turns[2:]
        self.too_long += 1

    def _examples(self, turns: list[Message]) -> list[Example]:
        """The dialogue as one example; as several where the template forgets what it wrote."""
        messages = [self.first, *turns]
        ends = [i for i, message in enumerate(messages) if message.role == "assistant"]
        if self.model.tokenizer.chat_template:
            whole = self._whole(messages, ends)
            if whole:
                return [whole]
        return [self._one(messages[: end + 1]) for end in ends]

    def _whole(self, messages: list[Message], ends: list[int]) -> Example | None:
        text = self._text(messages)
        pieces: list[tuple[str, bool]] = []
        at = 0
        for end in ends:
            before = self.model.prompt(messages[:end], think=False)
            after = self._text(messages[: end + 1])
            if not (text.startswith(before) and text.startswith(after) and len(before) >= at):
                return None
            pieces += [(text[at : len(before)], False), (text[len(before) : len(after)], True)]
            at = len(after)
        return self._tokens(pieces)

    def _one(self, messages: list[Message]) -> Example:
        """The last answer alone, after all that led to it."""
        before = self.model.prompt(messages[:-1], think=False)
        answer = messages[-1].content.strip()
        if not self.model.tokenizer.chat_template:
            end = self.model.tokenizer.eos_token or ""
            return self._tokens([(before, False), (f" {answer}{end}", True)])
        marked = self._text([*messages[:-1], assistant(_MARK)])
        tail = marked.rpartition(_MARK)[2] or str(self.model.tokenizer.eos_token or "")
        return self._tokens([(before, False), (answer + tail, True)])

    def _text(self, messages: list[Message]) -> str:
        return self.model.templated(messages, think=False, answering=False)

    def _tokens(self, pieces: list[tuple[str, bool]]) -> Example:
        example = Example([], [])
        for text, own in pieces:
            ids = list(self.model.tokenizer(text, add_special_tokens=False)["input_ids"])
            example.input_ids.extend(ids)
            example.labels.extend(ids if own else [IGNORED] * len(ids))
        return example


def _asked(turns: Sequence[Message]) -> list[Message]:
    """Turns that begin with a question, as templates want it."""
    return list(turns) if turns[0].role == "user" else [user(UNASKED), *turns]

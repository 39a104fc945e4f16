"""Messages -> turns -> dialogues, in flat memory.

One person's messages within 2 minutes are one turn; a turn answers what was said within 5 minutes
before it; a dialogue is turns of others and of the person in alternation, ending with the person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.persona.logs.message import Message

MERGE_S, ANSWER_S = 120.0, 300.0
MOST_CHARACTERS = 4000  # of a turn
MOST_TURNS = 16  # of a dialogue; a longer one goes on in the next


@dataclass(frozen=True)
class Turn:
    """What one person said in one go. `line` is where it begins in its log."""

    speaker: str
    mine: bool
    text: str
    start_s: float | None
    end_s: float | None
    line: int

    def answers(self, before: Turn) -> bool:
        """Whether it was said soon enough after `before`; a log without times is one talk."""
        return _gap_s(before.end_s, self.start_s) <= ANSWER_S


def _gap_s(before: float | None, after: float | None) -> float:
    """Seconds between; a log that jumps back in time begins something new."""
    if before is None or after is None:
        return 0.0
    return after - before if after >= before else float("inf")


@dataclass
class _Growing:
    first: Message
    mine: bool
    texts: list[str] = field(default_factory=list)
    size: int = 0
    end_s: float | None = None

    def takes(self, message: Message, mine: bool) -> bool:
        same = mine == self.mine and (mine or message.speaker == self.first.speaker)
        near = _gap_s(self.end_s, message.time_s) <= MERGE_S
        whole = message.kind == "writing"  # a paragraph stands alone
        return same and near and not whole and self.size + len(message.text) <= MOST_CHARACTERS

    def add(self, message: Message) -> None:
        self.texts.append(message.text[:MOST_CHARACTERS])
        self.size += len(self.texts[-1]) + 1
        self.end_s = message.time_s

    def turn(self) -> Turn:
        first = self.first
        text = "\n".join(self.texts)
        return Turn(first.speaker, self.mine, text, first.time_s, self.end_s, first.line)


def merged(messages: Iterable[tuple[Message, bool]]) -> Iterator[Turn]:
    """Turns of messages, each with whether the person said it."""
    growing: _Growing | None = None
    for message, mine in messages:
        if growing is None or not growing.takes(message, mine):
            if growing:
                yield growing.turn()
            growing = _Growing(message, mine)
        growing.add(message)
    if growing:
        yield growing.turn()


def dialogues(turns: Iterable[Turn | None]) -> Iterator[list[Turn]]:
    """Runs of turns near enough to be one talk; None between two turns parts them.

    A run begins with others and ends with the person; what the person says unasked is a run alone.
    """
    run: list[Turn] = []
    for turn in turns:
        if run and (turn is None or not _goes_on(run, turn)):
            yield from _ended(run)
            run = []
        if turn is not None:
            run.append(turn)
    yield from _ended(run)


def _goes_on(run: list[Turn], turn: Turn) -> bool:
    if len(run) >= MOST_TURNS or not turn.answers(run[-1]):
        return False
    return not (turn.mine and run[-1].mine)  # later than 2 minutes: a new thought


def _ended(run: list[Turn]) -> Iterator[list[Turn]]:
    while run and not run[-1].mine:
        run = run[:-1]
    if run and run[0].mine:
        yield run[:1]
        run = run[1:]
    if run:
        yield run

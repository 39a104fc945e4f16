"""Logs -> a persona: its turns without private data, its sheet of habits, a report of counts.

Everything is read twice and held nowhere: first who speaks, so that every name is masked from the
first line on, then what is said. A folder of a persona:

    persona.yaml     the sheet of habits, to edit
    turns.jsonl      {"messages": [{"role", "content"}], "source", "line", "time_s"} a dialogue
    report.json      what was read, kept, masked and dropped: counts only
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

from pipelines.persona.habits import Habits
from pipelines.persona.logs import Log, Message, open_log
from pipelines.persona.names import Names
from pipelines.persona.privacy import Masker, participants
from pipelines.persona.sheet import FILE_NAME, sheet_of, write_sheet
from pipelines.persona.turns import Turn, dialogues, merged
from pipelines.progress import OnProgress, Progress, silent
from vits.errors import UserError
from vits.files import atomic_file, write_text

TURNS, REPORT = "turns.jsonl", "report.json"
MOST_ALIKE = 20  # times that the same dialogue is kept
MOST_SPEAKERS = 20_000
MOST_OWN_NAMES = 100
_REMEMBERED = 50_000  # dialogues that are compared, mails that an answer may answer
_EVERY = 2000  # messages between two words on progress


@dataclass
class Report:
    """Counts of a learning, without a word of what was said."""

    name: str = ""
    files: list[dict[str, object]] = field(default_factory=list)
    messages: int = 0
    mine: int = 0
    turns: int = 0
    dialogues: int = 0
    unprompted: int = 0
    masked: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def drop(self, reason: str, count: int = 1) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + count


@dataclass
class _Census:
    """Who speaks, of all logs."""

    speakers: Counter[str] = field(default_factory=Counter)
    mine: int = 0
    own_names: set[str] = field(default_factory=set)  # under which the person speaks

    def add(self, message: Message, mine: bool) -> None:
        self.mine += mine
        if mine and len(self.own_names) < MOST_OWN_NAMES:
            self.own_names.add(message.speaker)
        room = message.speaker in self.speakers or len(self.speakers) < MOST_SPEAKERS
        if room and not mine and message.speaker and message.kind == "said":
            self.speakers[message.speaker] += 1


class Me:
    """Which speakers are the person."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [" ".join(name.split()) for name in names if name.strip()]
        if not self.names:
            raise UserError("It must be known who the person is in the logs.", "Give --me NAME.")
        self._keys = {_key(name) for name in self.names}

    def said(self, message: Message) -> bool:
        if message.mine is not None:
            return message.mine
        speaker = _key(message.speaker)
        address = speaker.rpartition("<")[2].rstrip(">")
        return speaker in self._keys or address in self._keys or (
            "<" in speaker and speaker.partition("<")[0].strip(' "') in self._keys
        )  # fmt: skip


def _key(name: str) -> str:
    import unicodedata

    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def learn(
    paths: Sequence[Path],
    me: Sequence[str],
    folder: Path,
    *,
    drop_private: bool = False,
    force: bool = False,
    on_progress: OnProgress = silent,
) -> Report:
    """Learn a person from `paths` into `folder`. Names of `me` are those they have in the logs.

    drop_private: drop turns with private data instead of masking it. Raises UserError where the
    person never speaks, or where no log can be read; a log that cannot be beside others that can
    is in the report's `failed`.
    """
    _refuse_taken(folder, force)
    person = Me(me)
    report = Report(name=person.names[0])
    logs = _opened(paths, report)
    census = _Census()
    logs = [log for log in logs if _counted(log, person, census, report)]
    if report.failed and not logs:
        raise UserError(f"No log can be read: {report.failed[0]}", "Give others.")
    _refuse_silent(person, census)
    learner = _Learner(person, census, drop_private, report, on_progress)
    with atomic_file(folder / TURNS) as file:
        for log in logs:
            learner.read(log, file)
    report.masked, report.distinct = dict(learner.masker.counts), learner.masker.distinct
    write_sheet(folder, sheet_of(report.name, learner.habits))
    write_text(folder / REPORT, json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n")
    return report


def _refuse_taken(folder: Path, force: bool) -> None:
    if (folder / FILE_NAME).exists() and not force:
        raise UserError(
            f"{folder} holds a persona already, whose sheet somebody may have edited.",
            "Name another folder with -o, or add --force to learn it anew.",
        )


def _opened(paths: Sequence[Path], report: Report) -> list[Log]:
    logs = []
    for path in paths:
        try:
            logs.append(open_log(path))
        except UserError as error:
            if len(paths) == 1:
                raise
            report.failed.append(error.cause)
    return logs


def _counted(log: Log, person: Me, census: _Census, report: Report) -> bool:
    """Count a log's speakers; whether it could be read to its end."""
    messages = mine = 0
    try:
        for message in log.messages():
            messages += 1
            own = message.kind in ("said", "writing") and person.said(message)
            mine += own
            census.add(message, own)
    except UserError as error:
        report.failed.append(error.cause)
        return False
    report.files.append(
        {"name": log.path.name, "program": log.program, "messages": messages, "mine": mine}
    )
    report.messages += messages
    report.mine += mine
    return True


def _refuse_silent(person: Me, census: _Census) -> None:
    if census.mine:
        return
    others = ", ".join(repr(name) for name, _ in census.speakers.most_common(8))
    raise UserError(
        f"{' or '.join(map(repr, person.names))} says nothing in these logs. "
        + (f"Who speaks: {others}." if others else "Nobody speaks in them."),
        "Give --me as the log writes it; it may be given several times.",
    )


class _Learner:
    """Reads logs one after the other into a file of turns and into habits."""

    def __init__(
        self, person: Me, census: _Census, drop: bool, report: Report, on_progress: OnProgress
    ) -> None:
        names = Names([*person.names, *census.own_names])
        participants(names, census.speakers)
        self.person, self.report = person, report
        self.masker = Masker(names, drop)
        self.habits = Habits()
        self._on_progress = on_progress
        self._read = 0
        self._alike = _Alike()

    def read(self, log: Log, file: IO[bytes]) -> None:
        by_mail = log.program == "mail"
        turns = (self._masked(turn) for turn in merged(self._kept(log)))
        runs = self._mails(log) if by_mail else dialogues(turns)
        for run in runs:
            self._write(run, log.path.name, file)

    def _kept(self, log: Log) -> Iterator[tuple[Message, bool]]:
        for message in self._told(log):
            if message.kind in ("said", "writing"):
                yield message, self.person.said(message)
            else:
                self.report.drop(message.kind)

    def _told(self, log: Log) -> Iterator[Message]:
        for message in log.messages():
            self._read += 1
            if self._read % _EVERY == 0 or self._read == self.report.messages:
                done = Progress("learning", self._read, self.report.messages, "messages")
                self._on_progress(done)
            yield message

    def _masked(self, turn: Turn) -> Turn | None:
        text, reason = self.masker.mask(turn.text)
        if text is None:
            self.report.drop(reason)
            return None
        speaker = "" if turn.mine else self._speaker(turn.speaker)
        return Turn(speaker, turn.mine, text, turn.start_s, turn.end_s, turn.line)

    def _speaker(self, speaker: str) -> str:
        bare = " ".join(speaker.partition("<")[0].replace('"', " ").split())
        return self.masker.pseudonym("name", bare or speaker) if speaker else ""

    def _mails(self, log: Log) -> Iterator[list[Turn]]:
        """A mail of the person with the one it answers, if that is in the log."""
        others: OrderedDict[str, Turn] = OrderedDict()
        for message, mine in self._kept(log):
            time = message.time_s
            turn = self._masked(Turn(message.speaker, mine, message.text, time, time, message.line))
            if turn is None:
                continue
            if mine:
                question = others.get(message.reply_to)
                yield [question, turn] if question else [turn]
            elif message.identifier:
                others[message.identifier] = turn
                if len(others) > _REMEMBERED // 10:
                    others.popitem(last=False)

    def _write(self, run: list[Turn], source: str, file: IO[bytes]) -> None:
        for turn in run:
            if turn.mine:
                self.habits.add(turn.text, f"{source}:{turn.line}")
            else:
                self.habits.hear(turn.text)
        messages = _messages(run)
        if self._alike.too_often(messages):
            self.report.drop("repeated", len(run))
            return
        self.report.turns += sum(turn.mine for turn in run)
        self.report.dialogues += len(messages) > 1
        self.report.unprompted += len(messages) == 1
        line = {
            "messages": messages,
            "source": source,
            "line": run[0].line,
            "time_s": run[0].start_s,
        }
        file.write((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def _messages(run: Iterable[Turn]) -> list[dict[str, str]]:
    """Turns as a chat; several people's turns in a row are one, each behind its name."""
    turns = list(run)
    group = len({turn.speaker for turn in turns if not turn.mine}) > 1
    messages: list[dict[str, str]] = []
    for turn in turns:
        role = "assistant" if turn.mine else "user"
        text = f"{turn.speaker}: {turn.text}" if group and not turn.mine else turn.text
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += "\n" + text
        else:
            messages.append({"role": role, "content": text})
    return messages


class _Alike:
    """Counts dialogues by a digest, as many as fit into flat memory."""

    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, int] = OrderedDict()

    def too_often(self, messages: Sequence[dict[str, Any]]) -> bool:
        whole = "\0".join(message["content"] for message in messages)
        key = blake2b(whole.encode("utf-8", "replace"), digest_size=8).digest()
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return count > MOST_ALIKE

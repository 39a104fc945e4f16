"""Talking as a person does: by their sheet, what they know and what was said.

Without a language model (`extractive`) the answer is a quotation from the documents, or that it is
not known. Either way it says that it is an AI when it is asked, whatever the model would say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.llm.chat import ChatOptions, assistant, user
from pipelines.persona.disclosure import asks_about_ai, disclosure, rest_of, truthful
from pipelines.persona.history import read_history, write_history
from pipelines.persona.knowledge.base import FILE as KNOWLEDGE_FILE
from pipelines.persona.knowledge.base import FOLDER as KNOWLEDGE_FOLDER
from pipelines.persona.knowledge.base import Found, Knowledge
from pipelines.persona.prompting import prompt, recent
from pipelines.persona.sheet import FILE_NAME, Sheet, read_sheet
from pipelines.persona.thumbs import Thumb, give
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.llm.chat import LanguageModel

EXTRACTIVE = "extractive"
MOST_QUESTION = 4000  # characters
MOST_FACTS, MOST_EXAMPLES = 5, 8
_HAN = re.compile("[\u3400-\u9fff]")


@dataclass
class Answer:
    """An answer in pieces as it is written, and where it is from.

    It is kept in the history once its pieces were read to their end; `keep` keeps what was said of
    one that was interrupted.
    """

    pieces: Iterator[str]
    sources: list[Found] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    keep: Callable[[], None] = lambda: None


class Human:
    """One persona that answers. `model` is None for quoting only. Keeps what was said."""

    def __init__(self, folder: Path, model: LanguageModel | None = None) -> None:
        self.folder = folder
        self.model = model
        self.sheet = _sheet(folder)
        self.knowledge: Knowledge | None = None
        if (folder / KNOWLEDGE_FOLDER / KNOWLEDGE_FILE).exists():
            self.knowledge = Knowledge(folder)
        self.history = read_history(folder)
        self._tries = 0  # at the last question

    def answer(self, question: str) -> Answer:
        """Answer, and keep question and answer in the history once it was read to its end."""
        question = question.strip()
        if not question:
            raise UserError("There is no question.", "Say something.")
        if len(question) > MOST_QUESTION:
            raise UserError(
                f"The question has {len(question)} characters, more than {MOST_QUESTION}.",
                "Ask more shortly; long texts are for 'digital-human remember'.",
            )
        self._tries = 0
        return self._answer(question)

    def _answer(self, question: str) -> Answer:
        asked = asks_about_ai(question)
        rest = rest_of(question) if asked else question
        sources = self.knowledge.answers(rest, MOST_FACTS) if self.knowledge and rest else []
        answer = Answer(iter(()), sources)
        answer.keep = lambda: self._keep(question, "".join(answer.said))
        answer.pieces = self._kept(answer, self._pieces(question, rest, sources))
        if self.model is None:
            del sources[1:]
        return answer

    def _pieces(self, question: str, rest: str, sources: list[Found]) -> Iterator[str]:
        """What it is, if that is asked, and then only what else was asked."""
        asked = rest != question
        if asked:
            yield disclosure(self.sheet.name, question) + ("\n" if rest else "")
        if not rest:
            return
        if self.model is None:
            yield quoted(rest, sources)
            return
        asking = prompt(self.sheet, self._examples(), sources, self.history, rest)
        options = ChatOptions(seed=self._tries)
        written = self.model.stream(asking, options)
        yield from truthful(written, self.sheet.name, question, told=asked)

    def _kept(self, answer: Answer, pieces: Iterator[str]) -> Iterator[str]:
        for piece in pieces:
            answer.said.append(piece)
            yield piece
        answer.keep()

    def _keep(self, question: str, said: str) -> None:
        self.history += [user(question), assistant(said)]
        write_history(self.folder, self.history)

    # ------------------------------------------------------------ thumbs

    def like(self) -> None:
        """A thumb up for the last answer."""
        give(self.folder, self._thumb(up=True))

    def dislike(self) -> Answer:
        """A thumb down for the last answer, and another one to the same question."""
        down = self._thumb(up=False)
        give(self.folder, down)
        del self.history[-2:]
        self._tries += 1
        return self._answer(down.before[-1].content)

    def correct(self, better: str) -> None:
        """A thumb down for the last answer, one up for what it should have been."""
        down = self._thumb(up=False)
        give(self.folder, down, Thumb(down.before, better, up=True))
        self.history[-1] = assistant(better)
        write_history(self.folder, self.history)

    def _thumb(self, *, up: bool) -> Thumb:
        if len(self.history) < 2:
            raise UserError("There is no answer yet.", "Ask something first.")
        *before, question, answer = self.history
        return Thumb((*recent(before), question), answer.content, up)

    def _examples(self) -> list[tuple[str, str]]:
        """Questions and what the person answered, spread over the logs."""
        path = self.folder / "turns.jsonl"
        if not path.exists():
            return []
        pairs = []
        with path.open(encoding="utf-8") as file:
            for line in file:
                said = json.loads(line)["messages"][:2]
                if len(said) == 2 and len(said[1]["content"]) < 300:
                    pairs.append((said[0]["content"][:200], said[1]["content"]))
                if len(pairs) >= 50 * MOST_EXAMPLES:
                    break
        return pairs[:: max(1, len(pairs) // MOST_EXAMPLES)][:MOST_EXAMPLES]


def quoted(question: str, sources: Sequence[Found]) -> str:
    """The sentences of the surest passage that hold most of the question's words."""
    from pipelines.persona.knowledge.passages import sentences_of
    from pipelines.persona.knowledge.words import terms_of

    chinese = _HAN.search(question) is not None
    if not sources:
        return (
            "我不知道：我的资料里没有。" if chinese else "I don't know: it is not in my documents."
        )
    asked = set(terms_of(question))
    sentences = sentences_of(sources[0].text) or [sources[0].text]
    share = [len(asked & set(terms_of(sentence))) for sentence in sentences]
    best = max(range(len(sentences)), key=lambda index: (share[index], -index))
    return f"“{sentences[best]}”"


def _sheet(folder: Path) -> Sheet:
    """The persona's sheet; a folder with nothing but knowledge answers under its own name."""
    if (folder / FILE_NAME).exists():
        return read_sheet(folder)
    if (folder / KNOWLEDGE_FOLDER / KNOWLEDGE_FILE).exists():
        return Sheet(name=folder.resolve().name)
    return read_sheet(folder)  # which says what is missing

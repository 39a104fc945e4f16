"""Talking as a person does: by their sheet, what they know and what was said.

Without a language model (`extractive`) the answer is a quotation from the documents, or that it is
not known. Either way it says that it is an AI when it is asked, whatever the model would say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.llm.chat import ChatOptions, Message, assistant, user
from pipelines.persona.disclosure import asks_about_ai, disclosure, rest_of, truthful
from pipelines.persona.history import read_history, write_history
from pipelines.persona.knowledge.base import FILE as KNOWLEDGE_FILE
from pipelines.persona.knowledge.base import FOLDER as KNOWLEDGE_FOLDER
from pipelines.persona.knowledge.base import Found, Knowledge
from pipelines.persona.memories import recalled
from pipelines.persona.prompting import prompt, recent
from pipelines.persona.sheet import FILE_NAME, Sheet, read_sheet
from pipelines.persona.thumbs import Thumb, give
from pipelines.persona.tools import Done, Toolbox
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.llm.chat import LanguageModel

EXTRACTIVE = "extractive"
MOST_QUESTION = 4000  # characters
MOST_TOKENS = 2048  # of an answer
MOST_FACTS, MOST_EXAMPLES = 5, 8
_HAN = re.compile("[\u3400-\u9fff]")


@dataclass
class Answer:
    """An answer in pieces as it is written, and where it is from.

    It is kept in the history once its pieces were read to their end; `keep` keeps what was said of
    one that was interrupted.
    """

    pieces: Generator[str]
    sources: list[Found] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)  # that tools made
    keep: Callable[[], None] = lambda: None


class Human:
    """One persona that answers. `model` is None for quoting only. Keeps what was said."""

    def __init__(
        self,
        folder: Path,
        model: LanguageModel | None = None,
        toolbox: Toolbox | None = None,
    ) -> None:
        self.folder = folder
        self.toolbox = toolbox
        self.model = model
        self.sheet = _sheet(folder)
        self.knowledge: Knowledge | None = None
        if (folder / KNOWLEDGE_FOLDER / KNOWLEDGE_FILE).exists():
            self.knowledge = Knowledge(folder)
        self.history = read_history(folder)
        self._tries = 0  # at the last question
        self._kept_last: Answer | None = None

    def answer(self, question: str) -> Answer:
        """Answer, and keep question and answer in the history once it was read to its end."""
        self._tries = 0
        return self._answered(_checked(question))

    def reply(
        self, question: str, history: Sequence[Message], *, most_tokens: int = MOST_TOKENS
    ) -> Answer:
        """Answer after a talk that somebody else keeps: nothing is kept here, no tool is called."""
        options = ChatOptions(max_tokens=most_tokens)
        return self._answer(_checked(question), history, options, None)

    def _answered(self, question: str) -> Answer:
        """An answer after what was said before, to be kept."""
        options = ChatOptions(seed=self._tries)
        answer = self._answer(question, self.history, options, self.toolbox)
        answer.keep = lambda: self._keep(question, answer)
        return answer

    def _answer(
        self,
        question: str,
        history: Sequence[Message],
        options: ChatOptions,
        toolbox: Toolbox | None,
    ) -> Answer:
        asked = asks_about_ai(question)
        rest = rest_of(question) if asked else question
        sources = self.knowledge.answers(rest, MOST_FACTS) if self.knowledge and rest else []
        answer = Answer(_nothing(), sources)

        def written(model: LanguageModel) -> Iterator[str]:
            asking = self._asking(model, rest, answer, history, toolbox)
            return model.stream(asking, options)

        answer.pieces = _kept(answer, self._pieces(question, rest, answer, written))
        if self.model is None:
            del sources[1:]
        return answer

    def _pieces(
        self,
        question: str,
        rest: str,
        answer: Answer,
        written: Callable[[LanguageModel], Iterator[str]],
    ) -> Iterator[str]:
        """What it is, if that is asked, and then only what else was asked."""
        asked = rest != question
        if asked:
            yield disclosure(self.sheet.name, question) + ("\n" if rest else "")
        if not rest:
            return
        if self.model is None:
            yield quoted(rest, answer.sources)
            return
        yield from truthful(written(self.model), self.sheet.name, question, told=asked)

    def _asking(
        self,
        model: LanguageModel,
        question: str,
        answer: Answer,
        history: Sequence[Message],
        toolbox: Toolbox | None,
    ) -> list[Message]:
        """What the model is told, after the tools that it called have worked.

        A model that was tuned has the manner in its weights and needs no examples.
        """
        done = Done()
        if toolbox is not None:
            done = toolbox.work(model, self.sheet.name, history, question, self.knowledge)
        answer.files += done.files
        answer.sources += [found for found in done.found if found not in answer.sources]
        examples = [] if getattr(model, "adapter", None) else self._examples()
        today = (toolbox.today if toolbox else date.today)()
        memories = [memory.line(today) for memory in recalled(self.folder, question)]
        return prompt(
            self.sheet, examples, answer.sources, history, question,
            notes=done.notes, memories=memories,
        )  # fmt: skip

    def _keep(self, question: str, answer: Answer) -> None:
        if self._kept_last is answer:
            return
        self._kept_last = answer
        self.history += [user(question), assistant("".join(answer.said))]
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
        return self._answered(down.before[-1].content)

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


def _checked(question: str) -> str:
    question = question.strip()
    if not question:
        raise UserError("There is no question.", "Say something.")
    if len(question) > MOST_QUESTION:
        raise UserError(
            f"The question has {len(question)} characters, more than {MOST_QUESTION}.",
            "Ask more shortly; long texts are for 'digital-human remember'.",
        )
    return question


def _kept(answer: Answer, pieces: Iterator[str]) -> Generator[str]:
    """The pieces, noted as they are said, and kept at their end."""
    for piece in pieces:
        answer.said.append(piece)
        yield piece
    answer.keep()


def _nothing() -> Generator[str]:
    yield from ()


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

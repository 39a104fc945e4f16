"""What a persona may do in a chat, each allowed by its name.

Tools are chosen before any document is read: the model that chooses sees what the user said and
what the tools did, never a passage, so that no document can call one. A search brings passages;
after it no more tool is called in that turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipelines.llm.chat import LanguageModel, Message, system, user
from pipelines.llm.tools import Arguments, Call, Tool, choose
from pipelines.persona.memories import LUNAR_FORM, Memory, lunar_words, remember
from pipelines.persona.sheet import opening
from vits.errors import UserError

if TYPE_CHECKING:
    from pipelines.persona.knowledge import Found, Knowledge
    from pipelines.story.illustrators import Illustrator

MADE = "made"  # the folder of pictures and stories, in the persona's
MOST_CALLS = 3  # in one turn
ALL = "all"


class Search(Arguments):
    """What to look up."""

    query: str = Field(min_length=1, max_length=300, description="What to search for.")


class Draw(Arguments):
    """What to draw."""

    picture: str = Field(min_length=1, max_length=500, description="What the picture shows.")


class Tell(Arguments):
    """What to tell."""

    story: str = Field(
        min_length=1,
        max_length=6000,
        description="The whole story, in paragraphs; or, for a model that writes stories, an idea.",
    )


class Nothing(Arguments):
    """Takes nothing."""


TOOLS = {
    "search": Tool("search", "Search the documents that I know, for a fact.", Search),
    "remember": Tool(
        "remember",
        "Remember what the user tells of a person, a day or where a thing lies. Times: YYYY-MM-DD, "
        f"MM-DD for every year, or {LUNAR_FORM}.",
        Memory,
    ),
    "draw": Tool("draw", "Draw a picture, when the user asks for one.", Draw),
    "story": Tool("story", "Tell a story aloud with my voice, when the user asks for one.", Tell),
    "today": Tool("today", "Today's date, also by the Chinese calendar.", Nothing),
}


@dataclass
class Done:
    """What the tools of one turn did: notes for the answer, passages, and files that were made."""

    notes: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    called: list[str] = field(default_factory=list)


@dataclass
class Toolbox:
    """The tools that are allowed, and what they work with."""

    persona: Path
    allowed: Sequence[str]
    artist: Illustrator | None = None
    voice: str = "base"
    llm: str = ""  # for stories of an idea; '' tells the words as they are
    device: str = "cpu"
    language: str | None = None
    today: Callable[[], date] = date.today

    def __post_init__(self) -> None:
        names = list(TOOLS) if ALL in self.allowed else list(dict.fromkeys(self.allowed))
        for name in names:
            if name not in TOOLS:
                raise UserError(
                    f"There is no tool '{name}'.", f"Choose among: {', '.join(TOOLS)}, {ALL}."
                )
        self.tools = [TOOLS[name] for name in names]

    def work(
        self,
        model: LanguageModel,
        name: str,
        said: Sequence[Message],
        question: str,
        knowledge: Knowledge | None,
    ) -> Done:
        """Let the model call what it needs for a question; what it did, for the answer."""
        done = Done()
        while self.tools and len(done.called) < MOST_CALLS and not done.found:
            call = choose(model, _asking(name, said, question, done), self.tools)
            if call is None or _told(call) in done.called:
                break
            done.called.append(_told(call))
            try:
                self._do(call, knowledge, done)
            except UserError as error:  # which the user is told in the answer
                done.notes.append(f"{call.name} could not be done: {error}")
        return done

    def _do(self, call: Call, knowledge: Knowledge | None, done: Done) -> None:
        arguments: Any = call.arguments
        if call.name == "today":
            day = self.today()
            done.notes.append(f"Today is {day:%A}, {day.isoformat()}, {lunar_words(day)}.")
        elif call.name == "remember":
            remember(self.persona, arguments)
            done.notes.append(f"Remembered: {arguments.line(self.today())}")
        elif call.name == "search":
            done.found += knowledge.answers(arguments.query) if knowledge else []
            done.notes.append(f"Searched the documents for: {arguments.query}")
        elif call.name == "draw":
            self._draw(arguments.picture, done)
        else:
            self._tell(arguments.story, done)

    def _draw(self, picture: str, done: Done) -> None:
        from pipelines.media.labels import save_image
        from pipelines.story.illustrators import DEFAULT, illustrator
        from pipelines.story.script import Line, Scene, Story

        artist = self.artist or illustrator(DEFAULT, {})
        scene = Scene(id="1", picture=picture, lines=(Line(text=picture),))
        story = Story(title=picture[:80], scenes=(scene,))
        path = next(_free(self.persona / MADE, "picture", ".png"))
        save_image(artist.draw(scene, story, None), path)
        done.files.append(path)
        done.notes.append(f"Drew a picture of: {picture}. The user sees it beside this answer.")

    def _tell(self, words: str, done: Done) -> None:
        from pipelines.story.render import render
        from vits.files import write_text

        folder = next(_free(self.persona / MADE, "story", ""))
        source: str | Path = words
        if not self.llm:
            source = folder / "told.txt"
            write_text(source, words + "\n")
        told = render(
            source,
            folder,
            formats=("mp3", "html"),
            voice=self.voice,
            artist=self.artist,
            language=self.language,
            device=self.device,
            llm=self.llm,
        )
        done.files += list(told.files.values())
        done.notes.append(f"Told the story '{told.story.title}'; the user hears it as a file.")


def _asking(name: str, said: Sequence[Message], question: str, done: Done) -> list[Message]:
    """What the model sees that chooses: the user's own words, and what was done for them."""
    own = [message for message in said if message.role == "user"][-3:]
    before = "\n".join(f"- {message.content}" for message in own)
    parts = [f"What the user said before:\n{before}" if own else "", f"The user says: {question}"]
    if done.notes:
        parts.append("Done already: " + " ".join(done.notes))
    return [system(opening(name)), user("\n\n".join(part for part in parts if part))]


def _told(call: Call) -> str:
    return f"{call.name} {call.arguments.model_dump_json()}"


def _free(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    """Names in a folder that are not taken."""
    for number in count(1):
        path = folder / f"{stem}-{number}{suffix}"
        if not path.exists():
            yield path

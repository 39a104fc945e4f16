"""Text of any length read aloud into a file, a loudspeaker or both, in the memory of a page."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from data.encodings import by_letters
from pipelines.media.sound import labelled_writer
from pipelines.progress import OnProgress, Progress, silent
from vits.audio import Audio
from vits.errors import UserError
from vits.library import record_made, voice_folder
from vits.text.marks import passages, voice_names

if TYPE_CHECKING:
    from vits.voice import Engine, Speech

CHUNK_BYTES = 1 << 16  # of text, read at a time


@dataclass(frozen=True)
class Text:
    """Something to read aloud, piece by piece. `characters` is None where the end is not known.

    `named` are the voices that marks in it name, as far as they are known before it is spoken.
    """

    chunks: Iterable[str]
    characters: int | None = None
    named: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Text:
        """A text that is whole already."""
        return cls([text], len(text), voice_names(text))


@dataclass(frozen=True)
class Said:
    """What was read aloud: `unknown` lists the characters and sounds that could not be, `seedless`
    the voices whose noise no seed decides."""

    output: Path | None
    duration_s: float
    utterances: int
    voice: str
    unknown: tuple[str, ...]
    seedless: tuple[str, ...] = ()


def text_file(path: Path) -> Text:
    """A text file, looked through once and then read as it is spoken. Raises UserError."""
    characters = 0

    def counted(chunks: Iterator[str]) -> Iterator[str]:
        nonlocal characters
        for chunk in chunks:
            characters += len(chunk)
            yield chunk

    try:
        with path.open("rb") as file:
            found = passages(counted(decoded(file, str(path))))
            named = dict.fromkeys(passage.name for passage, _ in found if passage.name)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}).", "Check the name of the file."
        ) from error

    def chunks() -> Iterator[str]:
        with path.open("rb") as file:
            yield from decoded(file, str(path))

    return Text(chunks(), characters, tuple(named))


def decoded(file: IO[bytes], name: str) -> Iterator[str]:
    """The text of a stream in the encoding of its beginning (`data/encodings.py`).

    Raises UserError, naming `name`, for bytes that are none of them.
    """
    # read1 gives what is there, so that a text still being typed is spoken as it comes.
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    head = read(CHUNK_BYTES)
    decoder = codecs.getincrementaldecoder(_encoding(head, name))()
    data = head
    while data:
        yield _decode(decoder, data, name, final=False)
        data = read(CHUNK_BYTES)
    yield _decode(decoder, b"", name, final=True)


def _encoding(head: bytes, name: str) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", by_letters(head)):
        with contextlib.suppress(UnicodeDecodeError):
            if encoding and "\0" not in codecs.getincrementaldecoder(encoding)().decode(head):
                return encoding
    raise _not_text(name)


def _decode(decoder: codecs.IncrementalDecoder, data: bytes, name: str, *, final: bool) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError as error:
        raise _not_text(name) from error


def _not_text(name: str) -> UserError:
    return UserError(
        f"{name} is not text in an encoding that can be told.",
        "Open it in an editor and save it as UTF-8.",
    )


def say(
    text: Text,
    voice: str,
    output: Path | None,
    *,
    play: bool = False,
    device: str = "cpu",
    engine: Engine = "torch",
    lexicon: Path | None = None,
    on_progress: OnProgress = silent,
    **manner: Any,
) -> Said:
    """Read `text` aloud into `output` and, if asked to, to the loudspeaker as it comes.

    `manner` are `Voice.speak`'s settings: speed, language, noise, noise_duration, seed. What
    `[voice:NAME]` marks is spoken by others (`vits/cast.py`). The file appears when all is said.
    Raises UserError for a voice, setting or format that is not there, a full disk, a machine that
    cannot play.
    """
    from vits.cast import Cast
    from vits.playback import play as to_loudspeaker
    from vits.text import Lexicon
    from vits.voice import Voice

    load = partial(Voice.load, device=device, engine=engine)
    speaking = load(voice)
    words = Lexicon.load(lexicon) if lexicon else None
    cast = Cast(speaking, load=load)
    for name in text.named:  # whoever is not there is missed before the first word
        cast.part(name)
    speeches = cast.speak(text.chunks, lexicon=words, soon=play, **manner)
    count = _Count(speaking.sample_rate)
    with contextlib.ExitStack() as stack:
        write = None
        if output is not None:
            file = labelled_writer(output, speaking.sample_rate, tags={"artist": speaking.name})
            write = stack.enter_context(file).write
        pieces = _written(speeches, write, count, text.characters, on_progress)
        if play:
            to_loudspeaker(pieces)
        else:
            for _ in pieces:
                pass
        if not count.samples:
            raise UserError("There is nothing to say in the text.", "Give at least one word.")
    if output is not None:
        for used in cast.voices:
            if used.folder == voice_folder(used.name):
                record_made(used.name, [output])
    seedless = tuple(used.name for used in cast.voices if not used.knows_seeds)
    unknown = tuple(count.unknown)
    return Said(output, count.seconds, count.utterances, speaking.name, unknown, seedless)


@dataclass
class _Count:
    """What has been said so far."""

    sample_rate: int
    samples: int = 0
    utterances: int = 0
    unknown: dict[str, None] = field(default_factory=dict)  # in the order they came

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate

    def add(self, speech: Speech) -> None:
        self.samples += len(speech.audio.samples)
        self.utterances += 1
        self.unknown |= dict.fromkeys(speech.unknown)


def _written(
    speeches: Iterable[Speech],
    write: Callable[[Any], object] | None,
    count: _Count,
    characters: int | None,
    on_progress: OnProgress,
) -> Iterator[Audio]:
    """The sound of each speech, after it was written and counted."""
    for speech in speeches:
        if write is not None:
            write(speech.audio.samples)
        count.add(speech)
        note = f"{count.seconds:.0f} s of speech"
        on_progress(Progress("speaking", speech.char_end, characters, "characters", note))
        yield speech.audio

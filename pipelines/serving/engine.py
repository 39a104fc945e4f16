"""One voice box for many callers: requests that wait are spoken together, fairly, utterance by
utterance.

A thread of its own speaks. Each turn takes the next utterance of those who wait, in turn, up to
`batch` of them in one pass of the network; who is alone is given the sound in pieces, the first
as early as can be. Nothing is made far ahead of who listens slowly.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.executors import usable_cores
from vits.audio import Audio, resample
from vits.errors import UserError
from vits.library import CONFIG, GRAPH, WEIGHTS, find_voice, is_graph, names, parse_voice, unknown

if TYPE_CHECKING:
    from vits.cast import Cast, Part
    from vits.voice import Planned, Voice

log = logging.getLogger(__name__)

AHEAD_S = 6.0  # of sound, made before it is taken
MOST_VOICES = 4  # in memory
MOST_WAITING = 256  # requests
# Utterances in one pass. On a CPU a pass is no faster for being wide (bench serving); it only has
# everybody wait for the longest.
BATCHES = {"cpu": 2, "cuda": 16, "mps": 8}


class Busy(UserError):
    """Too many are waiting."""

    def __init__(self) -> None:
        super().__init__("Too many requests are waiting.", "Try again in a few seconds.")


@dataclass(frozen=True)
class Wish:
    """What one caller wants to hear. `voice` is a name of the library, VOICE or VOICE:SPEAKER."""

    text: str
    voice: str = "base"
    speed: float = 1.0
    language: str | None = None
    seed: int = 0


def known_voice(name: str) -> tuple[str, str | None]:
    """('NAME', 'SPEAKER' or None) of a voice of the library; a path is none. Raises UserError."""
    voice, speaker = parse_voice(name)
    if voice not in names():
        raise unknown("voice", voice, names())
    return voice, speaker


class Turn:
    """One caller's place: sound is put in by the engine and taken out by the caller."""

    def __init__(self, wish: Wish, engine: Engine) -> None:
        self.wish = wish
        self.sample_rate = 0  # known with the first piece
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._ready: deque[Audio] = deque()
        self._ahead_s = 0.0
        self._ended = False
        self._left = False
        self._error: BaseException | None = None
        self.plan: Iterator[tuple[Part, Planned, int]] | None = None

    @property
    def willing(self) -> bool:
        """Whether more may be made for it now."""
        return self.over or self._ahead_s < AHEAD_S

    @property
    def over(self) -> bool:
        return self._ended or self._left

    async def pieces(self) -> AsyncIterator[Audio]:
        """The sound as it is made. Raises what the making raised."""
        try:
            while True:
                while self._ready:
                    piece = self._ready.popleft()
                    self._ahead_s -= piece.duration_s
                    self._engine.wake()
                    yield piece
                if self._ended:
                    if self._error is not None:
                        raise self._error
                    return
                self._filled.clear()
                if not self._ready and not self._ended:
                    await self._filled.wait()
        finally:
            self.leave()

    def leave(self) -> None:
        """Nobody listens any more."""
        self._left = True
        self._engine.wake()

    def put(self, audio: Audio) -> None:
        self.sample_rate = self.sample_rate or audio.sample_rate
        self._ahead_s += audio.duration_s
        self._ready.append(resample(audio, self.sample_rate))
        self._call()

    def end(self, error: BaseException | None = None) -> None:
        self._error, self._ended = error, True
        self._call()

    def _call(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._filled.set)
        except RuntimeError:  # the caller's loop is closed: nobody listens
            self._left = True


class Engine:
    """Speaks for everybody who asks, from `start` or the first of them on; `close` ends it.

    `first` is a voice that is loaded at once. `on_speech` hears of every piece, in seconds.
    """

    def __init__(
        self,
        device: str = "cpu",
        *,
        first: str | None = None,
        batch: int | None = None,
        most_waiting: int = MOST_WAITING,
        on_speech: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._device = device
        self._first = first
        self.most_waiting = most_waiting
        self.on_speech = on_speech
        self._batch = batch
        self._turns: deque[Turn] = deque()
        self._voices: dict[tuple[Path, int, int], Voice] = {}
        self._condition = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._started = False

    @property
    def waiting(self) -> int:
        return len(self._turns)

    def start(self) -> None:
        """Begin to load what takes long."""
        with self._condition:
            if not (self._started or self._closed):
                self._started = True
                self._thread.start()

    def speak(self, wish: Wish) -> Turn:
        """A turn for `wish`; call it within a running event loop. Raises UserError, Busy."""
        known_voice(wish.voice)
        self.start()
        with self._condition:
            if len(self._turns) >= self.most_waiting:
                raise Busy
            turn = Turn(wish, self)
            self._turns.append(turn)
            self._condition.notify()
        return turn

    def wake(self) -> None:
        with self._condition:
            self._condition.notify()

    def close(self) -> None:
        """End the thread; who still waits is told."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._started:
            self._thread.join()
        for turn in self._turns:
            turn.end(UserError("The server is stopping.", "Ask again when it is back."))

    # ------------------------------------------------------------ the engine's own thread

    def _run(self) -> None:
        self._begin()
        while (turns := self._next()) is not None:
            self._round(turns)

    def _begin(self) -> None:
        """Load what takes long, with a core left for those who write down what is spoken."""
        import torch

        torch.set_num_threads(max(1, min(usable_cores() - 1, torch.get_num_threads())))
        if self._first is None:
            return
        try:
            self.voice(self._first).warm_up()
        except Exception as error:  # told to who asks for it
            log.warning("%s", error)

    def _next(self) -> list[Turn] | None:
        """Those who can be spoken for now, who waited longest first; None at the end."""
        with self._condition:
            while True:
                if self._closed:
                    return None
                self._turns = deque(turn for turn in self._turns if not turn.over)
                willing = [turn for turn in self._turns if turn.willing]
                if willing:
                    return willing
                self._condition.wait()

    def _round(self, turns: list[Turn]) -> None:
        chosen: list[tuple[Turn, Voice, Planned]] = []
        for turn in turns:
            found = self._planned(turn)
            if found is None:
                continue
            chosen.append((turn, *found))
            if len(chosen) >= self._width(found[0]):
                break
        self._to_the_back([turn for turn, _, _ in chosen])
        for group in _alike(chosen):
            self._spoken(group, alone=len(turns) == 1)

    def _width(self, voice: Voice) -> int:
        return self._batch or BATCHES.get(voice.device.partition(":")[0], 1)

    def _to_the_back(self, turns: list[Turn]) -> None:
        with self._condition:
            for turn in turns:
                if turn in self._turns:
                    self._turns.remove(turn)
                    self._turns.append(turn)

    def _planned(self, turn: Turn) -> tuple[Voice, Planned] | None:
        """The next utterance of a turn; None where there is none, which ends it."""
        try:
            if turn.plan is None:
                turn.plan = self._begun(turn.wish)
            part, planned, _ = next(turn.plan)
            return part.voice, planned
        except StopIteration:
            turn.end()
        except Exception as error:  # it is the caller's to know, and nobody else's
            turn.end(error)
        return None

    def _begun(self, wish: Wish) -> Iterator[tuple[Part, Planned, int]]:
        from vits.text.marks import voice_names

        cast = self.cast(wish.voice)
        for name in voice_names(wish.text):  # who is not there is missed before the first word
            cast.part(name)
        return cast.plan(
            wish.text,
            soon=True,
            speaker=cast.voice.speaker.name,
            speed=wish.speed,
            language=wish.language,
            seed=wish.seed,
        )

    def _spoken(self, group: list[tuple[Turn, Voice, Planned]], alone: bool) -> None:
        voice = group[0][1]
        try:
            if alone and len(group) == 1:
                turn, _, planned = group[0]
                for piece in voice.stream_planned(planned):
                    self._given(turn, piece)
                    if turn.over:
                        return
                return
            speeches = voice.speak_planned([planned for _, _, planned in group])
        except Exception as error:
            log.exception("speaking failed")
            for turn, _, _ in group:
                turn.end(error)
            return
        for (turn, _, _), speech in zip(group, speeches, strict=True):
            self._given(turn, speech.audio)

    def _given(self, turn: Turn, audio: Audio) -> None:
        if len(audio.samples):
            turn.put(audio)
            self.on_speech(audio.duration_s)

    # ------------------------------------------------------------ voices

    def cast(self, name: str) -> Cast:
        """The voice `name` and, in its marks, other voices of the library, by name alone."""
        from vits.cast import Cast

        return Cast(self.voice(name), load=self.voice)

    def voice(self, name: str) -> Voice:
        """A voice of the library, loaded once as long as its files stay. Raises UserError."""
        from vits.voice import Voice, find_speaker

        voice_name, speaker = known_voice(name)
        folder = find_voice(voice_name)
        weights = GRAPH if is_graph(folder) else WEIGHTS
        key = (folder, _changed(folder / weights), _changed(folder / CONFIG))
        voice = self._voices.pop(key, None) or Voice.load(voice_name, self._device)
        self._voices[key] = voice  # the one used last is last
        for old in list(self._voices)[:-MOST_VOICES]:
            del self._voices[old]
        return replace(voice, speaker=find_speaker(voice.speakers, speaker)) if speaker else voice


def _alike(
    chosen: list[tuple[Turn, Voice, Planned]],
) -> list[list[tuple[Turn, Voice, Planned]]]:
    """Those that one pass can speak, in groups."""
    groups: dict[tuple[object, ...], list[tuple[Turn, Voice, Planned]]] = {}
    for one in chosen:
        groups.setdefault((one[1].hash, *one[2].kind), []).append(one)
    return list(groups.values())


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0

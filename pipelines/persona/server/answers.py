"""Answers written in threads and taken by whoever asked, as slowly as they like.

A model writes to its end, or until nobody wants the rest; it never waits for a reader. So many
answer at once, so many may wait, the others are told to come back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from pipelines.llm.chat import Message
from pipelines.persona.knowledge import Found
from pipelines.persona.talk import Human
from pipelines.serving.engine import Busy

AT_ONCE, MOST_WAITING = 8, 256
_END = object()


class Answers:
    """Asks one persona for many callers."""

    def __init__(self, human: Human) -> None:
        self.human = human
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="answer")
        self._lock, self._busy = threading.Lock(), 0

    def ask(self, question: str, history: list[Message], most_tokens: int) -> Written:
        """An answer that is being written from now on. Raises Busy."""
        with self._lock:
            if self._busy >= MOST_WAITING:
                raise Busy
            self._busy += 1
        written = Written(asyncio.get_running_loop())
        self._workers.submit(self._write, written, question, history, most_tokens)
        return written

    def _write(
        self, written: Written, question: str, history: list[Message], most_tokens: int
    ) -> None:
        try:
            if written.unwanted.is_set():
                return
            answer = self.human.reply(question, history, most_tokens=most_tokens)
            with suppress(GeneratorExit):
                for piece in answer.pieces:
                    if written.unwanted.is_set():
                        answer.pieces.close()
                        return
                    written.put(piece)
            written.sources = answer.sources
            written.put(_END)
        except BaseException as error:  # it belongs to whoever asked
            written.put(error)
        finally:
            with self._lock:
                self._busy -= 1

    def close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)


class Written:
    """An answer on its way; `sources` are known once its pieces were read to their end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self.unwanted = threading.Event()
        self.sources: list[Found] = []

    def put(self, item: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is there any more
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    async def pieces(self) -> AsyncIterator[str]:
        """The answer as it is written. Raises what went wrong."""
        try:
            while (item := await self._queue.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.unwanted.set()

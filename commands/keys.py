"""Whether a key was pressed while something runs: on a terminal, without Enter."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Keys:
    """Asked again and again; once a key was pressed it stays so."""

    def __init__(self) -> None:
        self.hit = False

    def pressed(self) -> bool:
        self.hit = self.hit or self._waiting()
        return self.hit

    def _waiting(self) -> bool:
        return False


class _Terminal(Keys):
    def _waiting(self) -> bool:
        import select

        if not select.select([sys.stdin], [], [], 0)[0]:
            return False
        import os

        os.read(sys.stdin.fileno(), 1024)  # the key is not part of the next question
        return True


class _Windows(Keys):
    def _waiting(self) -> bool:
        import msvcrt

        if not msvcrt.kbhit():  # type: ignore[attr-defined]
            return False
        while msvcrt.kbhit():  # type: ignore[attr-defined]
            msvcrt.getwch()  # type: ignore[attr-defined]
        return True


@contextmanager
def watching_keys() -> Iterator[Keys]:
    """Keys while the block runs; nobody presses any where there is no terminal."""
    if not sys.stdin.isatty():
        yield Keys()
    elif sys.platform == "win32":
        yield _Windows()
    else:
        with _unbuffered():
            yield _Terminal()


@contextmanager
def _unbuffered() -> Iterator[None]:
    """The terminal gives every key at once; afterwards it is as it was."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin.fileno())
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

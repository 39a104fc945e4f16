"""Playing: pieces in order while the next are made, and a clear line where there is no sound."""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vits.audio import Audio
from vits.errors import UserError
from vits.playback import ahead, play


class Loudspeaker:
    """A stand-in for sounddevice.OutputStream that keeps what it is given."""

    heard: list[np.ndarray]

    def __init__(self, **settings: object) -> None:
        self.settings, self.heard, self.ended = settings, [], []
        type(self).last = self

    def start(self) -> None: ...

    def write(self, samples: np.ndarray) -> None:
        self.heard.append(samples.copy())

    def stop(self) -> None:
        self.ended.append("stop")

    def close(self) -> None:
        self.ended.append("close")


@pytest.fixture
def loudspeaker(monkeypatch: pytest.MonkeyPatch) -> type[Loudspeaker]:
    module = SimpleNamespace(OutputStream=Loudspeaker, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return Loudspeaker


def pieces(n: int = 5) -> Iterator[Audio]:
    for i in range(n):
        yield Audio(np.full(100, i / 10, np.float32), 8000)


def test_everything_is_played_in_order_to_its_end(loudspeaker: type[Loudspeaker]) -> None:
    assert play(pieces()) == pytest.approx(500 / 8000)
    stream = loudspeaker.last
    assert stream.settings["samplerate"] == 8000
    assert np.array_equal(
        np.concatenate(stream.heard)[:, 0], np.concatenate([p.samples for p in pieces()])
    )
    assert stream.ended == ["stop", "close"]


def test_nothing_to_play_needs_no_loudspeaker() -> None:
    assert play(iter(())) == 0.0


def test_an_error_in_the_making_stops_the_playing(loudspeaker: type[Loudspeaker]) -> None:
    def broken() -> Iterator[Audio]:
        yield from pieces(2)
        raise UserError("The text is wrong.", "Mend it.")

    with pytest.raises(UserError, match="text is wrong"):
        play(broken())
    assert len(loudspeaker.last.heard) == 2
    assert loudspeaker.last.ended == ["close"]  # at once, without waiting


def test_a_missing_package_library_or_device_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(UserError, match="pip install sounddevice"):
        play(pieces())

    def no_library(name: str, *rest: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return imported(name, *rest)

    imported = builtins.__import__
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", no_library)
        with pytest.raises(UserError, match="libportaudio2"):
            play(pieces())

    class NoDevice:
        def __init__(self, **settings: object) -> None:
            raise RuntimeError("Error querying device -1")

    module = SimpleNamespace(OutputStream=NoDevice, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    with pytest.raises(UserError, match="Connect a loudspeaker"):
        play(pieces())


def test_items_are_made_ahead_but_not_without_end() -> None:
    made: list[int] = []
    full = threading.Event()

    def items() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            if len(made) == 5:  # one handed out, three waiting, one in hand
                full.set()
            yield i

    stream = ahead(items(), 3)
    assert next(stream) == 0
    assert full.wait(10)
    assert len(made) <= 5
    stream.close()
    assert list(ahead(range(50), 3)) == list(range(50))

"""Reading aloud: text in any usual encoding, piece by piece, into a file that is whole or not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import say
from pipelines.progress import Progress
from vits.audio import read_audio
from vits.errors import UserError
from vits.voice import Voice


class Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time, as a terminal does."""

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(3)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_is_the_same_however_its_bytes_arrive(text: str) -> None:
    data = b"\xef\xbb\xbf" + text.encode()
    assert "".join(say.decoded(Dripping(data), "it")) == text
    assert "".join(say.decoded(io.BytesIO(data), "it")) == text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_characters_that_cross_a_chunk_survive(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(say, "CHUNK_BYTES", 1001)
    text = "x" + "春眠不觉晓，处处闻啼鸟。" * 200
    assert "".join(say.decoded(io.BytesIO(text.encode(encoding)), "it")) == text


def test_bytes_that_are_no_text_are_told_even_late() -> None:
    data = b"Good evening. " * 10_000 + b"\xff\xfe\xff"
    with pytest.raises(UserError, match=r"book\.txt is not text"):
        list(say.decoded(io.BytesIO(data), "book.txt"))


def test_file_is_read_in_pieces_and_its_length_known(tmp_path: Path) -> None:
    path = tmp_path / "a book.txt"
    path.write_text("é" * 200_000, "utf-8")
    text = say.text_file(path)
    pieces = list(text.chunks)
    assert text.characters == sum(map(len, pieces)) == 200_000
    assert max(map(len, pieces)) <= say.CHUNK_BYTES


def test_what_is_written_is_what_the_voice_speaks(tiny_voice: Path, tmp_path: Path) -> None:
    text, output = "One lamp. Two lamps.", tmp_path / "a.wav"
    told: list[Progress] = []
    said = say.say(
        say.Text([text], len(text)), str(tiny_voice), output, seed=5, on_progress=told.append
    )
    spoken = [speech.audio.samples for speech in Voice.load(tiny_voice).speak(text, seed=5)]
    written = read_audio(output)
    assert np.abs(written.samples - np.concatenate(spoken)).max() < 1e-4
    assert said.duration_s == pytest.approx(written.duration_s)
    assert said.utterances == len(spoken)
    assert (told[-1].done, told[-1].total) == (len(text), len(text))


def test_failure_in_the_middle_leaves_what_was_there(tiny_voice: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.mp3"
    output.write_bytes(b"before")

    def text() -> list[str]:
        raise UserError("The text ended.", "Write more.")

    def chunks() -> object:
        yield "One lamp. Two lamps. Three lamps. "
        text()

    with pytest.raises(UserError, match="The text ended"):
        say.say(say.Text(chunks()), str(tiny_voice), output)  # type: ignore[arg-type]
    assert output.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]


@pytest.mark.parametrize("text", ["", " \n\n "])
def test_a_text_without_words_is_refused_and_nothing_is_written(
    text: str, tiny_voice: Path, tmp_path: Path
) -> None:
    output = tmp_path / "a.wav"
    output.write_bytes(b"before")
    with pytest.raises(UserError, match="nothing to say"):
        say.say(say.Text.of(text), str(tiny_voice), output)
    assert output.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_voice_that_a_file_names_is_missed_before_the_first_word(
    tiny_voice: Path, tmp_path: Path
) -> None:
    path, output = tmp_path / "a.txt", tmp_path / "a.wav"
    path.write_text("One lamp. " * 100 + "[voice:nobody]Two lamps.[/voice]", "utf-8")
    told: list[Progress] = []
    with pytest.raises(UserError, match="nobody"):
        say.say(say.text_file(path), str(tiny_voice), output, on_progress=told.append)
    assert not told
    assert not output.exists()


def test_marked_passages_are_spoken_by_others(tiny_voice: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.wav"
    text = say.Text.of("One lamp. [voice:ben]Two lamps.[/voice]")
    assert say.say(text, str(tiny_voice), output).utterances == 2
    ben = next(iter(Voice.load(tiny_voice).speak("Two lamps.", speaker="Ben"))).audio.samples
    assert np.abs(read_audio(output).samples[-len(ben) :] - ben).max() < 1e-4

"""Sound files say in their own way that a machine made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.labels import DIGITAL_SOURCE_TYPE, read_marks
from pipelines.media.sound import labelled_writer
from vits.audio import WRITE_SUFFIXES, read_audio
from vits.errors import UserError


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_every_format_carries_both_marks_and_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    samples = np.sin(np.arange(11025) / 30).astype(np.float32) / 2
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        with labelled_writer(path, 22050, tags={"title": "A tone", "artist": "anna"}) as writer:
            writer.write(samples)
    marks = read_marks(paths[0])
    assert marks.aigc is not None
    assert marks.aigc["Label"] == "1"
    assert marks.digital_source_type == DIGITAL_SOURCE_TYPE
    assert read_audio(paths[0]).duration_s == pytest.approx(0.5, abs=0.1)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac"])
def test_failure_leaves_nothing_behind(suffix: str, tmp_path: Path) -> None:
    def write() -> None:
        with labelled_writer(tmp_path / f"a{suffix}", 22050) as writer:
            writer.write(np.zeros(1000, np.float32))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert not list(tmp_path.iterdir())


def test_unknown_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="xyz"), labelled_writer(tmp_path / "a.xyz", 22050):
        pass


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_what_cannot_be_written_is_named_as_it_was_asked_for(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("no folder")
    path = tmp_path / "a file" / f"a{suffix}"
    with pytest.raises(UserError) as told, labelled_writer(path, 22050):
        pass
    assert str(path) in told.value.cause
    assert ".part" not in told.value.cause

"""Scenes of one loudness, pauses that are not dead, music that goes down under words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from conftest import speech
from tones import Tones

from pipelines.story.render import render
from pipelines.story.ship import Settings
from pipelines.story.sounds import DUCKED_DB, MUSIC_DB, Bed, eased, read_music, scene_gain
from vits.audio import read_audio
from vits.errors import UserError

RATE = 8000


def level_db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64)))) + 1e-12))


def test_scenes_spoken_loud_and_soft_come_out_alike():
    meter, found = pyloudnorm.Meter(22050), []
    for factor in (1.0, 0.6):
        said = speech(3.0).samples * np.float32(factor)
        found.append(meter.integrated_loudness((said * scene_gain([said], 22050)).astype(float)))
    assert found[0] == pytest.approx(found[1], abs=0.1)
    assert scene_gain([np.zeros(99999, np.float32)], 22050) == 1.0
    assert scene_gain([np.full(10, 0.1, np.float32)], 22050) == 1.0


def test_no_gain_clips():
    loud = speech(3.0).samples.copy()
    loud *= np.float32(1e-3)
    loud[100] = 0.9
    assert np.abs(loud * scene_gain([loud], 22050)).max() <= 0.951


def test_ends_are_faded_and_the_middle_is_left_alone():
    samples = np.full(1000, 0.5, np.float32)
    result = eased(samples, RATE)
    assert (result[0], result[-1]) == (0, 0)
    assert (result[100:-100] == 0.5).all()
    assert len(eased(np.zeros(0, np.float32), RATE)) == 0


def test_the_bed_is_the_same_however_it_is_cut():
    music = np.sin(np.arange(3 * RATE) / 9).astype(np.float32) * np.float32(0.03)
    bed = Bed(RATE, 4 * RATE, ((RATE, 2 * RATE),), music)
    whole = np.concatenate(list(bed.laid(iter([np.zeros(4 * RATE, np.float32)]))))
    cut = [np.zeros(n, np.float32) for n in (1, RATE, 5, 3 * RATE - 6)]
    np.testing.assert_allclose(np.concatenate(list(bed.laid(iter(cut)))), whole, atol=1e-7)


def test_pauses_have_room_tone_that_is_barely_heard():
    bed = Bed(RATE, RATE)
    (tone,) = bed.laid(iter([np.zeros(RATE, np.float32)]))
    assert -72 < level_db(tone) < -64


def test_music_goes_down_under_words_and_out_at_the_end():
    bed = Bed(RATE, 20 * RATE, ((8 * RATE, 12 * RATE),), np.ones(RATE, np.float32))
    gain = bed.gain(0, 20 * RATE)
    assert gain[5 * RATE] == pytest.approx(1)
    assert gain[10 * RATE] == pytest.approx(10 ** (DUCKED_DB / 20), rel=1e-3)
    assert gain[0] == 0
    assert gain[-1] < 0.01
    assert np.abs(np.diff(gain)).max() < 0.001  # no step is heard


def test_a_story_over_music_is_told_at_its_times(tmp_path: Path):
    tune = tmp_path / "tune.wav"
    soundfile.write(tune, 0.2 * np.sin(np.arange(5 * RATE) / 5), RATE)
    source = tmp_path / "tale.md"
    source.write_text("# Tale\n\nOnce. Upon.\n", "utf-8")
    tales = []
    for name, music in (("bare", None), ("music", tune)):
        told = render(
            source, tmp_path / name, formats=("srt",), narrator=Tones(), settings=Settings(),
            music=music,
        )  # fmt: skip
        tales.append(told.timeline)
    assert [s.start_s for s in tales[0].scenes] == [s.start_s for s in tales[1].scenes]
    pauses = [read_audio(t.audio).samples[-RATE // 2 : -RATE // 4] for t in tales]
    assert level_db(pauses[1]) > level_db(pauses[0]) + 3


def test_silent_or_unreadable_music_is_one_clear_line(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(UserError, match="is silent"):
        read_music(tmp_path / "a.wav", RATE)
    (tmp_path / "b.mp3").write_bytes(b"no music")
    with pytest.raises(UserError):
        read_music(tmp_path / "b.mp3", RATE)
    soundfile.write(tmp_path / "c.wav", 0.5 * np.sin(np.arange(RATE) / 4), RATE)
    assert level_db(read_music(tmp_path / "c.wav", RATE)) == pytest.approx(MUSIC_DB, abs=0.2)

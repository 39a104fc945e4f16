"""A story's sound in parts: joined they are what one encoder makes of the whole, and are kept."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from conftest import speech
from media_story import Word

from pipelines.assets import Assets
from pipelines.media import loudness, soundparts
from pipelines.media.soundparts import Sound, film_parts, write_m4a
from pipelines.media.timeline import GRID_S, TimedLine, TimedScene, Timeline


def story(folder: Path, lengths: list[int], rate: int = 22050, seed: int = 0) -> Timeline:
    """Scenes of so many steps of the grid, speech without pauses: the worst for seams."""
    spans = [round(count * GRID_S * rate) for count in lengths]
    samples = [speech(n / rate + 1, rate, seed=seed + i).samples[:n] for i, n in enumerate(spans)]
    audio = folder / "track.wav"
    soundfile.write(audio, np.concatenate(samples), rate, subtype="PCM_16")
    edges = np.cumsum([0, *lengths]) * GRID_S
    scenes = tuple(
        TimedScene(
            str(n),
            "",
            folder / "a.png",
            start,
            end,
            (TimedLine(str(n), "", "Word.", start, end, (Word("Word", 0, 4, start, end),)),),
        )
        for n, (start, end) in enumerate(pairwise(edges))
    )
    return Timeline("T", "A", "en", "lj", scenes, audio, float(edges[-1]))


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


@pytest.mark.parametrize("rate", [22050, 44100, 16000])
def test_joined_parts_are_what_one_encoder_makes_of_the_whole(tmp_path: Path, rate: int) -> None:
    told = story(tmp_path, [5, 7, 4], rate)
    parts = Sound(told.audio, Assets(tmp_path / "parts")).of_film(told)
    assert len(parts) == 3
    write_m4a(parts, tmp_path / "joined.m4a")
    whole = [(soundparts.Part(0, loudness.sample_count(told.audio), 0), None)]
    alone = Sound(told.audio, Assets(tmp_path / "whole")).film_part(whole[0][0])
    write_m4a([(whole[0][0], alone)], tmp_path / "whole.m4a")
    one, other = decoded(tmp_path / "joined.m4a"), decoded(tmp_path / "whole.m4a")
    assert len(one) == len(other)
    seams = [part.packet * soundparts.PACKET for part, _ in parts[1:]]
    for seam in seams:  # nothing is heard of the seam: as near there as anywhere
        near = slice(seam - 2048, seam + 2048)
        difference = np.sqrt(np.mean(np.square(one[near] - other[near])))
        assert difference < 0.15 * np.sqrt(np.mean(np.square(other[near])))


def test_the_sound_lies_where_it_lay_on_the_track(tmp_path: Path) -> None:
    told = story(tmp_path, [6, 6], 48000)
    sound = Sound(told.audio, Assets(tmp_path / "parts"))
    write_m4a(sound.of_film(told), tmp_path / "a.m4a")
    made = decoded(tmp_path / "a.m4a")
    real = np.concatenate(list(loudness.told(told.audio)))
    shift = len(made) - len(real)
    assert 0 <= shift <= 2 * soundparts.PACKET
    best = max((0, soundparts.PACKET), key=lambda at: np.dot(made[at : at + 50000], real[:50000]))
    middle = slice(20000, 150000)
    assert np.corrcoef(made[best:][middle], real[middle])[0, 1] > 0.99


def test_a_changed_scene_costs_its_own_part_and_those_it_touches(tmp_path: Path) -> None:
    assets = Assets(tmp_path / "parts")
    Sound(story(tmp_path, [5, 7, 4, 6, 5]).audio, assets)
    first = story(tmp_path, [5, 7, 4, 6, 5])
    Sound(first.audio, assets).of_film(first)
    assert assets.made == 5
    longer = story(tmp_path, [5, 9, 4, 6, 5])
    Sound(longer.audio, assets).of_film(longer)
    assert assets.made - 5 <= 3  # it, and the two beside it that overlap it
    assert assets.reused >= 2


def test_a_level_moves_in_steps_so_that_a_line_does_not_move_it(tmp_path: Path) -> None:
    told = story(tmp_path, [9, 9])
    gain = loudness.told_gain_db(told.audio)
    assert gain % loudness.STEP_DB == 0
    exact = loudness.TARGET_LUFS - loudness.track_loudness(told.audio)
    assert abs(gain - exact) <= loudness.STEP_DB / 2


def test_a_rate_that_no_packet_fits_into_is_one_part(tmp_path: Path) -> None:
    told = story(tmp_path, [5, 5], 11024)
    assert len(film_parts(told)) == 1

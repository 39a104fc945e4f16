"""Captions in the frames: where they belong, the spoken word in colour, nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_story import story

from pipelines.media.burnt import NOTICE_S, Captions
from pipelines.media.subtitles import cues

GREY = 60


def blank(size: tuple[int, int]) -> np.ndarray:
    frame = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
    frame[: size[1]] = GREY
    return frame


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (240, 240)])
def test_a_caption_stands_in_the_lower_part_and_only_there(tmp_path: Path, size):
    told = story(tmp_path)
    captions, frame = Captions(cues(told), size), blank(size)
    captions.lay(frame, cues(told)[0].start_s + 0.01)
    rows = np.flatnonzero((frame[: size[1]] != GREY).any(axis=1))
    assert rows.min() > 0.55 * size[1]
    assert rows.max() < size[1] - 2
    columns = np.flatnonzero((frame[: size[1]] != GREY).any(axis=0))
    assert columns.min() >= 0
    assert columns.max() < size[0]
    assert frame[: size[1]].max() > 200  # white letters


def test_the_word_that_is_said_is_lit(tmp_path: Path):
    told, size = story(tmp_path, word_s=0.4), (640, 360)
    captions = Captions(cues(told), size)
    cue = cues(told)[0]
    tokens = [token for row in cue.rows for token in row]
    lit = []
    for token in tokens[:3]:
        frame = blank(size)
        captions.lay(frame, token.start_s + 0.05)
        blue = frame[size[1] :].reshape(-1)[: size[0] * size[1] // 4].reshape(180, 320)
        lit.append(np.flatnonzero((blue < 110).any(axis=0)).mean())  # yellow has little blue
    assert lit == sorted(lit)
    assert lit[0] < lit[-1] - 10


def test_before_and_after_a_cue_the_frame_is_left_alone(tmp_path: Path):
    told, size = story(tmp_path, word_s=0.4), (320, 180)
    captions, frame = Captions(cues(told), size), blank(size)
    captions.lay(frame, 0.0)
    assert (frame == blank(size)).all()


def test_a_notice_stands_in_a_corner_for_some_seconds():
    size = (320, 180)
    captions, frame = Captions((), size, notice="AI-generated"), blank(size)
    captions.lay(frame, 1.0)
    changed = np.argwhere(frame[: size[1]] != GREY)
    assert len(changed) > 50
    assert changed[:, 0].max() < 0.3 * size[1]
    assert changed[:, 1].min() > 0.4 * size[0]
    later = blank(size)
    captions.lay(later, NOTICE_S + 0.1)
    assert (later == blank(size)).all()


def test_text_the_font_cannot_draw_breaks_nothing(tmp_path: Path):
    scenes = (("🦊", ["🦊🦊 🌙", "שלום עולם", "一只小狐狸。", "ok"]),)
    told = story(tmp_path, scenes=scenes)
    captions = Captions(cues(told), (320, 180), notice="🦊")
    for step in range(40):
        captions.lay(blank((320, 180)), step * told.duration_s / 40)

"""Slow moves over pictures, smooth to fractions of a pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_story import draw
from PIL import Image

from pipelines.media import motion
from pipelines.media.motion import Camera, Window, plan_move
from vits.errors import UserError

SIZE = (320, 180)


def shoot(camera: Camera, window: Window) -> np.ndarray:
    frame = np.zeros((camera.size[1] * 3 // 2, camera.size[0]), np.uint8)
    camera.shoot(window, frame)
    return frame


def luma(frame: np.ndarray) -> np.ndarray:
    return frame[: frame.shape[0] * 2 // 3].astype(np.float64)


def edge(image: np.ndarray, left: int, right: int) -> float:
    """Position of the one vertical edge between two columns, to fractions of a pixel."""
    steps = np.diff(image[80:100].mean(axis=0))[left:right]
    return float((np.arange(left, right) * steps).sum() / steps.sum())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    draw(path, (226, 188, 122), (640, 360))
    return path


def test_a_window_of_whole_pixels_is_the_picture_itself(picture: Path) -> None:
    planes = motion.prepare(picture, SIZE)
    frame = shoot(Camera(picture, SIZE), Window(2.0, 4.0, 1.0))
    inner = planes.y.T[motion.PAD + 4 :, motion.PAD + 2 :][: SIZE[1], : SIZE[0]]
    np.testing.assert_array_equal(luma(frame), inner)


def test_frames_have_the_colours_of_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", SIZE, (255, 0, 0)).save(tmp_path / "red.png")
    frame = shoot(Camera(tmp_path / "red.png", SIZE), plan_move(0, 9.0, SIZE).at(0.5))
    flat = frame.reshape(-1)
    area = SIZE[0] * SIZE[1]
    assert set(flat[:area]) == {63}  # red in BT.709, limited range
    assert set(flat[area : area * 5 // 4]) == {102}
    assert set(flat[area * 5 // 4 :]) == {240}


def test_a_picture_moves_by_fractions_of_a_pixel(picture: Path) -> None:
    camera = Camera(picture, SIZE)
    shifts = np.arange(0, 1.01, 0.1)
    found = [edge(luma(shoot(camera, Window(2 + s, 2, 1.0))), 50, 80) for s in shifts]
    np.testing.assert_allclose(found, found[0] - shifts, atol=0.02)


@pytest.mark.parametrize("number", range(5))
def test_moves_are_even_and_stay_in_the_picture(number: int) -> None:
    move = plan_move(number, 12.0, SIZE)
    large = [round(side * motion.ZOOM) for side in SIZE]
    windows = [move.at(p) for p in np.linspace(0, 1, 21)]
    for window in windows:
        assert min(window.left, window.top) >= -1
        assert window.left + SIZE[0] * window.scale <= large[0] + 1
        assert window.top + SIZE[1] * window.scale <= large[1] + 1
    steps = np.diff([[w.left, w.top, w.scale] for w in windows], axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-9)


def test_short_scenes_move_less_and_the_same_scene_always_alike() -> None:
    def way(seconds: float) -> float:
        move = plan_move(0, seconds, SIZE)
        return abs(move.end.scale - move.start.scale)

    assert way(1.0) < way(3.0) < way(60.0) == way(90.0)
    assert plan_move(1, 5.0, SIZE) == plan_move(1, 5.0, SIZE) != plan_move(2, 5.0, SIZE)


def test_a_tall_picture_is_shown_whole_on_a_darker_ground(tmp_path: Path) -> None:
    Image.new("RGB", (200, 400), (200, 200, 200)).save(tmp_path / "tall.png")
    frame = luma(shoot(Camera(tmp_path / "tall.png", SIZE), plan_move(0, 9.0, SIZE).at(0.0)))
    middle, border = frame[:, 150:170].mean(), frame[:, :60].mean()
    assert middle > border + 40
    assert frame[2, 160] == pytest.approx(middle, abs=2)  # nothing is cut off above


def test_a_damaged_picture_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    with pytest.raises(UserError, match=r"bad\.png cannot be read"):
        Camera(tmp_path / "bad.png", SIZE)

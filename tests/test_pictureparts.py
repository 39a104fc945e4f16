"""A film in parts: the same bytes whatever was kept, and what did not change is not encoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from media_story import COLOURS, draw, story

from pipelines.assets import Assets
from pipelines.media.shots import FADE_FRAMES, Studio, runs
from pipelines.media.timeline import GRID_S, TimedScene, Timeline
from pipelines.media.video import write_film

SIZE = (160, 90)


def scenes_of(folder: Path, lengths: list[float]) -> Timeline:
    """Scenes of so many seconds with nothing said, each with a picture of its own."""
    told, now, scenes = story(folder, word_s=0.3), 0.0, []
    for number, length_s in enumerate(lengths):
        picture = folder / f"p{number}.png"
        draw(picture, COLOURS[number % 3], (320, 180 + 2 * number))
        scenes.append(TimedScene(str(number), "", picture, now, now + length_s))
        now += length_s
    return replace(told, scenes=tuple(scenes), duration_s=now)


@pytest.mark.parametrize("captions", ["soft", "burnt"])
def test_a_film_has_the_same_bytes_whatever_was_kept(tmp_path: Path, captions) -> None:
    told, kept = story(tmp_path, word_s=0.25), Assets(tmp_path / "parts")
    how = {"size": SIZE, "captions": captions, "notice": "AI"}
    write_film(told, tmp_path / "fresh.mp4", **how)
    write_film(told, tmp_path / "first.mp4", parts=kept, **how)
    made = kept.made
    write_film(told, tmp_path / "again.mp4", parts=kept, **how)
    assert kept.made == made
    some = sorted((tmp_path / "parts").glob("*.mp4"))[::2]
    for path in some:  # as after a kill, or a broom
        path.unlink()
    write_film(told, tmp_path / "mended.mp4", parts=kept, **how)
    assert kept.made == made + len(some)
    names = ("fresh", "first", "again", "mended")
    assert len({(tmp_path / f"{name}.mp4").read_bytes() for name in names}) == 1


def test_a_longer_scene_costs_itself_and_its_fades_and_gives_the_film_of_a_fresh_run(
    tmp_path: Path,
) -> None:
    kept = Assets(tmp_path / "parts")
    grid = [5 * GRID_S, 8 * GRID_S, 6 * GRID_S, 7 * GRID_S, 6 * GRID_S]
    write_film(scenes_of(tmp_path, grid), tmp_path / "a.mp4", size=SIZE, parts=kept)
    pictures = len(list((tmp_path / "parts").glob("*.mp4")))
    assert pictures == 9
    grid[1] += 3 * GRID_S
    longer = scenes_of(tmp_path, grid)
    write_film(longer, tmp_path / "kept.mp4", size=SIZE, parts=kept)
    assert len(list((tmp_path / "parts").glob("*.mp4"))) == pictures + 3
    write_film(longer, tmp_path / "fresh.mp4", size=SIZE)
    assert (tmp_path / "kept.mp4").read_bytes() == (tmp_path / "fresh.mp4").read_bytes()


def test_joined_runs_decode_as_one_film_in_order(tmp_path: Path) -> None:
    told = scenes_of(tmp_path, [1.6, 1.28, 1.92])
    write_film(told, tmp_path / "a.mp4", size=SIZE)
    with av.open(str(tmp_path / "a.mp4")) as container:
        found = [(f.time, f.to_ndarray()[: SIZE[1]]) for f in container.decode(video=0)]
    assert [round(25 * at) for at, _ in found] == list(range(120))
    studio = Studio(SIZE)
    drawn = [p[: SIZE[1]].copy() for run in runs(told, SIZE, 25) for p in studio.frames(run)]
    errors = [np.abs(a.astype(int) - b).mean() for (_, a), b in zip(found, drawn, strict=True)]
    assert max(errors) < 3


def test_runs_cover_every_frame_once(tmp_path: Path) -> None:
    told = scenes_of(tmp_path, [0.02, 3.0, 0.3, 0.5, 0.04, 2.0])
    cut = runs(told, SIZE, 25)
    assert [run.start for run in cut[1:]] == [run.start + run.count for run in cut[:-1]]
    assert cut[0].start == 0
    assert cut[-1].start + cut[-1].count == 147
    assert all(run.count <= FADE_FRAMES for run in cut if len(run.views) == 2)


def test_a_run_knows_nothing_of_its_place(tmp_path: Path) -> None:
    """The second scene, seen alike whether the first is short or long."""
    found = []
    for first in (1.6, 3.2):
        told = scenes_of(tmp_path, [first, 2.56, 1.6])
        run = next(r for r in runs(told, SIZE, 25) if len(r.views) == 1 and r.start >= first * 25)
        found.append((run.facts, [frame.copy() for frame in Studio(SIZE).frames(run)]))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])

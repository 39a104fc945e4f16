"""The story as a film, read back by FFmpeg's libraries and by ffprobe."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest
from conftest import require
from media_story import Word, story

from pipelines.media import subtitles
from pipelines.media.shots import FADE_FRAMES, Studio, runs
from pipelines.media.timeline import TimedLine, TimedScene, Timeline
from pipelines.media.video import write_film
from vits.audio import read_audio
from vits.errors import UserError

SIZE = (320, 180)


def frame_count(told: Timeline) -> int:
    last = runs(told, SIZE, 25)[-1]
    return last.start + last.count


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    return story(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="module")
def film(told: Timeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "story.mp4"
    write_film(told, path, size=SIZE)
    return path


@pytest.fixture(scope="module")
def decoded(film: Path) -> np.ndarray:
    """(frames, height, width) luma."""
    with av.open(film) as container:
        found = [frame.to_ndarray()[: SIZE[1]] for frame in container.decode(video=0)]
    return np.stack(found).astype(np.float32)


def test_picture_sound_and_text_are_what_players_expect(film: Path, told: Timeline) -> None:
    with av.open(film) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        text = container.streams.subtitles[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (picture.width, picture.height) == SIZE
        assert picture.average_rate == 25
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("aac", 48000, "mono")
        assert text.codec_context.name == "mov_text"
        assert (sound.language, text.language) == ("eng", "eng")
        assert container.duration / 1e6 == pytest.approx(told.duration_s, abs=0.05)
        assert container.metadata["title"] == told.title
        assert container.metadata["artist"] == told.author


def test_the_standard_size_is_720p(tmp_path: Path) -> None:
    write_film(story(tmp_path, word_s=0.01), tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (1280, 720)


def test_every_scene_is_a_chapter(film: Path, told: Timeline) -> None:
    with av.open(film) as container:
        chapters = container.chapters()
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["The Lamp", "The Boat", "3"]
    for chapter, scene in zip(chapters, told.scenes, strict=True):
        span = [float(chapter[edge] * chapter["time_base"]) for edge in ("start", "end")]
        assert span == pytest.approx([scene.start_s, scene.end_s], abs=0.002)


def test_subtitles_are_the_cues_of_the_story(film: Path, told: Timeline) -> None:
    with av.open(film) as container:
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size > 2]
    shown = [(float(p.pts * p.time_base), bytes(p)[2:].decode()) for p in packets]
    expected = subtitles.cues(told)
    assert [text for _, text in shown] == [cue.text for cue in expected]
    assert [start for start, _ in shown] == pytest.approx(
        [cue.start_s for cue in expected], abs=0.002
    )


def test_ffprobe_reads_the_film(film: Path) -> None:
    require(shutil.which("ffprobe"), "ffprobe is not installed")
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_chapters"]
    run = subprocess.run(
        [*command, "-show_format", str(film)], capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    assert run.stderr == ""
    kinds = [stream["codec_type"] for stream in found["streams"]]
    assert kinds[:3] == ["video", "audio", "subtitle"]
    assert len(found["chapters"]) == 3
    assert json.loads(found["format"]["tags"]["AIGC"])["Label"] == "1"
    assert found["streams"][0]["color_space"] == "bt709"


def test_the_index_comes_before_the_media(film: Path) -> None:
    data = film.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_same_story_gives_the_same_bytes(told: Timeline, film: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    write_film(told, again, size=SIZE)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (film, again)}
    assert len(digests) == 1


def test_the_sound_is_at_18_lufs_below_the_ceiling(film: Path, told: Timeline) -> None:
    audio = read_audio(film)
    assert audio.duration_s == pytest.approx(told.duration_s, abs=0.06)
    meter = pyloudnorm.Meter(audio.sample_rate)
    assert meter.integrated_loudness(audio.samples.astype(np.float64)) == pytest.approx(
        -18, abs=0.7
    )
    assert np.abs(audio.samples).max() < 10 ** (-1 / 20)


def test_sound_and_words_stay_together(film: Path, told: Timeline) -> None:
    audio = read_audio(film)
    rate = audio.sample_rate
    power = np.convolve(audio.samples**2, np.ones(rate // 100) / (rate // 100), mode="same")
    for line in told.lines:
        first = line.words[0].start_s
        before, after = (int((first + d) * rate) for d in (-0.03, 0.03))
        assert power[before] < power[after] / 10


def test_pictures_move_smoothly(told: Timeline, decoded: np.ndarray) -> None:
    """The bar's left edge goes its way in steps of a fraction of a pixel, none of them a jump."""
    last = int(told.scenes[0].end_s * 25) - FADE_FRAMES
    steps = np.diff(decoded[:last, 80:100].mean(axis=1), axis=1)[:, 48:76]
    edge = (steps * np.arange(48, 76)).sum(axis=1) / steps.sum(axis=1)
    speed = np.diff(edge)
    assert 0.02 < abs(speed.mean()) < 0.5
    assert np.abs(speed - speed.mean()).max() < 0.08


def test_scenes_fade_into_each_other_without_a_jump(told: Timeline, decoded: np.ndarray) -> None:
    change = np.abs(np.diff(decoded.mean(axis=(1, 2))))
    assert change.max() < 3.0
    cut = round(told.scenes[0].end_s * 25)
    before, middle, after = (decoded[cut + shift].mean() for shift in (-12, 0, 12))
    assert min(before, after) < middle < max(before, after)


def test_every_fade_and_every_scene_begins_with_a_key_frame(film: Path, told: Timeline) -> None:
    """A key frame after a fade leaves no ghost of what faded."""
    with av.open(film) as container:
        keys = [i for i, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    cut = runs(told, SIZE, 25)
    assert keys == [run.start for run in cut]
    assert cut[2].start == round(25 * told.scenes[0].end_s) + FADE_FRAMES // 2


def test_frames_last_as_long_as_the_sound(told: Timeline, decoded: np.ndarray) -> None:
    assert len(decoded) == frame_count(told)
    assert 0 <= len(decoded) / 25 - told.duration_s < 0.04


def test_very_short_scenes_do_not_trouble_the_fades(tmp_path: Path) -> None:
    long = story(tmp_path)
    pictures = [scene.picture for scene in long.scenes]
    cuts = [0.0, 0.1, 0.15, 2.0]
    scenes = tuple(
        TimedScene(str(n), "", pictures[n], cuts[n], cuts[n + 1]) for n in range(len(pictures))
    )
    timeline = Timeline("T", "A", "en", "lj", scenes, long.audio, 2.0)
    studio = Studio((64, 36))
    assert sum(1 for run in runs(timeline, (64, 36), 25) for _ in studio.frames(run)) == 50


def test_progress_is_told_to_the_end(told: Timeline, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_film(told, tmp_path / "a.mp4", size=(64, 36), on_progress=lambda *done: seen.append(done))
    total = frame_count(told)
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)
    assert len(seen) > 5


def test_an_odd_size_is_refused(told: Timeline, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        write_film(told, tmp_path / "a.mp4", size=(321, 180))


def test_what_was_there_stays_if_a_film_cannot_be_made(told: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "story.mp4"
    path.write_bytes(b"the old film")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    last = replace(told.scenes[-1], picture=tmp_path / "bad.png")
    broken = replace(told, scenes=(*told.scenes[:-1], last))
    with pytest.raises(UserError, match=r"bad\.png cannot be read"):
        write_film(broken, path, size=(64, 36))
    assert path.read_bytes() == b"the old film"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.png", "story.mp4"]


def test_a_folder_that_cannot_be_is_the_users_error(told: Timeline, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_film(told, tmp_path / "file" / "a.mp4", size=(64, 36))


FULL_DISK = """
import resource, sys
sys.path[:0] = {path!r}
from pathlib import Path
from media_story import story
from pipelines.media.video import write_film
from vits.errors import UserError
told = story(Path({folder!r}), word_s=0.05)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_film(told, Path({folder!r}) / "out" / "a.mp4", size=(160, 90))
except UserError as error:
    print("refused:", error)
"""


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path) -> None:
    require(sys.platform == "linux", "limits the size of files by setrlimit")
    code = FULL_DISK.format(path=sys.path, folder=str(tmp_path))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.startswith("refused:"), run.stderr
    assert "a.mp4" in run.stdout
    assert list((tmp_path / "out").iterdir()) == []


def test_text_in_other_scripts_survives(tmp_path: Path) -> None:
    long = story(tmp_path, word_s=0.05)
    text = "守灯人说：“谁在那里？”"
    word = Word("守灯人", 0, 3, 0.1, 0.4)
    line = TimedLine("s", "旁白", text, 0.0, 0.9, (word,))
    scene = TimedScene("s", "第一章 & <灯>", long.scenes[0].picture, 0.0, 1.0, (line,))
    timeline = Timeline("灯塔", "作者", "zh-CN", "lj", (scene,), long.audio, 1.0)
    write_film(timeline, tmp_path / "灯.mp4", size=(64, 36))
    with av.open(tmp_path / "灯.mp4") as container:
        assert container.chapters()[0]["metadata"]["title"] == "第一章 & <灯>"
        assert container.streams.subtitles[0].language == "zho"
        packets = container.demux(container.streams.subtitles[0])
        assert text in "".join(bytes(packet)[2:].decode() for packet in packets)

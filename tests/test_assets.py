"""Results are made once, whole, and under the name of what decides them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines.assets import Assets, asset_key, file_hash
from vits.errors import UserError

KEY = asset_key("test", 1, {"text": "a"})


def writes(text: str):
    return lambda path: path.write_text(text, "utf-8") and None


def test_a_result_is_made_once_and_found_afterwards(tmp_path):
    first = Assets(tmp_path)
    path = first.get_or_make(KEY, ".txt", writes("once"))
    again = Assets(tmp_path)
    assert again.get_or_make(KEY, ".txt", writes("twice")) == path
    assert path.read_text("utf-8") == "once"
    assert (first.made, first.reused, again.made, again.reused) == (1, 0, 0, 1)


def test_the_key_depends_on_every_part_and_on_nothing_else():
    base = asset_key("line", 1, {"text": "白い", "speed": 1.0, "seed": 0})
    assert base == asset_key("line", 1, {"seed": 0, "speed": 1.0, "text": "白い"})
    others = {
        asset_key("card", 1, {"text": "白い", "speed": 1.0, "seed": 0}),
        asset_key("line", 2, {"text": "白い", "speed": 1.0, "seed": 0}),
        asset_key("line", 1, {"text": "白", "speed": 1.0, "seed": 0}),
        asset_key("line", 1, {"text": "白い", "speed": 1.1, "seed": 0}),
        asset_key("line", 1, {"text": "白い", "speed": 1.0}),
    }
    assert base not in others
    assert len(others) == 5


def test_what_has_no_settled_text_form_is_no_part_of_a_key():
    with pytest.raises(TypeError):
        asset_key("line", 1, {"path": Path("a")})
    with pytest.raises(ValueError, match="JSON compliant"):
        asset_key("line", 1, {"speed": float("nan")})


def test_a_failed_make_leaves_nothing_and_can_be_repeated(tmp_path):
    def fails(path: Path) -> None:
        path.write_text("half", "utf-8")
        raise RuntimeError("stopped")

    assets = Assets(tmp_path)
    with pytest.raises(RuntimeError, match="stopped"):
        assets.get_or_make(KEY, ".txt", fails)
    assert [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "lock"] == []
    assert assets.get_or_make(KEY, ".txt", writes("whole")).read_text("utf-8") == "whole"


def test_files_that_belong_together_are_there_together_or_made_again(tmp_path):
    def make(paths: tuple[Path, ...]) -> None:
        for path in paths:
            path.write_text(path.suffix, "utf-8")

    assets = Assets(tmp_path)
    sound, words = assets.get_or_make_all(KEY, (".flac", ".json"), make)
    words.unlink()
    assert assets.get_or_make_all(KEY, (".flac", ".json"), make) == (sound, words)
    assert words.read_text("utf-8") == ".json"
    assert assets.made == 2


def test_a_published_file_is_made_again_for_another_key_or_after_an_edit(tmp_path):
    assets = Assets(tmp_path)
    film = assets.publish(KEY, "story.mp4", writes("one"))
    assert assets.publish(KEY, "story.mp4", writes("no")).read_text("utf-8") == "one"
    assert assets.is_ours("story.mp4")
    assets.publish(asset_key("test", 2, {}), "story.mp4", writes("two"))
    assert film.read_text("utf-8") == "two"
    film.write_text("edited", "utf-8")
    assert not assets.is_ours("story.mp4")
    assert not assets.is_published(asset_key("test", 2, {}), "story.mp4")
    assert assets.is_ours("never made.mp4")


def test_two_runs_on_one_folder_make_each_thing_once(tmp_path):
    made: list[str] = []

    def slow(name: str):
        def make(path: Path) -> None:
            made.append(name)
            time.sleep(0.01)
            path.write_text(name, "utf-8")

        return make

    def run() -> None:
        assets = Assets(tmp_path)
        for name in map(str, range(12)):
            assets.get_or_make(asset_key("t", 1, {"n": name}), ".txt", slow(name))

    runs = [threading.Thread(target=run) for _ in range(4)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert sorted(made) == sorted(map(str, range(12)))


def test_leavings_of_killed_runs_are_removed_but_not_work_in_progress(tmp_path):
    work = tmp_path / ".work" / "7"
    (work / "deep").mkdir(parents=True)
    (work / "lock").touch()
    (work / "half.flac").write_bytes(b"half")
    Assets(tmp_path)
    assert [path.name for path in work.iterdir()] == ["lock"]

    def looks_on(path: Path) -> None:
        path.write_text("in work", "utf-8")
        Assets(tmp_path)
        assert path.exists()

    Assets(tmp_path).get_or_make(KEY, ".txt", looks_on)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", "utf-8")
    with pytest.raises(UserError, match=r"file.* cannot be written"):
        Assets(blocked / "audio").get_or_make(KEY, ".txt", writes("a"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_clear_line_and_leaves_no_half_file(tmp_path):
    def full(path: Path) -> None:
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"more than fits")

    assets = Assets(tmp_path)
    with pytest.raises(UserError, match="disk is full"):
        assets.get_or_make(KEY, ".txt", full)
    assert not assets.has(KEY, ".txt")


def test_other_failures_of_making_keep_their_own_error(tmp_path):
    def reads(path: Path) -> None:
        raise FileNotFoundError(2, "No such file", "/no/such/picture.png")

    with pytest.raises(FileNotFoundError):
        Assets(tmp_path).get_or_make(KEY, ".txt", reads)


RUN = """
import sys, time
from pathlib import Path
from pipelines.assets import Assets, asset_key
assets = Assets(Path(sys.argv[1]))
def make(n):
    def write(path):
        with path.open("wb") as file:
            for part in range(20):
                file.write(bytes([n, part]) * 500)
                time.sleep(0.0002)
    return write
for n in range(30):
    assets.get_or_make(asset_key("t", 1, {"n": n}), ".bin", make(n))
assets.publish(asset_key("all", 1, {}), "all.bin", make(99))
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, str(folder)])


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_killed_at_random_moments_the_result_is_the_same_as_never_killed(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    started = time.monotonic()
    assert start(whole).wait() == 0
    took = time.monotonic() - started
    rng = random.Random(0)
    for _ in range(6):
        process = start(killed)
        time.sleep(rng.uniform(0.3, 0.95) * took)
        process.send_signal(signal.SIGKILL)
        process.wait()
        sizes = {path.stat().st_size for path in killed.glob("*.bin")}
        assert sizes <= {20000}
    assert start(killed).wait() == 0
    hashes = [{p.name: file_hash(p) for p in f.glob("*.bin")} for f in (whole, killed)]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 31

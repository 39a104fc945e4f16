"""A story is told once; an edit, a kill or a full disk costs what it touches and no more."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tones import Tones, small_story

from pipelines.assets import file_hash
from pipelines.progress import Progress
from pipelines.story import ship
from pipelines.story.illustrators import Cards
from pipelines.story.render import RenderResult, render
from pipelines.story.script import Line, Story
from pipelines.story.ship import Settings
from pipelines.story.storyfile import FILE_NAME, read_story, write_story
from pipelines.story.track import LEAD_S
from vits.errors import UserError

SIZE = (96, 54)
ARTIST = Cards((160, 90))
FORMATS = ("srt", "vtt", "ass")


def tell(source: Path, out: Path, **changes) -> RenderResult:
    settings = {
        "formats": FORMATS,
        "narrator": Tones(),
        "artist": ARTIST,
        "settings": Settings(SIZE),
    }
    return render(source, out, **(settings | changes))


def write(folder: Path, story: Story) -> Path:
    folder.mkdir(exist_ok=True)
    write_story(story, folder / FILE_NAME)
    return folder


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of all that a render leaves, locks and notes of work apart."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".work" not in path.parts)
    return {str(path.relative_to(folder)): file_hash(path) for path in files}


def test_a_second_run_finds_everything_made_and_changes_nothing(tmp_path):
    folder = write(tmp_path / "fox", small_story())
    first = tell(folder, folder)
    before = contents(folder)
    tones = Tones()
    again = tell(folder, folder, narrator=tones)
    assert (again.made, tones.spoken) == (0, [])
    assert first.made == again.reused
    assert contents(folder) == before
    assert sorted(again.files) == sorted(FORMATS)
    assert all(path.is_file() for path in again.files.values())


def test_an_edited_line_is_the_only_one_spoken_again(tmp_path):
    story = small_story()
    folder = write(tmp_path / "fox", story)
    tell(folder, folder)
    first, second = story.scenes
    edited = second.model_copy(update={"lines": (Line(text="It was, after all."),)})
    write(folder, story.model_copy(update={"scenes": (first, edited)}))
    tones = Tones()
    result = tell(folder, folder, narrator=tones)
    assert tones.spoken == ["It was, after all."]
    assert result.made == 1 + 1 + 1 + len(FORMATS)  # line, its page, the track, what is shipped
    assert "after all" in result.files["srt"].read_text("utf-8")


def test_another_speed_or_voice_leaves_the_pictures_as_they_are(tmp_path):
    folder = write(tmp_path / "fox", small_story())
    tell(folder, folder)
    pictures = {p.name: p.stat().st_mtime_ns for p in (folder / "pictures").glob("*.png")}

    class Slower(Tones):
        def fingerprint(self, line: Line) -> dict[str, object]:
            return {**super().fingerprint(line), "slow": True}

    tell(folder, folder, narrator=Slower())
    after = {p.name: p.stat().st_mtime_ns for p in (folder / "pictures").glob("*.png")}
    assert after == pictures


def test_the_timeline_has_the_title_then_every_scene_and_words_where_they_sound(tmp_path):
    folder = write(tmp_path / "fox", small_story())
    told = tell(folder, folder, formats=("srt",)).timeline
    assert [scene.id for scene in told.scenes] == ["title", "1", "2"]
    assert [line.text for line in told.lines] == [
        "The Lamp",
        "A lamp stood on a rock. It was old.",
        "Is it dark?",
        "It was not.",
    ]
    for line in told.lines:
        for word in line.words:
            assert line.text[word.char_start : word.char_end] == word.text
            assert line.start_s <= word.start_s < word.end_s <= line.end_s + 1e-6
    assert told.scenes[1].lines[0].start_s == pytest.approx(told.scenes[1].start_s + LEAD_S)


def test_progress_names_the_stages_and_ends_each_at_its_total(tmp_path):
    folder = write(tmp_path / "fox", small_story())
    events: list[Progress] = []
    tell(folder, folder, formats=("srt",), on_event=events.append)
    last = {event.stage: event for event in events}
    assert list(last) == ["pictures", "narration", "srt"]
    assert all(event.done == pytest.approx(event.total) for event in last.values())
    timed = [e for e in events if e.stage == "narration" and e.eta_s is not None]
    assert timed
    assert timed[-1].eta_s == pytest.approx(0)


def test_a_text_becomes_a_story_file_that_is_never_overwritten_once_edited(tmp_path):
    text, out = tmp_path / "my tale.md", tmp_path / "out"
    text.write_text("# Tale\n\nOnce. Upon.\n", "utf-8")
    tell(text, out)
    assert read_story(out / FILE_NAME).title == "Tale"
    text.write_text("# Tale\n\nTwice. Upon.\n", "utf-8")
    tell(text, out)
    assert read_story(out / FILE_NAME).scenes[0].lines[0].text == "Twice. Upon."
    edited = (out / FILE_NAME).read_text("utf-8").replace("Twice", "Thrice")
    (out / FILE_NAME).write_text(edited, "utf-8")
    with pytest.raises(UserError, match="was edited"):
        tell(text, out)
    assert (out / FILE_NAME).read_text("utf-8") == edited
    tell(out, out)


def test_unknown_formats_and_missing_sources_are_told_before_any_work(tmp_path):
    folder = write(tmp_path / "fox", small_story())
    with pytest.raises(UserError, match=r"no format 'mp5' \(did you mean 'mp"):
        tell(folder, tmp_path / "out", formats=("srt", "mp5"))
    with pytest.raises(UserError, match="There is no file or folder"):
        tell(tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_is_one_clear_line(tmp_path):
    folder = write(tmp_path / "fox", small_story())
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        tell(folder, tmp_path / "file" / "out")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_one_clear_line_and_the_rest_is_kept(tmp_path, monkeypatch):
    folder = write(tmp_path / "fox", small_story())

    def full(told, path, settings, parts, tick):
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"more than fits")

    monkeypatch.setitem(ship.FORMATS, "srt", ship.Format(1, full))
    with pytest.raises(UserError, match="disk is full"):
        tell(folder, folder)
    monkeypatch.undo()
    tones = Tones()
    tell(folder, folder, narrator=tones)
    assert tones.spoken == []


def test_ctrl_c_loses_at_most_the_item_in_work(tmp_path):
    class Interrupted(Tones):
        def speak(self, line: Line):
            if line.speaker == "Pim":
                raise KeyboardInterrupt
            return super().speak(line)

    folder = write(tmp_path / "fox", small_story())
    with pytest.raises(KeyboardInterrupt):
        tell(folder, folder, narrator=Interrupted())
    tones = Tones()
    tell(folder, folder, narrator=tones)
    assert tones.spoken == ["Is it [pause:1.0] dark?", "It was not."]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_at_random_moments_the_files_are_the_same_as_never_killed(tmp_path):
    warm, whole, killed = (write(tmp_path / n, small_story()) for n in ("warm", "whole", "killed"))
    formats = ("mp4", "srt")

    def start(folder: Path) -> int:
        process = os.fork()
        if not process:
            code = 1
            try:
                tell(folder, folder, formats=formats)
                code = 0
            finally:
                os._exit(code)
        return process

    tell(warm, warm, formats=formats)  # what is imported and compiled once is so now
    started = time.monotonic()
    assert os.waitpid(start(whole), 0)[1] == 0
    took = time.monotonic() - started
    rng = random.Random(1)
    for _ in range(6):
        process = start(killed)
        time.sleep(rng.uniform(0.05, 0.9) * took)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    assert os.waitpid(start(killed), 0)[1] == 0
    assert contents(killed) == contents(whole)
    assert (killed / "out" / "story.mp4").stat().st_size > 1000

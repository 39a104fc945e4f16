"""Other takes, pins, and the user's own pictures and recordings: each costs what it touches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_render import tell, write
from tones import Tones, small_story

from pipelines.assets import file_hash
from pipelines.story.opening import open_workshop
from pipelines.story.own import align_words
from pipelines.story.script import Line, Story
from pipelines.story.storyfile import FILE_NAME as STORY_FILE
from pipelines.story.storyfile import parse_story, read_story
from pipelines.story.takes import (
    FILE_NAME,
    Takes,
    another_take,
    pinned,
    read_takes,
    targets,
    with_takes,
    write_takes,
)
from tests.conftest import speech
from vits.audio import Audio, write_audio
from vits.errors import UserError


def take_of(story: Story, *wishes: str, takes: Takes | None = None) -> Takes:
    wanted = [target for wish in wishes for target in targets(story, wish)]
    return another_take(takes or Takes(), wanted)


def test_parts_of_a_story_have_names():
    story = small_story()
    assert [t.name for t in targets(story, "scene:1")] == [
        "scene:1.picture",
        "scene:1.line:1",
        "scene:1.line:2",
    ]
    assert [t.name for t in targets(story, "2.picture")] == ["scene:2.picture"]
    assert [t.name for t in targets(story, "scene:1.lines")] == ["scene:1.line:1", "scene:1.line:2"]
    for wrong in ("scene:9", "1.line:3", "1.line:0", "scene:1.sound", "", "1.picture:2"):
        with pytest.raises(UserError):
            targets(story, wrong)


def test_every_take_is_another_and_the_rest_stays(tmp_path: Path):
    story = small_story()
    once = with_takes(story, take_of(story, "1.line:2"))
    twice = with_takes(story, take_of(story, "1.line:2", takes=take_of(story, "1.line:2")))
    seeds = [s.scenes[0].lines[1].seed for s in (story, once, twice)]
    assert len(set(seeds)) == 3
    assert once.scenes[0].lines[0] == story.scenes[0].lines[0]
    assert once.scenes[1] == story.scenes[1]
    assert with_takes(story, take_of(story, "2.picture")).scenes[1].seed is not None


def test_takes_are_kept_in_a_file_and_follow_the_words_not_the_place(tmp_path: Path):
    story = small_story()
    write_takes(take_of(story, "1.line:2", "2.picture"), tmp_path)
    takes = read_takes(tmp_path)
    first = story.scenes[0]
    turned = first.model_copy(update={"lines": first.lines[::-1]})
    moved = with_takes(story.model_copy(update={"scenes": (turned, story.scenes[1])}), takes)
    assert [line.seed is not None for line in moved.scenes[0].lines] == [True, False]
    assert moved.scenes[1].seed is not None


@pytest.mark.parametrize("text", ["pictures: 3", "lines: [{scene: '1'}]", "[", "keep: x"])
def test_a_file_of_takes_gone_wrong_is_told(tmp_path: Path, text: str):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(UserError, match=FILE_NAME):
        read_takes(tmp_path)


def test_redo_makes_the_part_again_and_the_next_run_keeps_it(tmp_path: Path):
    folder = write(tmp_path / "fox", small_story())
    first = tell(folder, folder)
    tones = Tones()
    again = tell(folder, folder, narrator=tones, redo=["scene:1.line:2", "scene:2.picture"])
    assert tones.spoken == ["Is it [pause:1.0] dark?"]
    pictures = [scene.picture for scene in again.timeline.scenes]
    assert [a == b.picture for a, b in zip(pictures, first.timeline.scenes, strict=True)] == [
        True,
        True,
        False,
    ]
    third = tell(folder, folder, narrator=tones)
    assert third.made == 0
    assert len(tones.spoken) == 1


def test_the_first_page_is_made_again_and_pinned_like_a_scene(tmp_path: Path):
    folder = write(tmp_path / "fox", small_story())
    first, tones = tell(folder, folder), Tones()
    again = tell(folder, folder, narrator=tones, redo=["scene:title"])
    assert tones.spoken == [small_story().title]
    pictures = [[s.picture for s in told.timeline.scenes] for told in (first, again)]
    assert [a == b for a, b in zip(*pictures, strict=True)] == [False, True, True]
    assert tell(folder, folder).made == 0
    (picture,) = targets(small_story(), "scene:title.picture")
    shop = open_workshop(small_story(), folder, "base", Tones(), None)
    takes = pinned(read_takes(folder), picture, shop.picture_name(picture.scene))
    write_takes(takes, folder)
    assert read_takes(folder).of_picture(small_story().title_scene).keep


def test_a_cover_of_ones_own_is_read_written_and_shown(tmp_path: Path):
    story = small_story()
    cover = story.cover.model_copy(update={"image": "cover.png", "seed": 7})
    folder = write(tmp_path / "fox", story.model_copy(update={"cover": cover}))
    Image.new("RGB", (64, 36), "red").save(folder / "cover.png")
    assert read_story(folder / STORY_FILE).cover == cover
    told = tell(folder, tmp_path / "out")
    with Image.open(told.timeline.scenes[0].picture) as shown:
        assert shown.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_what_is_pinned_stays_whatever_changes(tmp_path: Path):
    story = small_story()
    folder = write(tmp_path / "fox", story)
    first = tell(folder, folder)
    shop = open_workshop(story, folder, "base", Tones(), None)
    (line,) = targets(story, "1.line:1")
    write_takes(pinned(Takes(), line, shop.line_name(line.scene, line.line)), folder)

    class Lower(Tones):
        def fingerprint(self, line: Line) -> dict[str, object]:
            return {**super().fingerprint(line), "low": True}

    lower = Lower()
    second = tell(folder, folder, narrator=lower)
    assert line.line.text not in lower.spoken
    assert len(lower.spoken) == 3
    assert second.timeline.scenes[1].lines[0].words[0].start_s == pytest.approx(
        first.timeline.scenes[1].lines[0].words[0].start_s
    )
    for path in (folder / "audio").glob("*.flac"):
        path.unlink()  # what is pinned and gone is made anew
    again = Lower()
    tell(folder, folder, narrator=again)
    assert line.line.text in again.spoken


def own_story(**changes: str) -> Story:
    story = small_story()
    first, second = story.scenes
    spoken = second.lines[0].model_copy(update={"audio": changes.get("audio", "")})
    fields = {"lines": (spoken,), "image": changes.get("image", "")}
    return story.model_copy(update={"scenes": (first, second.model_copy(update=fields))})


def test_a_picture_and_a_recording_of_the_users_own_take_the_place(tmp_path: Path):
    folder = write(tmp_path / "fox", own_story(image="mine/p.jpg", audio="mine/a.wav"))
    (folder / "mine").mkdir()
    Image.new("RGB", (64, 36), "red").save(folder / "mine" / "p.jpg")
    write_audio(folder / "mine" / "a.wav", speech(2.0))
    tones = Tones()
    out = tmp_path / "out"
    told = tell(folder, out, narrator=tones)
    assert "It was not." not in tones.spoken
    last = told.timeline.scenes[-1]
    assert Image.open(last.picture).getpixel((5, 5))[0] > 240  # type: ignore[index]
    line = last.lines[0]
    assert line.end_s - line.start_s == pytest.approx(2.0, abs=0.01)
    assert [word.text for word in line.words] == ["It", "was", "not"]
    assert file_hash(out / "mine" / "p.jpg") == file_hash(folder / "mine" / "p.jpg")
    assert tell(out, out, narrator=tones).made == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": "../p.jpg"}, "not in the story's folder"),
        ({"image": "none.png"}, "no file"),
        ({"image": "story.yaml"}, "not a picture"),
        ({"audio": "story.yaml"}, "story.yaml"),
    ],
)
def test_an_own_file_that_cannot_be_used_is_told_before_any_work(
    tmp_path: Path, changes: dict[str, str], told: str
):
    folder = write(tmp_path / "fox", own_story(**changes))
    tones = Tones()
    with pytest.raises(UserError, match=told):
        tell(folder, folder, narrator=tones)
    assert tones.spoken == []


def test_words_of_a_recording_follow_one_another_within_it():
    words = align_words(speech(3.0), "A lamp stood on a rock. It was old.", "en")
    times = [t for word in words for t in (word["start_s"], word["end_s"])]
    assert len(words) == 9
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= 3.02
    assert align_words(Audio(np.zeros(2000, np.float32), 22050), "A lamp stood.", "en") == []


def test_a_preview_is_the_first_scene_beside_the_story(tmp_path: Path):
    folder = write(tmp_path / "fox", small_story())
    tones = Tones()
    told = tell(folder, folder, narrator=tones, preview=True)
    assert [scene.id for scene in told.timeline.scenes] == ["title", "1"]
    assert told.files["srt"].parent == folder / "out" / "preview"
    assert "It was not." not in tones.spoken
    tell(folder, folder, narrator=tones)
    assert tones.spoken.count("A lamp stood on a rock. It was old.") == 1


def test_a_word_of_the_lexicon_changes_the_lines_that_have_it(tiny_voice: Path):
    from pipelines.story.narrator import VoiceNarrator, narration_key

    plain = small_story()
    said = plain.model_copy(update={"lexicon": {"lamp": "lahmp"}})
    keys = [
        [narration_key(VoiceNarrator(s, str(tiny_voice)), x) for x in s.scenes[0].lines]
        for s in (plain, said)
    ]
    assert [a == b for a, b in zip(*keys, strict=True)] == [False, True]
    assert list(VoiceNarrator(said, str(tiny_voice)).speak(said.scenes[0].lines[0]))


def test_new_fields_survive_the_file_and_unknown_places_are_told():
    from pipelines.story.storyfile import dump_story

    text = (
        "title: a\nage: 6\nstyle: water colours\nlexicon: {Pim: pim}\n"
        "cast:\n  Pim: {gender: female, age: child, look: a small fox}\n"
        "places:\n  wood: tall dark trees\n"
        "scenes:\n  - {place: wood, image: a.png, seed: 3, lines: [{Pim: hello, audio: a.wav}]}\n"
    )
    story = parse_story(text)
    assert parse_story(dump_story(story)) == story
    with pytest.raises(UserError, match="the place 'wod' is not among"):
        parse_story(text.replace("place: wood", "place: wod"))
    with pytest.raises(UserError, match="listeners' years"):
        parse_story(text.replace("age: 6", "age: old"))

"""Lines are spoken by their cast, once, with the times of their words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tones import PAUSE_S, RATE, WORD_S, Tones, small_story

from pipelines.assets import Assets
from pipelines.story.narrator import BUILTINS, SILENCE_S, VoiceNarrator, narrate, narration_key
from pipelines.story.script import Line, Role
from vits.audio import read_audio
from vits.errors import UserError
from vits.library import made_with


def test_a_line_is_spoken_once_and_read_back_the_same(tmp_path):
    tones, assets = Tones(), Assets(tmp_path)
    line = Line(text="One two. Three!")
    first = narrate(tones, line, assets)
    assert narrate(tones, line, assets) == first
    assert tones.spoken == [line.text]
    assert first.duration_s == pytest.approx(3 * WORD_S + 2 * PAUSE_S)
    audio = read_audio(first.audio)
    assert (audio.sample_rate, audio.duration_s) == (RATE, first.duration_s)


def test_words_have_the_times_of_the_line_and_spans_of_its_text(tmp_path):
    line = Line(text="One two. Three!")
    words = narrate(Tones(), line, Assets(tmp_path)).words
    assert [line.text[w.char_start : w.char_end] for w in words] == ["One", "two", "Three"]
    assert [w.start_s for w in words] == pytest.approx([0, WORD_S, 2 * WORD_S + PAUSE_S])


def test_a_line_without_words_is_a_short_silence(tmp_path):
    narration = narrate(Tones(), Line(text="…"), Assets(tmp_path))
    assert narration.duration_s == SILENCE_S
    assert narration.words == ()
    assert not read_audio(narration.audio).samples.any()


def test_text_speaker_and_seed_decide_the_key():
    lines = [Line(text="A."), Line(text="B."), Line(text="A.", seed=1)]
    assert len({narration_key(Tones(), line) for line in lines}) == 3
    assert narration_key(Tones(), Line(text="A.")) == narration_key(Tones(), lines[0])


def test_a_sound_that_lost_its_words_is_spoken_again(tmp_path):
    tones, line = Tones(), Line(text="One two.")
    first = narrate(tones, line, Assets(tmp_path))
    sound = first.audio.read_bytes()
    first.audio.with_suffix(".json").unlink()
    assert narrate(tones, line, Assets(tmp_path)) == first
    assert first.audio.read_bytes() == sound


def cast_story(**roles: Role):
    return small_story(cast={"Pim": Role(), **roles})


def test_the_cast_speaks_with_its_own_voices_and_speeds(tiny_voice, tmp_path):
    story = cast_story(Pim=Role(voice=f"{tiny_voice}:ben", speed=1.5))
    narrator = VoiceNarrator(story, str(tiny_voice))
    told, said = (narrator.fingerprint(line) for line in story.scenes[0].lines)
    assert (told["speaker"], told["speed"]) == ("Anna", 1.0)
    assert (said["speaker"], said["speed"]) == ("Ben", 1.5)
    assert told["voice"] == said["voice"]
    assert narrator.name == "Anna"


def test_the_narrators_voice_in_the_cast_is_everybodys_without_one(tiny_voice):
    story = cast_story(narrator=Role(voice=f"{tiny_voice}:Ben"))
    narrator = VoiceNarrator(story, "no such voice")
    assert {narrator.fingerprint(line)["speaker"] for line in story.scenes[0].lines} == {"Ben"}


def test_a_voice_speaks_a_line_with_words_and_reports_what_it_cannot(tiny_voice, tmp_path):
    story = small_story()
    narrator = VoiceNarrator(story, str(tiny_voice))
    line = Line(text="Hello 1999 world, 灯.")
    narration = narrate(narrator, line, Assets(tmp_path))
    assert [line.text[w.char_start : w.char_end] for w in narration.words][:3] == [
        "Hello",
        "1999",
        "world",
    ]
    assert narration.unknown
    times = [t for word in narration.words for t in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= narration.duration_s
    assert np.abs(read_audio(narration.audio).samples).max() > 0


def test_an_unknown_voice_or_speaker_or_language_is_one_clear_line(tiny_voice, library):
    line = small_story().scenes[0].lines[0]
    with pytest.raises(UserError, match="nobody"):
        VoiceNarrator(small_story(), "nobody").fingerprint(line)
    with pytest.raises(UserError, match=r"zoe.*Anna"):
        VoiceNarrator(small_story(), f"{tiny_voice}:zoe").fingerprint(line)
    with pytest.raises(UserError, match="does not speak the story's language, zh"):
        VoiceNarrator(small_story(language="zh"), str(tiny_voice)).fingerprint(line)


def test_the_library_learns_what_was_made_with_its_voices(tiny_voice, library, tmp_path):
    narrator = VoiceNarrator(small_story(), str(tiny_voice))
    narrator.fingerprint(small_story().scenes[0].lines[0])
    narrator.note_made([tmp_path / "story.mp4"])
    assert made_with(tiny_voice.name) == [tmp_path / "story.mp4"]


def test_words_are_kept_as_plain_json(tmp_path):
    narration = narrate(Tones(), Line(text="One."), Assets(tmp_path))
    facts = json.loads(narration.audio.with_suffix(".json").read_text("utf-8"))
    assert facts["words"][0] == {
        "text": "One",
        "char_start": 0,
        "char_end": 3,
        "start_s": 0.0,
        "end_s": WORD_S,
    }
    assert "voice" in BUILTINS


def test_marks_in_a_line_name_the_cast_and_decide_its_key(tiny_voice, tmp_path):
    story = cast_story(Pim=Role(voice=f"{tiny_voice}:ben", speed=1.5))
    narrator = VoiceNarrator(story, str(tiny_voice))
    line = Line(text='He said [voice:pim]"One two."[/voice] Three.')
    assert narrator.fingerprint(line)["marked"]["pim"][1:] == ["Ben", 1.5]
    assert "marked" not in narrator.fingerprint(Line(text="One two."))
    words = narrate(narrator, line, Assets(tmp_path)).words
    spoken = [line.text[w.char_start : w.char_end] for w in words]
    assert spoken == ["He", "said", "One", "two", "Three"]
    slow = VoiceNarrator(cast_story(Pim=Role(voice=f"{tiny_voice}:ben")), str(tiny_voice))
    assert narration_key(slow, line) != narration_key(narrator, line)
    with pytest.raises(UserError, match="nobody"):
        narrator.fingerprint(Line(text="[voice:nobody]One.[/voice]"))

"""From any recordings to a data set: words in the right clips, every second accounted for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from voices import RATE, joined, other_voice, reader, save

from data.clips import read_clips
from data.events import StageEvent
from data.prepare import prepare_clips
from data.recordings import Wishes, prepare_recordings
from vits.audio import Audio, read_audio
from vits.errors import UserError

NEVER = Wishes(transcribe="never")


def hashes(folder: Path) -> dict[str, str]:
    files = [p for p in folder.rglob("*") if p.is_file() and ".cache" not in p.parts]
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


def report(folder: Path) -> dict[str, object]:
    return json.loads((folder / "report.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five sentences in one recording, their text beside it."""
    folder = tmp_path_factory.mktemp("talk")
    clips = reader(5)
    save(folder / "talk.wav", joined([audio for audio, _ in clips], gap_s=1.2))
    (folder / "talk.txt").write_text("\n".join(text for _, text in clips), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def prepared(talk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "set"
    prepare_recordings([talk], out)
    return out


def test_a_long_text_is_laid_along_a_long_recording(prepared: Path) -> None:
    clips = read_clips(prepared)
    words = " ".join(clip.text for clip in clips).split()
    given = " ".join(text for _, text in reader(5)).split()
    assert words == given
    sentences = {text for _, text in reader(5)}
    assert sum(clip.text in sentences for clip in clips) >= 3
    for clip in clips:
        assert read_audio(clip.path).duration_s == pytest.approx(clip.seconds, abs=2e-3)
        assert clip.language == "en"


def test_every_second_is_accounted_for(prepared: Path) -> None:
    found = report(prepared)
    source_s = joined([audio for audio, _ in reader(5)], gap_s=1.2).duration_s
    assert found["source_seconds"] == pytest.approx(source_s, abs=1e-3)
    assert sum(found["account"].values()) == pytest.approx(source_s, abs=0.01)
    now = 0.0
    for start_s, end_s, _, _ in found["recordings"][0]["shares"]:
        assert start_s == pytest.approx(now, abs=1e-3)
        now = end_s
    assert now == pytest.approx(source_s, abs=1e-3)
    spoken = found["account"]["used"] + found["account"]["used with doubt"]
    assert spoken == pytest.approx(sum(a.duration_s for a, _ in reader(5)), rel=0.1)


def test_training_takes_the_data_set_as_it_is(prepared: Path, tmp_path: Path) -> None:
    taken = prepare_clips(prepared, tmp_path / "taken")
    assert [clip.text for clip in taken.clips] == [clip.text for clip in read_clips(prepared)]
    assert not taken.dropped


def test_the_same_again_makes_nothing_and_gives_the_same_bytes(
    talk: Path, prepared: Path, tmp_path: Path
) -> None:
    before = hashes(prepared)
    times = {path: path.stat().st_mtime_ns for path in prepared.glob("wavs/*")}
    prepare_recordings([talk], prepared)
    assert hashes(prepared) == before
    assert {path: path.stat().st_mtime_ns for path in prepared.glob("wavs/*")} == times
    prepare_recordings([talk], tmp_path / "fresh")
    assert hashes(tmp_path / "fresh") == before


@pytest.mark.parametrize("stage", ["cut", "voices", "check"])
def test_a_killed_run_goes_on(talk: Path, prepared: Path, tmp_path: Path, stage: str) -> None:
    class Killed(Exception):
        pass

    def kill(event: StageEvent) -> None:
        if event.stage == stage and event.done > 0:
            raise Killed

    with pytest.raises(Killed):
        prepare_recordings([talk], tmp_path / "out", on_event=kill)
    prepare_recordings([talk], tmp_path / "out")
    assert hashes(tmp_path / "out") == hashes(prepared)


def test_sources_stay_as_they_are(talk: Path, tmp_path: Path) -> None:
    before = hashes(talk)
    for path in talk.iterdir():
        path.chmod(0o444)
    talk.chmod(0o555)
    try:
        prepare_recordings([talk], tmp_path / "out")
        assert hashes(talk) == before
    finally:
        talk.chmod(0o755)


def test_without_words_clips_are_made_and_the_way_to_words_is_told(tmp_path: Path) -> None:
    save(tmp_path / "in/memo.wav", joined([audio for audio, _ in reader(4)]))
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)
    assert made.clips
    assert all(clip.text == "" and "no words yet" in clip.reason for clip in made.clips)
    assert any("hf download" in note for note in made.notes)
    assert made.incomplete


def test_another_person_is_set_aside(tmp_path: Path) -> None:
    clips = [audio for audio, _ in reader(8)]
    for index, clip in enumerate(clips):
        save(tmp_path / f"in/own {'abcdefgh'[index]}.wav", clip)
    for index, clip in enumerate(clips[2:4]):
        save(tmp_path / f"in/guest {'ab'[index]}.wav", other_voice(clip, 1.5))
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)
    aside = {item.name for item in made.aside if "another speaker" in item.reason}
    assert aside == {"guest a.wav", "guest b.wav"}
    assert made.totals["other speaker"] > 5
    assert not [p for p in (tmp_path / "out/wavs").iterdir() if p.name.startswith("guest")]
    kept = prepare_recordings(
        [tmp_path / "in"], tmp_path / "all", Wishes("en", "never", speaker="all")
    )
    assert len(kept.clips) == 10


def test_folders_of_people_make_one_set_of_several_speakers(tmp_path: Path) -> None:
    clips = [audio for audio, _ in reader(4)]
    for index, clip in enumerate(clips):
        save(tmp_path / f"in/Anna/{index}.wav", clip)
        save(tmp_path / f"in/Ben/{index}.wav", other_voice(clip, 1.5))
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)
    assert set(made.speakers) == {"Anna", "Ben"}
    assert {(clip.source.split("/")[0], clip.speaker) for clip in made.clips} == {
        ("Anna", "Anna"),
        ("Ben", "Ben"),
    }


def test_folders_of_one_person_are_put_together(tmp_path: Path) -> None:
    for index, (clip, _) in enumerate(reader(8)):
        save(tmp_path / f"in/day {index % 2}/{index}.wav", clip)
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)
    assert list(made.speakers) == ["speaker"]
    assert any("sound like one person" in note for note in made.notes)


def test_subtitles_are_words_even_where_their_times_are_wrong(tmp_path: Path) -> None:
    clips = reader(5)
    save(tmp_path / "in/a.wav", joined([audio for audio, _ in clips], gap_s=1.0))
    now, blocks = 1.0, []
    for number, (audio, text) in enumerate(clips, 1):
        start, end = now + 4.0, now + 4.0 + audio.duration_s
        blocks.append(f"{number}\n{stamp(start)} --> {stamp(end)}\n{text}\n")
        now += audio.duration_s + 1.0
    (tmp_path / "in/a.srt").write_text("\n".join(blocks), encoding="utf-8")
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out")
    assert " ".join(c.text for c in made.clips).split() == " ".join(t for _, t in clips).split()
    assert any("4.0 s too late" in note for r in made.recordings for note in r.notes)


def stamp(seconds: float) -> str:
    ms = round(1000 * seconds)
    return f"00:{ms // 60000:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def test_a_transcript_ten_times_too_long_is_not_used(tmp_path: Path) -> None:
    clips = reader(5)
    save(tmp_path / "in/a.wav", joined([audio for audio, _ in clips]))
    (tmp_path / "in/a.txt").write_text(" ".join(text for _, text in clips) * 10, encoding="utf-8")
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)
    assert "far too long" in made.recordings[0].notes[0]
    assert all(clip.text == "" for clip in made.clips)


def test_the_text_of_something_else_is_noticed(tmp_path: Path) -> None:
    clips = reader(8)
    save(tmp_path / "in/a.wav", joined([audio for audio, _ in clips[:4]]))
    (tmp_path / "in/a.txt").write_text(" ".join(text for _, text in clips[4:]), encoding="utf-8")
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)
    assert "does not fit what is said" in made.recordings[0].notes[0]
    assert all(clip.text == "" for clip in made.clips)


def test_bad_files_are_left_out_and_the_rest_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for index, (clip, text) in enumerate(reader(3)):
        save(folder / f"good {index}.wav", clip)
        (folder / f"good {index}.txt").write_text(text, encoding="utf-8")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "broken.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(200))
    (folder / "book.aax").write_bytes(b"x")
    save(folder / "silence.wav", Audio(np.zeros(5 * RATE, np.float32), RATE))
    t = np.arange(20 * RATE) / RATE
    music = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277, 330)) * (1 - t % 0.5) / 8
    save(folder / "music.wav", Audio(music.astype(np.float32), RATE))
    made = prepare_recordings([folder], tmp_path / "out")
    assert len(made.clips) == 3
    assert made.incomplete
    dropped = {item.name: item.reason for item in made.dropped}
    assert dropped["empty.wav"] == "is empty (0 bytes)"
    assert dropped["broken.mp4"] == "is not a sound file that can be read"
    assert dropped["book.aax"] == "is protected (DRM)"
    notes = {r.name: r.notes for r in made.recordings}
    assert notes["silence.wav"] == notes["music.wav"] == ("has no speech in it",)
    assert made.totals["no speech"] > 15
    assert sum(made.totals.values()) == pytest.approx(made.source_s, abs=0.01)


def test_nothing_usable_is_one_clear_error(tmp_path: Path) -> None:
    save(tmp_path / "in/silence.wav", Audio(np.zeros(5 * RATE, np.float32), RATE))
    with pytest.raises(UserError, match=r"silence\.wav has no speech"):
        prepare_recordings([tmp_path / "in"], tmp_path / "out")
    assert report(tmp_path / "out")["clips"] == {"use": 0, "doubt": 0, "drop": 0}


def test_a_data_set_of_others_is_not_written_over(tmp_path: Path) -> None:
    save(tmp_path / "in/a.wav", reader(1)[0][0])
    (tmp_path / "out").mkdir()
    (tmp_path / "out/metadata.csv").write_text("x|y\n")
    with pytest.raises(UserError, match="not made here"):
        prepare_recordings([tmp_path / "in"], tmp_path / "out")


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    save(tmp_path / "in/a.wav", joined([audio for audio, _ in reader(2)]))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vits.files.os.replace", full)
    with pytest.raises((UserError, OSError), match=r"disk is full|No space"):
        prepare_recordings([tmp_path / "in"], tmp_path / "out", NEVER)


def test_repeated_takes_are_told(tmp_path: Path) -> None:
    for index, (clip, text) in enumerate(reader(4)):
        save(tmp_path / f"in/{index}.wav", clip)
        (tmp_path / f"in/{index}.txt").write_text(text, encoding="utf-8")
    noisy = reader(4)[1][0].samples + np.random.default_rng(0).normal(0, 3e-3, 1)
    save(tmp_path / "in/again.wav", Audio((0.8 * noisy).astype(np.float32), RATE))
    (tmp_path / "in/again.txt").write_text(reader(4)[1][1], encoding="utf-8")
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out")
    assert sum("another take" in clip.reason for clip in made.clips) == 1

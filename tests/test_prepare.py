from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import speech

from data import making
from data.clips import read_clips
from data.prepare import ClipEvent, prepare_clips
from vits.audio import Audio, loudness_lufs, read_audio, resample, write_audio
from vits.errors import UserError

TEXT = "It was a matter of course that it was so, and nobody asked."


def clip(folder: Path, name: str, text: str | None = TEXT, *, seed: int = 0, **how: float) -> Path:
    """Four seconds of speech and its transcript."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    seconds, rate = how.get("seconds", 4.0), int(how.get("rate", 22050))
    write_audio(path, resample(speech(seconds, min(rate, 22050), seed=seed), rate))
    if text is not None:
        path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return path


def three_clips(folder: Path) -> Path:
    for seed, name in enumerate(("a.wav", "b.flac", "c.mp3")):
        clip(folder, name, seed=seed)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def dropped(folder: Path) -> dict[str, str]:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {item["name"]: item["reason"] for item in report["dropped"]}


def test_clips_become_a_dataset_folder(tmp_path: Path) -> None:
    prepared = prepare_clips(three_clips(tmp_path / "in"), tmp_path / "out")
    assert read_clips(tmp_path / "out") == list(prepared.clips)
    assert [item.source for item in prepared.clips] == ["a.wav", "b.flac", "c.mp3"]
    assert prepared.language == "en"
    assert prepared.seconds == pytest.approx(12, abs=0.7)
    for item in prepared.clips:
        sound = read_audio(item.path)
        assert sound.sample_rate == 22050
        assert sound.duration_s == pytest.approx(item.seconds, abs=1e-3)
        assert loudness_lufs(sound) == pytest.approx(-23, abs=0.1)
        assert (item.text, item.speaker, item.verdict) == (TEXT, "speaker", "use")
    assert (tmp_path / "out/metadata.csv").read_text(encoding="utf-8").count("\n") == 3


def test_the_same_clips_give_the_same_bytes_wherever_they_are(tmp_path: Path) -> None:
    for place in ("one", "two"):
        prepare_clips(three_clips(tmp_path / place / "in"), tmp_path / place / "out")
    first, second = (hashes(tmp_path / place / "out") for place in ("one", "two"))
    assert first == second
    assert "report.json" in first


def test_a_second_run_makes_nothing_again(tmp_path: Path) -> None:
    source, out = three_clips(tmp_path / "in"), tmp_path / "out"
    prepare_clips(source, out)
    before = hashes(out)
    times = {path: path.stat().st_mtime_ns for path in out.glob("wavs/*")}
    events: list[ClipEvent] = []
    prepare_clips(source, out, on_event=events.append)
    assert all(event.reused for event in events)
    assert hashes(out) == before
    assert {path: path.stat().st_mtime_ns for path in out.glob("wavs/*")} == times


def test_only_what_changed_is_made_again_and_what_went_is_removed(tmp_path: Path) -> None:
    source, out = three_clips(tmp_path / "in"), tmp_path / "out"
    clip(source, "d.wav", seed=9)
    prepare_clips(source, out)
    (source / "a.wav").unlink()
    (source / "a.txt").unlink()
    (source / "b.txt").write_text("Other words were said about it.", encoding="utf-8")
    (out / "wavs/c.wav").write_bytes(b"damaged")
    events: list[ClipEvent] = []
    prepare_clips(source, out, on_event=events.append)
    assert {event.name: event.reused for event in events} == {
        "b.flac": False, "c.mp3": False, "d.wav": True,
    }  # fmt: skip
    assert not (out / "wavs/a.wav").exists()
    prepare_clips(source, tmp_path / "fresh")
    assert hashes(out) == hashes(tmp_path / "fresh")


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, at: int) -> None:
    source, out = three_clips(tmp_path / "in"), tmp_path / "out"

    def kill(event: ClipEvent) -> None:
        if event.done == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_clips(source, out, on_event=kill)
    with (out / ".journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('\n{"key": "cut o')
    events: list[ClipEvent] = []
    prepare_clips(source, out, on_event=events.append)
    assert [event.reused for event in events] == [number <= at for number in (1, 2, 3)]
    prepare_clips(source, tmp_path / "fresh")
    assert hashes(out) == hashes(tmp_path / "fresh")


def test_a_dataset_folder_can_be_prepared_again(tmp_path: Path) -> None:
    prepare_clips(three_clips(tmp_path / "in"), tmp_path / "one")
    again = prepare_clips(tmp_path / "one", tmp_path / "two")
    assert [item.text for item in again.clips] == [TEXT] * 3
    with pytest.raises(UserError, match="cannot be both"):
        prepare_clips(tmp_path / "one", tmp_path / "one")


def test_the_result_may_lie_inside_the_source(tmp_path: Path) -> None:
    source = three_clips(tmp_path / "in")
    for _ in range(2):
        assert len(prepare_clips(source, source / "prepared").clips) == 3


def test_every_kind_of_good_file_is_used(tmp_path: Path) -> None:
    source = tmp_path / "in"
    clip(source, "phone.wav", rate=8000)
    clip(source, "studio.wav", rate=96000)
    for name, subtype, channels in (
        ("deep.wav", "PCM_24", 1), ("float.wav", "FLOAT", 1), ("stereo.flac", "PCM_16", 2),
    ):  # fmt: skip
        sound = resample(speech(4, seed=len(name)), 44100).samples
        soundfile.write(source / name, np.stack([sound] * channels, 1), 44100, subtype=subtype)
        (source / name).with_suffix(".txt").write_text(TEXT, encoding="utf-8")
    prepared = prepare_clips(source, tmp_path / "out")
    assert {item.source: item.verdict for item in prepared.clips} == dict.fromkeys(
        ["phone.wav", "studio.wav", "deep.wav", "float.wav", "stereo.flac"], "use"
    )
    bandwidths = {item.source: item.bandwidth_hz for item in prepared.clips}
    assert bandwidths["phone.wav"] == 4000
    assert bandwidths["studio.wav"] == 11025


def test_an_upsampled_clip_keeps_its_true_bandwidth(tmp_path: Path) -> None:
    source = three_clips(tmp_path / "in")
    narrow = resample(speech(4, 8000, seed=5), 44100)
    write_audio(source / "a.wav", narrow)
    prepared = prepare_clips(source, tmp_path / "out")
    assert prepared.clips[0].bandwidth_hz == pytest.approx(4000, abs=500)


def test_every_kind_of_bad_file_is_dropped_with_its_reason(tmp_path: Path) -> None:
    source = three_clips(tmp_path / "in")
    clip(source, "cut.wav")
    (source / "cut.wav").write_bytes((source / "cut.wav").read_bytes()[:60000])
    write_audio(source / "silent.wav", Audio(np.zeros(60000, np.float32), 22050))
    (source / "text.wav").write_text("not a sound\n" * 100, encoding="utf-8")
    (source / "zero.wav").write_bytes(b"")
    write_audio(source / "short.wav", speech(0.3))
    for name in ("silent", "text", "zero", "short"):
        (source / f"{name}.txt").write_text(TEXT, encoding="utf-8")
    clip(source, "wordless.wav", " \n", seed=11)
    clip(source, "russian.wav", "Это было само собой разумеющимся.", seed=12)
    clip(source, "chinese.wav", "这是理所当然的事情。", seed=13)
    clip(source, "bare.wav", None, seed=14)
    clip(source, "twice.wav", seed=0)  # the sound of a.wav
    clip(source, "mismatch.wav", "word " * 200, seed=15)
    (source / "lonely.txt").write_text(TEXT, encoding="utf-8")
    prepared = prepare_clips(source, tmp_path / "out", language="en")
    assert [item.source for item in prepared.clips] == ["a.wav", "b.flac", "c.mp3"]
    reasons = {item.name: item.reason for item in prepared.dropped}
    assert dropped(tmp_path / "out") == reasons
    for name, words in {
        "cut.wav": "is truncated", "silent.wav": "is silent", "text.wav": "is not a sound file",
        "zero.wav": "is empty", "short.wav": "is too short", "wordless.wav": "empty transcript",
        "russian.wav": "Cyrillic", "chinese.wav": "Han", "bare.wav": "has no transcript",
        "twice.wav": "same recording as a.wav", "mismatch.wav": "does not fit its transcript",
        "lonely.txt": "has no sound file",
    }.items():  # fmt: skip
        assert words in reasons.pop(name)
        assert str(tmp_path) not in words
    assert reasons == {}


def test_a_doubt_is_used_and_told(tmp_path: Path) -> None:
    source = three_clips(tmp_path / "in")
    loud = np.clip(3 * speech(4, seed=20).samples, -1, 1)
    write_audio(source / "a.wav", Audio(loud, 22050))
    prepared = prepare_clips(source, tmp_path / "out")
    assert prepared.clips[0].verdict == "doubt"
    assert "is clipped" in prepared.clips[0].reason


def test_no_clips_is_said(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UserError, match="There are no clips"):
        prepare_clips(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_clip_is_too_few(tmp_path: Path) -> None:
    clip(tmp_path / "in", "a.wav", seconds=12)
    with pytest.raises(UserError, match="Only one clip"):
        prepare_clips(tmp_path / "in", tmp_path / "out")


def test_three_seconds_in_all_are_too_few(tmp_path: Path) -> None:
    for seed in range(3):
        clip(tmp_path / "in", f"{seed}.wav", "Just a few words.", seed=seed, seconds=1.0)
    with pytest.raises(UserError, match=r"last \d\.\d s in all"):
        prepare_clips(tmp_path / "in", tmp_path / "out")


def test_when_nothing_can_be_used_the_first_reasons_are_named(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for number in range(5):
        clip(source, f"{number}.wav", "..." if number else None, seed=number)
    with pytest.raises(UserError) as error:
        prepare_clips(source, tmp_path / "out")
    assert "None of the clips" in error.value.cause
    assert "1.wav has an empty transcript; " in error.value.cause
    assert error.value.cause.endswith("and 2 more.")
    assert "\n" not in str(error.value)
    assert len(dropped(tmp_path / "out")) == 5


def test_sounds_without_transcripts_are_told_what_to_do(tmp_path: Path) -> None:
    for number in range(3):
        clip(tmp_path / "in", f"{number}.wav", None, seed=number)
    with pytest.raises(UserError, match=r"no transcript.*\.txt of the same name\.$"):
        prepare_clips(tmp_path / "in", tmp_path / "out")


def test_a_result_that_is_no_longer_true_is_not_left(tmp_path: Path) -> None:
    source, out = three_clips(tmp_path / "in"), tmp_path / "out"
    prepare_clips(source, out)
    for path in source.glob("*.txt"):
        path.write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="None of the clips"):
        prepare_clips(source, out)
    assert sorted(hashes(out)) == ["report.json"]


@pytest.mark.parametrize("name", ["中 文.wav", "\N{MICROPHONE}.wav", "CON.wav", "a.b.c.wav"])
def test_names_in_the_result_are_good_on_every_system(tmp_path: Path, name: str) -> None:
    source = three_clips(tmp_path / "in")
    clip(source, name, seed=7)
    prepared = prepare_clips(source, tmp_path / "out")
    made = next(item for item in prepared.clips if item.source == name)
    assert made.path.name in ("中_文.wav", "clip.wav", "CON_.wav", "a_b_c.wav")


def test_clips_of_one_name_in_two_folders_stay_apart(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for seed, name in enumerate(("x/a.wav", "y/a.wav", "x_a.wav", "X_A.wav")):
        clip(source, name, seed=seed)
    prepared = prepare_clips(source, tmp_path / "out")
    assert len({item.path.name.casefold() for item in prepared.clips}) == 4


def test_a_full_disk_is_said_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = three_clips(tmp_path / "in"), tmp_path / "out"
    real = os.replace

    def full(old: Path, new: Path) -> None:
        if new.name == "b.wav":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(UserError, match=r"disk is full.*b\.wav"):
            prepare_clips(source, out)
    assert sorted(hashes(out)) == [".journal.jsonl", "wavs/a.wav"]
    prepare_clips(source, out)
    prepare_clips(source, tmp_path / "fresh")
    assert hashes(out) == hashes(tmp_path / "fresh")


def test_an_output_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        prepare_clips(three_clips(tmp_path / "in"), tmp_path / "file" / "out")


def test_another_version_of_the_preparation_makes_everything_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = three_clips(tmp_path / "in"), tmp_path / "out"
    prepare_clips(source, out)
    monkeypatch.setattr(making, "VERSION", making.VERSION + 1)
    events: list[ClipEvent] = []
    prepare_clips(source, out, on_event=events.append)
    assert not any(event.reused for event in events)

"""Two people at once: heard in mixtures, not in one person's speech, noisy speech or a sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from voices import RATE, joined, other_voice, reader, save

from data.people import PERHAPS_TWO
from data.recordings import Wishes, prepare_recordings
from data.speaker import embed_clips, hear_clips
from vits.audio import Audio

NEVER = Wishes("en", "never")


def together(one: Audio, other: Audio, other_db: float = 0.0) -> Audio:
    """Both at once, as long as the shorter one."""
    size = min(len(one.samples), len(other.samples))
    second = other.samples[:size] * (one.samples.std() / other.samples.std())
    mixed = one.samples[:size] + second * 10 ** (other_db / 20)
    return Audio((0.5 * mixed).astype(np.float32), RATE)


def guest(index: int) -> Audio:
    return other_voice(reader(12)[index][0], 1.5)


@pytest.fixture(scope="module")
def own() -> list[Audio]:
    return [audio for audio, _ in reader(6)]


def test_mixtures_score_above_single_voices(own: list[Audio]) -> None:
    mixed = [together(clip, guest(6 + i)) for i, clip in enumerate(own)]
    chance = np.random.default_rng(0)
    noisy = [
        Audio((c.samples + chance.normal(0, 0.01, len(c.samples))).astype(np.float32), RATE)
        for c in own
    ]
    single = [heard.overlap for heard in hear_clips([*own, *noisy], 4)]
    double = [heard.overlap for heard in hear_clips(mixed, 4)]
    assert max(single) < PERHAPS_TWO
    assert min(double) > PERHAPS_TWO


def test_embeddings_are_the_same_as_without_listening_for_two(own: list[Audio]) -> None:
    heard = hear_clips(own, 4)
    np.testing.assert_array_equal([one.embedding for one in heard], embed_clips(own, 4))
    assert hear_clips([]) == []


def test_a_clip_of_two_at_once_is_not_used_without_doubt(tmp_path: Path, own: list[Audio]) -> None:
    for index, clip in enumerate(own):
        save(tmp_path / f"in/own {'abcdef'[index]}.wav", clip)
    save(tmp_path / "in/both.wav", together(own[4], guest(9)))
    for speaker in ("auto", "all"):
        wishes = Wishes("en", "never", speaker=speaker)
        made = prepare_recordings([tmp_path / "in"], tmp_path / speaker, wishes)
        verdicts = {clip.source: clip.reason for clip in made.clips}
        left_out = {item.name: item.reason for item in made.aside}
        told = {**verdicts, **left_out}
        assert "two people" in told["both.wav"] or "another speaker" in told["both.wav"]
        assert not any("two people" in told[name] for name in told if name != "both.wav")


def test_two_at_once_within_a_recording_are_told(tmp_path: Path, own: list[Audio]) -> None:
    both = together(own[5], guest(10))
    save(tmp_path / "talk.wav", joined([*own[:5], both], gap_s=1.3))
    made = prepare_recordings([tmp_path / "talk.wav"], tmp_path / "out", NEVER)
    good = [clip for clip in made.clips if "two people" not in clip.reason]
    spoken = sum(clip.duration_s for clip in own[:5])
    assert sum(clip.seconds for clip in good) == pytest.approx(spoken, rel=0.15)

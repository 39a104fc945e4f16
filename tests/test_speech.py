"""Where somebody speaks, heard by the real network in real speech."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from voices import RATE, joined, reader, save

from data.speech import FRAME_S, sounding_spans, speech_seconds, speech_share, speech_spans, track
from vits.audio import Audio


def test_speech_lies_where_the_clips_are(tmp_path: Path) -> None:
    clips = [audio for audio, _ in reader(3)]
    found = track(save(tmp_path / "a.wav", joined(clips, gap_s=2.0)))
    assert len(found.speech) == -(-round(found.seconds * 16000) // 512)
    spans = speech_spans(found)
    now = 2.0
    for clip in clips:
        own = [s for s in spans if now - 0.2 < s.start_s < now + clip.duration_s]
        assert own
        assert own[0].start_s == pytest.approx(now, abs=0.4)
        assert own[-1].end_s == pytest.approx(now + clip.duration_s, abs=0.4)
        now += clip.duration_s + 2.0
    assert all(b.start_s - a.end_s >= 0.1 for a, b in pairwise(spans))


def test_listening_in_blocks_equals_listening_at_once(tmp_path: Path) -> None:
    import data.speech as module

    path = save(tmp_path / "a.wav", joined([audio for audio, _ in reader(5)]))
    whole = track(path).speech
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CALL_FRAMES", 7)
        np.testing.assert_allclose(track(path).speech, whole, atol=1e-5)


def test_noise_and_music_are_no_speech(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    t = np.arange(8 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277, 330)) / 8
    for samples in (random.normal(0, 0.1, len(t)), chord * (1 - t % 0.5)):
        audio = Audio(samples.astype(np.float32), RATE)
        found = track(save(tmp_path / "a.wav", audio))
        assert sum(span.seconds for span in speech_spans(found)) < 1.0
        assert sum(span.seconds for span in sounding_spans(found)) > 5.0
        assert speech_share(audio) < 0.2


@pytest.mark.parametrize("cut", [1, 2, 3, 500, 777, 1500, 5000])
def test_share_of_a_clip_of_any_length(cut: int) -> None:
    audio = reader(2)[1][0]
    assert speech_share(Audio(audio.samples[:-cut], RATE)) > 0.9
    assert 0 <= speech_share(Audio(audio.samples[:cut], RATE)) <= 1


def test_share_and_seconds_of_a_clip() -> None:
    audio = reader(2)[1][0]
    assert speech_share(audio) > 0.9
    assert 0.6 * audio.duration_s < speech_seconds(audio) <= audio.duration_s + FRAME_S


def test_the_quietest_moment_is_found(tmp_path: Path) -> None:
    clip = reader(2)[1][0]
    found = track(save(tmp_path / "a.wav", joined([clip, clip], gap_s=0.6)))
    middle = 0.6 + clip.duration_s + 0.3
    assert found.quietest_s(middle - 0.6, middle + 0.6) == pytest.approx(middle, abs=0.5)


def test_torch_and_torchaudio_are_not_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", reader(2)[0][0])
    code = (
        "import sys; from pathlib import Path; from data.speech import track; "
        f"track(Path({str(path)!r})); "
        "assert not {'torch', 'torchaudio', 'silero_vad'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)

"""Where somebody else goes on after a short pause."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from voices import joined, other_voice, reader, save

from data.recordings import Wishes, prepare_recordings
from data.slicing import Joint
from data.speech import Span
from data.turns import turns

GAP_S = 0.5


def test_another_voice_after_a_pause_is_noticed_and_the_same_is_not(tmp_path: Path) -> None:
    clips = [audio for audio, _ in reader(6)]
    people = [clips[0], clips[1], other_voice(clips[2], 1.5), clips[3]]
    path = save(tmp_path / "talk.wav", joined(people, gap_s=GAP_S))
    spans, now = [], GAP_S
    for clip in people:
        spans.append(Span(now, now + clip.duration_s))
        now += clip.duration_s + GAP_S
    found = turns(path, [Joint(a, b) for a, b in itertools.pairwise(spans)])
    expected = [spans[1].end_s + GAP_S / 2, spans[2].end_s + GAP_S / 2]
    assert found == pytest.approx(expected, abs=0.01)


def test_two_words_are_too_little_to_judge(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", joined([reader(1)[0][0]], gap_s=GAP_S))
    assert turns(path, [Joint(Span(0.5, 1.0), Span(1.3, 3.0))]) == []


def test_people_who_answer_at_once_are_told_apart(tmp_path: Path) -> None:
    clips = [audio for audio, _ in reader(6)]
    guest = other_voice(clips[2], 1.5)
    sound = joined([*clips[:3], guest, *clips[3:]], gap_s=GAP_S)
    save(tmp_path / "talk.wav", sound)
    made = prepare_recordings([tmp_path / "talk.wav"], tmp_path / "out", Wishes("en", "never"))
    assert made.totals["other speaker"] == pytest.approx(guest.duration_s, abs=0.8)

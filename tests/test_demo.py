"""The example, whole, on clips and a base of this test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import make_tiny_voice, plain_ears, speech

from pipelines import demo
from pipelines.clone import ClonePlan, Listeners
from pipelines.progress import TOTAL, Pace, Progress
from vits.audio import write_audio
from vits.errors import UserError

STORY = """
title: Die Lampe
language: de
scenes:
  - lines:
      - Es war einmal eine Lampe.
  - lines:
      - Sie war aus.
"""


@pytest.fixture
def examples(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four clips and two scenes in German (for which there is no recogniser to wait for)."""
    folder = tmp_path / "examples"
    clips = folder / "clips" / "lj"
    clips.mkdir(parents=True)
    rows = ["path\tlanguage\ttext"]
    for number in range(5):
        write_audio(clips / f"{number}.flac", speech(2.4, seed=number))
        rows.append(f"{number}.flac\tde\tNiemand hatte daran gedacht, niemand.")
    (clips / "manifest.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "story").mkdir()
    (folder / "story" / "story.yaml").write_text(STORY, "utf-8")
    plain_ears(monkeypatch)
    make_tiny_voice(tmp_path / "bases" / "base")
    monkeypatch.setattr("vits.library.BASES", tmp_path / "bases")
    monkeypatch.setattr(demo, "EXAMPLES", folder)
    return folder


def test_second_run_finds_everything_made(examples: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    listeners = Listeners(on_progress=told.append)
    first = demo.demo(tmp_path / "out", steps=1, scenes=1, device="cpu", listeners=listeners)
    assert first.voice.name == demo.VOICE
    assert first.voice.card.consent == demo.CONSENT
    assert set(first.story.files) == {"mp4", "html"}
    assert len(first.story.story.scenes) == 1
    again = demo.demo(tmp_path / "out", steps=1, scenes=1, device="cpu")
    assert again.voice.made_before
    assert again.story.made == 0
    assert again.story.files == first.story.files
    longer = demo.demo(tmp_path / "out", steps=2, scenes=1, device="cpu")
    assert not longer.voice.made_before
    whole = [progress for progress in told if progress.stage == TOTAL]
    assert all(0 <= progress.done <= 100 for progress in whole)
    assert whole[-1].done > 90


def test_time_left_is_of_all_stages_still_to_come() -> None:
    now, told = [0.0], list[Progress]()
    stages = {"train": 1.0, "evaluate": 40.0, "narration": 30.0, "mp4": 60.0}
    total = demo._Total(told.append, stages, Pace(lambda: now[0]))
    total.plan(ClonePlan("", 20, 2, 150.0, 8, 100, 3, 1.0), Listeners())
    plan_s = ClonePlan("", 20, 2, 150.0, 8, 100, 3, 1.0).estimated_s
    total.report(Progress("train", 0, 100, "steps"))
    assert told[-1].eta_s == pytest.approx(plan_s + 130)
    now[0] = 50.0
    total.report(Progress("train", 50, 100, "steps"))
    assert told[-1].eta_s == pytest.approx(50 + 130)
    total.report(Progress("mp4", 0, 1000, "frames", eta_s=20.0))
    assert told[-1].eta_s == pytest.approx(20)


def test_without_the_examples_it_says_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "EXAMPLES", tmp_path)
    with pytest.raises(UserError, match="checkout"):
        demo.demo(tmp_path / "out")

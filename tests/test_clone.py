from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import make_tiny_voice, plain_ears, speech

from data.checks import Check
from data.clips import Clip
from data.dataset import PackedDataset, Utterance, pack
from pipelines.clip_batches import ClipBatches, aligned
from pipelines.clone import (
    BATCH_SIZE,
    FEWEST_STEPS,
    MOST_STEPS,
    ClonePlan,
    CloneRequest,
    Listeners,
    _budget,
    _without_doubtful,
    clone,
)
from pipelines.progress import Progress
from vits.audio import write_audio
from vits.checkpoint import load_voice
from vits.errors import UserError
from vits.library import training_folder
from vits.voice import Voice

# German: there is no recogniser for it, so a check is quick
SENTENCES = (
    "Der Zug kam spät am Morgen.",
    "Wir tranken Tee und lachten.",
    "Die Straße war lang und leer.",
    "Niemand hatte daran gedacht.",
)


@pytest.fixture(autouse=True)
def ears(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_ears(monkeypatch)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for i in range(9):
        write_audio(folder / f"clip {i}.wav", speech(2.2, seed=i))
        text = SENTENCES[i % len(SENTENCES)]
        (folder / f"clip {i}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_voice(tmp_path_factory.mktemp("base") / "tiny")


def request(clips: Path, base: Path, **changes: object) -> CloneRequest:
    asked = CloneRequest(
        clips,
        "Änne",
        "I agree.",
        base=str(base),
        steps=4,
        batch_size=4,
        language="de",
        device="cpu",
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def weights_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "voice.safetensors").read_bytes()).hexdigest()


def test_clips_become_a_voice_with_a_card_and_samples(
    clips: Path, base: Path, library: Path
) -> None:
    plans: list[ClonePlan] = []
    seen: list[Progress] = []
    listeners = Listeners(on_plan=plans.append, on_progress=seen.append)
    result = clone(request(clips, base), listeners=listeners)
    assert "9 clips (1 held out)" in plans[0].line
    assert "batch 4 = 2 steps an epoch; 2 epochs = 4 steps" in plans[0].line
    assert [p.done for p in seen if p.stage == "train"] == [1, 2, 3, 4]
    voice = Voice.load("Änne")
    assert [speaker.name for speaker in voice.speakers] == ["Änne"]
    assert voice.card.consent == "I agree."
    assert voice.card.clips == 9
    assert voice.card.base_hash == Voice.load(base).hash
    assert 0 < voice.card.scores["similarity"] <= 1
    assert [check["step"] for check in voice.card.training["checks"]] == [0, 4]
    assert voice.card.training["clips"] == {"used": 9, "doubtful": 0, "left_out": 0}
    assert list((result.folder / "samples").glob("*.flac"))
    assert (result.folder / "discriminators.safetensors").exists()
    snapshots = sorted(f.name for f in (training_folder("Änne") / "samples").iterdir())
    steps = ("step-000000", "step-000004")
    assert snapshots == [f"{step}.{suffix}" for step in steps for suffix in ("png", "wav")]
    assert not (training_folder("Änne") / "best").exists()

    again = clone(request(clips, base))
    assert again.made_before

    with pytest.raises(UserError, match="already a voice"):
        clone(request(clips, base, seed=1))
    replaced = clone(request(clips, base, seed=1, steps=1), force=True)
    assert not replaced.made_before


def test_an_interrupted_training_resumes_to_the_same_weights(
    clips: Path, base: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = clone(request(clips, base))
    expected = weights_hash(whole.folder)
    monkeypatch.setenv("CLONE_VOICE_HOME", str(library.with_name("other")))
    steps: list[Progress] = []

    def third(progress: Progress) -> None:
        if progress.stage == "train":
            steps.append(progress)

    with pytest.raises(KeyboardInterrupt):
        clone(
            request(clips, base),
            listeners=Listeners(on_progress=third, should_stop=lambda: len(steps) >= 3),
        )
    assert len(steps) == 3
    with pytest.raises(UserError, match="other clips or settings"):
        clone(request(clips, base, seed=5))
    resumed: list[ClonePlan] = []
    result = clone(request(clips, base), resume=True, listeners=Listeners(on_plan=resumed.append))
    assert resumed[0].from_step == 3
    assert weights_hash(result.folder) == expected


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:5]
import torch
torch.set_num_threads(1)
import pytest
from conftest import plain_ears
from test_clone import request
from pipelines.clone import clone
plain_ears(pytest.MonkeyPatch())
clone(request(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_a_killed_training_run_again_gives_the_same_weights(
    clips: Path, base: Path, tmp_path: Path
) -> None:
    here = Path(__file__).parent

    def start(home: Path) -> subprocess.Popen[bytes]:
        env = os.environ | {"CLONE_VOICE_HOME": str(home), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", KILLED, str(clips), str(base), str(here), str(here.parent)]
        return subprocess.Popen(command, env=env)

    started = time.monotonic()
    assert start(tmp_path / "never").wait() == 0
    whole_s = time.monotonic() - started
    for share in (0.5, 0.7, 0.85):
        running = start(tmp_path / "killed")
        time.sleep(whole_s * share)
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert start(tmp_path / "killed").wait() == 0
    one, other = (tmp_path / home / "voices" / "Änne" for home in ("never", "killed"))
    for name in ("voice.safetensors", "discriminators.safetensors", "config.json", "card.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_language_that_the_base_does_not_speak_is_refused(
    clips: Path, base: Path, library: Path
) -> None:
    with pytest.raises(UserError, match=r"clips are in fr, which the base 'tiny' does not speak"):
        clone(request(clips, base, language="fr"))
    with pytest.raises(UserError) as refused:
        clone(request(clips, base, language="zh"))
    assert "recipes/base-zh.sh" in refused.value.remedy
    assert "trilingual" in refused.value.remedy
    assert not training_folder("Änne").exists()  # before anything is prepared


def test_budgets_that_contradict_each_other_are_refused(clips: Path, base: Path) -> None:
    with pytest.raises(UserError, match="together"):
        request(clips, base, minutes=3.0)
    with pytest.raises(UserError, match="cannot be"):
        request(clips, base, steps=0)
    with pytest.raises(UserError, match="quick voice is not trained"):
        request(clips, base, quick=True)


def test_nothing_to_resume_is_said(clips: Path, base: Path, library: Path) -> None:
    with pytest.raises(UserError, match="no training called"):
        clone(request(clips, base), resume=True)


def test_the_speaker_starts_at_the_centre_of_the_clips_and_the_network_is_the_bases(
    clips: Path, base: Path, library: Path
) -> None:
    result = clone(request(clips, base, steps=1, learning_rate=1e-9))
    model, _ = load_voice(result.folder)
    origin, _ = load_voice(base)
    for name, value in origin.state_dict().items():
        if name != "speakers.vectors":
            assert (model.state_dict()[name] - value).abs().max() < 1e-3, name
    assert model.speakers is not None
    assert abs(float(model.speakers.vectors.norm()) - 1.0) < 0.01


def test_the_alignment_of_a_clip_is_the_same_however_often_it_is_asked(
    base: Path, tmp_path: Path
) -> None:
    model, config = load_voice(base)
    clips = [
        Utterance(
            name=f"clip {i}",
            speaker=0,
            language="de",
            samples=(speech(1.2, seed=i).samples[: 100 * 256] * 32767).astype(np.int16),
            ids=np.arange(1, 6 + i, dtype=np.int32),
            embedding=np.zeros(config.model.embedding_channels, np.float32),
            bandwidth_hz=11025.0,
        )
        for i in range(3)
    ]
    pack(clips, tmp_path / "packed", speakers=["one"], symbols=config.symbols)
    dataset = PackedDataset(tmp_path / "packed", config.audio)
    found = aligned(model, dataset)
    before = torch.get_rng_state()
    again = aligned(model, dataset)
    assert torch.equal(torch.get_rng_state(), before)
    assert [d.tolist() for d in found] == [d.tolist() for d in again]
    assert [int(d.sum()) for d in found] == [dataset.frames(i) for i in range(3)]
    batch = ClipBatches(dataset, [0, 1, 2], 3, 0, found).of([2, 0])
    assert batch.durations is not None
    assert batch.durations[0].tolist() == found[2].tolist()
    assert batch.durations[1].tolist() == [*found[0].tolist(), 0, 0]


def test_a_quick_voice_is_the_base_with_the_persons_conditioning_and_training_replaces_it(
    clips: Path, base: Path, library: Path
) -> None:
    plans: list[ClonePlan] = []
    quick = clone(
        request(clips, base, quick=True, steps=None), listeners=Listeners(on_plan=plans.append)
    )
    assert "without training" in plans[0].line
    assert quick.card.training["quick"]
    model, _ = load_voice(quick.folder)
    origin, _ = load_voice(base)
    for name, value in origin.state_dict().items():
        if name != "speakers.vectors":
            assert (model.state_dict()[name] - value).abs().max() < 1e-3, name
    assert clone(request(clips, base, quick=True, steps=None)).made_before
    better = clone(request(clips, base))  # needs no force
    assert not better.card.training["quick"]
    with pytest.raises(UserError, match="already a voice"):
        clone(request(clips, base, quick=True, steps=None))


def test_clips_in_doubt_are_left_out_where_there_are_enough_others(tmp_path: Path) -> None:
    def clip(i: int, verdict: str) -> Clip:
        reason = "is noisy" if verdict == "doubt" else ""
        return Clip(tmp_path / f"{i}.wav", "Ja.", "a", "de", 6.0, 11025, verdict, reason)  # type: ignore[arg-type]

    few = [clip(i, "use") for i in range(5)] + [clip(5, "doubt")]
    assert [c.verdict for c in _without_doubtful([Check()] * 6, few)] == ["use"] * 5 + ["doubt"]
    many = [clip(i, "use") for i in range(12)] + [clip(12, "doubt")]
    judged = _without_doubtful([Check()] * 13, many)
    assert judged[-1] == Check("drop", "is noisy, and there are enough clips without doubt")
    assert [c.verdict for c in judged[:-1]] == ["use"] * 12
    wrong = [Check("drop", "does not say what its transcript says")] + [Check()] * 5
    assert _without_doubtful(wrong, few)[0].verdict == "drop"


def test_a_strangers_clip_is_left_out_and_named(
    clips: Path, base: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_stranger(dataset: PackedDataset, *_: object) -> list[Check]:
        return [Check("drop", "sounds like another person")] + [Check()] * (len(dataset) - 1)

    monkeypatch.setattr("pipelines.clone.suspects", one_stranger)
    result = clone(request(clips, base, steps=1))
    assert [str(d) for d in result.dropped] == ["clip 0.wav sounds like another person"]
    assert result.card.training["clips"] == {"used": 8, "doubtful": 0, "left_out": 1}

    def all_but_one(dataset: PackedDataset, *_: object) -> list[Check]:
        return [Check("drop", "sounds like another person")] * (len(dataset) - 1) + [Check()]

    monkeypatch.setattr("pipelines.clone.suspects", all_but_one)
    with pytest.raises(UserError, match="Only 1 clips of 2 s are left"):
        clone(request(clips, base, steps=2), force=True)


@pytest.mark.parametrize(
    ("seconds", "step_s", "expected"),
    [
        (140.0, 0.1, (280, False)),  # by the clips
        (20.0, 0.1, (FEWEST_STEPS, False)),
        (140.0, 3.0, (145, True)),  # by the time: ten minutes
        (140.0, 60.0, (FEWEST_STEPS, True)),
        (1400.0, 3.0, (MOST_STEPS, False)),  # more clips may take longer
    ],
)
def test_the_budget_follows_the_clips_within_the_time_that_they_may_take(
    clips: Path, base: Path, seconds: float, step_s: float, expected: tuple[int, bool]
) -> None:
    plan = ClonePlan("", 20, 2, seconds, 8, 0, 3, 0.0)
    asked = request(clips, base, steps=None, batch_size=BATCH_SIZE)
    assert _budget(asked, seconds, 3, step_s, plan) == expected
    minutes = request(clips, base, steps=None, minutes=10.0)
    steps, _ = _budget(minutes, seconds, 3, step_s, plan)
    assert replace(plan, steps=steps, step_seconds=step_s).estimated_s < 700 + step_s

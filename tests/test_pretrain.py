"""Corpora become a base: every stage runs, resumes to the same weights, and the base speaks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import require, speech

import cli
from pipelines.pretrain import PretrainConfig, PretrainRequest, pretrain, read_config, stages
from pipelines.pretrain.config import SHARES
from pipelines.pretrain.work import Work
from pipelines.progress import Progress
from vits.audio import write_audio
from vits.card import read_card
from vits.errors import UserError
from vits.voice import Voice

TEXTS = ("Der Zug kam spät am Morgen.", "Wir tranken Tee und lachten.", "Die Straße war leer.")
TINY: dict[str, Any] = {
    "gin_channels": 8, "inter_channels": 8, "hidden_channels": 16, "filter_channels": 32,
    "n_layers": 1, "posterior_hidden": 16, "posterior_layers": 2, "flow_hidden": 8,
    "flow_layers": 1, "n_flows": 2, "duration_channels": 16,
    "istft": {"channels": 16, "intermediate_channels": 32, "n_layers": 1,
              "source_channels": 4, "source_bands": 9},
}  # fmt: skip
STEPS = dict.fromkeys(SHARES, 2)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """An LJSpeech of Anna, and a manifest of Ben with text and of Cid without."""
    anna = tmp_path_factory.mktemp("lj") / "Anna-1.0"
    for i in range(3):
        write_audio(anna / "wavs" / f"A{i}.wav", speech(2.2, seed=i))
    lines = (f"A{i}|{TEXTS[i]}|{TEXTS[i]}\n" for i in range(3))
    (anna / "metadata.csv").write_text("".join(lines), encoding="utf-8")
    ours = tmp_path_factory.mktemp("ours") / "two"
    rows = ["path\tspeaker\tgender\tlanguage\ttext"]
    for i in range(3):
        write_audio(ours / f"b{i}.wav", speech(2.2, seed=10 + i))
        rows.append(f"b{i}.wav\tBen\tM\tde\t{TEXTS[i]}")
    write_audio(ours / "c.wav", speech(2.5, seed=20))
    rows.append("c.wav\tCid\tM\tde\t")
    (ours / "silent.wav").write_bytes((ours / "c.wav").read_bytes()[:60])
    rows.append("silent.wav\tCid\tM\tde\t")
    (ours / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return anna, ours


def request(corpora: tuple[Path, ...], output: Path, **changes: Any) -> PretrainRequest:
    config = PretrainConfig(
        steps=STEPS, model=TINY, segment_batch=4, sentence_batch=2, n_speakers=2, score=False,
        precision="float32",
    )  # fmt: skip
    return PretrainRequest(corpora, output, replace(config, **changes), device="cpu")


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "voice.safetensors").read_bytes()).hexdigest()


def test_corpora_become_a_base_that_speaks_and_a_stop_changes_nothing(
    corpora: tuple[Path, ...], tmp_path: Path
) -> None:
    seen: list[Progress] = []
    base = pretrain(request(corpora, tmp_path / "base"), on_progress=seen.append)
    done = [p.stage for p in seen if p.done == p.total]
    assert done == ["pack", "align", *SHARES]
    voice = Voice.load(base)
    assert {s.name for s in voice.speakers} == {"anna", "Ben"}  # Cid has no text
    assert voice.languages == ("de",)
    assert (base / "discriminators.safetensors").exists()
    card = read_card(base)
    assert card.training["steps"] == STEPS
    assert [source["what"] for source in card.sources] == ["LJSpeech", "manifest"]
    spoken = next(iter(voice.speak("Guten Morgen.", speaker="Ben")))
    assert spoken.audio.duration_s > 0.05
    dropped = (tmp_path / "base.work" / "packed" / "dropped.tsv").read_text("utf-8")
    assert "silent.wav" in dropped

    counted: list[Progress] = []

    def note(progress: Progress) -> None:
        if progress.stage in SHARES:
            counted.append(progress)

    with pytest.raises(KeyboardInterrupt):
        pretrain(
            request(corpora, tmp_path / "other"),
            on_progress=note,
            should_stop=lambda: len(counted) == 5,
        )
    assert counted[-1].stage == "prior"
    assert not (tmp_path / "other").exists()
    again = pretrain(request(corpora, tmp_path / "other"), resume=True)
    assert weights(again) == weights(base)
    with pytest.raises(UserError, match="other corpora or settings"):
        pretrain(request(corpora, tmp_path / "other", seed=1))


def test_minutes_are_shared_among_the_stages_and_kept(
    corpora: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "_pace", lambda self, stage: 1.0)
    asked = replace(
        request(corpora, tmp_path / "base", steps=dict.fromkeys(SHARES, 1000)), minutes=10.0
    )
    work = Work(asked, [], lambda p: None, lambda: False)
    first, *_, last = stages(asked.config)
    steps = work.steps(first, tmp_path / "autoencoder")
    assert steps == pytest.approx(0.15 * 600, abs=3)
    assert work.steps(last, tmp_path / "finish") == pytest.approx(600, abs=3)  # all that is left
    monkeypatch.setattr(Work, "_pace", lambda self, stage: 9.0)
    assert work.steps(first, tmp_path / "autoencoder") == steps


def test_speakers_are_named_by_the_configuration(corpora: tuple[Path, ...], tmp_path: Path) -> None:
    none = dict.fromkeys(SHARES, 0)
    asked = request(corpora, tmp_path / "base", steps=none, speakers={"Berta": "Cid"})
    assert [s.name for s in Voice.load(pretrain(asked)).speakers] == ["Berta"]
    wrong = request(corpora, tmp_path / "wrong", steps=none, speakers={"Berta": "Dora"})
    with pytest.raises(UserError, match="no recordings of 'Dora'"):
        pretrain(wrong)


def test_nothing_to_read_and_nothing_to_resume_are_said(
    corpora: tuple[Path, ...], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no pretraining in"):
        pretrain(request(corpora, tmp_path / "base"), resume=True)
    wordless = tmp_path / "wordless"
    write_audio(wordless / "a.wav", speech(2.2))
    (wordless / "manifest.tsv").write_text("path\tspeaker\tlanguage\na.wav\tA\tde\n")
    with pytest.raises(UserError, match="None of the corpora has texts"):
        pretrain(request((wordless,), tmp_path / "base"))
    (wordless / "manifest.tsv").write_text("path\tlanguage\ttext\na.wav\txx\tBla.\n")
    with pytest.raises(UserError, match="texts are in xx"):
        pretrain(request((wordless,), tmp_path / "base"))


def test_a_configuration_is_read_and_what_is_wrong_in_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("steps: {prior: 7}\nweights: {two: [2.0, 0.5]}\nname: mine\n")
    config = read_config(path)
    assert config.steps == {**PretrainConfig().steps, "prior": 7}
    assert config.weights == {"two": (2.0, 0.5)}
    assert read_config(None) == PretrainConfig()
    for text, told in (
        ("colour: red", "unknown fields: colour"),
        ("steps: {dance: 3}", "no stages dance"),
        ("n_speakers: many", "'n_speakers' should be like 4"),
        ("[1]", "not an object"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=told):
            read_config(path)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    words = ["pretrain", str(tmp_path / "none"), "-o", str(tmp_path / "b"), "--json"]
    result = CliRunner().invoke(cli.clone_voice, words)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["cause"].startswith("There is no folder")


def test_two_processes_make_one_base_together(corpora: tuple[Path, ...], tmp_path: Path) -> None:
    require(find_spec("accelerate"), "the extra train is not installed")
    config = {"model": TINY, "steps": dict.fromkeys(SHARES, 1), "precision": "float32"}
    config |= {"segment_batch": 4, "sentence_batch": 1, "score": False}
    (tmp_path / "config.json").write_text(json.dumps(config))
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launch += ["--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    program = [str(Path(sys.executable).with_name("clone-voice")), "pretrain", *map(str, corpora)]
    program += ["-o", str(tmp_path / "base"), "--config", str(tmp_path / "config.json")]
    program += ["--workers", "1", "--device", "cpu"]
    env = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, *program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("The base is in") == 1  # the first process speaks for both
    assert Voice.load(tmp_path / "base").languages == ("de",)


@pytest.mark.parametrize("name", ["base", "base-zh"])
def test_recipes_are_configurations(name: str) -> None:
    recipes = Path(__file__).resolve().parent.parent / "recipes"
    config = read_config(recipes / f"{name}.yaml")
    assert config.name == name
    if config.weights:  # the recipe's script names the same corpora
        script = (recipes / f"{name}.sh").read_text("utf-8")
        assert "{" + ",".join(config.weights) + "}" in script
        assert set(config.sources) == set(config.weights)

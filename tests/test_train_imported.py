"""Training on a G and a D of fast-fine-tuning, as their users do: several people at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from conftest import plain_ears, speech
from foreign import TINY, write_discriminator, write_generator

from cli import clone_voice
from vits.audio import write_audio
from vits.checkpoint import load_critics, load_voice
from vits.formats.importer import ImportRequest, import_voice
from vits.voice import Voice

LINES = {
    "zh": (
        "今天天气很好，我们去公园。",
        "早上的火车来晚了。",
        "他们喝茶聊天。",
        "路很长，也很空。",
    ),
    "ja": ("今日は天気がいいです。", "電車が遅れました。", "お茶を飲みました。", "道は長いです。"),
}


@pytest.fixture(autouse=True)
def ears(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_ears(monkeypatch)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list in the manner of their users: path|speaker|language|text."""
    folder = tmp_path_factory.mktemp("clips")
    lines = []
    for n, (speaker, language) in enumerate((("小明", "ZH"), ("Hanako", "JA"))):
        for i in range(4):
            path = f"{n}-{i}.wav"
            write_audio(folder / path, speech(2.7, seed=10 * n + i))
            lines.append(f"{path}|{speaker}|{language}|{LINES[language.lower()][i]}")
    (folder / "filelist.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder / "filelist.txt"


def train(*arguments: str) -> dict[str, object]:
    words = ["train", *arguments, "--name", "both", "--consent", "Both agreed.", "--device", "cpu"]
    run = CliRunner().invoke(clone_voice, [*words, "--batch-size", "4", "--json"])
    assert run.exit_code == 0, run.output
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.usefixtures("in_process", "tiny_critics", "library")
def test_two_new_people_train_from_an_imported_pair_and_its_discriminator_goes_on(
    clips: Path, tmp_path: Path
) -> None:
    generator = write_generator(tmp_path / "vff", TINY)
    critics_file = write_discriminator(tmp_path / "vff" / "D_0.pth", tiny=True)
    base = import_voice(ImportRequest(str(generator), "trilingual", discriminator=critics_file))
    told = train(str(clips), "--base", "trilingual", "--steps", "2")
    voice = Voice.load("both")
    assert [(s.name, s.language) for s in voice.speakers] == [("Hanako", "ja"), ("小明", "zh")]
    assert voice.config.symbols == Voice.load("trilingual").config.symbols
    assert voice.config.text.front_end == "cjke_cleaners2"

    theirs, _ = load_voice(base.folder)
    ours, config = load_voice(voice.folder)
    before, after = theirs.state_dict(), ours.state_dict()
    assert after["speakers.vectors"].shape == (2, TINY.gin)
    for part in ("text_encoder", "posterior_encoder", "flow", "decoder", "duration_predictor"):
        moved = [n for n in before if n.startswith(part) and not torch.equal(before[n], after[n])]
        assert moved, part
        for name in moved:  # from where they were, by two small steps and float16
            assert (before[name] - after[name]).abs().max() < 0.01, name

    first, last = load_critics(base.folder, config), load_critics(voice.folder, config)
    assert first is not None
    assert last is not None
    steps = [
        float((a - b).abs().max())
        for a, b in zip(first.state_dict().values(), last.state_dict().values(), strict=True)
    ]
    assert 1e-4 < max(steps) < 0.01  # it learned, from where theirs had come to

    scores = told["scores"]
    assert isinstance(scores, dict)
    assert set(scores["speakers"]) == {"Hanako", "小明"}
    mean = sum(s["similarity"] for s in scores["speakers"].values()) / 2
    assert scores["similarity"] == pytest.approx(mean, abs=1e-3)
    assert voice.card.who == "Hanako, 小明"

    (speech_ja,) = replace(voice, speaker=voice.speakers[0]).speak("今日は。")
    (speech_zh,) = voice.speak("你好。", speaker="小明")
    assert not speech_ja.unknown
    assert not speech_zh.unknown
    assert len(speech_zh.audio.samples) > 1000

    again = train(str(clips), "--base", "trilingual", "--steps", "2")
    assert again["made_before"]


@pytest.mark.slow
@pytest.mark.usefixtures("in_process", "library")
def test_a_base_of_one_speaker_becomes_one_other_person_and_no_more(
    clips: Path, tmp_path: Path
) -> None:
    one = replace(TINY, n_speakers=0, gin=0)
    import_voice(ImportRequest(str(write_generator(tmp_path / "one", one)), "one"))
    words = ["train", "--base", "one", "--name", "new", "--consent", "Yes.", "--steps", "1"]
    words += ["--device", "cpu", "--batch-size", "4"]
    run = CliRunner().invoke(clone_voice, [*words, str(clips)])
    assert run.exit_code == 2
    assert "clips are of 2 people" in run.stderr
    own = clips.with_name("one.txt")
    lines = clips.read_text(encoding="utf-8").splitlines()
    own.write_text("\n".join(line for line in lines if "小明" in line), encoding="utf-8")
    run = CliRunner().invoke(clone_voice, [*words, str(own)])
    assert run.exit_code == 0, run.output
    voice = Voice.load("new")
    assert [s.name for s in voice.speakers] == ["new"]
    assert voice.model.speakers is None
    run = CliRunner().invoke(clone_voice, [*words[:7], "--quick", str(own), "--force"])
    assert run.exit_code == 2
    assert "takes on no other voice untrained" in run.stderr

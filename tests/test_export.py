"""Voices for other programs: onnxruntime, Piper's own package, transformers; each says the same."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from conftest import make_tiny_voice, own_voice

from cli import clone_voice
from vits.audio import read_audio
from vits.checkpoint import Speaker, VoiceConfig, load_config, save_config, save_voice
from vits.config import AudioConfig, HifiganConfig, TextConfig, VitsConfig
from vits.errors import UserError
from vits.formats.huggingface_out import their_name
from vits.formats.importer import ImportRequest, import_voice
from vits.formats.names import our_name
from vits.formats.original import ENGLISH_SYMBOLS
from vits.layers import plain_state_dict
from vits.model import Vits
from vits.voice import Speech, Voice

SENTENCE = "Good evening, my friend. It is late!"
STRESSED = "Good evening, [emphasis]my friend[/emphasis]. It is late!"
PAPER: dict[str, Any] = {
    "speaker": "table", "gin_channels": 8, "spec_channels": 513, "inter_channels": 8,
    "hidden_channels": 16, "filter_channels": 32, "n_layers": 2, "posterior_hidden": 16,
    "posterior_layers": 2, "flow_hidden": 16, "flow_layers": 2, "n_flows": 4,
    "duration_channels": 16,
    "hifigan": HifiganConfig(initial_channels=32, upsample_rates=(16, 16),
                             upsample_kernel_sizes=(32, 32)),
}  # fmt: skip


def paper_voice(folder: Path, *, speakers: int = 3, **changes: Any) -> Path:
    """An untrained voice with the paper's parts and espeak's IPA, as VCTK's is."""
    sizes = VitsConfig.paper(len(ENGLISH_SYMBOLS), speakers, **(PAPER | changes))
    config = VoiceConfig(
        sizes,
        AudioConfig(),
        ENGLISH_SYMBOLS,
        speakers=tuple(Speaker(f"p{i}", "", "en") for i in range(speakers)),
        text=TextConfig("espeak", espeak_voice="en-us"),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = Vits(sizes, config.audio)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
            if sizes.duration == "stochastic":  # a few frames: log d = (z - m) / e
                model.duration_predictor.affine.m.copy_(torch.tensor([[-1.0], [0.0]]))
                model.duration_predictor.affine.logs.copy_(torch.tensor([[1.0], [0.0]]))
        save_voice(folder, model, config, torch.float32)
    return folder


def run(*words: str) -> str:
    result = CliRunner().invoke(clone_voice, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> str:
    result = CliRunner().invoke(clone_voice, list(words))
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    return line


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One library for the module: graphs take long to make."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("CLONE_VOICE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def vctk(home: Path) -> Path:
    return paper_voice(home / "voices" / "vctk")


@pytest.fixture(scope="module")
def vctk_onnx(vctk: Path, home: Path) -> Path:
    run("export", "vctk:p2", "--format", "onnx", "-o", str(home / "made" / "vctk-onnx"))
    return home / "made" / "vctk-onnx"


@pytest.fixture(scope="module")
def vctk_piper(vctk: Path, home: Path) -> Path:
    run("export", "vctk", "--format", "piper", "-o", str(home / "made" / "vctk-piper"))
    return home / "made" / "vctk-piper"


def alike(a: list[Speech], b: list[Speech]) -> None:
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        assert one.words == other.words
        assert one.audio.samples.shape == other.audio.samples.shape
        assert np.abs(one.audio.samples).max() > 1e-3
        assert np.abs(one.audio.samples - other.audio.samples).max() < 1e-3


# ---------------------------------------------------------------- onnx


@pytest.mark.slow
def test_onnxruntime_says_the_same_as_torch_from_the_exported_folder(
    vctk: Path, vctk_onnx: Path
) -> None:
    assert {f.name for f in vctk_onnx.iterdir()} == {"voice.onnx", "config.json", "card.json"}
    ours, theirs = Voice.load(vctk), Voice.load(vctk_onnx)
    for who in ("p0", "p2"):
        for settings in ({}, {"speed": 1.7, "seed": 5}, {"noise": 0.0, "noise_duration": 0.0}):
            alike(
                list(ours.speak(STRESSED, speaker=who, **settings)),
                list(theirs.speak(STRESSED, speaker=who, **settings)),
            )
    again = list(theirs.speak(SENTENCE))
    assert [s.audio.samples.tobytes() for s in again] == [
        s.audio.samples.tobytes() for s in theirs.speak(SENTENCE)
    ]
    streamed = np.concatenate([a.samples for a in theirs.stream_audio(SENTENCE, soon=False)])
    assert np.array_equal(streamed, np.concatenate([s.audio.samples for s in again]))


@pytest.mark.slow
def test_say_makes_the_graph_of_one_of_our_voices_once(home: Path, tmp_path: Path) -> None:
    folder = own_voice(home / "voices" / "tiny")
    words = ["say", SENTENCE, "-v", "tiny:Ben", "--device", "cpu", "--language", "en"]
    run(*words, "--engine", "onnx", "-o", str(tmp_path / "onnx.wav"))
    graphs = list((home / "onnx").glob("*.onnx"))
    assert len(graphs) == 1
    made = graphs[0].stat().st_mtime_ns
    run(*words, "--engine", "onnx", "-o", str(tmp_path / "again.wav"))
    assert graphs[0].stat().st_mtime_ns == made
    run(*words, "-o", str(tmp_path / "torch.wav"))
    onnx, torch_ = (read_audio(tmp_path / f"{n}.wav").samples for n in ("onnx", "torch"))
    assert onnx.shape == torch_.shape
    assert np.abs(onnx - torch_).max() < 1e-3
    assert (tmp_path / "onnx.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()
    long = " ".join([SENTENCE] * 3) + " Yes."
    alike(
        list(Voice.load("tiny").speak(long, language="en")),
        list(Voice.load("tiny", engine="onnx").speak(long, language="en")),
    )
    run("remove", "tiny", "--yes") if _has_yes() else shutil.rmtree(folder)


def _has_yes() -> bool:
    return any("--yes" in p.opts for p in clone_voice.commands["remove"].params)


@pytest.mark.slow
def test_a_voice_that_is_kept_as_onnx_speaks_and_says_why_not_what_else(
    vctk_onnx: Path, tmp_path: Path
) -> None:
    voice, out = str(vctk_onnx), str(tmp_path / "out")
    run("say", "Good evening.", "-v", f"{voice}:p1", "-o", f"{out}.wav")
    clips = ["train", str(tmp_path), "--base", voice, "--name", "x", "--consent", "Yes."]
    for words in (
        clips,
        ["convert", f"{out}.wav", "-v", voice, "-o", f"{out}2.wav", "--from", "p0"],
        ["export", voice, "--format", "piper", "-o", out],
    ):
        line = refused(*words)
        assert "kept as ONNX" in line
        assert "checkpoint that it was made from" in line


@pytest.mark.slow
def test_a_graph_that_is_broken_or_of_another_program_is_one_clear_line(
    vctk_onnx: Path, vctk_piper: Path, tmp_path: Path, home: Path
) -> None:
    broken = shutil.copytree(vctk_onnx, tmp_path / "broken")
    whole = (broken / "voice.onnx").read_bytes()
    (broken / "voice.onnx").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as ONNX" in refused("say", "Hello.", "-v", str(broken))
    config = load_config(vctk_onnx)
    onnx = next(vctk_piper.glob("*.onnx"))
    settings = json.loads(onnx.with_name(f"{onnx.name}.json").read_text("utf-8"))
    settings["phoneme_id_map"]["ʘ"] = [len(config.symbols)]
    settings["num_symbols"] += 1
    (tmp_path / "more.json").write_text(json.dumps(settings), "utf-8")
    line = refused("import", str(onnx), "--config", str(tmp_path / "more.json"), "--name", "more")
    assert "symbol" in line or "could not be run" in line
    assert not (home / "voices" / "more").exists()


# ---------------------------------------------------------------- piper


@pytest.mark.slow
def test_pipers_own_package_speaks_an_exported_voice(vctk_piper: Path, vctk: Path) -> None:
    piper = pytest.importorskip("piper")
    (onnx,) = vctk_piper.glob("*.onnx")
    voice = piper.PiperVoice.load(onnx)
    assert voice.config.num_speakers == 3
    quiet = piper.SynthesisConfig(speaker_id=1, noise_scale=0.0, noise_w_scale=0.0,
                                  normalize_audio=False)  # fmt: skip
    phonemes = voice.phonemize("Good evening.")[0]
    ids = voice.phonemes_to_ids(phonemes)
    ours = Voice.load(vctk)
    assert ids == ours.front_end.ids(phonemes)
    (chunk,) = voice.synthesize("Good evening.", quiet)
    spoken = ours.speak("Good evening.", speaker="p1", noise=0.0, noise_duration=0.0)
    (speech,) = spoken
    theirs = chunk.audio_float_array
    assert chunk.sample_rate == 22050
    core = speech.audio.samples[: len(theirs)]
    assert len(core) == len(theirs)
    edge = 200  # samples at both ends, which we fade
    assert np.abs(theirs).max() > 1e-3
    assert np.abs(core - theirs)[edge:-edge].max() < 2e-3
    (loud,) = voice.synthesize("Good evening.", piper.SynthesisConfig(speaker_id=2))
    assert len(loud.audio_int16_bytes) > 1000


@pytest.mark.slow
def test_an_exported_piper_voice_comes_back_as_onnx_and_speaks(
    vctk_piper: Path, vctk: Path, home: Path
) -> None:
    (onnx,) = vctk_piper.glob("*.onnx")
    made = import_voice(ImportRequest(str(onnx), "lessac"), force=True)
    assert made.layout == "Piper ONNX"
    assert {"voice.onnx", "config.json", "card.json"} == {f.name for f in made.folder.iterdir()}
    voice, ours = Voice.load("lessac"), Voice.load(vctk)
    still = {"noise": 0.0, "noise_duration": 0.0}
    (a,) = voice.speak("Good evening.", speaker="p1", **still)
    (b,) = ours.speak("Good evening.", speaker="p1", **still)
    assert a.words == b.words  # its graph tells how long every symbol lasts
    assert np.abs(a.audio.samples - b.audio.samples).max() < 1e-3
    said = [Voice.load("lessac").speak("Good evening.", seed=seed) for seed in (1, 2)]
    (one,), (other,) = (list(speeches) for speeches in said)
    assert np.array_equal(one.audio.samples, other.audio.samples)  # its own noise, from the start
    assert not np.array_equal(one.audio.samples, a.audio.samples)
    words = ["say", "Good evening.", "-v", "lessac", "-o", str(home / "said.wav")]
    assert "--seed changes nothing" in run(*words, "--seed", "5")
    assert "--seed" not in run(*words)
    line = refused("train", str(home), "--base", "lessac", "--name", "x", "--consent", "Yes.")
    assert ".ckpt" in line
    packed = home / "lessac.voice"
    run("pack", "lessac", "-o", str(packed))
    run("add", str(packed), "--name", "lessac2")
    (c,) = Voice.load("lessac2").speak("Good evening.", speaker="p1", **still)
    assert np.array_equal(c.audio.samples, a.audio.samples)


@pytest.mark.slow
def test_our_own_voices_speak_english_in_pipers_package(tmp_path: Path) -> None:
    piper = pytest.importorskip("piper")
    folder = own_voice(tmp_path / "tiny")
    run("export", f"{folder}:Anna", "--format", "piper", "-o", str(tmp_path / "out"))
    voice = piper.PiperVoice.load(tmp_path / "out" / "tiny.onnx")
    phonemes = voice.phonemize("Good evening.")[0]
    ours = Voice.load(folder)
    symbols = ours.front_end.lines(["Good evening."], "en")[0]
    assert voice.phonemes_to_ids(phonemes) == ours.front_end.ids(symbols)
    quiet = piper.SynthesisConfig(speaker_id=0, noise_scale=0.0, normalize_audio=False)
    (chunk,) = voice.synthesize("Good evening.", quiet)
    (speech,) = ours.speak("Good evening.", language="en", speaker="Anna", noise=0.0)
    theirs, edge = chunk.audio_float_array, 200  # samples at both ends, which we fade
    assert len(theirs) > 5000
    core = speech.audio.samples[: len(theirs)]
    assert np.abs(core - theirs)[edge:-edge].max() < 2e-3


# ---------------------------------------------------------------- transformers


@pytest.mark.parametrize(
    ("speakers", "changes"),
    [
        (3, {}),
        (2, {"duration": "deterministic", "duration_channels": 24}),
        (1, {"speaker": "none", "gin_channels": 0}),
        (1, {}),  # one speaker of a table: taken into the biases
        (2, {"speaker": "embedding", "embedding_channels": 12}),
    ],
)
def test_transformers_loads_an_exported_folder_and_says_the_same(
    speakers: int,
    changes: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transformers = pytest.importorskip("transformers")
    from test_formats_huggingface import SameNoise

    folder = paper_voice(tmp_path / "paper", speakers=speakers, **changes)
    run("export", str(folder), "--format", "huggingface", "-o", str(tmp_path / "hf"))
    theirs, told = transformers.VitsModel.from_pretrained(tmp_path / "hf", output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    voice = Voice.load(folder)
    ids = torch.tensor([[0, 43, 0, 61, 0, 54, 0, 80, 0]])
    who = speakers - 1
    noise = SameNoise()
    monkeypatch.setattr(torch, "randn", noise)
    monkeypatch.setattr(torch, "randn_like", lambda like, **_: noise(tuple(like.shape)))
    for module in ("vits.model.normal", "vits.duration.normal"):
        monkeypatch.setattr(module, lambda shape, *_: noise(tuple(shape)))
    with torch.no_grad():
        expected = theirs(ids, speaker_id=who if speakers > 1 else None).waveform[0]
    spoken = voice.model.infer(
        ids, torch.tensor([ids.shape[1]]), torch.tensor([who]),
        noise_scale=voice.config.noise_scale,
        noise_scale_duration=voice.config.noise_scale_duration,
    )  # fmt: skip
    got = spoken.audio[0, : int(spoken.audio_lengths[0])]
    assert got.shape == expected.shape
    assert expected.abs().max() > 1e-3
    assert (got - expected).abs().max() < 1e-4


def test_the_names_of_transformers_are_those_that_are_read(tmp_path: Path) -> None:
    for duration in ("stochastic", "deterministic"):
        sizes = VitsConfig.paper(9, 2, **(PAPER | {"duration": duration}))
        for ours in plain_state_dict(Vits(sizes)):
            theirs = their_name(ours, stochastic=duration == "stochastic")
            assert our_name(theirs, "huggingface") == ours


def test_what_comes_back_from_transformers_is_the_voice(tmp_path: Path, library: Path) -> None:
    folder = paper_voice(tmp_path / "paper", speakers=2)
    run("export", str(folder), "--format", "huggingface", "-o", str(tmp_path / "hf"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        import_voice(ImportRequest(str(tmp_path / "hf"), "back"))
    first, last = Voice.load(folder), Voice.load("back")
    for name, tensor in plain_state_dict(first.model).items():
        assert torch.allclose(tensor, plain_state_dict(last.model)[name], atol=1e-6), name
    assert last.config.text.front_end == "espeak"
    table = {s: i for s, i in last.front_end.table.items() if not s.startswith("\x00")}
    assert table == first.front_end.table


# ---------------------------------------------------------------- what cannot be


def no_espeak(folder: Path) -> Path:
    config = load_config(folder)
    save_config(folder, replace(config, text=TextConfig("characters")))
    return folder


@pytest.mark.parametrize(
    ("make", "form", "said"),
    [
        (lambda f: make_tiny_voice(f), "huggingface", "its decoder is not the paper's"),
        (lambda f: no_espeak(paper_voice(f)), "piper", "reads letters"),
        (
            lambda f: paper_voice(f, hifigan=HifiganConfig(initial_channels=32, resblock="2")),
            "huggingface",
            "type 2",
        ),
        (lambda f: paper_voice(f, flow_hidden=8), "huggingface", "other widths"),
    ],
)
def test_a_form_that_cannot_hold_a_voice_is_refused_with_the_reason(
    make: Callable[[Path], Path], form: str, said: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "voice")
    line = refused("export", str(folder), "--format", form, "-o", str(tmp_path / "out"))
    assert said in line
    assert "--format onnx" in line
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["voice"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, tiny_voice: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    line = refused("export", str(tiny_voice), "--format", "onnx", "-o", str(tmp_path))
    assert "is there already" in line
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_speaker_that_is_not_there_is_named(tiny_voice: Path, tmp_path: Path) -> None:
    words = ["export", f"{tiny_voice}:Nobody", "--format", "onnx", "-o", str(tmp_path / "out")]
    assert "no speaker 'Nobody'" in refused(*words)


def test_without_the_packages_for_onnx_it_is_said_what_to_install(
    tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    line = refused("export", str(tiny_voice), "--format", "onnx", "-o", str(tmp_path / "out"))
    assert "clone-voice[onnx]" in line
    with pytest.raises(UserError, match="not installed"):
        Voice.load(tiny_voice, engine="onnx")

"""Checkpoints in the layouts of Piper's and Coqui's trainings become voices, and speak."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import (
    TINY,
    Sizes,
    discriminator_layout,
    generator_layout,
    random_tensors,
)
from torch import Tensor

from vits.errors import UserError
from vits.formats import coqui, piper
from vits.formats.importer import ImportRequest, import_voice
from vits.formats.loading import Checkpoint
from vits.formats.names import fused
from vits.voice import Voice

MEDIUM = dataclasses.replace(
    TINY, n_symbols=256, n_speakers=0, gin=0, initial=32, rates=(8, 8, 4), kernels=(16, 16, 8),
    resblock="2",
)  # fmt: skip
MARKS = "!'(),-.:;? "
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PHONEMES = "abdefhijklmnopstuvwzæðŋɐɑɔəɛɜɡɪɹʃʊʌʒθː̩ˈˌ"
COQUI = dataclasses.replace(TINY, n_symbols=len(MARKS + LETTERS) + 2, n_speakers=0, gin=0)


def short(sizes: Sizes) -> dict[str, Tensor]:
    """Tensors of a generator whose sounds last a few frames."""
    tensors = random_tensors(generator_layout(sizes))
    return tensors | {
        "dp.flows.0.m": torch.tensor([[-1.0], [0.0]]),
        "dp.flows.0.logs": torch.tensor([[1.0], [0.0]]),
    }


def piper_settings() -> dict[str, Any]:
    symbols = ["_", "^", "$", " ", *"!',-.:;?", *PHONEMES]
    return {
        "audio": {"sample_rate": 22050, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.25, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": {symbol: [i] for i, symbol in enumerate(symbols)},
        "num_symbols": 256, "num_speakers": 1, "speaker_id_map": {},
    }  # fmt: skip


def write_piper(folder: Path, tensors: dict[str, Tensor]) -> Path:
    """A checkpoint of Lightning, with the path that Piper leaves in its parameters."""
    state = {f"model_g.{name}": tensor for name, tensor in tensors.items()}
    parameters = {"dataset": [Path("/data/dataset.jsonl")], "sample_rate": 22050}
    torch.save(
        {"epoch": 9, "state_dict": state, "hyper_parameters": parameters, "optimizer_states": []},
        folder / "lessac.ckpt",
    )
    text = json.dumps(piper_settings(), ensure_ascii=False)
    (folder / "lessac.ckpt.json").write_text(text, encoding="utf-8")
    return folder / "lessac.ckpt"


@pytest.mark.usefixtures("in_process")
def test_a_medium_voice_of_piper_speaks_with_its_own_ids(tmp_path: Path, library: Path) -> None:
    tensors = short(MEDIUM)
    made = import_voice(ImportRequest(str(write_piper(tmp_path, tensors)), "lessac"))
    assert made.layout == "Piper checkpoint"
    assert {row.how for row in made.rows} == {"mapped", "fused"}
    assert len(made.rows) == len(fused(tensors)[0])
    voice = Voice.load("lessac")
    sizes = voice.config.model.hifigan
    assert (sizes.resblock, sizes.upsample_rates) == ("2", (8, 8, 4))
    assert sizes.resblock_dilation_sizes == ((1, 2), (2, 6), (3, 12))
    assert voice.config.length_scale == 1.25
    assert torch.equal(voice.model.text_encoder.emb.weight, tensors["enc_p.emb.weight"])
    symbols = voice.front_end.lines(["Good evening, friend!"], "en")[0]
    assert "".join(symbols) == "^ɡˈʊd ˈiːvnɪŋ, fɹˈɛnd!$"
    ids = voice.front_end.ids(symbols)
    ours = piper_settings()["phoneme_id_map"]
    assert ids[::2] == [ours[symbol][0] for symbol in symbols]
    assert set(ids[1::2]) == {0}
    (speech,) = voice.speak("Good evening, friend!")
    assert not speech.unknown
    assert len(speech.audio.samples) > 1000


@pytest.mark.usefixtures("in_process")
def test_a_voice_of_piper_without_its_json_is_one_clear_line(tmp_path: Path, library: Path) -> None:
    checkpoint = write_piper(tmp_path, short(MEDIUM))
    checkpoint.with_name("lessac.ckpt.json").unlink()
    with pytest.raises(UserError, match="no configuration beside"):
        import_voice(ImportRequest(str(checkpoint), "lessac"))


def coqui_name(name: str) -> str:
    """A tensor's name in Coqui's words: its flips are no layers, so flows are counted on."""
    parts = {
        "enc_p.": "text_encoder.", "enc_q.": "posterior_encoder.", "dp.": "duration_predictor.",
        "dec.": "waveform_decoder.",
    }  # fmt: skip
    flow = re.fullmatch(r"(flow\.flows|dp\.(?:post_)?flows)\.(\d+)\.(.+)", name)
    if flow:
        theirs = int(flow[2]) // 2 if flow[1] == "flow.flows" else (int(flow[2]) + 1) // 2
        name = f"{flow[1]}.{theirs}.{flow[3]}"
    for start, there in parts.items():
        if name.startswith(start):
            name = there + name.removeprefix(start)
    if name.startswith("duration_predictor."):
        name = re.sub(r"\.m$", ".translation", re.sub(r"\.logs$", ".log_scale", name))
    return name.replace("waveform_decoder.cond.", "waveform_decoder.cond_layer.")


def coqui_settings() -> dict[str, Any]:
    return {
        "model": "vits", "add_blank": True, "use_phonemes": False, "phoneme_language": None,
        "text_cleaner": "english_cleaners",
        "audio": {"sample_rate": 22050, "fft_size": 1024, "hop_length": 256, "win_length": 1024,
                  "num_mels": 80},
        "characters": {
            "characters_class": "TTS.tts.models.vits.VitsCharacters", "pad": "_", "eos": None,
            "bos": None, "blank": "<BLNK>", "characters": LETTERS, "punctuations": MARKS,
            "phonemes": None, "is_unique": False, "is_sorted": True,
        },
        "model_args": {
            "upsample_rates_decoder": [8, 8, 2, 2],
            "resblock_dilation_sizes_decoder": [[1, 3, 5]] * 3,
        },
    }  # fmt: skip


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("speakers", [0, 2])
def test_a_voice_of_coqui_speaks_with_its_own_ids(
    tmp_path: Path, library: Path, speakers: int
) -> None:
    sizes = dataclasses.replace(COQUI, n_speakers=speakers, gin=8 if speakers else 0)
    tensors = short(sizes)
    state = {coqui_name(name): tensor for name, tensor in tensors.items()}
    assert "duration_predictor.flows.4.proj.weight" in state
    assert "flow.flows.3.post.weight" in state
    torch.save(
        {"config": coqui_settings(), "model": state, "optimizer": [{}], "scaler": None, "step": 3},
        tmp_path / "best_model.pth",
    )
    made = import_voice(ImportRequest(str(tmp_path / "best_model.pth"), "ljs"))
    assert made.layout == "Coqui VITS"
    assert {row.how for row in made.rows} == {"mapped", "fused"}
    assert len(made.rows) == len(fused(tensors)[0])
    voice = Voice.load("ljs")
    assert len(voice.speakers) == max(1, speakers)
    last = voice.model.duration_predictor.flows[-1]
    assert torch.equal(last.proj.weight, tensors["dp.flows.7.proj.weight"])
    symbols = voice.front_end.lines(["Hello, you."], "en")[0]
    ids = voice.front_end.ids(symbols)
    vocabulary = ["_", *MARKS, *LETTERS, "<BLNK>"]
    assert [vocabulary[i] for i in ids[1::2]] == [*"hello, you."]
    assert {vocabulary[i] for i in ids[::2]} == {"<BLNK>"}
    (speech,) = voice.speak("Hello, you.")
    assert not speech.unknown
    assert len(speech.audio.samples) > 1000


def test_the_discriminators_that_both_keep_beside_the_generator_are_found(tmp_path: Path) -> None:
    where = tmp_path / "config.json"
    critics = {name: torch.empty(0) for name in discriminator_layout()}
    beside = {f"state_dict/model_d.{name}": tensor for name, tensor in critics.items()}
    theirs = {f"state_dict/model_g.{name}": tensor for name, tensor in short(MEDIUM).items()}
    read = piper.read(Checkpoint(theirs | beside), piper_settings(), where)
    assert read.critics is not None
    assert read.critics.keys() == critics.keys()
    nets = {n.replace("discriminators.", "model/disc.nets."): t for n, t in critics.items()}
    theirs = {f"model/{coqui_name(name)}": tensor for name, tensor in short(COQUI).items()}
    read = coqui.read(Checkpoint(theirs | nets), coqui_settings(), where)
    assert read.critics is not None
    assert read.critics.keys() == critics.keys()


def test_a_finished_voice_without_its_json_or_that_is_no_graph_is_one_clear_line(
    tmp_path: Path, library: Path
) -> None:
    (tmp_path / "lessac.onnx").write_bytes(b"\0" * 16)
    with pytest.raises(UserError, match="no configuration beside"):
        import_voice(ImportRequest(str(tmp_path / "lessac.onnx"), "lessac"))
    text = json.dumps(piper_settings())
    (tmp_path / "lessac.onnx.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="cannot be read as ONNX"):
        import_voice(ImportRequest(str(tmp_path / "lessac.onnx"), "lessac"))
    changed = json.dumps(piper_settings() | {"phoneme_type": "thai"})
    (tmp_path / "lessac.onnx.json").write_text(changed, encoding="utf-8")
    with pytest.raises(UserError, match="'thai', which is not known"):
        import_voice(ImportRequest(str(tmp_path / "lessac.onnx"), "lessac"))
    assert not (library / "voices" / "lessac").exists()


@pytest.mark.parametrize("where", ["/nowhere", "./nowhere", "~/nowhere", "voices/G_0.pth", "one"])
def test_a_path_that_is_not_there_is_not_looked_for_on_a_hub(where: str, library: Path) -> None:
    with pytest.raises(UserError, match="no file or folder"):
        import_voice(ImportRequest(where, "lessac"))

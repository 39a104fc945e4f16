"""A VitsModel of transformers, imported, gives the same sound for the same noise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vits.checkpoint import load_voice
from vits.errors import UserError
from vits.formats.importer import ImportRequest, import_voice
from vits.voice import Voice

transformers = pytest.importorskip("transformers")

VOCABULARY = {c: i for i, c in enumerate("|abcdefghijklmnopqrstuvwxyz '-")}


def write_model(folder: Path, *, speakers: int = 1, stochastic: bool = True, **changes: Any) -> Any:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "vocab_size": len(VOCABULARY), "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "ffn_dim": 32, "flow_size": 16, "spectrogram_bins": 33,
        "upsample_initial_channel": 32, "upsample_rates": [4, 4], "upsample_kernel_sizes": [8, 8],
        "posterior_encoder_num_wavenet_layers": 2, "prior_encoder_num_wavenet_layers": 2,
        "duration_predictor_filter_channels": 24, "num_speakers": speakers,
        "speaker_embedding_size": 8 if speakers > 1 else 0,
        "use_stochastic_duration_prediction": stochastic,
    }  # fmt: skip
    model = transformers.VitsModel(transformers.VitsConfig(**(sizes | changes))).eval()
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(VOCABULARY), encoding="utf-8")
    text = json.dumps({"add_blank": True, "normalize": True, "phonemize": False, "language": "eng"})
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
    return model


class SameNoise:
    """The noise of both programs: cut from one sheet, whatever they ask for."""

    def __init__(self) -> None:
        self.sheet = torch.randn(64, 4096, generator=torch.Generator().manual_seed(1))

    def __call__(self, *shape: Any, **_: Any) -> Tensor:
        sizes = shape[0] if isinstance(shape[0], tuple | list | torch.Size) else shape
        return self.sheet[: sizes[1], : sizes[2]].unsqueeze(0).clone()


@pytest.fixture
def same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = SameNoise()
    monkeypatch.setattr(torch, "randn", noise)
    monkeypatch.setattr(torch, "randn_like", lambda like, **_: noise(tuple(like.shape)))
    for module in ("vits.model.normal", "vits.duration.normal"):
        monkeypatch.setattr(module, lambda shape, *_: noise(tuple(shape)))


@pytest.mark.parametrize("speakers", [1, 3])
@pytest.mark.parametrize("stochastic", [True, False])
def test_the_same_noise_gives_the_same_waveform(
    tmp_path: Path,
    library: Path,
    request: pytest.FixtureRequest,
    speakers: int,
    stochastic: bool,
) -> None:
    theirs = write_model(tmp_path / "hf", speakers=speakers, stochastic=stochastic)
    made = import_voice(ImportRequest(str(tmp_path / "hf"), "mms"))
    model, config = load_voice(made.folder)
    ids = torch.tensor([[0, 3, 0, 9, 0, 14, 0, 20, 0]])
    request.getfixturevalue("same_noise")
    who = speakers - 1
    with torch.no_grad():
        expected = theirs(ids, speaker_id=who if speakers > 1 else None).waveform[0]
    spoken = model.infer(
        ids,
        torch.tensor([ids.shape[1]]),
        torch.tensor([who]),
        noise_scale=config.noise_scale,
        noise_scale_duration=config.noise_scale_duration,
    )
    got = spoken.audio[0, : int(spoken.audio_lengths[0])]
    assert got.shape == expected.shape
    assert expected.abs().max() > 1e-3
    assert (got - expected).abs().max() < 1e-4


def test_every_tensor_is_accounted_for(tmp_path: Path, library: Path) -> None:
    theirs = write_model(tmp_path / "hf", speakers=2)
    made = import_voice(ImportRequest(str(tmp_path / "hf"), "mms"))
    names = set(theirs.state_dict())
    split = {n for n in names if n.endswith("original0")}
    assert {row.source for row in made.rows} == names - split
    assert made.count("fused") == len(split)
    assert made.count("reshaped") == 2 * 4  # attention's linear layers are our convolutions
    assert not made.count("refused")


def test_layers_for_speakers_of_a_model_with_one_are_left_out_by_name(
    tmp_path: Path, library: Path
) -> None:
    write_model(tmp_path / "hf", speakers=1, speaker_embedding_size=8)
    made = import_voice(ImportRequest(str(tmp_path / "hf"), "mms"))
    assert made.count("left out") > 5
    assert all("cond" in row.target for row in made.rows if row.how == "left out")


def test_characters_are_spoken_in_small_letters_and_others_are_named(
    tmp_path: Path, library: Path
) -> None:
    write_model(tmp_path / "hf")
    import_voice(ImportRequest(str(tmp_path / "hf"), "mms"))
    voice = Voice.load("mms")
    (speech,) = voice.speak("Hello, it's ÄGEAN.")
    assert [word.text for word in speech.words] == ["Hello,", "it's", "ÄGEAN."]
    assert speech.unknown == ("Ä",)
    symbols = voice.front_end.lines(["Hello, it's"], "en")[0]
    assert "".join(symbols) == "hello it's"
    ids = voice.front_end.ids(symbols)
    assert ids[::2] == [0] * (len(symbols) + 1)


def test_a_vocabulary_that_does_not_fit_is_named(tmp_path: Path, library: Path) -> None:
    write_model(tmp_path / "hf")
    (tmp_path / "hf" / "vocab.json").write_text(json.dumps({"a": 99}), encoding="utf-8")
    with pytest.raises(UserError, match=r"vocab.json has ids .* 30 rows"):
        import_voice(ImportRequest(str(tmp_path / "hf"), "mms"))
    assert not (library / "voices" / "mms").exists()


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (break_config, "not the folder of a VitsModel"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 99), "cut short"),
        (lambda folder: (folder / "vocab.json").unlink(), "no file"),
    ],
)
def test_a_folder_that_is_broken_is_one_clear_line(
    tmp_path: Path, library: Path, harm: Callable[[Path], object], said: str
) -> None:
    write_model(tmp_path / "hf")
    harm(tmp_path / "hf")
    with pytest.raises(UserError, match=said):
        import_voice(ImportRequest(str(tmp_path / "hf"), "mms"))

"""Voices on disk: what was saved comes back, and what does not fit is named."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from vits.checkpoint import (
    CONFIG,
    CRITICS,
    WEIGHTS,
    Speaker,
    load_config,
    load_critics,
    load_voice,
    save_critics,
    save_voice,
    with_speakers,
)
from vits.config import DiscriminatorConfig, TrainConfig, VitsConfig, from_dict, to_dict
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.layers import add_weight_norm
from vits.model import Vits


@pytest.fixture
def folder(tiny_voice: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_voice, tmp_path / "voice"))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


def change_config(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    values = json.loads((folder / CONFIG).read_text("utf-8"))
    change(values)
    (folder / CONFIG).write_text(json.dumps(values), "utf-8")


def test_a_voice_comes_back_as_it_was_saved(tiny_voice: Path, tmp_path: Path) -> None:
    model, config = load_voice(tiny_voice)
    assert not model.training
    save_voice(tmp_path / "again", model, config)
    for name in (WEIGHTS, CONFIG):
        assert (tmp_path / "again" / name).read_bytes() == (tiny_voice / name).read_bytes()


def test_weights_are_plain_halves_on_disk_even_in_the_middle_of_training(
    tiny_voice: Path, tmp_path: Path
) -> None:
    model, config = load_voice(tiny_voice)
    add_weight_norm(model)
    save_voice(tmp_path / "training", model, config)
    stored = load_file(tmp_path / "training" / WEIGHTS)
    assert {t.dtype for t in stored.values()} == {torch.float16}
    assert not [name for name in stored if "parametrizations" in name]
    load_voice(tmp_path / "training")
    assert sorted(p.name for p in (tmp_path / "training").iterdir()) == [CONFIG, WEIGHTS]


def test_loading_a_voice_does_not_touch_the_random_numbers_of_a_run(tiny_voice: Path) -> None:
    before = torch.get_rng_state()
    load_voice(tiny_voice)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_missing_extra_and_reshaped_tensor_is_named(folder: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        del tensors["decoder.head.bias"], tensors["text_encoder.emb.weight"]
        tensors["dec.ups.0.weight"] = torch.zeros(1)
        tensors["speakers.vectors"] = tensors["speakers.vectors"][:1].contiguous()

    change_weights(folder, change)
    with pytest.raises(UserError) as caught:
        load_voice(folder)
    assert "missing: decoder.head.bias, text_encoder.emb.weight" in caught.value.cause
    assert "extra: dec.ups.0.weight" in caught.value.cause
    assert "speakers.vectors (1, 256) instead of (2, 256)" in caught.value.cause
    assert str(folder / WEIGHTS) in caught.value.cause


def test_where_one_line_is_too_short_the_log_names_every_tensor(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone: list[str] = []

    def change(tensors: dict[str, torch.Tensor]) -> None:
        gone.extend(name for name in list(tensors) if name.startswith("flow."))
        for name in gone:
            del tensors[name]

    change_weights(folder, change)
    with caplog.at_level(logging.WARNING), pytest.raises(UserError, match=r"and \d+ more"):
        load_voice(folder)
    assert all(name in caplog.text for name in gone)


def test_weights_that_are_no_numbers_are_named(folder: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["decoder.head.bias"][3] = float("nan")

    change_weights(folder, change)
    with pytest.raises(UserError, match=r"not numbers: decoder\.head\.bias"):
        load_voice(folder)


@pytest.mark.parametrize("size", [0, 7, 300, -1000])
def test_truncated_weights_are_one_clear_line(folder: Path, size: int) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:size])
    with pytest.raises(UserError, match=r"weights .*voice\.safetensors cannot be read"):
        load_voice(folder)


def test_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(UserError, match=r"voice\.safetensors cannot be read"):
        load_voice(folder)
    with pytest.raises(UserError, match=r"it has no config\.json"):
        load_config(tmp_path)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another format": (lambda c: c.update(format="x"), "not the configuration of a voice"),
    "no audio": (lambda c: c.pop("audio"), "incomplete.*audio"),
    "an unknown field": (lambda c: c.update(loudness=3), "unknown fields: loudness"),
    "an unknown size": (lambda c: c["model"].update(n_heds=2), "unknown fields: n_heds"),
    "a size in words": (lambda c: c["model"].update(n_layers="two"), "n_layers = 'two'"),
    "a size that is true": (lambda c: c["model"].update(n_layers=True), "n_layers = True"),
    "a decoder nobody has": (lambda c: c["model"].update(decoder="x"), "decoder = 'x'"),
    "a model that is a list": (lambda c: c.update(model=[1]), "model is not an object"),
    "speakers by number": (lambda c: c.update(speakers=2), "wrong values: speakers = 2"),
    "a speaker by name": (lambda c: c.update(speakers=["a"]), "speakers is not an object"),
    "a symbol too few": (lambda c: c["symbols"].pop(), "lists 184 symbols for a model of 185"),
    "a speaker too few": (lambda c: c["speakers"].pop(), "lists 1 speakers for a model of 2"),
    "heads that do not divide": (lambda c: c["model"].update(n_heads=3), "must divide"),
    "channels that cannot be": (
        lambda c: c["model"]["istft"].update(channels=-4),
        "No network can have the sizes",
    ),
    "a hop that does not divide": (
        lambda c: c["audio"].update(hop_length=300),
        "No network can have the sizes",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_configuration_says_what_is_wrong(folder: Path, case: str) -> None:
    change, message = WRONG[case]
    change_config(folder, change)
    with pytest.raises(UserError, match=message):
        load_voice(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff"])
def test_a_configuration_that_is_no_json_object_is_one_clear_line(folder: Path, text: str) -> None:
    (folder / CONFIG).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"config\.json"):
        load_voice(folder)


def test_every_configuration_survives_json() -> None:
    for config in (
        VitsConfig(n_symbols=5),
        VitsConfig.paper(5, n_speakers=9),
        TrainConfig(),
        DiscriminatorConfig(),
    ):
        values = json.loads(json.dumps(to_dict(config)))
        assert from_dict(type(config), values, "here") == config


def test_critics_come_back_and_may_be_absent(folder: Path) -> None:
    config = load_config(folder)
    assert load_critics(folder, config) is None
    critics = Discriminators(config.discriminators)
    add_weight_norm(critics)
    save_critics(folder, critics)
    back = load_critics(folder, config)
    assert back is not None
    sound = torch.randn(1, 1, 4096)
    with torch.no_grad():
        for a, b in zip(critics(sound), back(sound), strict=True):
            torch.testing.assert_close(a.score, b.score, atol=2e-3, rtol=0)
    (folder / CRITICS).write_bytes(b"not tensors")
    with pytest.raises(UserError, match=r"discriminators\.safetensors cannot be read"):
        load_critics(folder, config)


def test_a_voice_can_be_given_other_speakers(tiny_voice: Path) -> None:
    model, config = load_voice(tiny_voice)
    vectors = torch.randn(3, 256)
    names = tuple(Speaker(name) for name in "abc")
    changed, new = with_speakers(model, config, names, vectors)
    assert isinstance(changed, Vits)
    assert new.model.n_speakers == 3
    assert new.speakers == names
    assert torch.equal(changed.speakers.vectors, vectors)
    assert torch.equal(changed.decoder.head.weight, model.decoder.head.weight)


def test_a_disk_that_is_full_leaves_the_voice_that_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config = load_voice(folder)
    before = (folder / WEIGHTS).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vits.files.os.replace", full)
    with pytest.raises(UserError, match="disk is full"):
        save_voice(folder, model, config)
    assert (folder / WEIGHTS).read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == [CONFIG, WEIGHTS]

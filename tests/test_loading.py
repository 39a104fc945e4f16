"""Models in all the forms they come in: one file, folders of SDXL and LCM, a VAE of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from original_layout import text_tensors, unet_tensors, vae_tensors
from safetensors.torch import save_file
from tiny_diffusion import make_tiny_diffusion, make_tiny_xl

from pipelines.images.diffusion import Diffusion
from pipelines.images.loading import Source
from pipelines.images.wish import Wish
from vits.errors import UserError

WISH = Wish("a (small fox:1.3), night", "bad", steps=2, width=64, height=64, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_diffusion(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """The tiny model's weights under the names of an original checkpoint."""
    pipe = Diffusion(Source(str(folder)))._pipe
    return {
        **unet_tensors(pipe.unet.state_dict()),
        **vae_tensors(pipe.vae.state_dict()),
        **text_tensors(pipe.text_encoder.state_dict()),
    }


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_one_file_draws_what_its_folder_draws(
    folder: Path, tensors: dict[str, torch.Tensor], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"tiny{suffix}"
    if suffix == ".ckpt":
        torch.save({"state_dict": tensors}, path)
    else:
        save_file(tensors, path)
    one = Diffusion(Source(str(path), config=str(folder))).draw(WISH)
    assert one.tobytes() == Diffusion(Source(str(folder))).draw(WISH).tobytes()


def test_a_vae_of_its_own_takes_the_place_of_the_models(folder: Path, tmp_path: Path) -> None:
    other = make_tiny_diffusion(tmp_path / "other", seed=5)
    state = Diffusion(Source(str(other)))._pipe.vae.state_dict()
    path = tmp_path / "other.vae.safetensors"
    save_file(vae_tensors(state, ""), path)
    by_folder = Diffusion(Source(str(folder), vae=str(other / "vae")))
    by_file = Diffusion(Source(str(folder), vae=str(path), config=str(other)))
    drawn = by_folder.draw(WISH).tobytes()
    assert drawn == by_file.draw(WISH).tobytes()
    assert drawn != Diffusion(Source(str(folder))).draw(WISH).tobytes()
    assert by_file.facts(WISH)["vae"] != ""


def test_a_vae_that_is_none_is_one_clear_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    artist = Diffusion(Source(str(folder), vae=str(tmp_path / "bad.safetensors")))
    with pytest.raises(UserError, match="no VAE"):
        artist.draw(WISH)


def test_a_folder_of_sdxl_draws_with_both_its_encoders(tmp_path: Path) -> None:
    artist = Diffusion(Source(str(make_tiny_xl(tmp_path / "xl"))))
    first = artist.draw(WISH)
    assert first.size == (64, 64)
    assert artist.draw(WISH).tobytes() == first.tobytes()
    assert artist.draw(replace(WISH, prompt="a boat")).tobytes() != first.tobytes()
    assert artist.draw(WISH, before=first).tobytes() != first.tobytes()
    assert artist.draw(replace(WISH, hires=1.5)).size == (96, 96)


def test_an_lcm_is_known_by_its_name_and_drawn_in_four_steps(tmp_path: Path) -> None:
    folder = make_tiny_diffusion(tmp_path / "tiny-lcm", time_cond=16)
    scheduler = folder / "scheduler" / "scheduler_config.json"
    facts = json.loads(scheduler.read_text("utf-8"))
    assert facts["_class_name"] == "LCMScheduler"
    artist = Diffusion(Source(str(folder)))
    usual = artist.usual(replace(WISH, steps=Wish("").steps, cfg=Wish("").cfg))
    assert (usual.steps, usual.sampler) == (4, "LCM")
    first = artist.draw(usual)
    assert first.size == (64, 64)
    assert artist.draw(usual).tobytes() == first.tobytes()
    assert artist.draw(usual, before=first).size == (64, 64)

"""A tiny random Stable Diffusion through everything that users of the real one do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_diffusion import make_tiny_diffusion

from pipelines.images.diffusion import Diffusion, Source
from pipelines.images.failure import PictureFailed
from pipelines.images.wish import CHUNK, Wish, read_parameters
from vits.errors import UserError

WISH = Wish("a (small fox:1.3), [night]", "bad", steps=2, width=64, height=64, seed=3)
TO_K = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_diffusion(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The web UI's folder with a LoRA, one of another base, a LoHa and an embedding."""
    root = tmp_path_factory.mktemp("webui")
    (root / "models" / "Lora").mkdir(parents=True)
    (root / "embeddings").mkdir()
    random = torch.Generator().manual_seed(1)
    for name, width in (("paper", 32), ("other", 768)):
        tensors = {
            f"{TO_K}.lora_A.weight": torch.randn(4, width, generator=random),
            f"{TO_K}.lora_B.weight": torch.randn(64, 4, generator=random),
        }
        save_file(tensors, root / "models" / "Lora" / f"{name}.safetensors")
    loha = {"lora_unet_down.hada_w1_a": torch.zeros(2, 2)}
    save_file(loha, root / "models" / "Lora" / "hada.safetensors")
    save_file(
        {"emb_params": torch.randn(2, 32, generator=random)},
        root / "embeddings" / "zebby.safetensors",
    )
    return root


@pytest.fixture(scope="module")
def artist(folder: Path, webui: Path) -> Diffusion:
    return Diffusion(Source(str(folder), webui=str(webui)))


def test_the_same_wish_gives_the_same_picture_and_says_how(artist):
    first, again = artist.draw(WISH), artist.draw(WISH)
    assert first.tobytes() == again.tobytes()
    assert first.size == (64, 64)
    wish, fields = read_parameters(first.info[CHUNK])
    assert wish == WISH
    assert fields["Model hash"] == artist.hash
    assert artist.draw(replace(WISH, seed=4)).tobytes() != first.tobytes()


def test_emphasis_and_words_beyond_77_tokens_count(artist):
    plain = artist.draw(replace(WISH, prompt="a fox, night"))
    assert artist.draw(replace(WISH, prompt="a (fox:1.5), night")).tobytes() != plain.tobytes()
    long = "many words of a long prompt, " * 12
    ends = [artist.draw(replace(WISH, prompt=f"{long}{end}")) for end in ("sun", "moon")]
    assert ends[0].tobytes() != ends[1].tobytes()


def test_a_second_pass_is_larger_and_another_picture_can_be_the_beginning(artist):
    first = artist.draw(WISH)
    assert artist.draw(replace(WISH, hires=1.5, sampler="DPM++ 2M Karras")).size == (96, 96)
    follow = artist.draw(WISH, before=first)
    assert follow.tobytes() != first.tobytes()


def test_loras_change_the_picture_and_leave_no_trace(artist):
    bare = artist.draw(WISH)
    wish = replace(WISH, prompt=f"{WISH.prompt} <lora:paper:0.9>")
    drawn = artist.draw(wish)
    assert drawn.tobytes() != bare.tobytes()
    assert artist.facts(wish)["loras"] != []
    assert "paper" in drawn.info[CHUNK]
    assert artist.draw(WISH).tobytes() == bare.tobytes()
    assert len(artist.credits(wish)) == 2


def test_a_lora_of_another_base_and_a_loha_are_one_clear_line(artist):
    with pytest.raises(UserError, match="'other' does not fit"):
        artist.draw(replace(WISH, prompt="fox <lora:other>"))
    with pytest.raises(UserError, match="LoHa"):
        artist.draw(replace(WISH, prompt="fox <lora:hada>"))
    artist.draw(WISH)  # and the model still works


def test_textual_inversions_are_known_by_their_names(artist):
    artist.draw(replace(WISH, prompt="a zebby fox"))
    assert artist._embeddings == {"zebby"}


def test_a_picture_of_nothing_is_a_failed_one(folder, tmp_path):
    broken = Diffusion(Source(str(folder)))
    with torch.no_grad():
        broken._pipe.vae.decoder.conv_out.weight.fill_(float("nan"))
    with pytest.raises(PictureFailed, match="one colour"), np.errstate(invalid="ignore"):
        broken.draw(WISH)


def test_distilled_models_are_asked_for_few_steps(folder):
    artist = Diffusion(Source(str(folder)))
    artist.source = replace(artist.source, model="someone/sd-turbo")
    assert (artist.usual(Wish("x")).steps, artist.usual(Wish("x")).cfg) == (2, 0.0)
    assert artist.usual(replace(WISH, steps=7)).steps == 7


def test_a_lora_is_not_taken_for_a_model(webui):
    lora = Diffusion(Source(str(webui / "models" / "Lora" / "paper.safetensors")))
    with pytest.raises(UserError, match="no whole model, but: lora"):
        lora.draw(WISH)

"""Wishes and their text, emphasis, model files, servers that behave badly; no model is loaded."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bad_server import Answer, Server, failure, json_answer, page
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from pipelines.images.emphasis import for_compel, weighted
from pipelines.images.failure import PictureFailed
from pipelines.images.modelfiles import find_file, identify, list_models
from pipelines.images.samplers import SAMPLERS, check_sampler
from pipelines.images.servers import OpenAIImages, WebUI
from pipelines.images.wish import CHUNK, Lora, Wish, parameters, read_parameters, split_loras
from vits.errors import UserError

WISH = Wish('a "fox", (night:1.2)\nand a moon', "blurry, bad", 12, "DPM++ 2M Karras", 6.5, 42)


# ---------------------------------------------------------------- wishes


@given(
    prompt=st.text("abc,:(\n\"'月1.", max_size=40).filter(lambda t: t == t.strip()),
    steps=st.integers(1, 99),
    seed=st.integers(0, 2**31 - 1),
    hires=st.sampled_from([1.0, 1.5, 2.0]),
)
@settings(max_examples=60, deadline=None)
def test_settings_survive_being_written_as_text(prompt, steps, seed, hires):
    wish = replace(WISH, prompt=prompt, steps=steps, seed=seed, hires=hires)
    found, fields = read_parameters(parameters(wish, Model="a, b", Model_hash="0123"))
    assert found == wish
    assert (fields["Model"], fields["Model hash"]) == ("a, b", "0123")


def test_the_web_uis_own_text_is_read():
    text = (
        "a cat, <lora:soft:0.7>\nNegative prompt: lowres\nSteps: 20, Sampler: Euler a, "
        "CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b, "
        'Lora hashes: "soft: 1a2b", Version: 1.9'
    )
    wish, fields = read_parameters(text)
    assert (wish.seed, wish.width, wish.negative) == (965400086, 512, "lowres")
    assert fields["Lora hashes"] == "soft: 1a2b"
    with pytest.raises(UserError, match="no settings"):
        read_parameters("a photograph of my dog")


def test_loras_are_taken_out_of_a_prompt():
    bare, loras = split_loras("a fox, <lora:paper cut:0.8>, night <lora:b>")
    assert bare == "a fox, night"
    assert loras == (Lora("paper cut", 0.8), Lora("b", 1.0))


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a (b) c", [("a ", 1), ("b", 1.1), (" c", 1)]),
        ("((a)) [b]", [("a", 1.21), (" ", 1), ("b", 1 / 1.1)]),
        ("(a:1.3), b", [("a", 1.3), (", b", 1)]),
        (r"smile \(cat\)", [("smile (cat)", 1)]),
        ("(never closed", [("never closed", 1.1)]),
        ("", []),
    ],
)
def test_emphasis_is_the_web_uis(prompt, pieces):
    found = weighted(prompt)
    assert [text for text, _ in found] == [text for text, _ in pieces]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in pieces])


def test_emphasis_is_written_as_compel_reads_it():
    assert for_compel(r"a (red fox:1.3), [night], \(x\)") == (
        r"a (red fox)1.3 , (night)0.9091 , \(x\)"
    )


def test_samplers_go_by_the_web_uis_names():
    import diffusers

    assert check_sampler("euler A") == "Euler a"
    assert all(hasattr(diffusers, kind) for kind, _ in SAMPLERS.values())
    with pytest.raises(UserError, match=r"did you mean 'DPM\+\+ 2M'"):
        check_sampler("DPM+ 2M")


# ---------------------------------------------------------------- model files


def weights(path: Path, shapes: dict[str, tuple[int, ...]], **notes: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path, notes or None)
    return path


ATTENTION = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FILES = [
    ({ATTENTION: (8, 768)}, ("checkpoint", "SD 1.x")),
    ({ATTENTION: (8, 1024)}, ("checkpoint", "SD 2.x")),
    (
        {ATTENTION: (8, 2048), "conditioner.embedders.1.model.ln_final.weight": (4,)},
        ("checkpoint", "SDXL"),
    ),
    ({"encoder.down.0.x": (2,), "decoder.conv_in.weight": (2, 2)}, ("vae", "")),
    (
        {
            "lora_unet_attn2_to_k.lora_down.weight": (4, 768),
            "lora_unet_attn2_to_k.lora_up.weight": (8, 4),
        },
        ("lora", "SD 1.x"),
    ),
    (
        {
            "lora_unet_conv.lora_down.weight": (4, 8, 3, 3),
            "lora_te2_x.lora_down.weight": (4, 8),
        },
        ("locon", "SDXL"),
    ),
    ({"lora_unet_attn2_to_k.hada_w1_a": (4, 4)}, ("loha", "")),
    ({"emb_params": (3, 768)}, ("embedding", "SD 1.x")),
    ({"something.else": (3, 5)}, ("unknown", "")),
]


@pytest.mark.parametrize(("shapes", "told"), FILES)
def test_a_file_is_told_from_its_tensors(tmp_path, shapes, told):
    file = identify(weights(tmp_path / "a.safetensors", shapes))
    assert (file.kind, file.base) == told


def test_a_pickle_is_read_only_if_it_holds_tensors_alone(tmp_path):
    path = tmp_path / "style.pt"
    torch.save({"string_to_param": {"*": torch.zeros(2, 768)}}, path)
    assert identify(path).kind == "embedding"

    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "owned").touch, ())

    torch.save({"state_dict": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(UserError, match="not a model's weights"):
        identify(tmp_path / "evil.ckpt")
    assert not (tmp_path / "owned").exists()


def test_a_folder_is_listed_and_broken_files_are_named(tmp_path):
    weights(tmp_path / "Lora" / "a.safetensors", FILES[4][0], **{"modelspec.license": "MIT"})
    (tmp_path / "b.safetensors").write_bytes(b"not weights")
    found = list(list_models(tmp_path))
    assert [getattr(file, "licence", None) for file in found] == ["MIT", None]
    assert isinstance(found[1], UserError)


def test_files_are_found_where_the_web_ui_keeps_them(tmp_path):
    for folder in ("models/Lora/paper", "extensions/sd-webui-additional-networks/models/lora"):
        weights(tmp_path / folder / f"{Path(folder).name}-one.safetensors", FILES[4][0])
    assert find_file(tmp_path, "lora", "paper-one").parent.name == "paper"
    assert find_file(tmp_path, "lora", "lora-one").parent.name == "lora"
    with pytest.raises(UserError, match="no lora 'other'") as caught:
        find_file(tmp_path, "lora", "other")
    assert "paper-one" in caught.value.remedy


# ---------------------------------------------------------------- servers


def png(colour: str = "red") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_the_web_ui_is_asked_as_its_interface_wants():
    info = json.dumps({"infotexts": ["a fox\nSteps: 12, Sampler: Euler a, Seed: 5"]})
    with Server(json_answer({"images": [png()], "info": info})) as server:
        webui = WebUI(server.url, model="anything-v5", vae="blessed")
        picture = webui.draw(replace(WISH, hires=2.0))
        webui.draw(WISH, before=Image.fromarray(np.zeros((8, 8, 3), np.uint8)))
    first, second = (request.json for request in server.seen)
    assert [request.path for request in server.seen] == ["/sdapi/v1/txt2img", "/sdapi/v1/img2img"]
    assert (first["sampler_name"], first["seed"], first["enable_hr"]) == (WISH.sampler, 42, True)
    assert first["override_settings"] == {"sd_model_checkpoint": "anything-v5", "sd_vae": "blessed"}
    assert second["denoising_strength"] == WISH.strength
    assert picture.getpixel((0, 0)) == (255, 0, 0)
    assert "Seed: 5" in picture.info[CHUNK]


def test_openai_images_are_asked_with_the_key_of_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with Server(json_answer({"data": [{"b64_json": png("blue")}]})) as server:
        picture = OpenAIImages("image-1", f"{server.url}/v1").draw(WISH)
    assert server.seen[0].path == "/v1/images/generations"
    assert server.seen[0].headers["Authorization"] == "Bearer secret"
    assert picture.getpixel((0, 0)) == (0, 0, 255)
    assert "secret" not in picture.info[CHUNK]


@pytest.mark.parametrize(
    "answer",
    [
        failure(500),
        failure(429),
        page(),
        json_answer([1]),
        json_answer({"images": []}),
        json_answer({"images": ["bm90IGEgcGljdHVyZQ=="]}),
        Answer(b'{"images": [', missing=20),
    ],
)
def test_a_server_that_fails_costs_a_picture_and_no_more(answer):
    with Server(answer) as server, pytest.raises(PictureFailed):
        WebUI(server.url).draw(WISH)


def test_a_server_that_is_not_there_or_locked_is_one_clear_line():
    with pytest.raises(UserError, match="no server at"):
        WebUI("http://127.0.0.1:9").draw(WISH)
    with Server(failure(401)) as server, pytest.raises(UserError, match="does not let you in"):
        OpenAIImages("m", server.url).draw(WISH)
    with Server(failure(404)) as server, pytest.raises(UserError, match="has no"):
        WebUI(server.url).draw(WISH)
    with pytest.raises(UserError, match="no address"):
        WebUI("file:///etc/passwd").draw(WISH)

"""G_*.pth and D_*.pth of original VITS and fast-fine-tuning: every tensor, and its text."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pytest
import torch
from foreign import (
    CJE_SYMBOLS,
    TINY,
    Sizes,
    discriminator_layout,
    generator_layout,
    write_discriminator,
    write_generator,
)
from torch.nn.utils import weight_norm

from vits.checkpoint import load_critics, load_voice
from vits.config import DiscriminatorConfig, VitsConfig
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.formats.importer import ImportRequest, ImportResult, import_voice
from vits.formats.names import critic_name, fused, our_name, renamed
from vits.formats.original import ENGLISH_SYMBOLS
from vits.layers import plain_state_dict
from vits.model import Vits
from vits.voice import Voice

FAST_FINE_TUNING = Sizes()
PAPER = Sizes(n_symbols=178, n_speakers=109)
PAPER_ONE = Sizes(n_symbols=178, n_speakers=0, gin=0)


def names_of(sizes: Sizes) -> tuple[set[str], set[str]]:
    """Our names that the map gives for a layout, and those of the network itself."""
    with torch.device("meta"):
        tensors = {name: torch.empty(shape) for name, shape in generator_layout(sizes).items()}
        config = VitsConfig.paper(sizes.n_symbols, max(1, sizes.n_speakers))
        ours, rows = renamed(tensors, "original")
        model = Vits(config)
    assert {row.how for row in rows} == {"mapped", "fused"}
    shapes = {name: tuple(t.shape) for name, t in plain_state_dict(model).items()}
    assert {name: tuple(t.shape) for name, t in ours.items()} == shapes
    return set(ours), set(shapes)


@pytest.mark.parametrize("sizes", [FAST_FINE_TUNING, PAPER, PAPER_ONE])
def test_the_map_is_whole_for_the_published_sizes(sizes: Sizes) -> None:
    mapped, expected = names_of(sizes)
    assert mapped == expected


def test_the_published_files_have_as_many_tensors_as_this_layout() -> None:
    generator, critics = generator_layout(FAST_FINE_TUNING), discriminator_layout()
    assert (len(generator), len(critics)) == (858, 111)
    count = sum(torch.Size(shape).numel() for shape in generator.values())
    assert round(count / 1e6, 1) == 39.9
    assert round(sum(torch.Size(s).numel() for s in critics.values()) / 1e6, 1) == 46.7


def test_no_two_tensors_share_a_name() -> None:
    stems = {n.replace("weight_g", "weight").replace("weight_v", "weight")
             for n in generator_layout(FAST_FINE_TUNING)}  # fmt: skip
    ours = [our_name(stem, "original") for stem in stems]
    assert None not in ours
    assert len(set(ours)) == len(stems)


def test_the_map_of_the_discriminators_is_whole() -> None:
    with torch.device("meta"):
        expected = plain_state_dict(Discriminators(DiscriminatorConfig(kind="paper")))
        tensors = {n: torch.empty(shape) for n, shape in discriminator_layout().items()}
        plain, _ = fused(tensors)
    assert {critic_name(n): tuple(t.shape) for n, t in plain.items()} == {
        n: tuple(t.shape) for n, t in expected.items()
    }


def test_old_weight_norm_is_multiplied_out_as_torch_does() -> None:
    torch.manual_seed(0)
    layer = weight_norm(torch.nn.ConvTranspose1d(6, 4, 8))
    state = {f"dec.ups.0.{name}": tensor for name, tensor in layer.state_dict().items()}
    plain, origin = fused(state)
    layer(torch.zeros(1, 6, 3))  # computes the weight
    assert torch.allclose(plain["dec.ups.0.weight"], layer.weight, atol=1e-6)
    assert origin == {"dec.ups.0.weight": "dec.ups.0.weight_v"}
    with pytest.raises(UserError, match="weight_g without"):
        fused({"a.weight_g": torch.ones(1)})


# ---------------------------------------------------------------- whole files


@pytest.fixture
def generator(tmp_path: Path, library: Path) -> Path:
    return write_generator(tmp_path / "vff")


def imported(generator: Path, discriminator: Path | None = None) -> ImportResult:
    return import_voice(ImportRequest(str(generator), "theirs", discriminator=discriminator))


@pytest.mark.slow  # writes 187 MB, the one size that discriminators have
@pytest.mark.usefixtures("in_process")
def test_a_pair_becomes_a_voice_with_its_critics(generator: Path, tmp_path: Path) -> None:
    made = imported(generator, write_discriminator(tmp_path / "D_0.pth"))
    assert made.layout == "original VITS"
    model, config = load_voice(made.folder)
    theirs = torch.load(generator, weights_only=True)["model"]
    assert torch.equal(model.text_encoder.emb.weight, theirs["enc_p.emb.weight"])
    assert torch.equal(model.speakers.vectors, theirs["emb_g.weight"])
    critics = load_critics(made.folder, config)
    assert critics is not None
    assert critics.config.kind == "paper"
    assert [s.name for s in config.speakers] == ["Anna", "特别周 Special Week", "Cleo"]
    assert config.languages == ("zh", "ja", "en")
    assert len(made.rows) == len(fused(theirs)[0]) + 2 * 37
    assert not made.count("refused")


@pytest.mark.usefixtures("in_process")
def test_it_speaks_mixed_text_and_loses_nothing(generator: Path) -> None:
    imported(generator)
    voice = Voice.load("theirs:Cleo")
    text = "我正在学习Python，觉得很有意思！こんにちは、世界。《The Fox》很好看……"
    spoken = list(voice.speak(text, language="zh"))
    assert not [char for speech in spoken for char in speech.unknown]
    assert all(np.isfinite(speech.audio.samples).all() for speech in spoken)
    assert all(len(speech.audio.samples) > 1000 for speech in spoken)
    words = [word for speech in spoken for word in speech.words]
    assert [text[w.char_start : w.char_end] for w in words] == [w.text for w in words]
    assert "Python" in [w.text for w in words]


@pytest.mark.usefixtures("in_process")
def test_a_sound_that_the_table_lacks_is_named(tmp_path: Path, library: Path) -> None:
    fewer = [s for s in CJE_SYMBOLS if s != "ʊ"] + ["µ"]
    generator = write_generator(tmp_path / "vff", symbols=fewer)
    imported(generator)
    (speech,) = Voice.load("theirs").speak("你好。", language="zh")
    assert "ʊ" in speech.unknown


@pytest.mark.usefixtures("in_process")
def test_the_paper_of_one_speaker_reads_english(tmp_path: Path, library: Path) -> None:
    sizes = dataclasses.replace(TINY, n_symbols=178, n_speakers=0, gin=0)
    generator = write_generator(tmp_path / "ljs", sizes, cleaner="english_cleaners2", symbols=None)
    imported(generator)
    voice = Voice.load("theirs")
    assert len(ENGLISH_SYMBOLS) == 178
    assert voice.config.model.speaker == "none"
    (speech,) = voice.speak("Dr. Smith's good evening, friend!")
    assert not speech.unknown
    symbols = voice.front_end.lines(["Good evening, friend!"], "en")[0]
    assert "".join(symbols) == "ɡˈʊd ˈiːvnɪŋ, fɹˈɛnd!"


@pytest.mark.usefixtures("in_process")
def test_a_deterministic_predictor_and_the_small_blocks_are_read(
    tmp_path: Path, library: Path
) -> None:
    sizes = dataclasses.replace(TINY, stochastic=False, resblock="2")
    generator = write_generator(tmp_path / "vff", sizes)
    config = foreign.settings(sizes)
    config["model"]["resblock_dilation_sizes"] = [[1, 2], [2, 6], [3, 12]]
    (tmp_path / "vff" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    imported(generator)
    model = Voice.load("theirs").model
    assert model.config.duration == "deterministic"
    assert model.config.hifigan.resblock == "2"


# ---------------------------------------------------------------- bad input


class Malicious:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        code = f"open({str(self.target)!r}, 'w').write('owned')"
        return exec, (code,)


def test_a_malicious_pickle_runs_nothing(generator: Path, tmp_path: Path) -> None:
    target = tmp_path / "owned"
    torch.save({"model": Malicious(target)}, generator)
    with pytest.raises(UserError, match=r"asks to run exec .* nothing was run"):
        imported(generator)
    with generator.open("wb") as file:  # as from before PyTorch 1.6
        pickle.dump({"model": Malicious(target)}, file)
    with pytest.raises(UserError):
        imported(generator)
    assert not target.exists()
    pickle.loads(pickle.dumps(Malicious(target)))
    assert target.exists(), "the test's own pickle is harmless"


@pytest.mark.usefixtures("in_process")
def test_paths_that_a_training_left_are_allowed_by_name(generator: Path) -> None:
    state = torch.load(generator, weights_only=True)
    torch.save({**state, "where": Path("/somewhere/else")}, generator)
    assert imported(generator).name == "theirs"


def other_program(generator: Path) -> None:
    torch.save({"model": {"gpt.layer.weight": torch.ones(3)}}, generator)


def discriminator(generator: Path) -> None:
    torch.save({"model": {"discriminators.0.conv_post.bias": torch.ones(1)}}, generator)


def extra_tensor(generator: Path) -> None:
    state = torch.load(generator, weights_only=True)
    state["model"]["bert_proj.weight"] = torch.ones(3)
    torch.save(state, generator)


def missing_tensor(generator: Path) -> None:
    state = torch.load(generator, weights_only=True)
    del state["model"]["enc_p.proj.bias"]
    torch.save(state, generator)


def config_with(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def harm(generator: Path) -> None:
        path = generator.with_name("config.json")
        values = json.loads(path.read_text("utf-8"))
        change(values)
        path.write_text(json.dumps(values), encoding="utf-8")

    return harm


def test_a_file_that_is_cut_short_is_one_clear_line(generator: Path) -> None:
    generator.write_bytes(generator.read_bytes()[:5000])
    with pytest.raises(UserError, match="cut short") as caught:
        imported(generator)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (other_program, r"no VITS that is known here.*gpt\.layer"),
        (discriminator, "is a discriminator, which cannot speak"),
        (extra_tensor, r"1 tensors that no part of a VITS takes: bert_proj"),
        (missing_tensor, r"missing: text_encoder\.proj\.bias"),
        (config_with(lambda v: v["symbols"].pop()), r"lists \d+ symbols, and the weights have"),
        (config_with(lambda v: v.pop("data")), "no section 'data'"),
        (config_with(lambda v: v["data"].pop("sampling_rate")), "does not say sampling_rate"),
        (config_with(lambda v: v["data"].update(text_cleaners=["x"])), "cleaner x, which is not"),
        (config_with(lambda v: v["model"].update(hidden_channels=99)), "hidden_channels is 99"),
        (config_with(lambda v: v["model"].update(upsample_rates=[8, 8])), "2 upsampling rates"),
        (config_with(lambda v: v.update(speakers={"Zoe": 7})), "names 'Zoe' as speaker 7"),
        (lambda generator: generator.with_name("config.json").unlink(), "no configuration beside"),
        (
            lambda generator: generator.with_name("config.json").write_text("{"),
            "cannot be read as JSON",
        ),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    generator: Path, library: Path, harm: Callable[[Any], object], said: str
) -> None:
    harm(generator)
    with pytest.raises(UserError, match=said) as caught:
        imported(generator)
    assert "\n" not in str(caught.value)
    assert not (library / "voices" / "theirs").exists()


@pytest.mark.usefixtures("in_process")
def test_a_generator_given_as_discriminator_is_refused(generator: Path) -> None:
    with pytest.raises(UserError, match="does not hold the discriminators"):
        imported(generator, generator)


@pytest.mark.usefixtures("in_process")
def test_names_of_speakers_and_languages_that_are_not_there_are_answered(
    generator: Path,
) -> None:
    imported(generator)
    with pytest.raises(UserError, match="no speaker 'Zoe'"):
        Voice.load("theirs:Zoe")
    with pytest.raises(UserError, match="does not speak 'de'"):
        Voice.load("theirs").speak("Hallo", language="de")

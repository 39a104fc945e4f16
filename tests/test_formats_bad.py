"""What is wrong with somebody's checkpoint is one clear line, whatever it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from foreign import TINY, random_tensors, settings, write_discriminator, write_generator
from foreign import generator_layout as layout
from test_formats_piper_coqui import (
    COQUI,
    MEDIUM,
    coqui_name,
    coqui_settings,
    piper_settings,
    short,
)
from torch import Tensor

from cli import clone_voice
from vits.errors import UserError
from vits.formats import coqui, huggingface, original, piper
from vits.formats.loading import Checkpoint

WRONG: tuple[Any, ...] = (None, "?", -1, [], {"?": "?"})
Values = dict[str, Any]


def changed(values: Values) -> Iterator[tuple[str, Values]]:
    """The configuration with each field, at any depth of two, missing or of another kind."""
    places = [(key,) for key in values]
    places += [(key, inner) for key in values if isinstance(values[key], dict)
               for inner in list(values[key])[:14]]  # fmt: skip
    for place in places:
        for wrong in ("gone", *WRONG):
            other = copy.deepcopy(values)
            holder = other[place[0]] if len(place) == 2 else other
            if wrong == "gone":
                del holder[place[-1]]
            else:
                holder[place[-1]] = wrong
            yield f"{'.'.join(place)} = {wrong!r}", other


def prefixed(prefix: str, tensors: dict[str, Tensor]) -> Checkpoint:
    return Checkpoint({f"{prefix}{name}": tensor for name, tensor in tensors.items()})


TENSORS = {
    "original": random_tensors(layout(TINY)),
    "piper": short(MEDIUM),
    "coqui": {coqui_name(name): tensor for name, tensor in short(COQUI).items()},
}
READERS: dict[str, tuple[Callable[[Values], object], Callable[[], Values]]] = {
    "original": (
        lambda values: original.read(
            prefixed("model/", TENSORS["original"]), values, Path("config.json")
        ),
        lambda: settings(TINY),
    ),
    "piper": (
        lambda values: piper.read(
            prefixed("state_dict/model_g.", TENSORS["piper"]), values, Path("a.json")
        ),
        piper_settings,
    ),
    "coqui": (
        lambda values: coqui.read(
            prefixed("model/", TENSORS["coqui"]),
            values,
            Path("config.json"),
        ),
        coqui_settings,
    ),
    "piper onnx": (
        lambda values: piper.read_onnx(values, Path("a.onnx.json")),
        piper_settings,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_a_configuration_with_fields_that_are_missing_or_wrong_never_ends_in_a_traceback(
    kind: str,
) -> None:
    read, values = READERS[kind]
    read(values())  # as it is, it is read
    refused = 0
    for what, other in changed(values()):
        try:
            read(other)
        except UserError as error:
            refused += 1
            if ".json" not in error.cause and "configuration" not in error.cause:
                pytest.fail(f"{kind}: {what}: where? {error}")
        except Exception as error:
            pytest.fail(f"{kind}: {what}: {type(error).__name__}: {error}")
    assert refused > 20


@pytest.mark.slow
def test_a_wrong_field_of_transformers_configuration_never_ends_in_a_traceback(
    tmp_path: Path,
) -> None:
    pytest.importorskip("transformers")
    from safetensors.torch import load_file
    from test_formats_huggingface import write_model

    write_model(tmp_path, speakers=2)
    weights = Checkpoint(load_file(tmp_path / "model.safetensors"))
    where = tmp_path / "config.json"
    whole = json.loads(where.read_text("utf-8"))
    refused = 0
    for what, other in changed(whole):
        where.write_text(json.dumps(other), "utf-8")
        try:
            huggingface.read(where, weights)
        except UserError as error:
            refused += 1
            if ".json" not in error.cause and "configuration" not in error.cause:
                pytest.fail(f"{what}: where? {error}")
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
    assert refused > 20


# ---------------------------------------------------------------- by the command


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def imported(*words: str) -> str:
    """The one line that refuses an import."""
    run = CliRunner().invoke(clone_voice, ["import", *words, "--name", "theirs"])
    assert run.exit_code == 2, run.output
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line


def other_program(folder: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, folder / "G_0.pth")


def no_weights(folder: Path) -> None:
    torch.save({"epoch": 3}, folder / "G_0.pth")


def critics(folder: Path) -> None:
    write_discriminator(folder / "G_0.pth", tiny=True)


def malicious(folder: Path) -> None:
    torch.save({"model": Harmful(folder / "harm")}, folder / "G_0.pth")


def truncated(folder: Path) -> None:
    data = (folder / "G_0.pth").read_bytes()
    (folder / "G_0.pth").write_bytes(data[: len(data) // 3])


def text(folder: Path) -> None:
    (folder / "G_0.pth").write_text("Good evening.")


def empty(folder: Path) -> None:
    (folder / "G_0.pth").write_bytes(b"")


def change(**changes: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        values = json.loads((folder / "config.json").read_text("utf-8")) | changes
        (folder / "config.json").write_text(json.dumps(values), "utf-8")

    return write


def no_json(folder: Path) -> None:
    (folder / "config.json").unlink()


def broken_json(folder: Path) -> None:
    (folder / "config.json").write_text('{"data": ')


@pytest.mark.usefixtures("in_process", "library")
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (other_program, "no VITS that is known here"),
        (no_weights, "no VITS that is known here"),
        (critics, "is a discriminator, which cannot speak"),
        (change(symbols=["a", "b"]), "lists 2 symbols, and the weights have"),
        (change(speakers={"Zoe": 99}), "names 'Zoe' as speaker 99"),
        (change(data={"text_cleaners": ["cjke_cleaners2"]}), "does not say sampling_rate"),
        (change(model=None), "has no section 'model'"),
        (no_json, "no configuration beside"),
        (broken_json, "cannot be read as JSON"),
    ],
)
def test_bad_checkpoints_are_refused_in_one_line_by_the_command(
    harm: Callable[[Path], None], said: str, tmp_path: Path, library: Path
) -> None:
    generator = write_generator(tmp_path / "vff")
    harm(generator.parent)
    assert said in imported(str(generator))
    assert not (library / "voices" / "theirs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("harm", [malicious, truncated, text, empty])
def test_files_that_are_no_checkpoint_run_nothing_and_are_refused_in_one_line(
    harm: Callable[[Path], None], tmp_path: Path, library: Path
) -> None:
    """By the reader's own process, as users have it."""
    generator = write_generator(tmp_path / "vff")
    harm(generator.parent)
    line = imported(str(generator))
    wanted = "nothing was run" if harm is malicious else "cut short, or no such file"
    assert wanted in line
    assert not (generator.parent / "harm").exists()
    assert not (library / "voices" / "theirs").exists()

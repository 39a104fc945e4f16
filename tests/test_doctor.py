"""The doctor tells what is there, and what is missing, without breaking over it."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from pipelines import doctor


def test_everything_needed_is_found_here(library: Path) -> None:
    found = doctor.diagnose(measure=False)
    assert not found.missing
    assert "cpu" in found.devices
    assert {package.name for package in found.packages} == {*doctor.NEEDED, *doctor.OPTIONAL}


def test_missing_package_is_named_with_its_remedy(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.metadata.version

    def version(name: str) -> str:
        if name == "pocketsphinx":
            raise importlib.metadata.PackageNotFoundError(name)
        return there(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    result = CliRunner().invoke(cli.clone_voice, ["doctor"])
    assert result.exit_code == 2
    assert "pocketsphinx is missing" in result.stdout
    assert "bootstrap.py setup" in result.stdout


def test_package_that_breaks_others_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.13.0+cpu", "torchaudio": "2.13.0"}
    monkeypatch.setattr(doctor, "_version", versions.get)
    assert any("pip uninstall torchaudio" in warning for warning in doctor._warnings())


def test_speed_is_measured_with_a_voice(
    library: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "base").symlink_to(tiny_voice)
    monkeypatch.setattr("vits.library.BASES", tmp_path / "bases")
    monkeypatch.setattr(doctor, "MATRIX", 64)
    speed = doctor._speed()
    assert speed.matmul_gflops > 0
    assert speed.convolution_gflops > 0
    assert speed.real_time_factor is not None
    assert speed.real_time_factor > 0


def test_space_is_counted_where_the_library_is(library: Path) -> None:
    (library / "voices" / "anna").mkdir(parents=True)
    (library / "voices" / "anna" / "voice.safetensors").write_bytes(b"x" * 1000)
    voices = doctor.diagnose(measure=False).stores[0]
    assert (voices.bytes, voices.path) == (1000, library / "voices")
    assert "clone-voice remove" in voices.cleaning

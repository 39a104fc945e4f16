"""From a recording in which several people speak to a voice: prepared, reviewed, trained on."""

from __future__ import annotations

import json
import shutil
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from browser import browser, chromium
from click.testing import CliRunner
from conftest import plain_ears, require
from voices import RATE, other_voice, reader, save

from cli import clone_voice
from data.clips import read_clips
from pipelines.review import serve
from vits.audio import Audio

OWN, GUESTS = 8, 2


def gathering() -> tuple[Audio, list[tuple[str, float, float]], list[tuple[str, str]]]:
    """Shuffled clips of two people, silence, hiss and music between; who speaks where; words."""
    chance = np.random.default_rng(1)
    clips = [("own", audio.samples, text) for audio, text in reader(OWN)]
    clips += [("guest", other_voice(a, 1.5).samples, t) for a, t in reader(OWN + GUESTS)[OWN:]]
    parts, places, words, now = [], [], [], 0
    for index in chance.permutation(len(clips)):
        who, samples, text = clips[index]
        for part in (np.zeros(RATE), between(index), np.zeros(RATE), samples):
            parts.append(part + chance.normal(0, 2e-4, len(part)))
            now += len(part)
        places.append((who, (now - len(samples)) / RATE, now / RATE))
        words.append((who, text))
    whole = np.concatenate([*parts, chance.normal(0, 2e-4, RATE)]).astype(np.float32)
    return Audio(whole, RATE), places, words


def between(index: int) -> np.ndarray:
    """A second and a half of hiss, of a chord, or of nothing."""
    t = np.arange(3 * RATE // 2) / RATE
    swell = np.sin(np.pi * t / 1.5)
    if index % 3 == 0:
        return 0.02 * swell * np.random.default_rng(index).normal(0, 1, len(t))
    if index % 3 == 1:
        return 0.05 * swell * sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277, 330))
    return 0 * t


@pytest.mark.tool
def test_several_people_in_noise_become_a_data_set_a_page_and_a_voice(
    library: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(chromium(), "there is no Chromium")
    plain_ears(monkeypatch)
    shutil.copytree(tiny_voice, library / "voices" / "tiny")
    sound, places, words = gathering()
    source = save(tmp_path / "in/an evening.flac", sound)
    source.with_suffix(".txt").write_text("\n".join(text for _, text in words), encoding="utf-8")
    dataset = tmp_path / "set"

    made = CliRunner().invoke(clone_voice, ["prepare", str(source), "-o", str(dataset)])
    assert made.exit_code == 3, made.output  # the guest is left out
    report = json.loads((dataset / "report.json").read_text("utf-8"))
    assert sum(report["account"].values()) == pytest.approx(sound.duration_s, abs=0.01)
    assert report["account"]["no speech"] > 1.5
    used = [r for r in report["records"] if r["verdict"] != "drop"]
    for who, start_s, end_s in places:
        overlap_s = sum(
            max(0.0, min(end_s, r["kept_end_s"]) - max(start_s, r["kept_start_s"])) for r in used
        )
        share = overlap_s / (end_s - start_s)
        assert share > 0.8 if who == "own" else share < 0.05, (who, start_s, share)
    said = " ".join(text for who, text in words if who == "own").split()
    told = " ".join(clip.text for clip in read_clips(dataset)).split()
    right = sum(b.size for b in SequenceMatcher(None, said, told).get_matching_blocks())
    assert right >= 0.96 * max(len(said), len(told))

    with serve(dataset) as server, browser() as page:
        page.call("Page.navigate", url=server.url)
        page.wait("document.body && document.body.dataset.ready === 'yes'")
        shown = page.evaluate("[...rows.keys()]")
        assert len(shown) == sum(bool(r["wav"]) for r in report["records"])
        first = read_clips(dataset)[0].path.stem
        place = 1 + shown.index(first)
        page.click(f".clip:nth-child({place}) .reject")
        page.wait(f"document.querySelector('.clip:nth-child({place})').classList.contains('drop')")
        assert not page.complaints
    reviewed = read_clips(dataset)
    assert first not in {clip.path.stem for clip in reviewed}

    command = ["train", str(dataset), "--name", "evening", "--base", "tiny", "--steps", "2"]
    trained = CliRunner().invoke(
        clone_voice, [*command, "--consent", "Yes.", "--device", "cpu", "--json"]
    )
    assert trained.exit_code == 0, trained.output
    events = [json.loads(line) for line in trained.stdout.splitlines()]
    (plan,) = (event["line"] for event in events if event["event"] == "plan")
    assert plan.startswith(f"{len(reviewed)} clips")
    assert not events[-1]["dropped"]
    assert (library / "voices/evening/voice.safetensors").is_file()

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import make_tiny_voice

from pipelines.pace import DRAWS, LONGEST, SHORTEST, _durations, _sounds, length_scale
from vits.checkpoint import VoiceConfig, load_voice
from vits.model import Batch, Vits
from vits.voice import Voice

TEXTS = ("One, two and three.", "A long way home, and nobody there!")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Vits, VoiceConfig]:
    folder = make_tiny_voice(tmp_path_factory.mktemp("pace") / "tiny")
    return folder, *load_voice(folder)


def clip(config: VoiceConfig, text: str, frames: int, pause: int) -> Batch:
    """A clip in which every sound lasts `frames` and all else `pause`."""
    ids = torch.tensor([config.front_end.ids(config.front_end.lines([text], "en")[0])])
    sounds = _sounds(ids[0].tolist(), config)
    durations = torch.where(sounds, frames, pause)[None]
    n = int(durations.sum())
    nothing = torch.zeros(1, 1, n)
    return Batch(
        ids, torch.tensor([ids.shape[1]]), nothing, torch.tensor([n]), torch.zeros(1, 1),
        torch.tensor([11025.0]), speaker=torch.tensor([0]), durations=durations,
    )  # fmt: skip


def lasting(model: Vits, config: VoiceConfig, clips: list[Batch], scale: float) -> float:
    """Frames of all sounds at this scale, the mean of the draws."""
    total = 0.0
    for seed, batch in enumerate(clips):
        sounds = _sounds(batch.ids[0].tolist(), config)
        for row in _durations(model, config, batch, seed):
            total += float(torch.ceil(row[0][sounds] * scale).sum())
    return total / DRAWS


@pytest.mark.parametrize("faster", [0.8, 1.0, 1.3])
def test_the_sounds_last_as_long_as_in_the_clips(
    tiny: tuple[Path, Vits, VoiceConfig], faster: float
) -> None:
    _, model, config = tiny
    some = [clip(config, text, 5, 5) for text in TEXTS]
    count = sum(int(_sounds(c.ids[0].tolist(), config).sum()) for c in some)
    frames = max(1, round(lasting(model, config, some, faster) / count))
    clips = [clip(config, text, frames, 3) for text in TEXTS]
    found = length_scale(model, config, clips)
    assert SHORTEST < found < LONGEST
    assert lasting(model, config, clips, found) == pytest.approx(count * frames, rel=0.03)


def test_pauses_and_chance_do_not_count(tiny: tuple[Path, Vits, VoiceConfig]) -> None:
    _, model, config = tiny
    found = []
    for pause in (1, 40):
        torch.manual_seed(pause)
        found.append(length_scale(model, config, [clip(config, t, 6, pause) for t in TEXTS]))
    assert found[0] == found[1]


def test_what_cannot_be_is_bounded(tiny: tuple[Path, Vits, VoiceConfig]) -> None:
    _, model, config = tiny
    endless = length_scale(model, config, [clip(config, TEXTS[0], 900, 1)])
    assert endless == pytest.approx(LONGEST, abs=0.01)
    assert length_scale(model, config, []) == 1.0


def test_a_blank_is_part_of_what_stands_before_it(tiny: tuple[Path, Vits, VoiceConfig]) -> None:
    _, _, config = tiny
    blanks = replace(config, model=replace(config.model, add_blank=True))
    a, comma = config.symbols.index("a"), config.symbols.index(",")
    assert _sounds([0, a, 0, comma, 0, a], blanks).tolist() == [
        False,
        True,
        True,
        False,
        False,
        True,
    ]
    assert _sounds([0, a, 0], config).tolist() == [False, True, False]


def test_a_voice_speaks_at_the_pace_of_its_speaker(tiny: tuple[Path, Vits, VoiceConfig]) -> None:
    voice = Voice.load(str(tiny[0]))
    slow = replace(voice.speaker, length_scale=1.5)
    rest = voice.config.speakers[1:]
    paced = replace(voice, config=replace(voice.config, speakers=(slow, *rest)), speaker=slow)
    short = sum(len(s.audio.samples) for s in voice.speak(TEXTS[1]))
    long = sum(len(s.audio.samples) for s in paced.speak(TEXTS[1]))
    same = sum(len(s.audio.samples) for s in paced.speak(TEXTS[1], speed=1.5))
    assert long > 1.2 * short
    assert same == short

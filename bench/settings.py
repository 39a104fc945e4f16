"""What is measured and how much of it, and the material it is measured on."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ROOT / "examples" / "clips" / "lj"
LANGUAGE = "en"
WARM_UP = "All is ready here, and the work can now begin."  # none of the sentences measured
FRAMES_PER_SYMBOL = 4.5  # of an untrained voice, so that it speaks at the pace of a person


@dataclass(frozen=True)
class Settings:
    """One run of the benchmarks; the defaults are what the README reports.

    voice: as `Voice.load` takes it; voice_note: what the reader must know of it. threads: of
    whatever may use all, 0 for torch's own choice. rival, paper: changes to the sizes that are
    compared with. story: more arguments of `story demo`. kills, kill_steps: how often training
    and rendering are killed, and how long that training is. corpora, minutes: recordings to
    prepare, and how much of them. planted: messages with private data.
    messages: of a log that is learned. chapters, books, language: of audiobooks that are made.
    people: a folder of people's clips to clone beside the example's (so9634, so9643, lj-test);
    reports: where theirs are to be kept.
    scenes: of the story that is told. paper_size: of imported checkpoints; only tests set it to no.
    prices: of a core hour and of a GB and month.
    """

    voice: str = "base"
    voice_note: str = ""
    sentences: tuple[str, ...] = ()
    rounds: int = 3
    words: int = 50_000
    sample_every_s: float = 1.0
    steps: int = 2
    batch_size: int = 8
    threads: int = 0
    launches: int = 7
    clips: Path = CLIPS
    rival: Mapping[str, Any] = field(default_factory=dict)
    paper: Mapping[str, Any] = field(default_factory=dict)
    story: tuple[str, ...] = ()
    corpora: Path = ROOT.parent / "shared" / "corpora"
    minutes: float = 60.0
    kills: int = 20
    kill_steps: int = 6
    planted: int = 500
    messages: int = 100_000
    chapters: int = 40
    books: int = 12
    language: str = LANGUAGE
    people: Path = ROOT.parent / "shared" / "clips"
    reports: Path | None = None
    scenes: int = 12
    paper_size: bool = True
    prices: tuple[float, float] = (0.03, 0.02)

    @property
    def voice_name(self) -> str:
        return self.voice_note or f"voice {self.voice}"


def tell(line: str) -> None:
    """Say how far a measurement is, beside the table."""
    print(line, file=sys.stderr, flush=True)


def book(sentences: Sequence[str], words: int, seed: int = 0) -> Iterator[str]:
    """A text of `words` words in paragraphs of 3 to 8 sentences, shuffled, piece by piece."""
    chance = random.Random(seed)
    left = words
    while left > 0:
        for _ in range(chance.randint(3, 8)):
            chosen = chance.choice(sentences).split()[:left]
            left -= len(chosen)
            yield " ".join(chosen) + (" " if left else "")
            if not left:
                break
        yield "\n\n"


@contextmanager
def a_voice(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The voice to measure and a note: `name`, or for a base that is not made yet an untrained one.

    An untrained network of the same sizes takes the same time; what it says is noise.
    """
    from vits.library import BASE, BASES, CONFIG

    if name.partition(":")[0] != BASE or (BASES / BASE / CONFIG).is_file():
        yield name, ""
        return
    in_fresh_process(save_untrained, folder / "untrained")
    yield str(folder / "untrained"), "UNTRAINED voice of the native sizes, since there is no base"


def save_untrained(folder: Path) -> None:
    """Write an English voice of the native sizes that has learned nothing but a pace."""
    import math

    import torch

    from vits.checkpoint import VoiceConfig, save_voice
    from vits.config import AudioConfig, VitsConfig
    from vits.duration import DeterministicDurations
    from vits.model import Vits
    from vits.text import SYMBOLS

    torch.manual_seed(0)
    config = VoiceConfig(VitsConfig(len(SYMBOLS)), AudioConfig(), SYMBOLS)
    model = Vits(config.model, config.audio)
    assert isinstance(model.duration_predictor, DeterministicDurations)
    with torch.no_grad():
        model.duration_predictor.proj.weight.mul_(0.1)
        assert model.duration_predictor.proj.bias is not None
        model.duration_predictor.proj.bias.fill_(math.log(FRAMES_PER_SYMBOL - 0.5))
    save_voice(folder, model, config)


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function in a new process that inherits nothing, and wait for its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def set_threads(threads: int) -> int:
    """Let torch use so many threads, 0 for its own choice; returns how many those are."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    return torch.get_num_threads()


def counted(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"

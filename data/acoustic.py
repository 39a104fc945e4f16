"""The phone models that ship: what the sounds of a language are like, whoever says them.

One Gaussian for each half of each phone, learned from nothing but recordings and their texts
(`recipes/acoustic.py`: 122 speakers of speechocean762 and one of German, CC0). They begin the
alignment of a long recording with its text and are adapted to its voice on the way. A phone that no
recording had is an average one, so that other languages can be tried.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.cepstra import Floats
from data.phones import MODIFIER_IDS, SILENCE, SILENCE_IDS, SILENT_MARK_IDS, Model
from vits.files import atomic_file
from vits.text.symbols import SYMBOL_IDS, SYMBOLS

RATE, HOP = 16_000, 160  # of the features that they were learned from: a frame each 10 ms
FRAME_S = HOP / RATE
PRIOR_FRAMES = 200.0  # a state heard so often in a new voice is half that voice's
DWELL = 0.75  # chance to stay in a state: nothing is known of a new voice's pace


@dataclass(frozen=True)
class Phones:
    """Gaussians (N, D), and whose each row is: state 0 is silence, 1 an average phone."""

    model: Model
    rows: dict[str, int]  # phone, as it is written: its first half; the second follows

    def states(self, phones: list[str]) -> NDArray[np.int64]:
        """The two states of each phone in order, (2 n,)."""
        first = [self.rows.get(phone, self.rows.get(phone[0], 1)) for phone in phones]
        pairs = [(row, row + (row > 1)) for row in first]
        return np.array(pairs, np.int64).reshape(-1)

    def adapted(self, features: Floats, states: NDArray[np.int64]) -> Phones:
        """Nearer to a voice of which frames (F, D) are known to be in `states` (F,)."""
        count = np.bincount(states, minlength=len(self.model.mean))[:, None].astype(np.float32)
        sums = np.zeros_like(self.model.mean)
        squares = np.zeros_like(self.model.mean)
        np.add.at(sums, states, features)
        np.add.at(squares, states, features**2)
        weight = count + PRIOR_FRAMES
        mean = (sums + PRIOR_FRAMES * self.model.mean) / weight
        second = squares + PRIOR_FRAMES * (self.model.variance + self.model.mean**2)
        variance = np.maximum(second / weight - mean**2, 0.3 * self.model.variance)
        return replace(self, model=replace(self.model, mean=mean, variance=variance))


def spelled(symbols: tuple[str, ...]) -> list[str]:
    """The phones of a word: letters with their marks of length and quality, nothing else."""
    phones: list[str] = []
    for symbol in symbols:
        number = SYMBOL_IDS[symbol]
        if number in SILENT_MARK_IDS or number in SILENCE_IDS:
            continue
        if number in MODIFIER_IDS and phones:
            phones[-1] += symbol
        else:
            phones.append(symbol)
    return phones


@lru_cache(maxsize=1)
def shipped() -> Phones:
    """The models that come with the package."""
    return load(Path(str(files("data") / "acoustic_en_de.safetensors")))


def load(path: Path) -> Phones:
    """Read phone models. The file holds arrays and nothing that could run."""
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        rows = json.loads((file.metadata() or {})["rows"])
    return Phones(Model(arrays["mean"], arrays["variance"], arrays["log_stay"]), rows)


def save(path: Path, model: Model, numbers: dict[tuple[int, ...], int], average: Model) -> None:
    """Write the models of `data.align.learn_phones`; `average` is one state of all speech."""
    from safetensors.numpy import save as to_bytes

    order = [SILENCE]
    rows: dict[str, int] = {}
    for phone, number in sorted(numbers.items()):
        rows["".join(SYMBOLS[i] for i in phone)] = 2 * len(rows) + 2
        order += [2 * number + 1, 2 * number + 2]

    def laid_out(own: Floats, common: Floats) -> Floats:
        return np.concatenate([own[order[:1]], common, own[order[1:]]]).astype(np.float16)

    arrays = {
        "mean": laid_out(model.mean, average.mean),
        "variance": laid_out(model.variance, average.variance),
        "log_stay": laid_out(model.log_stay, average.log_stay),
    }
    with atomic_file(path) as file:
        file.write(to_bytes(arrays, {"rows": json.dumps(rows, ensure_ascii=False)}))

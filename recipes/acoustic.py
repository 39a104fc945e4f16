"""Make the phone models that ship: `python -m recipes.acoustic ../shared/corpora`.

They are learned by flat start from speechocean762 (122 adults) and Kerstin (German, CC0); Kathleen,
on whom long alignment is measured, is not heard.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from data.acoustic import HOP, RATE, save
from data.align import learn_phones
from data.cepstra import Floats, alignment_features
from data.phones import Model
from vits.audio import read_audio, resample
from vits.text import encode, plan

CORPORA = ("speechocean", "kerstin")
TARGET = Path(__file__).resolve().parent.parent / "data" / "acoustic_en_de.safetensors"


def utterances(folder: Path, most: int | None) -> Iterator[tuple[Floats, np.ndarray]]:
    """Features and symbols of the recordings of a corpus."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows[:most]:
        symbols = [
            s for u in plan(row["text"].lower(), language=row["language"]) for s in u.symbols
        ]
        audio = resample(read_audio(folder / row["path"]), RATE)
        features = alignment_features(audio.samples, RATE, HOP)
        if 3 * len(symbols) < len(features):
            yield features, np.array(encode(symbols))


@click.command()
@click.argument("corpora", type=click.Path(exists=True, path_type=Path))
@click.option("--most", type=int, help="Recordings of each corpus.")
@click.option("--iterations", default=14, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=TARGET)
def main(corpora: Path, most: int | None, iterations: int, output: Path) -> None:
    """Learn the models from the folders in CORPORA."""
    logging.basicConfig(level=logging.INFO)
    found = [pair for name in CORPORA for pair in utterances(corpora / name, most)]
    model, numbers = learn_phones([f for f, _ in found], [i for _, i in found], iterations)
    speech = np.concatenate([f[f[:, 0] > np.percentile(f[:, 0], 40)] for f, _ in found])
    average = Model(
        speech.mean(0, keepdims=True),
        speech.var(0, keepdims=True),
        np.array([np.log(0.7)], np.float32),
    )
    save(output, model, numbers, average)
    click.echo(f"{len(numbers)} phones of {len(found)} recordings in {output}")


if __name__ == "__main__":
    main()

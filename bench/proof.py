"""The proof of cloning: real people become voices, each scored beside what is possible.

The example reader, and where `--people` has them a man and a woman of whom 16 clips are learned
from and 4 held out. Cloned by the command that users run, from an empty library.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import command
from bench.settings import ROOT, Settings, tell
from bench.table import Row, Target

if TYPE_CHECKING:
    from pipelines.evaluate.proof import Proof

PEOPLE = ("so9634", "so9643")
HELD_OUT = 4
LEAST_SIMILARITY, LEAST_OPINION = 0.90, 3.6
UNDER_CEILING = 0.06
BASE_ERRORS, MORE_ERRORS = 0.12, 0.03
MOST_MIN, MOST_QUICK_S = 10.0, 90.0
MOST_GENERATOR_MB, MOST_CRITICS_MB = 22.0, 8.0


@dataclass(frozen=True)
class Person:
    """Clips to learn from, and others to hold the voice against where there are some."""

    name: str
    clips: Path
    held_out: Path | None


@dataclass(frozen=True)
class Cloned:
    """A person's voice: its scores, and how long it took."""

    person: Person
    proof: Proof
    seconds: float


def proof(settings: Settings) -> list[Row]:
    """Clone, score, and compare with what was aimed at."""
    from pipelines.evaluate.proof import prove, write_report

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        people = list(_people(settings, work))
        quick_s = _clone(people[0], settings, work / "quick", "--quick")
        base = prove(settings.voice, people[0].clips)
        cloned = [_cloned(person, settings, work / person.name) for person in people]
        if settings.reports is not None:
            for one in cloned:
                write_report([one.proof], settings.reports / one.person.name)
            write_report([base], settings.reports / "base")
    return [*_example(cloned[0], base), *(_other(one) for one in cloned[1:]), *_costs(
        settings, cloned[0], quick_s
    )]  # fmt: skip


def _people(settings: Settings, work: Path) -> Iterator[Person]:
    test = settings.people / "lj-test"
    yield Person("lj", settings.clips, test if test.is_dir() else None)
    for name in PEOPLE:
        if (settings.people / name / "manifest.tsv").is_file():
            yield _divided(settings.people / name, work / "clips" / name)


def _divided(source: Path, target: Path) -> Person:
    """Copies of a person's clips: those to learn from, and the last few, which are held out."""
    lines = (source / "manifest.tsv").read_text(encoding="utf-8").splitlines()
    header, rows = lines[0], lines[1:]
    column = header.split("\t").index("path")
    apart = target.with_name(f"{target.name}-held-out")
    parts = {target: rows[:-HELD_OUT], apart: rows[-HELD_OUT:]}
    for folder, own in parts.items():
        folder.mkdir(parents=True)
        for row in csv.reader(own, delimiter="\t", quoting=csv.QUOTE_NONE):
            shutil.copy(source / row[column], folder / row[column])
        text = "\n".join([header, *own]) + "\n"
        (folder / "manifest.tsv").write_text(text, encoding="utf-8")
    return Person(source.name, target, apart)


def _clone(person: Person, settings: Settings, home: Path, *more: str) -> float:
    """Seconds that `clone-voice train` takes, whole, from an empty library."""
    words = [
        *command("clone-voice"), "train", str(person.clips), "--name", person.name,
        "--base", settings.voice, "--consent", "A recording published for research.", *more,
    ]  # fmt: skip
    tell(f"proof: {' '.join(words)}")
    environment = os.environ | {"CLONE_VOICE_HOME": str(home)}
    started = time.perf_counter()
    subprocess.run(words, check=True, cwd=ROOT, env=environment, stdout=sys.stderr)
    return time.perf_counter() - started


def _cloned(person: Person, settings: Settings, home: Path) -> Cloned:
    from pipelines.evaluate.proof import prove

    seconds = _clone(person, settings, home)
    voice = home / "voices" / person.name
    return Cloned(person, prove(str(voice), person.clips, held_out=person.held_out), seconds)


def _beside(proof: Proof) -> str:
    """Ceiling and floor, in words."""
    scores = proof.report.scores
    known = {"ceiling": scores.similarity_ceiling, "floor": scores.similarity_floor}
    return ", ".join(f"{name} {value:.3f}" for name, value in known.items() if value is not None)


def _example(cloned: Cloned, base: Proof) -> list[Row]:
    scores, start = cloned.proof.report.scores, base.report.scores
    errors = None if start.cer is None else Target(start.cer + MORE_ERRORS)
    heard = f"{scores.asr}; real clips {scores.reference_cer or 0:.3f}"
    real_mos = scores.reference_naturalness.mos_p808 or 0
    return [
        Row("clone of the LJ clips: similarity", scores.similarity, "",
            Target(LEAST_SIMILARITY, at_least=True), _beside(cloned.proof)),
        Row(f"{base.report.title}: character error rate", start.cer, "", Target(BASE_ERRORS),
            start.asr),
        Row("clone of the LJ clips: character error rate", scores.cer, "", errors, heard),
        Row("clone of the LJ clips: DNSMOS P.808", scores.naturalness.mos_p808, "",
            Target(LEAST_OPINION, at_least=True), f"real clips {real_mos:.2f}"),
    ]  # fmt: skip


def _other(cloned: Cloned) -> Row:
    scores = cloned.proof.report.scores
    ceiling = scores.similarity_ceiling
    aim = None if ceiling is None else Target(ceiling - UNDER_CEILING, at_least=True)
    cer = "" if scores.cer is None else f", character error rate {scores.cer:.3f}"
    note = f"{_beside(cloned.proof)}{cer}, {cloned.seconds / 60:.1f} min"
    return Row(f"clone of {cloned.person.name}: similarity", scores.similarity, "", aim, note)


def _costs(settings: Settings, example: Cloned, quick_s: float) -> list[Row]:
    from vits.checkpoint import CRITICS, WEIGHTS
    from vits.library import find_voice, parse_voice

    folder = find_voice(parse_voice(settings.voice)[0])
    sizes = {name: (folder / name).stat().st_size / 1e6 if (folder / name).exists() else None
             for name in (WEIGHTS, CRITICS)}  # fmt: skip
    return [
        Row("cloning the 20 LJ clips, start to end", example.seconds / 60, "min", Target(MOST_MIN)),
        Row("the same with --quick", quick_s, "s", Target(MOST_QUICK_S)),
        Row("base: generator", sizes[WEIGHTS], "MB", Target(MOST_GENERATOR_MB)),
        Row("base: discriminators", sizes[CRITICS], "MB", Target(MOST_CRITICS_MB)),
    ]

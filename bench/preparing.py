"""`clone-voice prepare` on an hour: how fast, in how much memory, and how truly it cuts and tells
apart.

The hour is one reader's corpus, shuffled, its clips joined with silences between (Kathleen, CC0,
whom the phone models that ship have not heard). Where words lie in it is told by pocketsphinx,
which aligns each clip with its text before the joining. Other people's clips come from two other
corpora.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.commands import command
from bench.memory import watch
from bench.settings import Settings, tell
from bench.table import Row, Target

READER, OTHERS = "kathleen", ("librispeech", "speechocean")
RATE = 22050
SHORTEST_S, LONGEST_S = 1.5, 12.0  # of clips that are mixed
SILENCE_S = (0.3, 1.5)
EDGE_S = 0.02  # two frames of pocketsphinx: a cut so near the end of a word is at its end
FASTEST, WITH_CHECKS = 60.0, 3.0


@dataclass(frozen=True)
class Spoken:
    """A clip of a corpus, and where it lies in the hour."""

    path: Path
    speaker: str
    text: str
    seconds: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0


@dataclass(frozen=True)
class Word:
    """A word and where it is said in the hour."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Took:
    """What a command took: seconds by the clock, those of the processor, and memory at most.

    Where other work shares the cores, the processor's seconds say more than the clock's.
    """

    seconds: float
    cpu_s: float
    megabytes: float

    def note(self, sound_s: float) -> str:
        return f"{sound_s:.0f} s of sound in {self.seconds:.0f} s, {self.cpu_s:.0f} s of one core"


def preparing(settings: Settings) -> list[Row]:
    """Speed, memory, cuts and text of one reader's hour."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        clips = _shuffled(settings.corpora / READER, settings.minutes)
        hour = joined(clips, place / "hour.wav")
        seconds = hour[-1].end_s + SILENCE_S[0]
        rows = _unread(settings, place, seconds, hour)
        (place / "hour.txt").write_text("\n".join(clip.text for clip in hour), encoding="utf-8")
        tell("preparing: with text and checks ...")
        took = prepare(settings, [place / "hour.wav"], place / "read", "--transcribe", "always")
        rate = seconds / took.seconds
        note = f"{took.note(seconds)}, pocketsphinx"
        what = f"prepare, {_minutes(seconds)}, with alignment and ASR checks"
        rows.append(Row(what, rate, "times real time", Target(WITH_CHECKS, at_least=True), note))
        return [*rows, *_truth(place / "read", hour)]


def people(settings: Settings) -> list[Row]:
    """Clips of other people among one reader's: how many are set aside, and how rightly."""
    rows = []
    for name in (READER, "kerstin"):
        with tempfile.TemporaryDirectory() as folder:
            rows += _mixed(settings, Path(folder), name)
    return rows


def _unread(settings: Settings, place: Path, seconds: float, hour: Sequence[Spoken]) -> list[Row]:
    tell("preparing: a quarter, then the whole, without text ...")
    quarter = joined(hour[: max(2, len(hour) // 4)], place / "quarter.wav")
    small = prepare(settings, [place / "quarter.wav"], place / "small", "--transcribe", "never")
    whole = prepare(settings, [place / "hour.wav"], place / "whole", "--transcribe", "never")
    rate = seconds / whole.seconds
    peaks = [small.megabytes, whole.megabytes]
    what = f"prepare, {_minutes(seconds)}, without checking transcripts"
    note = whole.note(seconds)
    grown = f"{peaks[0]:.0f} MB for {_minutes(quarter[-1].end_s)}, {peaks[1]:.0f} MB for the whole"
    return [
        Row(what, rate, "times real time", Target(FASTEST, at_least=True), note),
        Row(
            f"{what}: memory, whole over quarter", peaks[1] / peaks[0], "times", Target(1.1), grown
        ),
    ]


def _truth(folder: Path, hour: Sequence[Spoken]) -> list[Row]:
    """Cuts inside words, and words in their clips, against the alignment of each clip."""
    tell("preparing: aligning each clip by pocketsphinx ...")
    words = [word for clip in hour for word in aligned(clip)]
    records = json.loads((folder / "report.json").read_text("utf-8"))["records"]
    cuts = [at for record in records for at in (record["start_s"], record["end_s"])]
    inside = sum(cuts_a_word(words, at) for at in cuts)
    used = [r for r in records if r["verdict"] != "drop"]
    right = sum(words_in_place(words, r["start_s"], r["end_s"], r["text"]) for r in used)
    return [
        Row("cut points inside a word", 100 * inside / len(cuts), "%", Target(1.0),
            f"{inside} of {len(cuts)}"),
        Row("words of the text in the right clip", 100 * right / len(words), "%",
            Target(98.0, at_least=True), f"{right} of {len(words)}; {len(used)} clips"),
    ]  # fmt: skip


def cuts_a_word(words: Sequence[Word], at_s: float) -> bool:
    """Whether a time lies inside a word, further than `EDGE_S` from its ends."""
    index = bisect_right([word.start_s for word in words], at_s) - 1
    word = words[max(0, index)]
    return word.start_s + EDGE_S < at_s < word.end_s - EDGE_S


def words_in_place(words: Sequence[Word], start_s: float, end_s: float, text: str) -> int:
    """How many words that are said within a clip stand, in order, in its text."""
    from difflib import SequenceMatcher

    from data.words import said

    own = [word.text for word in words if start_s <= (word.start_s + word.end_s) / 2 <= end_s]
    found = said(text, "en").split()
    blocks = SequenceMatcher(None, own, found, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


def aligned(clip: Spoken) -> list[Word]:
    """The words of a clip by pocketsphinx; evenly spread where it knows one of them not."""
    from pocketsphinx import Decoder

    from data.words import said
    from vits.audio import read_audio, resample

    texts = said(clip.text, "en").split()
    samples = resample(read_audio(clip.path), 16000).samples
    decoder = Decoder(lm=None, loglevel="FATAL")
    try:
        decoder.set_align_text(" ".join(texts))
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = [s for s in decoder.seg() or () if s.word[0] not in "<[("]
    except RuntimeError:
        found = []
    if len(found) == len(texts):
        times = [(s.start_frame / 100, (s.end_frame + 1) / 100) for s in found]
    else:
        edges = np.linspace(0.2, len(samples) / 16000 - 0.2, len(texts) + 1)
        times = list(pairwise(edges))
    return [
        Word(text, clip.start_s + begin, clip.start_s + end)
        for text, (begin, end) in zip(texts, times, strict=True)
    ]


# ---------------------------------------------------------------- material


def rows_of(folder: Path) -> list[Spoken]:
    """The clips of a corpus."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        Spoken(folder / row["path"], row["speaker"], row["text"], float(row["seconds"]))
        for row in rows
        if SHORTEST_S < float(row["seconds"]) < LONGEST_S
    ]


def _shuffled(folder: Path, minutes: float) -> list[Spoken]:
    clips = rows_of(folder)
    random.Random(0).shuffle(clips)
    return clips[: max(4, round(minutes * 15))]  # of about four seconds each


def joined(clips: Sequence[Spoken], path: Path) -> list[Spoken]:
    """Write the clips to one file with silences between; each with its place."""
    from vits.audio import AudioWriter, read_audio, resample

    chance = np.random.default_rng(0)
    now, placed = 0, []
    with AudioWriter(path, RATE) as writer:
        for clip in clips:
            gap = int(chance.uniform(*SILENCE_S) * RATE)
            writer.write(chance.normal(0, 1e-4, gap))
            samples = resample(read_audio(clip.path), RATE).samples
            writer.write(samples)
            now += gap
            placed.append(replace(clip, start_s=now / RATE, end_s=(now + len(samples)) / RATE))
            now += len(samples)
        writer.write(chance.normal(0, 1e-4, int(SILENCE_S[0] * RATE)))
    return placed


def prepare(settings: Settings, sources: Sequence[Path], out: Path, *how: str) -> Took:
    """Run the command on English recordings."""
    words = [*command("clone-voice"), "prepare", *map(str, sources), "-o", str(out)]
    words += ["--language", "en", *how]
    before = os.times()
    samples = watch(words, out.with_suffix(".errors"), settings, accepted=(0, 3))
    after = os.times()
    cpu_s = sum(after[2:4]) - sum(before[2:4])
    return Took(samples[-1].at_s, cpu_s, max(sample.megabytes for sample in samples))


def _mixed(settings: Settings, place: Path, name: str) -> list[Row]:
    """Nine clips of a reader to one of others, as files; and who was set aside."""
    count = min(90, round(settings.minutes * 15))
    own = _shuffled(settings.corpora / name, settings.minutes)[:count]
    others = [clip for corpus in OTHERS for clip in rows_of(settings.corpora / corpus)]
    random.Random(1).shuffle(others)
    strangers = {clip.speaker: clip for clip in others}  # one clip of each
    guests = list(strangers.values())[: max(1, round(count / 9))]
    source = place / "in"
    source.mkdir()
    for kind, clips in (("own", own), ("guest", guests)):
        for index, clip in enumerate(clips):
            shutil.copy(clip.path, source / f"{kind}-{index:03}{clip.path.suffix}")
    prepare(settings, [source], place / "out", "--transcribe", "never")
    report = json.loads((place / "out/report.json").read_text("utf-8"))
    aside = [r["source"] for r in report["records"] if r["reason"].startswith("is another speaker")]
    hits = sum(source_name.startswith("guest") for source_name in aside)
    note = f"{hits} of {len(guests)} guests, {len(aside) - hits} of {len(own)} own clips set aside"
    target = Target(0.95, at_least=True)
    return [
        Row(f"others among {name}'s clips set aside: recall", hits / len(guests), "", target, note),
        Row(f"... precision, {name}", hits / max(1, len(aside)), "", target),
    ]


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"

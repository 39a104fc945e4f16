"""Corpora -> one packed folder to train from: read, checked, trimmed, levelled, embedded, spelled.

Long work over many files: it is done in several processes, in a stable order, and what is left out
is written down with its reason (`dropped.tsv`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from data.align import align_corpus, alignment_features
from data.checks import check_cleaned, check_sound, measure
from data.cleaning import clean
from data.corpora import Recording
from data.dataset import PackedDataset, Utterance, pack, write_durations
from data.speaker import EMBEDDING_SIZE, embed_clips
from vits.audio import Audio, read_audio
from vits.config import AudioConfig
from vits.errors import UserError
from vits.files import write_text
from vits.text import LANGUAGES, phonemize_lines
from vits.text.symbols import SYMBOL_IDS, SYMBOLS

TOGETHER = 16  # recordings that a process takes at a time
TEXTS_TOGETHER = 2000
RESAMPLER_SLOPE = 0.96  # a bandwidth so near to half the rate is the resampler's, not the source's
ALIGN_TOGETHER = 4000  # utterances whose phones learn from each other
OnDone = Callable[[int, int], None]  # recordings dealt with, of how many


@dataclass(frozen=True)
class _Heard:
    """One recording, cleaned; `reason` says why it is left out, '' where it is not."""

    samples: np.ndarray  # (T,) int16
    embedding: np.ndarray  # (256,) float32
    bandwidth_hz: float
    reason: str = ""


def pack_recordings(
    recordings: Sequence[Recording],
    folder: Path,
    audio: AudioConfig,
    *,
    workers: int = 1,
    on_done: OnDone = lambda done, total: None,
) -> None:
    """Write a packed folder of all recordings that can be used, and dropped.tsv beside it.

    Raises UserError if none can.
    """
    speakers = list(dict.fromkeys(r.speaker for r in recordings))
    spelled = spell(recordings)
    dropped: list[tuple[Recording, str]] = []

    def utterances() -> Iterator[Utterance]:
        heard = _all_heard(recordings, audio, workers)
        pairs = zip(recordings, spelled, heard, strict=True)
        for done, (recording, ids, sound) in enumerate(pairs, 1):
            if sound.reason:
                dropped.append((recording, sound.reason))
            else:
                frames = len(sound.samples) // audio.hop_length
                yield Utterance(
                    f"{recording.speaker}/{recording.name}",
                    speakers.index(recording.speaker),
                    recording.language,
                    sound.samples,
                    ids if len(ids) <= frames else ids[:0],
                    sound.embedding,
                    sound.bandwidth_hz,
                )
            on_done(done, len(recordings))

    first = next(found := utterances(), None)
    if first is None:
        raise UserError(
            "None of the recordings can be used: " + "; ".join(r for _, r in dropped[:3]) + ".",
            "Check that the corpora are whole.",
        )
    pack(itertools.chain([first], found), folder, speakers=speakers, symbols=SYMBOLS, audio=audio)
    rows = ("\t".join((r.speaker, r.name, reason)) + "\n" for r, reason in dropped)
    write_text(folder / "dropped.tsv", "".join(("speaker\tname\treason\n", *rows)))


def spell(recordings: Sequence[Recording]) -> list[np.ndarray]:
    """Symbol ids of each text, (S,) int32; none where there is no text or nobody can read it."""
    ids = [np.zeros(0, np.int32)] * len(recordings)
    for language in sorted({r.language for r in recordings} & set(LANGUAGES)):
        own = [i for i, r in enumerate(recordings) if r.language == language and r.text]
        for at in range(0, len(own), TEXTS_TOGETHER):
            some = own[at : at + TEXTS_TOGETHER]
            for i, line in zip(
                some, phonemize_lines([recordings[i].text for i in some], language), strict=True
            ):
                ids[i] = np.array([SYMBOL_IDS[s] for s in line], dtype=np.int32)
    return ids


def _all_heard(
    recordings: Sequence[Recording], audio: AudioConfig, workers: int
) -> Iterator[_Heard]:
    chunks = [recordings[at : at + TOGETHER] for at in range(0, len(recordings), TOGETHER)]
    if workers <= 1:
        for chunk in chunks:
            yield from _hear(chunk, audio)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_alone) as pool:
        for found in pool.map(_hear, chunks, [audio] * len(chunks)):
            yield from found


def _alone() -> None:
    """Each of several processes on one thread."""
    import torch

    torch.set_num_threads(1)


def _hear(recordings: Sequence[Recording], audio: AudioConfig) -> list[_Heard]:
    found = [_cleaned(recording, audio) for recording in recordings]
    sounds = [sound for sound, _, reason in found if sound is not None and not reason]
    vectors = iter(embed_clips(sounds))
    result = []
    for sound, bandwidth_hz, reason in found:
        if sound is None or reason:
            nothing = np.zeros(EMBEDDING_SIZE, np.float32)
            result.append(_Heard(np.zeros(0, np.int16), nothing, 0.0, reason))
            continue
        whole = len(sound.samples) // audio.hop_length * audio.hop_length
        samples = np.round(sound.samples[:whole] * 32767).astype(np.int16)
        result.append(_Heard(samples, next(vectors), bandwidth_hz))
    return result


def _cleaned(recording: Recording, audio: AudioConfig) -> tuple[Audio | None, float, str]:
    """The sound, its bandwidth in Hz, and why it is left out, '' where it is not."""
    try:
        raw = read_audio(recording.path)
    except UserError as error:
        return None, 0.0, error.cause
    measures = measure(raw)
    check = check_sound(measures)
    if check.verdict == "drop":
        return None, 0.0, check.reason
    sound = clean(raw, audio.sample_rate)
    if recording.text:
        check = check_cleaned(recording.text, recording.language, sound.duration_s)
        if check.verdict == "drop":
            return None, 0.0, check.reason
    half = audio.sample_rate / 2
    known = float(measures.bandwidth_hz)
    return sound, known if known < RESAMPLER_SLOPE * half else half, ""


def align_packed(
    folder: Path, audio: AudioConfig, on_done: OnDone = lambda done, total: None
) -> None:
    """Find the frames of every symbol, one language at a time, and write them into the folder."""
    dataset = PackedDataset(folder, audio)
    durations = np.zeros_like(dataset.ids)
    ready = [i for i, row in enumerate(dataset.rows) if 0 < row.n_ids <= dataset.frames(i)]
    done = 0
    for language in sorted({dataset.rows[i].language for i in ready}):
        own = [i for i in ready if dataset.rows[i].language == language]
        for at in range(0, len(own), ALIGN_TOGETHER):
            some = own[at : at + ALIGN_TOGETHER]
            for i, found in zip(some, _aligned(dataset, some, audio), strict=True):
                row = dataset.rows[i]
                durations[row.first_id : row.first_id + row.n_ids] = found
            done += len(some)
            on_done(done, len(ready))
    write_durations(folder, durations)


def _aligned(
    dataset: PackedDataset, members: Sequence[int], audio: AudioConfig
) -> list[np.ndarray]:
    features = [
        alignment_features(dataset.waveform(i).numpy(), audio.sample_rate, audio.hop_length)
        for i in members
    ]
    ids = [dataset.text_ids(i).numpy().astype(np.int32) for i in members]
    return list(align_corpus(features, ids, len(SYMBOLS)))

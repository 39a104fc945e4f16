"""A recording of any length said again in another voice, in the memory of a minute.

Who speaks in it is a speaker of the voice that is named, or, where the voice is conditioned on
speaker-verification embeddings, anyone: they are then heard first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.recording import Recording
from pipelines.media.sound import labelled_writer
from pipelines.progress import OnProgress, Progress, silent
from vits.errors import UserError
from vits.library import SHOWN_NAMES, record_made, voice_folder

if TYPE_CHECKING:
    from vits.voice import Voice

HEARD_BLOCKS = 12  # of ten seconds, of a stranger's recording, evenly spread
SILENT = 1e-4  # a block that never goes beyond this says nothing of anybody
NOISE = 0.5  # of the posterior's deviation: nearer to the person than 1.0, and no less clear

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Converted:
    """What was said again: by whom it was said, `from_speaker` '' for a stranger, and now is."""

    output: Path
    duration_s: float
    voice: str
    speaker: str
    from_speaker: str


def convert(
    source: Path,
    voice: str,
    output: Path,
    *,
    from_speaker: str | None = None,
    noise: float = NOISE,
    seed: int = 0,
    device: str = "cpu",
    on_progress: OnProgress = silent,
) -> Converted:
    """Say `source` again as `voice` ('NAME:SPEAKER') into `output`; length and pitch stay.

    Raises UserError for a voice that cannot, a speaker that is not there, a recording that cannot
    be read, a format that cannot be written.
    """
    from vits.voice import Voice

    if output.exists() and source.exists() and output.samefile(source):
        raise UserError(f"{output} is the recording itself.", "Name another file with -o.")
    speaking = Voice.load(voice, device)
    speaking.must_convert()
    who = _who(speaking, source, from_speaker, on_progress)
    recording = Recording(source)
    pieces = speaking.convert_stream(
        _at_rate(recording, speaking.sample_rate), source=who, noise=noise, seed=seed
    )
    samples = 0
    tags = {"artist": speaking.speaker.name}
    with labelled_writer(output, speaking.sample_rate, tags=tags) as writer:
        for piece in pieces:
            writer.write(piece.samples)
            samples += len(piece.samples)
            seconds = samples / speaking.sample_rate
            on_progress(Progress("converting", seconds, recording.seconds or None, "s"))
    if speaking.folder == voice_folder(speaking.name):
        record_made(speaking.name, [output])
    return Converted(
        output,
        samples / speaking.sample_rate,
        speaking.name,
        speaking.speaker.name,
        who if isinstance(who, str) else "",
    )


def _who(
    voice: Voice, source: Path, from_speaker: str | None, on_progress: OnProgress
) -> str | Samples:
    """The speaker that is named, else the embedding (256,) of whoever speaks in the recording."""
    if from_speaker is not None:
        return from_speaker
    if voice.config.model.speaker != "embedding":
        names = [speaker.name for speaker in voice.speakers]
        more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        raise UserError(
            f"The voice {voice.name!r} knows its own speakers only, and nothing says which of them "
            "speaks in the recording.",
            f"Name the one who does, or sounds most alike, with --from: "
            f"{', '.join(names[:SHOWN_NAMES])}{more}.",
        )
    on_progress(Progress("listening", 0, None, ""))
    return stranger(source)


def stranger(source: Path) -> Samples:
    """The speaker-verification embedding (256,) of a recording, of blocks spread evenly over it."""
    from data.speaker import embed_clips
    from vits.audio import Audio

    recording = Recording(source)
    kept: list[Samples] = []
    every = 1  # the blocks so far, thinned out whenever there are twice too many
    for i, block in enumerate(b for b in recording.blocks() if np.abs(b).max() > SILENT):
        if i % every == 0:
            kept.append(block)
        if len(kept) == 2 * HEARD_BLOCKS:
            kept, every = kept[::2], 2 * every
    heard = np.concatenate(kept) if kept else np.zeros(1, np.float32)
    embedding: Samples = embed_clips([Audio(heard, recording.sample_rate)])[0]
    return embedding


def _at_rate(recording: Recording, sample_rate: int) -> Iterator[Samples]:
    """The recording's blocks at another rate, as if it had been resampled whole."""
    import soxr

    from vits.audio import within_range

    stream = None
    for block in recording.blocks():
        if stream is None and recording.sample_rate != sample_rate:
            stream = soxr.ResampleStream(recording.sample_rate, sample_rate, 1, dtype="float32")
        block = within_range(block)
        yield block if stream is None else stream.resample_chunk(block)
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)

"""The story's sound track, and the timeline that goes with it.

Spoken lines are put one after the other with pauses as a reader makes them; every scene's picture
comes a little before its first word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.assets import Assets, asset_key, file_hash
from pipelines.media.timeline import GRID_S, TimedLine, TimedScene, Timeline
from pipelines.story.narrator import Narration
from pipelines.story.script import Line, Scene, Story
from pipelines.story.sounds import Bed, Samples, eased, read_music, scene_gain
from vits.text.marks import MARK

if TYPE_CHECKING:
    from vits.voice import WordTiming

VERSION = 3  # of this stage: another number joins the lines anew

LEAD_S = 0.8  # of picture before the first word of a scene
TAIL_S = 0.7  # of picture after its last word, give or take half a step of the grid
TITLE_TAIL_S = 1.0
END_TAIL_S = 1.8
TURN_S = 0.25  # between two speakers, beside the pause in which a line ends


@dataclass(frozen=True)
class Placed:
    """One spoken line at its place on the track, in samples of the track's rate."""

    line: Line
    narration: Narration
    start: int
    end: int


@dataclass(frozen=True)
class Track:
    """All lines of a story, scene by scene, at their places."""

    sample_rate: int
    scenes: tuple[tuple[Scene, tuple[Placed, ...]], ...]
    cuts: tuple[int, ...]  # where scenes begin, and at last where the sound ends

    @property
    def placed(self) -> Iterator[Placed]:
        """Every line, in order."""
        return (placed for _, lines in self.scenes for placed in lines)

    @property
    def duration_s(self) -> float:
        return self.cuts[-1] / self.sample_rate


def plan_track(scenes: Sequence[Scene], narrations: Sequence[Sequence[Narration]]) -> Track:
    """Give every line of every scene its place. `narrations` has a list for each scene."""
    rate = max(narration.sample_rate for spoken in narrations for narration in spoken)
    now, cuts, placed_scenes = 0, [0], []
    for index, (scene, spoken) in enumerate(zip(scenes, narrations, strict=True)):
        now += round(LEAD_S * rate)
        placed: list[Placed] = []
        for line, narration in zip(scene.lines, spoken, strict=True):
            if placed and placed[-1].line.speaker != line.speaker:
                now += round(TURN_S * rate)
            end = now + round(narration.duration_s * rate)
            placed.append(Placed(line, narration, now, end))
            now = end
        now = _on_grid(now + round(_tail_s(index, len(scenes)) * rate), rate)
        cuts.append(now)
        placed_scenes.append((scene, tuple(placed)))
    return Track(rate, tuple(placed_scenes), tuple(cuts))


def _on_grid(at: int, rate: int) -> int:
    """The sample nearest to `at` at which a scene may begin: films are joined there."""
    grid = GRID_S * rate
    return round(round(at / grid) * grid)


def _tail_s(index: int, count: int) -> float:
    if index == count - 1:
        return END_TAIL_S
    return TITLE_TAIL_S if index == 0 else TAIL_S


def track_key(track: Track, music: Path | None = None) -> str:
    """Name of the sound track among the assets: which sounds stand where, over which music."""
    facts = {
        "sample_rate": track.sample_rate,
        "lines": [[placed.narration.audio.stem, placed.start] for placed in track.placed],
        "cuts": list(track.cuts),
        "music": file_hash(music) if music else "",
    }
    return asset_key("track", VERSION, facts)


def make_track(track: Track, assets: Assets, music: Path | None = None) -> Path:
    """The sound track as one WAV, joined if it is not there yet; `music` lies under the words."""
    key = track_key(track, music)
    return assets.get_or_make(key, ".wav", lambda path: _join(track, path, music))


def _join(track: Track, path: Path, music: Path | None) -> None:
    from vits.audio import AudioWriter

    rate = track.sample_rate
    speech = [(placed.start, placed.end) for placed in track.placed]
    bed = Bed(rate, track.cuts[-1], speech, read_music(music, rate) if music else None)
    with AudioWriter(path, rate) as writer:
        for (_, lines), (start, end) in zip(track.scenes, pairwise(track.cuts), strict=True):
            for piece in bed.laid(_pieces(lines, start, end, rate), start):
                writer.write(piece)


def _pieces(lines: Sequence[Placed], now: int, end: int, rate: int) -> Iterator[Samples]:
    """A scene's silences and lines in turn, the lines at one loudness."""
    spoken = [_samples(placed, rate) for placed in lines]
    gain = np.float32(scene_gain(spoken, rate))
    for placed, samples in zip(lines, spoken, strict=True):
        yield np.zeros(placed.start - now, np.float32)
        yield eased(samples * gain, rate)
        now = placed.end
    yield np.zeros(end - now, np.float32)


def _samples(placed: Placed, rate: int) -> Samples:
    """The line as spoken, exactly as long as its place."""
    from vits.audio import read_audio, resample

    samples = resample(read_audio(placed.narration.audio), rate).samples
    count = placed.end - placed.start
    return np.pad(samples[:count], (0, max(0, count - len(samples))))


# ---------------------------------------------------------------- timeline


def timeline(
    story: Story,
    track: Track,
    pictures: Sequence[Path],
    audio: Path,
    narrator: str,
    credits: Sequence[str] = (),
) -> Timeline:
    """When everything happens: `pictures` has one for each scene of `track`."""
    rate = track.sample_rate
    spans = pairwise(cut / rate for cut in track.cuts)
    scenes = tuple(
        TimedScene(
            scene.id,
            scene.title,
            picture,
            start,
            end,
            tuple(_timed(scene, placed, rate) for placed in lines),
        )
        for (scene, lines), picture, (start, end) in zip(track.scenes, pictures, spans, strict=True)
    )
    return Timeline(
        title=story.title,
        author=story.author,
        language=story.language,
        narrator=narrator,
        scenes=scenes,
        audio=audio,
        duration_s=track.duration_s,
        credits=tuple(credits),
    )


def _timed(scene: Scene, placed: Placed, rate: int) -> TimedLine:
    start_s = placed.start / rate
    words = tuple(_moved(word, placed.line.text, start_s) for word in placed.narration.words)
    line = placed.line
    return TimedLine(scene.id, line.speaker, line.shown, start_s, placed.end / rate, words)


def _moved(word: WordTiming, text: str, start_s: float) -> WordTiming:
    """The word on the track's clock, its span in the text without marks for the voice."""
    first = _shown_at(text, word.char_start)
    return dataclasses.replace(
        word,
        char_start=first,
        char_end=first + word.char_end - word.char_start,
        start_s=word.start_s + start_s,
        end_s=word.end_s + start_s,
    )


def _shown_at(text: str, at: int) -> int:
    """Where the character at `at` of a line's text stands in what is shown of it."""
    bare = MARK.sub("", text)
    return len(MARK.sub("", text[:at])) - (len(bare) - len(bare.lstrip()))

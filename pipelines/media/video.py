"""A told story as a film: H.264 and AAC in MP4, chapters, soft subtitles, slow moves, cross-fades.

Pictures and sound are encoded in parts (`pictureparts.py`, `soundparts.py`), kept, and joined here
packet by packet: a story with one changed line encodes one scene. The same timeline gives the same
bytes, whatever was kept: no clock times, parts that know nothing of their place, and FFmpeg's
bit-exact flags.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, Literal

import av

from pipelines.assets import Assets
from pipelines.media import m4b, mp4, pictureparts, soundparts
from pipelines.media.burnt import NOTICE_S
from pipelines.media.labels import DEFAULT_LABEL, Label, xmp_packet
from pipelines.media.m4b import Chapter
from pipelines.media.parts import kept_parts
from pipelines.media.pictureparts import PictureParts, overlay
from pipelines.media.shots import Run, Size, runs
from pipelines.media.soundparts import Part, Sound
from pipelines.media.subtitles import Cue, cues
from pipelines.media.timeline import Timeline, chapter_titles, language_code, writable
from vits.files import atomic_file

CLOCK = Fraction(1, 1000)  # of chapters and subtitles
PROGRESS_FRAMES = 10

Progress = Callable[[int, int], None]


def write_film(
    timeline: Timeline,
    path: str | Path,
    *,
    size: Size = (1280, 720),
    fps: int = 25,
    captions: Literal["soft", "burnt", "none"] = "soft",
    notice: str = "",
    label: Label = DEFAULT_LABEL,
    parts: Assets | None = None,
    sound: Sequence[Path] = (),
    chapters: Sequence[Chapter] = (),
    on_progress: Progress | None = None,
) -> None:
    """Write `timeline` as an MP4, whole or not at all.

    Captions are a track that players show or not, or drawn into the frames; a `notice` stands in
    a corner for the first seconds. `parts` keeps what is encoded for the next time. `sound` are
    encoded files (.m4a of one rate) to join, instead of the timeline's track, which is levelled.
    Chapters are the scenes, unless others are given.

    `on_progress(frames done, frames in all)` is called several times a second of film. Raises
    UserError if a picture cannot be read or the film cannot be written.
    """
    if any(side % 2 for side in size):
        raise ValueError(f"a film needs even sides, not {size}")
    path = Path(path)
    with ExitStack() as scope:
        final = scope.enter_context(atomic_file(path))
        kept = scope.enter_context(kept_parts(parts, path, beside=True))
        shown = cues(timeline) if captions == "burnt" else []
        pictures = _pictures(timeline, kept, size, fps, shown, notice, on_progress or _quiet)
        heard = _Joined(sound) if sound else _Encoded(Sound(timeline.audio, kept).of_film(timeline))
        raw = scope.enter_context(tempfile.TemporaryFile(dir=path.parent))
        _join(timeline, pictures, heard, raw, fps, soft=captions == "soft", chapters=chapters)
        mp4.finish(raw, final, {"AIGC": label.json}, xmp_packet())


def _pictures(
    timeline: Timeline,
    assets: Assets,
    size: Size,
    fps: int,
    shown: Sequence[Cue],
    notice: str,
    report: Progress,
) -> list[tuple[Run, Path]]:
    """The film's runs of frames, those encoded that are not there."""
    cut = runs(timeline, size, fps)
    encoder, total = PictureParts(assets, size, fps), cut[-1].start + cut[-1].count
    pictures = []
    for run in cut:

        def tick(done: int, start: int = run.start) -> None:
            if done % PROGRESS_FRAMES == 0:
                report(start + done, total)

        drawn = overlay(run, fps, shown, notice, NOTICE_S)
        pictures.append((run, encoder.part(run, drawn, tick)))
        report(run.start + run.count, total)
    return pictures


# ---------------------------------------------------------------- joining


@dataclass(frozen=True)
class _Encoded:
    """The sound of a story: parts of its track."""

    parts: Sequence[tuple[Part, Path]]

    @property
    def first(self) -> Path:
        return self.parts[0][1]

    def packets(self, stream: Any) -> tuple[Iterator[Any], int]:
        """The packets for `stream`, and their ticks a second."""
        return soundparts.packets(self.parts, stream), soundparts.RATE


@dataclass(frozen=True)
class _Joined:
    """Sound that is encoded already: a book's chapters, say."""

    files: Sequence[Path]

    @property
    def first(self) -> Path:
        return self.files[0]

    def packets(self, stream: Any) -> tuple[Iterator[Any], int]:
        rate = m4b.rate_of(self.first)
        return m4b.packets(self.files, stream, rate), rate


def _join(
    timeline: Timeline,
    pictures: Sequence[tuple[Run, Path]],
    heard: _Encoded | _Joined,
    file: IO[bytes],
    fps: int,
    *,
    soft: bool,
    chapters: Sequence[Chapter],
) -> None:
    options = {"fflags": "+bitexact"}
    with av.open(file, "w", format="mp4", container_options=options) as container:
        container.metadata.update(_tags(timeline))
        container.set_chapters(m4b.chapter_list(chapters or _scene_chapters(timeline)))
        picture = _like(container, pictures[0][1])
        picture.time_base = Fraction(1, fps)
        sound = _like(container, heard.first)
        sound.metadata["language"] = language_code(timeline.language)
        packets, rate = heard.packets(sound)
        tracks = [
            _timed(pictureparts.packets(pictures, picture, fps), Fraction(1, fps)),
            _timed(packets, Fraction(1, rate)),
        ]
        if soft:
            tracks.append(_timed(_text(container, timeline), CLOCK))
        for _, packet in heapq.merge(*tracks, key=itemgetter(0)):
            container.mux(packet)


def _timed(packets: Iterator[Any], clock: Fraction) -> Iterator[tuple[int, Any]]:
    """The packets with when they are decoded, in microseconds."""
    microseconds = float(clock * 1_000_000)
    return ((round(packet.dts * microseconds), packet) for packet in packets)


def _like(container: Any, part: Path) -> Any:
    """A stream as the one in the part."""
    with av.open(str(part)) as first:
        return container.add_stream_from_template(first.streams[0])


def _tags(timeline: Timeline) -> dict[str, str]:
    tags = {
        "title": timeline.title,
        "artist": timeline.author,
        "composer": timeline.narrator,
        "comment": "AI-generated",
    }
    return {name: text for name, value in tags.items() if (text := writable(value).strip())}


def _scene_chapters(timeline: Timeline) -> list[Chapter]:
    titles = chapter_titles(timeline)
    return [
        Chapter(title, scene.start_s, scene.end_s)
        for title, scene in zip(titles, timeline.scenes, strict=True)
    ]


# FFmpeg's encoder makes the track's sample description from an ASS header; the samples are
# written here, since it offers no way in for plain text
_ASS_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\nPlayResX: 384\nPlayResY: 288\n\n[V4+ Styles]\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, "
    b"BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0"
    b"\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, "
    b"Effect, Text\n"
)


def _text(container: Any, timeline: Timeline) -> Iterator[Any]:
    """Soft subtitles, as 3GPP timed text: each sample is a length and UTF-8."""
    stream = container.add_stream("mov_text")
    stream.codec_context.subtitle_header = _ASS_HEADER
    stream.time_base = CLOCK
    stream.metadata["language"] = language_code(timeline.language)
    return (_text_packet(stream, cue.start_s, cue.end_s, cue.text) for cue in cues(timeline))


def _text_packet(stream: Any, start_s: float, end_s: float, text: str) -> Any:
    data = text.encode()
    packet = av.Packet(len(data).to_bytes(2, "big") + data)
    packet.pts = packet.dts = round(start_s / CLOCK)
    packet.duration = max(1, round(end_s / CLOCK) - packet.pts)
    packet.time_base, packet.stream = CLOCK, stream
    return packet


def _quiet(done: int, total: int) -> None:
    pass

"""The picture track of a film, run by run: what was encoded once is joined and not encoded again.

A run of frames begins with a key frame and needs no other run, so that its packets can stand
anywhere in a film of the same size. The same run gives the same bytes: a fixed number of encoder
threads, and FFmpeg's bit-exact flags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from pipelines.assets import Assets, asset_key
from pipelines.media.burnt import Captions
from pipelines.media.motion import Plane
from pipelines.media.shots import Run, Size, Studio
from pipelines.media.subtitles import Cue, Token

ENCODER_THREADS = 4  # fixed: the number of threads changes x264's output
VERSION = 1  # of the encoding
SUFFIX = ".mp4"  # keeps when packets are decoded, too

# x264's `veryfast`, fitted to pictures that move a tenth of a pixel a frame. Left alone it holds
# such a picture still for some frames and then lets it jump by half a pixel; bits spread by
# logarithmic variance (aq-mode 2), no macroblock tree and no dropped small coefficients keep it
# within 0.04 px of its way. Nothing here changes fast enough to repay looking ahead.
X264 = {
    "preset": "veryfast",
    "crf": "22",
    "x264-params": "aq-mode=2:mbtree=0:no-dct-decimate=1:bframes=2:b-adapt=0:scenecut=0"
    ":rc-lookahead=0:ref=1:me=dia:trellis=0:keyint=125:chroma-qp-offset=-3",
    "flags": "+bitexact",
}
BT709 = 1  # primaries, transfer and matrix have the same number
LIMITED_RANGE = 1

OnFrame = Callable[[int], None]  # frames of the run that are done


@dataclass(frozen=True)
class Overlay:
    """What is drawn over the frames of one run: cues on its clock, and a notice at its start."""

    cues: tuple[Cue, ...] = ()
    notice: str = ""
    notice_s: float = 0.0

    @property
    def facts(self) -> list[object]:
        cues = [
            [cue.start_s, cue.end_s, [[[t.text, t.start_s] for t in row] for row in cue.rows]]
            for cue in self.cues
        ]
        return [cues, self.notice, self.notice_s] if self else []

    def __bool__(self) -> bool:
        return bool(self.cues or self.notice)


def overlay(run: Run, fps: int, cues: Sequence[Cue], notice: str, notice_s: float) -> Overlay:
    """What of a film's cues and notice falls into the run."""
    start_s, end_s = run.start / fps, (run.start + run.count) / fps
    inside = tuple(
        _moved(cue, -start_s) for cue in cues if cue.start_s < end_s and cue.end_s > start_s
    )
    left_s = round(notice_s - start_s, 6) if notice else 0.0
    return Overlay(inside, notice if left_s > 0 else "", max(0.0, left_s))


def _moved(cue: Cue, seconds: float) -> Cue:
    """The cue on another clock, to the microsecond, so that it is the same wherever it stood."""

    def at(time_s: float) -> float:
        return round(time_s + seconds, 6)

    rows = tuple(
        tuple(Token(token.text, at(token.start_s), at(token.end_s)) for token in row)
        for row in cue.rows
    )
    return replace(cue, start_s=at(cue.start_s), end_s=at(cue.end_s), rows=rows)


@dataclass
class PictureParts:
    """Encodes runs of frames of one size into `assets`, where they are not there yet."""

    assets: Assets
    size: Size
    fps: int

    def __post_init__(self) -> None:
        self._studio = Studio(self.size)

    def part(self, run: Run, drawn: Overlay, on_frame: OnFrame) -> Path:
        """The run as a file of packets. UserError for a picture that cannot be read."""
        facts = {
            "run": run.facts,
            "size": list(self.size),
            "fps": self.fps,
            "drawn": drawn.facts,
            "encoder": X264,
        }
        key = asset_key("film pictures", VERSION, facts)
        return self.assets.get_or_make(
            key, SUFFIX, lambda path: self._encode(run, drawn, path, on_frame)
        )

    def _encode(self, run: Run, drawn: Overlay, path: Path, on_frame: OnFrame) -> None:
        laid = None
        if drawn:
            laid = Captions(drawn.cues, self.size, notice=drawn.notice, notice_s=drawn.notice_s)
        options = {"fflags": "+bitexact"}
        with av.open(str(path), "w", format="mp4", container_options=options) as container:
            stream = _stream(container, self.size, self.fps)
            for number, planes in enumerate(self._studio.frames(run)):
                if laid:
                    laid.lay(planes, number / self.fps)
                container.mux(stream.encode(_frame(planes, number, self.fps)))
                on_frame(number + 1)
            container.mux(stream.encode(None))


def _stream(container: Any, size: Size, fps: int) -> Any:
    stream = container.add_stream("libx264", rate=fps, options=X264)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.thread_count = ENCODER_THREADS
    context.time_base = Fraction(1, fps)
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED_RANGE
    context.flags |= av.codec.context.Flags.global_header
    return stream


def _frame(planes: Plane, number: int, fps: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, fps)
    frame.colorspace, frame.color_range = BT709, LIMITED_RANGE
    return frame


def packets(parts: Sequence[tuple[Run, Path]], stream: Any, fps: int) -> Iterator[Any]:
    """The packets of all runs on the film's clock, for `stream`."""
    clock = Fraction(1, fps)
    for run, path in parts:
        with av.open(str(path)) as container:
            inside: Any = container.streams.video[0]
            ticks = round(clock / inside.time_base)
            for packet in container.demux(inside):
                if packet.pts is None or packet.dts is None:  # the demuxer's last, which is empty
                    continue
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base = stream, clock
                copy.pts = run.start + packet.pts // ticks
                copy.dts = run.start + packet.dts // ticks
                copy.duration = 1
                copy.is_keyframe = packet.is_keyframe
                yield copy

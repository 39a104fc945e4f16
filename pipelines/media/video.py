"""A told story as a film: H.264 and AAC in MP4, chapters, soft subtitles, slow moves, cross-fades.

The same timeline gives the same bytes: no clock times, a fixed number of encoder threads, and
FFmpeg's bit-exact flags.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Literal

import av
import numpy as np
import soxr
from av.video.frame import PictureType
from numpy.typing import NDArray

from pipelines.media import loudness, mp4
from pipelines.media.burnt import Captions
from pipelines.media.labels import DEFAULT_LABEL, Label, xmp_packet
from pipelines.media.motion import Camera, Move, Plane, plan_move
from pipelines.media.subtitles import cues
from pipelines.media.timeline import TimedScene, Timeline, chapter_titles, language_code, writable
from vits.files import atomic_file

FADE_S = 0.7
AUDIO_RATE = 48_000  # every player knows it
AUDIO_BIT_RATE = 128_000
ENCODER_THREADS = 4  # fixed: the number of threads changes x264's output
CLOCK = Fraction(1, 1000)  # of chapters and subtitles
PROGRESS_FRAMES = 10

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

Progress = Callable[[int, int], None]


def write_film(
    timeline: Timeline,
    path: str | Path,
    *,
    size: tuple[int, int] = (1280, 720),
    fps: int = 25,
    captions: Literal["soft", "burnt", "none"] = "soft",
    notice: str = "",
    label: Label = DEFAULT_LABEL,
    on_progress: Progress | None = None,
) -> None:
    """Write `timeline` as an MP4, whole or not at all.

    Captions are a track that players show or not, or drawn into the frames; a `notice` stands in
    a corner for the first seconds.

    `on_progress(frames done, frames in all)` is called several times a second of film. Raises
    UserError if a picture cannot be read or the film cannot be written.
    """
    if any(side % 2 for side in size):
        raise ValueError(f"a film needs even sides, not {size}")
    path = Path(path)
    keys = {"AIGC": label.json}
    with atomic_file(path) as final, tempfile.TemporaryFile(dir=path.parent) as raw:
        drawn = None
        if notice or captions == "burnt":
            drawn = Captions(timeline, size, spoken=captions == "burnt", notice=notice)
        _encode(timeline, raw, size, fps, on_progress or _quiet, drawn, soft=captions == "soft")
        mp4.finish(raw, final, keys, xmp_packet())


def frame_count(timeline: Timeline, fps: int = 25) -> int:
    """Frames of the film: the last one may reach past the sound by a part of a frame."""
    return max(1, _frame_from(timeline.duration_s, fps))


def frames(timeline: Timeline, size: tuple[int, int], fps: int) -> Iterator[Plane]:
    """Every frame of the film, (H * 3 / 2, W) planes of YUV 4:2:0; the array is used again."""
    shots = [_Shot(number, scene, size) for number, scene in enumerate(timeline.scenes)]
    fades = [_fade_s(a, b) for a, b in pairwise(timeline.scenes)]
    width, height = size
    frame, other = (np.empty((height * 3 // 2, width), np.uint8) for _ in range(2))
    current = 0
    for number in range(frame_count(timeline, fps)):
        now = number / fps
        while current < len(fades) and now >= shots[current].scene.end_s + fades[current] / 2:
            shots[current].release()
            current += 1
        shots[current].shoot(now, frame)
        if current < len(fades):
            share = (now - shots[current].scene.end_s) / fades[current] + 0.5
            if share > 0:
                shots[current + 1].shoot(now, other)
                _blend(frame, other, share)
        yield frame


def settled_frames(timeline: Timeline, fps: int) -> frozenset[int]:
    """The first frame after each cross-fade: a key frame there leaves no ghost of what faded."""
    return frozenset(
        _frame_from(before.end_s + _fade_s(before, after) / 2, fps)
        for before, after in pairwise(timeline.scenes)
    )


def _frame_from(seconds: float, fps: int) -> int:
    """Number of the first frame at or after `seconds`, give or take the last binary digits."""
    return math.ceil(round(seconds * fps, 6))


@dataclass
class _Shot:
    """One scene in front of the camera; its picture is read when first shown."""

    number: int
    scene: TimedScene
    size: tuple[int, int]
    _move: Move = field(init=False)
    _camera: Camera | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._move = plan_move(self.number, self.scene.duration_s, self.size)

    def shoot(self, now: float, frame: Plane) -> None:
        """The picture moves from half a fade before its scene to half a fade after it."""
        if self._camera is None:
            self._camera = Camera(self.scene.picture, self.size)
        visible_s = self.scene.duration_s + FADE_S
        progress = (now - self.scene.start_s + FADE_S / 2) / visible_s
        self._camera.shoot(self._move.at(min(1.0, max(0.0, progress))), frame)

    def release(self) -> None:
        self._camera = None


def _fade_s(before: TimedScene, after: TimedScene) -> float:
    """Length of a cross-fade: short scenes keep most of their time to themselves."""
    return max(1e-6, min(FADE_S, before.duration_s / 2, after.duration_s / 2))


def _blend(frame: Plane, other: Plane, share: float) -> None:
    """Mix `share` of `other` into `frame`, slow at both ends."""
    weight = np.int32(round(256 * share * share * (3 - 2 * share)))
    frame[:] = (frame * (256 - weight) + other * weight + 128) >> 8


# ---------------------------------------------------------------- encoding


def _encode(
    timeline: Timeline,
    file: IO[bytes],
    size: tuple[int, int],
    fps: int,
    report: Progress,
    drawn: Captions | None = None,
    *,
    soft: bool = True,
) -> None:
    options = {"fflags": "+bitexact"}
    with av.open(file, "w", format="mp4", container_options=options) as container:
        container.metadata.update(_tags(timeline))
        container.set_chapters(_chapters(timeline))
        picture = _Picture(container, size, fps)
        sound = _Sound(container, timeline)
        text = _Text(container, timeline) if soft else None
        total, settled = frame_count(timeline, fps), settled_frames(timeline, fps)
        for number, frame in enumerate(frames(timeline, size, fps)):
            if drawn:
                drawn.lay(frame, number / fps)
            picture.write(frame, number, key=number in settled)
            sound.write_until((number + 1) / fps)
            if text:
                text.write_until((number + 1) / fps)
            if (number + 1) % PROGRESS_FRAMES == 0:
                report(number + 1, total)
        picture.close()
        sound.close()
        if text:
            text.write_until(float("inf"))
        report(total, total)


def _tags(timeline: Timeline) -> dict[str, str]:
    tags = {
        "title": timeline.title,
        "artist": timeline.author,
        "composer": timeline.narrator,
        "comment": "AI-generated",
    }
    return {name: text for name, value in tags.items() if (text := writable(value).strip())}


def _chapters(timeline: Timeline) -> list[Any]:
    return [
        {
            "id": number,
            "start": round(scene.start_s / CLOCK),
            "end": round(scene.end_s / CLOCK),
            "time_base": CLOCK,
            "metadata": {"title": title},
        }
        for number, (scene, title) in enumerate(
            zip(timeline.scenes, chapter_titles(timeline), strict=True), start=1
        )
    ]


class _Picture:
    def __init__(self, container: Any, size: tuple[int, int], fps: int) -> None:
        self._container = container
        self._stream = container.add_stream("libx264", rate=fps, options=X264)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.thread_count = ENCODER_THREADS
        context.time_base = self._time_base = Fraction(1, fps)
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED_RANGE

    def write(self, planes: Plane, number: int, *, key: bool) -> None:
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        if key:
            frame.pict_type = PictureType.I
        frame.pts, frame.time_base = number, self._time_base
        frame.colorspace, frame.color_range = BT709, LIMITED_RANGE
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))


class _Sound:
    """The sound track, levelled and resampled as the film needs it."""

    def __init__(self, container: Any, timeline: Timeline) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=AUDIO_RATE, options={"flags": "+bitexact"})
        self._stream.layout = "mono"
        self._stream.bit_rate = AUDIO_BIT_RATE
        self._stream.metadata["language"] = language_code(timeline.language)
        self._pieces = _resampled(timeline.audio)
        self._written = 0

    def write_until(self, seconds: float) -> None:
        while self._written < seconds * AUDIO_RATE:
            piece = next(self._pieces, None)
            if piece is None:
                return
            frame = av.AudioFrame.from_ndarray(piece[None, :], format="fltp", layout="mono")
            frame.sample_rate = AUDIO_RATE
            frame.pts, frame.time_base = self._written, Fraction(1, AUDIO_RATE)
            self._container.mux(self._stream.encode(frame))
            self._written += len(piece)

    def close(self) -> None:
        self.write_until(float("inf"))
        self._container.mux(self._stream.encode(None))


def _resampled(path: Path) -> Iterator[NDArray[np.float32]]:
    """The levelled track at the film's rate in pieces of at most a second."""
    rate = loudness.sample_rate(path)
    stream = soxr.ResampleStream(rate, AUDIO_RATE, 1, dtype="float32", quality="HQ")
    for piece in loudness.levelled(path):
        for start in range(0, len(piece), rate):
            yield from _some(stream.resample_chunk(piece[start : start + rate]))
    yield from _some(stream.resample_chunk(np.zeros(0, np.float32), last=True))


def _some(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    if len(samples):
        yield np.clip(samples, -1.0, 1.0)


class _Text:
    """Soft subtitles, as 3GPP timed text: each sample is a length and UTF-8."""

    # FFmpeg's encoder makes the track's sample description from an ASS header; the samples are
    # written here, since it offers no way in for plain text
    _HEADER = (
        b"[Script Info]\nScriptType: v4.00+\nPlayResX: 384\nPlayResY: 288\n\n[V4+ Styles]\n"
        b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, "
        b"BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
        b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
        b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0"
        b"\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, "
        b"Effect, Text\n"
    )

    def __init__(self, container: Any, timeline: Timeline) -> None:
        self._container = container
        self._stream = container.add_stream("mov_text")
        self._stream.codec_context.subtitle_header = self._HEADER
        self._stream.time_base = CLOCK
        self._stream.metadata["language"] = language_code(timeline.language)
        self._cues = cues(timeline)

    def write_until(self, seconds: float) -> None:
        while self._cues and self._cues[0].start_s < seconds:
            cue = self._cues.pop(0)
            text = cue.text.encode()
            packet = av.Packet(len(text).to_bytes(2, "big") + text)
            packet.pts = packet.dts = round(cue.start_s / CLOCK)
            packet.duration = max(1, round(cue.end_s / CLOCK) - packet.pts)
            packet.time_base, packet.stream = CLOCK, self._stream
            self._container.mux(packet)


def _quiet(done: int, total: int) -> None:
    pass

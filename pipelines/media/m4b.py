"""An audiobook in one file: AAC with chapters, cover and tags (.m4b, an MP4 with another name).

What was encoded once is joined packet by packet and never encoded again, so that a book with one
changed chapter costs that chapter. Every packet of AAC holds 1024 samples, hence chapters begin
exactly where their first packet does. FFmpeg writes the file; `mp4.finish` moves the index to the
front and adds the labels, as iTunes freeform atoms, since FFmpeg's own keys would remove the tags
that players show.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from pipelines.assets import Assets
from pipelines.media import labels, mp4
from pipelines.media.labels import DEFAULT_LABEL, Label
from pipelines.media.parts import kept_parts
from pipelines.media.timeline import Timeline, chapter_titles, language_code, writable
from vits.errors import UserError
from vits.files import atomic_file, temporary_name

PACKET_SAMPLES = 1024
BIT_RATE = 64_000  # of one voice
COVER_PIXELS = 1400
MILLISECONDS = Fraction(1, 1000)


@dataclass(frozen=True)
class Chapter:
    """A chapter's title and its place in the book's sound, in seconds."""

    title: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Tags:
    """What players show. `narrator` goes where they look for it, into the composer."""

    title: str
    author: str = ""
    narrator: str = ""
    album: str = ""  # the title unless given
    year: str = ""
    series: str = ""
    series_index: str = ""
    description: str = ""
    publisher: str = ""
    language: str = ""  # BCP 47
    track: int = 0
    tracks: int = 0
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def atoms(self) -> dict[str, str]:
        """By FFmpeg's names for iTunes' atoms; empty ones left out."""
        named = {
            "title": self.title,
            "artist": self.author,
            "album_artist": self.author,
            "album": self.album or self.title,
            "composer": self.narrator,
            "genre": "Audiobook",
            "date": self.year,
            "description": self.description[:250],
            "synopsis": self.description,
            "copyright": self.publisher,
            "grouping": self.grouping,
            "track": f"{self.track}/{self.tracks}" if self.track else "",
        }
        return {name: writable(text) for name, text in named.items() if text}

    @property
    def grouping(self) -> str:
        return " #".join(part for part in (self.series, self.series_index) if part)

    @property
    def freeform(self) -> dict[str, str]:
        """What has no atom of its own, as Audiobookshelf and Plex read it."""
        series = {"SERIES": self.series, "SERIES-PART": self.series_index if self.series else ""}
        return {k: writable(v) for k, v in {**series, **self.more}.items() if v}


def duration_s(part: Path) -> float:
    """Seconds that an encoded part takes in a book: its packets, whole. UserError if unreadable."""
    with _opened(part) as container:
        stream = container.streams.audio[0]
        count = sum(1 for packet in container.demux(stream) if packet.size)
        return count * PACKET_SAMPLES / int(stream.rate)


def rate_of(part: Path) -> int:
    """Samples a second of an encoded part. UserError if unreadable."""
    with _opened(part) as container:
        return int(container.streams.audio[0].rate)


def write_m4b(
    path: str | Path,
    parts: Sequence[Path],
    tags: Tags,
    *,
    chapters: Sequence[Chapter] | None = None,
    titles: Sequence[str] = (),
    cover: bytes | None = None,
    label: Label = DEFAULT_LABEL,
) -> float:
    """Join the .m4a `parts` into a book, and return its seconds.

    Chapters are the parts, by their `titles`, unless `chapters` says otherwise. Flat memory but
    for the index (a few bytes for each packet). Raises UserError for parts that cannot be joined
    and for a full disk.
    """
    path = Path(path)
    staged = temporary_name(path.with_name(f"{path.name}.joined.mp4"))
    try:
        starts = _join(staged, parts, tags, chapters, titles, cover)
        atoms = {**tags.freeform, "AIGC": label.json}
        with staged.open("rb") as source, atomic_file(path) as target:
            mp4.finish(source, target, {}, labels.xmp_packet(), freeform=atoms)
    finally:
        staged.unlink(missing_ok=True)
    return starts[-1]


def write_story(
    timeline: Timeline,
    path: str | Path,
    *,
    label: Label = DEFAULT_LABEL,
    parts: Assets | None = None,
) -> None:
    """A told story as a book: a chapter for each scene, the first picture as its cover.

    The sound is that of the film; `parts` keeps what is encoded for the next time.
    """
    from pipelines.media.picture import read_picture
    from pipelines.media.soundparts import Sound, write_m4a

    path = Path(path)
    sound = temporary_name(path.with_name(f"{path.name}.sound.m4a"))
    try:
        with kept_parts(parts, path) as kept:
            write_m4a(Sound(timeline.audio, kept).of_film(timeline), sound)
        picture = read_picture(timeline.scenes[0].picture)
        chapters = [
            Chapter(title, scene.start_s, scene.end_s)
            for title, scene in zip(chapter_titles(timeline), timeline.scenes, strict=True)
        ]
        tags = Tags(timeline.title, timeline.author, timeline.narrator, language=timeline.language)
        write_m4b(path, [sound], tags, chapters=chapters, cover=cover_jpeg(picture), label=label)
    finally:
        sound.unlink(missing_ok=True)


def cover_jpeg(picture: Any) -> bytes:
    """A picture (PIL) at a size that players take, labelled."""
    from PIL import Image

    picture = picture.convert("RGB")
    picture.thumbnail((COVER_PIXELS, COVER_PIXELS), Image.Resampling.LANCZOS)
    return labels.encode_image(picture, "JPEG", quality=88, optimize=True)


# ---------------------------------------------------------------- inside


def _opened(part: Path) -> Any:
    import av

    try:
        container = av.open(str(part))
    except (av.FFmpegError, OSError) as error:
        raise UserError(
            f"{part} cannot be read ({error}).", "Delete it; it is made again."
        ) from error
    if not container.streams.audio or container.streams.audio[0].codec_context.name != "aac":
        container.close()
        raise UserError(f"{part} holds no AAC.", "Delete it; it is made again.")
    return container


def _join(
    staged: Path,
    parts: Sequence[Path],
    tags: Tags,
    chapters: Sequence[Chapter] | None,
    titles: Sequence[str],
    cover: bytes | None,
) -> list[float]:
    """Write the book without labels; the second at which each part begins, and the end."""
    import av

    assert parts, "a book has sound"
    options = {"fflags": "+bitexact"}
    with av.open(str(staged), "w", format="mp4", container_options=options) as book:
        book.metadata.update(tags.atoms)
        with _opened(parts[0]) as first:
            sound: Any = book.add_stream_from_template(first.streams.audio[0])
        rate = int(sound.rate)
        sound.time_base = Fraction(1, rate)
        sound.metadata["language"] = language_code(tags.language)
        image = _cover_stream(book, cover) if cover else None
        starts = _starts(parts, rate)
        book.set_chapters(chapter_list(chapters or _of_parts(titles, starts)))
        if image is not None:
            book.mux(image)
        for packet in packets(parts, sound, rate):
            book.mux(packet)
    return starts


def _starts(parts: Sequence[Path], rate: int) -> list[float]:
    """Where parts begin, and where the last ends: chapters are written before the sound is."""
    starts = [0.0]
    for part in parts:
        with _opened(part) as container:
            if int(container.streams.audio[0].rate) != rate:
                raise UserError(
                    f"{part} has another sample rate than the parts before it.",
                    "Delete it; it is made again.",
                )
        starts.append(starts[-1] + duration_s(part))
    return starts


def _of_parts(titles: Sequence[str], starts: Sequence[float]) -> list[Chapter]:
    bounds = zip(titles, starts[:-1], starts[1:], strict=True)
    return [Chapter(title, start, end) for title, start, end in bounds]


def chapter_list(chapters: Sequence[Chapter]) -> list[Any]:
    """Chapters as FFmpeg takes them; one without a title has its number."""
    return [
        {
            "id": number,
            "start": round(chapter.start_s * 1000),
            "end": round(chapter.end_s * 1000),
            "time_base": MILLISECONDS,
            "metadata": {"title": " ".join(writable(chapter.title).split()) or str(number)},
        }
        for number, chapter in enumerate(chapters, 1)
    ]


def packets(parts: Sequence[Path], sound: Any, rate: int) -> Iterator[Any]:
    """The packets of all parts, one after the other on the book's clock."""
    import av

    number = 0
    for part in parts:
        with _opened(part) as container:
            for packet in container.demux(container.streams.audio[0]):
                if not packet.size:
                    continue
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base = sound, Fraction(1, rate)
                copy.pts = copy.dts = number * PACKET_SAMPLES
                copy.duration = PACKET_SAMPLES
                copy.is_keyframe = True
                number += 1
                yield copy


def _cover_stream(book: Any, cover: bytes) -> Any:
    """An mjpeg stream marked as the cover; its one packet is returned."""
    import av
    from av.stream import Disposition

    with av.open(io.BytesIO(cover), format="jpeg_pipe") as picture:
        stream = book.add_stream_from_template(picture.streams.video[0])
        stream.disposition = Disposition.attached_pic
        packet = av.Packet(cover)
    packet.stream, packet.time_base = stream, MILLISECONDS
    packet.pts = packet.dts = 0
    packet.is_keyframe = True
    return packet


def read_picture_bytes(data: bytes) -> Any | None:
    """The picture in bytes (PIL), None where there is none that can be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as opened:
            opened.load()
            return opened.copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None

"""A told story as sound alone: mp3 with chapters, cover and text, or a plain wav.

Both are levelled like the film and labelled; the same timeline gives the same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image

from pipelines.media import id3, labels, loudness
from pipelines.media.labels import DEFAULT_LABEL, Label
from pipelines.media.picture import read_picture
from pipelines.media.sound import label_wav
from pipelines.media.timeline import Timeline, chapter_titles, language_code, writable
from vits.audio import AudioWriter
from vits.files import atomic_file, temporary_name

COVER_PIXELS = 1000


def write_mp3(
    timeline: Timeline, path: str | Path, *, label: Label = DEFAULT_LABEL, cover: bool = True
) -> None:
    """MP3 with a chapter per scene, the spoken text as lyrics, and the first picture as cover.

    Raises UserError if it cannot be written.
    """
    path = Path(path)
    with atomic_file(path) as file, _levelled_file(timeline, path, ".mp3") as sound:
        file.write(_tag(timeline, label, cover))
        sound.seek(id3.tag_bytes(sound.read(10)))
        shutil.copyfileobj(sound, file)


def write_wav(timeline: Timeline, path: str | Path, *, label: Label = DEFAULT_LABEL) -> None:
    """WAV, 16 bit, at the rate of the timeline's track. Raises UserError if it cannot be written.

    WAV knows no chapters.
    """
    path = Path(path)
    with atomic_file(path) as file, _levelled_file(timeline, path, ".wav") as sound:
        label_wav(sound, file, {}, label)


def mp3_bytes(timeline: Timeline, *, label: Label = DEFAULT_LABEL) -> bytes:
    """The mp3 of a page: labelled, without cover and text, which the page has itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.mp3"
        write_mp3(timeline, path, label=label, cover=False)
        return path.read_bytes()


@contextmanager
def _levelled_file(timeline: Timeline, path: Path, suffix: str) -> Iterator[IO[bytes]]:
    """The levelled track, encoded in a file beside `path` that is gone afterwards."""
    tags = {"title": timeline.title, "artist": timeline.author} if suffix == ".wav" else {}
    staged = temporary_name(path.with_name(f"{path.name}.track{suffix}"))
    try:
        rate = loudness.sample_rate(timeline.audio)
        with AudioWriter(staged, rate, metadata=tags, quick=True) as writer:
            for piece in loudness.told(timeline.audio):
                writer.write(piece)
        with staged.open("rb") as file:
            yield file
    finally:
        staged.unlink(missing_ok=True)


def _tag(timeline: Timeline, label: Label, cover: bool) -> bytes:
    texts = {
        "TIT2": timeline.title,
        "TALB": timeline.title,
        "TPE1": timeline.author,
        "TCOM": timeline.narrator,
        "TCON": "Audiobook",
        "TLAN": language_code(timeline.language),
        "TLEN": str(round(timeline.duration_s * 1000)),
    }
    chapters = [
        id3.Chapter(title, scene.start_s, scene.end_s)
        for title, scene in zip(chapter_titles(timeline), timeline.scenes, strict=True)
    ]
    return id3.tag(
        {name: writable(text) for name, text in texts.items()},
        own_texts={"AIGC": label.json},
        private={"XMP": labels.xmp_packet()},
        chapters=chapters,
        cover=_cover(timeline) if cover else None,
        lyrics=_lyrics(timeline) if cover else "",
        language=language_code(timeline.language),
    )


def _lyrics(timeline: Timeline) -> str:
    scenes = ("\n".join(line.text for line in scene.lines) for scene in timeline.scenes)
    return writable("\n\n".join(scenes))


def _cover(timeline: Timeline) -> bytes:
    """The first picture, whole, at a size that players take."""
    picture = read_picture(timeline.scenes[0].picture)
    picture.thumbnail((COVER_PIXELS, COVER_PIXELS), Image.Resampling.LANCZOS)
    return labels.encode_image(picture, "JPEG", quality=88, optimize=True)

"""Made chapters -> what is shipped: m4b, mp3, opus, a book that reads itself aloud, a report.

    plain            Title.m4b, cover.jpg, mp3/01 - Chapter.mp3 ..., report.json
    audiobookshelf   Author/Series/Vol 1 - 1994 - Title {Narrator}/ with the same in it

Encoded chapters are joined, bound or get their tags; none is encoded again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.assets import Assets, asset_key
from pipelines.books.chapterwork import MadeChapter
from pipelines.books.illustrated import Illustrated, illustrate, write_book_film
from pipelines.books.levels import faults_of
from pipelines.books.names import safe_name
from pipelines.books.production import Production
from pipelines.media import id3, labels, m4b
from pipelines.media.labels import DEFAULT_LABEL
from pipelines.media.m4b import Tags
from pipelines.media.timeline import language_code, writable
from pipelines.progress import OnProgress, silent

VERSION = 1  # of the writers here
EPUB_VERSION = 2


@dataclass(frozen=True)
class Delivered:
    """A finished book: its files, and what was found out about it."""

    folder: Path
    files: tuple[Path, ...]
    duration_s: float
    faults: tuple[str, ...]


def folder_of(production: Production, root: Path) -> Path:
    """Where a book of its own goes below `root`."""
    meta = production.meta
    title, author = safe_name(meta.title), safe_name(meta.author, "Unknown")
    if production.options.layout == "plain":
        return root / safe_name(f"{meta.author} - {meta.title}" if meta.author else meta.title)
    head = f"Vol {meta.series_index} - " if meta.series and meta.series_index else ""
    head += f"{meta.year} - " if meta.year else ""
    name = f"{safe_name(head + title)} {{{safe_name(production.narrator)}}}"
    series = [safe_name(meta.series)] if meta.series else []
    return Path(root, author, *series, name)


def deliver(
    production: Production,
    made: Sequence[MadeChapter],
    folder: Path,
    on_event: OnProgress = silent,
) -> Delivered:
    """Write what was asked for into `folder`; what is there as it should be stays. UserError."""
    assets = Assets(folder)
    cover = _cover(production)
    files: list[Path] = []
    seen = illustrate(production, made, on_event) if production.options.illustrate else None
    for name in dict.fromkeys(production.options.format):
        if name == "mp4" and seen:
            files.append(_write_film(production, made, assets, seen, on_event))
        elif name == "epub":
            files.append(_write_epub(production, made, assets, cover, seen))
        else:
            files += _WRITERS[name](production, made, assets, cover)
    if cover:
        key = asset_key("cover", VERSION, {"bytes": labels_hash(cover)})
        files.append(assets.publish(key, "cover.jpg", lambda path: path.write_bytes(cover)))
    facts = report_of(production, made, files, folder)
    text = json.dumps(facts, ensure_ascii=False, indent=1)
    key = asset_key("report", VERSION, {"text": text})
    report = assets.publish(key, "report.json", lambda path: path.write_text(text, "utf-8"))
    faults = tuple(f"{f['chapter']}: {f['fault']}: {f['text']}" for f in facts["faults"])
    faults += seen.failed if seen else ()
    return Delivered(folder, (*files, report), facts["duration_s"], faults)


def labels_hash(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _cover(production: Production) -> bytes | None:
    """The book's own cover as a labelled JPEG; None where it has none that can be read."""
    raw = production.book.cover
    picture = m4b.read_picture_bytes(raw) if raw else None
    return m4b.cover_jpeg(picture) if picture is not None else None


def _tags(production: Production, title: str, track: int = 0, tracks: int = 0) -> Tags:
    meta = production.meta
    return Tags(
        title=title,
        author=meta.author,
        narrator=production.narrator,
        album=meta.title,
        year=meta.year,
        series=meta.series,
        series_index=meta.series_index,
        description=meta.description,
        publisher=meta.publisher,
        language=production.manner.language,
        track=track,
        tracks=tracks,
    )


# ---------------------------------------------------------------- m4b


def _write_m4b(
    production: Production, made: Sequence[MadeChapter], assets: Assets, cover: bytes | None
) -> Iterator[Path]:
    groups = split(made, production.options.split * 3600)
    title = production.meta.title
    for number, group in enumerate(groups, 1):
        name = f"{title} - Part {number}" if len(groups) > 1 else title
        track = (number, len(groups)) if len(groups) > 1 else (0, 0)
        tags = _tags(production, name, *track)
        titles = [production.titles[chapter.number - 1] for chapter in group]
        decides = {
            "sounds": [chapter.sound for chapter in group],
            "titles": titles,
            "tags": [tags.atoms, tags.freeform, tags.language],
            "cover": labels_hash(cover or b""),
        }
        parts = [chapter.file(".m4a") for chapter in group]

        def write(
            path: Path, parts: list[Path] = parts, tags: Tags = tags, titles: list[str] = titles
        ) -> None:
            m4b.write_m4b(path, parts, tags, titles=titles, cover=cover)

        key = asset_key("m4b", VERSION, decides)
        yield assets.publish(key, f"{safe_name(name)}.m4b", write)


def split(made: Sequence[MadeChapter], longest_s: float) -> list[list[MadeChapter]]:
    """Chapters in groups of at most so many seconds; all together for 0."""
    groups: list[list[MadeChapter]] = [[]]
    filled = 0.0
    for chapter in made:
        if longest_s and groups[-1] and filled + chapter.duration_s > longest_s:
            groups.append([])
            filled = 0.0
        groups[-1].append(chapter)
        filled += chapter.duration_s
    return groups


# ---------------------------------------------------------------- a file for each chapter


def _each(
    production: Production,
    made: Sequence[MadeChapter],
    assets: Assets,
    kind: str,
    write: Callable[[Path, Tags, Path], None],
    cover: bytes | None,
) -> Iterator[Path]:
    inner = Assets(assets.folder / kind)
    digits = max(2, len(str(len(made))))
    for chapter in made:
        title = production.titles[chapter.number - 1]
        tags = _tags(production, title, chapter.number, len(made))
        name = f"{chapter.number:0{digits}} - {safe_name(title)}.{kind}"
        decides = {
            "sound": chapter.sound,
            "tags": [tags.atoms, tags.freeform, tags.language],
            "cover": labels_hash(cover or b""),
        }
        source = chapter.file(f".{kind}")
        key = asset_key(kind, VERSION, decides)
        yield inner.publish(key, name, partial(write, source, tags))


def _write_mp3(
    production: Production, made: Sequence[MadeChapter], assets: Assets, cover: bytes | None
) -> Iterator[Path]:
    def write(source: Path, tags: Tags, path: Path) -> None:
        with source.open("rb") as sound, path.open("wb") as file:
            file.write(_id3(tags, cover))
            sound.seek(id3.tag_bytes(sound.read(10)))
            shutil.copyfileobj(sound, file)

    return _each(production, made, assets, "mp3", write, cover)


def _id3(tags: Tags, cover: bytes | None) -> bytes:
    texts = {
        "TIT2": tags.title,
        "TALB": tags.album,
        "TPE1": tags.author,
        "TPE2": tags.author,
        "TCOM": tags.narrator,
        "TCON": "Audiobook",
        "TRCK": f"{tags.track}/{tags.tracks}",
        "TYER": tags.year,
        "TPUB": tags.publisher,
        "TIT1": tags.grouping,
        "TLAN": language_code(tags.language),
    }
    return id3.tag(
        {name: writable(text) for name, text in texts.items()},
        own_texts={"AIGC": DEFAULT_LABEL.json, **tags.freeform},
        private={"XMP": labels.xmp_packet()},
        cover=cover,
        language=language_code(tags.language),
    )


def _write_opus(
    production: Production, made: Sequence[MadeChapter], assets: Assets, cover: bytes | None
) -> Iterator[Path]:
    def write(source: Path, tags: Tags, path: Path) -> None:
        import av

        with av.open(str(source)) as sound, path.open("wb") as file:
            options = {"fflags": "+bitexact"}
            with av.open(file, "w", format="opus", container_options=options) as target:
                stream = target.add_stream_from_template(sound.streams.audio[0])
                named = {"title": tags.title, "artist": tags.author, "album": tags.album,
                         "composer": tags.narrator, "genre": "Audiobook", "date": tags.year,
                         "tracknumber": str(tags.track)}  # fmt: skip
                stream.metadata.update({k: writable(v) for k, v in named.items() if v})
                stream.metadata.update(labels.comments() | tags.freeform)
                for packet in sound.demux(sound.streams.audio[0]):
                    if packet.size:
                        packet.stream = stream
                        target.mux(packet)

    return _each(production, made, assets, "opus", write, cover)


# ---------------------------------------------------------------- EPUB


def _write_epub(
    production: Production,
    made: Sequence[MadeChapter],
    assets: Assets,
    cover: bytes | None,
    seen: Illustrated | None,
) -> Path:
    from pipelines.books.readalong import write_readalong

    decides = {
        "sounds": [chapter.sound for chapter in made],
        "titles": list(production.titles),
        "meta": [production.meta.title, production.meta.author, production.narrator],
        "cover": labels_hash(cover or b""),
        "pictures": _seen(seen),
    }
    key = asset_key("epub", EPUB_VERSION, decides)
    name = f"{safe_name(production.meta.title)}.epub"

    def write(path: Path) -> None:
        write_readalong(production, made, path, cover, seen)

    return assets.publish(key, name, write)


def _seen(seen: Illustrated | None) -> list[object]:
    """Which pictures stand where; they are named by their hashes."""
    if seen is None:
        return []
    pairs = zip(seen.passages, seen.pictures, strict=True)
    return [[passage.id, passage.start_s, path.name] for passage, path in pairs]


# ---------------------------------------------------------------- film


def _write_film(
    production: Production,
    made: Sequence[MadeChapter],
    assets: Assets,
    seen: Illustrated,
    on_event: OnProgress,
) -> Path:
    decides = {
        "sounds": [chapter.sound for chapter in made],
        "titles": list(production.titles),
        "meta": [production.meta.title, production.meta.author, production.narrator],
        "pictures": _seen(seen),
    }
    key = asset_key("book film", VERSION, decides)
    name = f"{safe_name(production.meta.title)}.mp4"
    return assets.publish(
        key, name, lambda path: write_book_film(production, made, seen, path, on_event)
    )


_WRITERS: dict[str, Callable[..., Iterator[Path]]] = {
    "m4b": _write_m4b,
    "mp3": _write_mp3,
    "opus": _write_opus,
}


# ---------------------------------------------------------------- report


def report_of(
    production: Production, made: Sequence[MadeChapter], files: Sequence[Path], folder: Path
) -> dict[str, Any]:
    """Chapters with their places and measured levels, and every sentence that failed a check."""
    start, chapters, faults = 0.0, [], []
    level = production.works[0].level
    for chapter in made:
        title = production.titles[chapter.number - 1]
        chapters.append(
            {
                "title": title,
                "start_s": round(start, 3),
                "duration_s": round(chapter.duration_s, 3),
                "lufs": chapter.lufs,
                "rms_db": chapter.rms_db,
                "peak_db": chapter.peak_db,
                "sentences": len(chapter.sentences),
            }
        )
        start += chapter.duration_s
        faults += [{"chapter": title, "text": t, "fault": f} for _, t, f in chapter.faults]
        acx = faults_of(chapter.rms_db, chapter.peak_db, level)
        faults += [{"chapter": title, "text": "", "fault": fault} for fault in acx]
    return {
        "title": production.meta.title,
        "author": production.meta.author,
        "narrator": production.narrator,
        "duration_s": round(start, 3),
        "files": [path.relative_to(folder).as_posix() for path in files],
        "chapters": chapters,
        "faults": faults,
        "passed_over": list(production.book.notes),
    }

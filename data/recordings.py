"""Any recordings -> a data set: found, cut, cleaned, told apart, checked, accounted for.

    sources.py     what there is, and who speaks in which file
    speech.py      where somebody speaks           longalign.py  where the words of a long text are
    slicing.py     pieces of 2 to 10 s             turns.py      where somebody else goes on
    making.py      each piece checked, cleaned     people.py     the main speaker
    transcribe.py  words for those without         agreement.py  do words and sound agree
    report.py      what became of every second

Nothing in the sources is changed. Every result is keyed by what decides it, so that a second run,
or one after a kill, does again only what is missing, and the same sources give the same data set.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from data import checks, people, transcribe
from data.agreement import agree
from data.captions import read_captions
from data.clips import MANIFEST, METADATA, REPORT
from data.events import OnStage, StageEvent
from data.intake import Dropped, Found, language_code
from data.kept import Kept
from data.longalign import AlignedText, align_long
from data.making import Record, Suppression, Workshop, file_hash
from data.recording import SpanReader
from data.report import RecordingReport, Report, Summary, finish
from data.slicing import SHORT_S, Joint, Piece, TimedWord, joints, slice_track
from data.sources import Sources, find_sources
from data.speech import Track, sounding_spans, speech_spans, track
from data.suppression import suppression
from data.turns import turns
from vits.errors import UserError

log = logging.getLogger(__name__)

Transcribing = Literal["auto", "never", "always"]
CUTTING = 2  # version of how a recording is cut
CLIP_S = 12.0  # a recording up to this length is a clip as it is
TOLD_CLIP_S = 20.0  # with its words beside it


@dataclass(frozen=True)
class Wishes:
    """What a user asks for.

    language: of everything, or None to find it out. transcribe: `auto` gives words to clips without
    where a model is at hand, `always` also checks the words that were given, `never` does neither.
    asr: a model for that. speaker: auto, one, all, folders, names, or the name of the one person.
    denoise: off, spectral, or the folder of a model.
    """

    language: str | None = None
    transcribe: Transcribing = "auto"
    asr: str | None = None
    speaker: str = "auto"
    denoise: str = "off"
    sample_rate: int = 22050


@dataclass(frozen=True)
class Heard:
    """A recording that was listened to: what there is of it, and the pieces it was cut into."""

    found: Found
    content: str
    seconds: float
    sample_rate: int
    flaw: str = ""
    pieces: tuple[Piece, ...] = ()
    texts: tuple[str, ...] = ()
    confidences: tuple[float | None, ...] = ()
    words_from: str = ""
    sounding: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()  # parts of a transcript that were not found in it


def prepare_recordings(
    sources: Sequence[str | Path],
    out_dir: str | Path,
    wishes: Wishes | None = None,
    *,
    on_event: OnStage | None = None,
) -> Summary:
    """Make a dataset folder of recordings of any kind and length.

    Raises UserError if there are no recordings, none can be used, or the folder cannot be written;
    report.json then tells of each.
    """
    out_dir = Path(out_dir)
    paths = [Path(source) for source in sources]
    for source in paths:
        if source.exists() and out_dir.exists() and source.samefile(out_dir):
            raise UserError(
                f"{source} cannot be both the recordings and the data set.",
                "Name another folder for the result.",
            )
    wishes = wishes or Wishes()
    _refuse_others_work(out_dir)
    if out_dir.exists() and not out_dir.is_dir():
        raise UserError(f"{out_dir} is a file.", "Name a folder for the data set.")
    found = find_sources(paths, without=out_dir, speaker=wishes.speaker)
    return _Run(found, out_dir, wishes, on_event or (lambda event: None)).run()


def _refuse_others_work(folder: Path) -> None:
    """A data set that this program did not make is not written over."""
    foreign = [name for name in (MANIFEST, METADATA) if (folder / name).exists()]
    if foreign and not (folder / REPORT).exists():
        raise UserError(
            f"{folder} holds a {foreign[0]} that was not made here.", "Name another folder."
        )


@dataclass
class _Run:
    """One preparation: what was found, and what became of it so far."""

    sources: Sources
    folder: Path
    wishes: Wishes
    tell: OnStage
    heard: list[Heard] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = Kept(self.folder)
        self.shop = Workshop(self.folder, self.wishes.sample_rate)
        self.suppress: Suppression | None = suppression(self.wishes.denoise)
        self.language = self.wishes.language and language_code(self.wishes.language)
        self.dropped += self.sources.dropped
        self.contents: dict[str, str] = {}

    def run(self) -> Summary:
        self._listen()
        self._make()
        self.records, notes = people.tell_apart(
            self.records,
            self.folder,
            self.kept,
            self.sources.layout,
            self.wishes.speaker,
            self.tell,
        )
        self.notes += notes
        self._write_down()
        self.records = agree(self.records, self.folder, self.kept, self.tell)
        report = Report(
            self.wishes.sample_rate,
            tuple(self.records),
            tuple(_told(heard) for heard in self.heard),
            tuple(self.dropped),
            tuple(self.notes),
        )
        return finish(self.folder, report, made_before=self.shop.before)

    # ------------------------------------------------------------ listening and cutting

    def _listen(self) -> None:
        for done, item in enumerate(self.sources.found):
            self.tell(StageEvent("listen", done, len(self.sources.found), "files", item.name))
            try:
                content = file_hash(item.path)
            except OSError as error:
                self._drop(item, f"cannot be read ({error.strerror})")
                continue
            first = self.contents.setdefault(content, item.name)
            if first != item.name:
                self._drop(item, f"is the same recording as {first}")
                continue
            try:
                self.heard.append(self._hear(item, content))
            except UserError as error:
                self._drop(item, error.cause.removeprefix(f"{item.path} ").rstrip("."))
        self.tell(StageEvent("listen", len(self.sources.found), len(self.sources.found), "files"))

    def _drop(self, item: Found, reason: str) -> None:
        self.dropped.append(Dropped(item.name, reason, item.text))

    def _hear(self, item: Found, content: str) -> Heard:
        text, captioned, notes = self._words_of(item)
        language = item.language or self.language or (checks.guess_language([text]) if text else "")
        item = replace(item, text=text, language=language)
        decides = [CUTTING, content, text, language, captioned]

        def make() -> dict[str, Any]:
            return _cut(item, captioned)

        cut = self.kept.get_or_make("cut", decides, make)
        return Heard(
            found=item,
            content=content,
            seconds=cut["seconds"],
            sample_rate=cut["sample_rate"],
            flaw=cut["flaw"],
            pieces=tuple(Piece(*piece) for piece in cut["pieces"]),
            texts=tuple(cut["texts"]),
            confidences=tuple(cut["confidences"]),
            words_from=cut["words_from"],
            sounding=tuple((a, b) for a, b in cut["sounding"]),
            notes=(*notes, *cut["notes"]),
            unheard=tuple(cut["unheard"]),
        )

    def _words_of(self, item: Found) -> tuple[str, list[list[Any]], list[str]]:
        """The words that came with a recording, those with times, and what is wrong with them."""
        if item.text or item.subtitles is None:
            return item.text, [], []
        try:
            captions = read_captions(item.subtitles)
        except UserError as error:
            return "", [], [error.cause.removeprefix(f"{item.subtitles.parent}/").rstrip(".")]
        text = " ".join(caption.text for caption in captions)
        return text, [[c.text, c.start_s, c.end_s] for c in captions], []

    # ------------------------------------------------------------ pieces

    def _make(self) -> None:
        total = round(sum(heard.seconds for heard in self.heard))
        done = 0.0
        for heard in self.heard:
            reader = SpanReader(heard.found.path)
            whole = len(heard.pieces) == 1 and heard.pieces[0] == Piece(0.0, heard.seconds)
            for piece, text, confidence in zip(
                heard.pieces, heard.texts, heard.confidences, strict=True
            ):
                span = (piece.start_s, piece.end_s)
                record, _ = self.shop.make_piece(
                    replace(heard.found, text=text),
                    heard.content,
                    span,
                    piece.doubt,
                    lambda reader=reader, span=span: reader.read(*span),  # type: ignore[misc]
                    whole=whole,
                    suppress=self.suppress,
                )
                words_from = heard.words_from if text else ""
                self.records.append(replace(record, confidence=confidence, words_from=words_from))
                place = min(total, round(done + piece.end_s))
                self.tell(StageEvent("cut", place, total, "s", heard.found.name))
            reader.close()
            done += heard.seconds
        self.tell(StageEvent("cut", total, total, "s"))

    # ------------------------------------------------------------ words

    def _write_down(self) -> None:
        self.records, notes = transcribe.write_down(
            self.records,
            self.folder,
            self.kept,
            when=self.wishes.transcribe,
            model=self.wishes.asr,
            language=self.language,
            tell=self.tell,
        )
        self.notes += notes


def _told(heard: Heard) -> RecordingReport:
    return RecordingReport(
        heard.found.name,
        heard.seconds,
        heard.sample_rate,
        heard.flaw,
        heard.notes,
        heard.unheard,
        heard.sounding,
    )


def _cut(item: Found, captioned: list[list[Any]]) -> dict[str, Any]:
    """Listen to a recording and cut it, with its words where it has some: plain JSON."""
    found = track(item.path)
    spans = speech_spans(found)
    spoken_s = sum(span.seconds for span in spans)
    as_it_is = found.seconds <= (TOLD_CLIP_S if item.text and not captioned else CLIP_S)
    words: Sequence[TimedWord] = ()
    aligned: AlignedText | None = None
    if item.text and not as_it_is:
        aligned = align_long(item.path, item.text, item.language, found, captioned)
        words = aligned.words
    if not spans:
        pieces = []
    elif as_it_is:
        pieces = [Piece(0.0, found.seconds)]
    else:
        pieces = [_told_short(piece) for piece in _of_one_person(item.path, found, words)]
    if aligned is None:
        texts: list[str] = [item.text] * len(pieces)
        sure: list[float | None] = [None] * len(pieces)
    else:
        texts, sure = aligned.of_pieces(pieces)
    notes = list(aligned.notes) if aligned else []
    if not spans:
        notes.append("has no speech in it")
    return {
        "seconds": found.seconds,
        "sample_rate": found.sample_rate,
        "flaw": found.flaw,
        "spoken_s": round(spoken_s, 3),
        "pieces": [[piece.start_s, piece.end_s, piece.doubt] for piece in pieces],
        "texts": texts,
        "confidences": sure,
        "words_from": "subtitles" if captioned else "transcript" if item.text else "",
        "sounding": [[span.start_s, span.end_s] for span in sounding_spans(found)],
        "notes": notes,
        "unheard": list(aligned.unheard) if aligned else [],
    }


def _of_one_person(path: Path, found: Track, words: Sequence[TimedWord]) -> list[Piece]:
    """The pieces of a recording, cut anew where they would hold two people one after the other."""
    pieces = slice_track(found, words)
    judged: set[Joint] = set()
    others: list[float] = []
    while unknown := [j for j in joints(found, words, pieces) if j not in judged]:
        judged |= set(unknown)
        more = turns(path, unknown)
        if not more:
            break
        others = sorted([*others, *more])
        pieces = slice_track(found, words, others)
    return pieces


def _told_short(piece: Piece) -> Piece:
    if piece.seconds >= SHORT_S:
        return piece
    short = f"is short ({piece.seconds:.1f} s)"
    return replace(piece, doubt=f"{piece.doubt}; {short}" if piece.doubt else short)

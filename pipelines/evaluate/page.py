"""An evaluation as one HTML page that needs nothing else: players, spectrograms, plots, the table.

It has no script, and a content security policy forbids it any and the network. One voice or
several side by side: they have the same page.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import escape
from importlib.resources import files
from pathlib import Path

from pipelines.evaluate.delivery import pitch_track
from pipelines.evaluate.measure import Evaluation
from pipelines.evaluate.plots import COLOURS, REAL_COLOUR, Line, Series, histogram, strip
from pipelines.evaluate.report import Report, notes, number, table
from pipelines.evaluate.scores import SentenceScore
from pipelines.media import labels
from vits.audio import Audio, resample, with_loudness, write_audio
from vits.config import AudioConfig
from vits.files import write_text
from vits.monitor import spectrogram_picture

REAL_CLIPS = 4  # of the person that can be heard on the page
PAGE_LUFS = -23.0  # everything on the page, so that no player is louder than another
PICTURE_HEIGHT = 96
PICTURE_QUALITY = 70


def write_page(
    reports: Sequence[Report], evaluations: Sequence[Evaluation | None], path: Path
) -> None:
    """Write the page of one voice or of several, whole or not at all.

    Where there is no evaluation beside a report, its recordings are not on the page.
    """
    write_text(path, page(reports, evaluations))


def page(reports: Sequence[Report], evaluations: Sequence[Evaluation | None]) -> str:
    """The page's HTML; the same evaluations give the same text."""
    style = (files("pipelines.evaluate") / "page.css").read_text(encoding="utf-8")
    title = escape(" and ".join(report.title for report in reports))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
{labels.html_meta()}
<link rel="icon" href="data:,">
<title>{title}: evaluation</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{_summary(reports)}
{_plots(reports, evaluations)}
{"".join(_sentences(reports, evaluations))}
{"".join(_pairs(reports, evaluations))}
{"".join(_real(reports, evaluations))}
<footer>The voices on this page were made by a machine.
The recordings of people are named as such.</footer>
</main>
</body>
</html>
"""


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; media-src data:"


# ---------------------------------------------------------------- table and plots


def _summary(reports: Sequence[Report]) -> str:
    head, *rows = table(reports)
    marked = " * marks the better voice." if len(reports) > 1 else ""
    lines = "".join(f"<li>{escape(note)}</li>" for note in notes(reports))
    return (
        f"<table><thead>{_row(head, 'th')}</thead><tbody>{''.join(map(_row, rows))}</tbody></table>"
        f'<ul class="notes">{lines}</ul><p class="notes">Real clips: for similarity the ceiling '
        f"that the person's own recordings reach.{marked}</p>"
    )


def _row(cells: Sequence[str], cell: str = "td") -> str:
    first, *rest = cells
    inner = "".join(
        f"<{cell}{' class=best' if text.endswith(' *') else ''}>{escape(text)}</{cell}>"
        for text in rest
    )
    return f'<tr><th scope="row">{escape(first)}</th>{inner}</tr>'


def _plots(reports: Sequence[Report], evaluations: Sequence[Evaluation | None]) -> str:
    parts = [("Similarity of each sentence", _similarity_plot(reports))]
    errors = [
        Series(r.title, [s.cer for s in r.scores.sentences if s.cer is not None], colour)
        for r, colour in zip(reports, _colours(), strict=False)
    ]
    real = reports[0].scores.reference_cer
    lines = [] if real is None else [Line("real clips", real)]
    if any(series.values for series in errors):
        parts.append(("Character error rate of each sentence", strip(errors, lines, "rate")))
    parts.append(("Pitch", histogram(_pitches(reports, evaluations), "Hz")))
    return "".join(
        f"<section><h2>{name}</h2>{drawing}</section>" for name, drawing in parts if drawing
    )


def _similarity_plot(reports: Sequence[Report]) -> str:
    series = [
        Series(r.title, [s.similarity for s in r.scores.sentences], colour)
        for r, colour in zip(reports, _colours(), strict=False)
    ]
    first = reports[0].scores
    known = [("other people", first.similarity_floor), ("real clips", first.similarity_ceiling)]
    return strip(series, [Line(n, v) for n, v in known if v is not None], "cosine")


def _pitches(reports: Sequence[Report], evaluations: Sequence[Evaluation | None]) -> list[Series]:
    heard = [(r, e, c) for r, e, c in zip(reports, evaluations, _colours(), strict=False) if e]
    series = [Series(r.title, _pitch(e.spoken), colour) for r, e, colour in heard]
    real = [Series("real clips", _pitch(e.real), REAL_COLOUR) for _, e, _ in heard[:1]]
    return series + real


def _pitch(sounds: Sequence[Audio]) -> list[float]:
    return [float(hz) for audio in sounds for hz in pitch_track(audio)]


def _colours() -> Iterator[str]:
    while True:
        yield from COLOURS


# ---------------------------------------------------------------- recordings


def _sentences(
    reports: Sequence[Report], evaluations: Sequence[Evaluation | None]
) -> Iterator[str]:
    """Every sentence with each voice's reading of it."""
    heard = [(r, e) for r, e in zip(reports, evaluations, strict=True) if e is not None]
    if not heard:
        return
    yield "<h2>Sentences</h2>"
    texts = dict.fromkeys(row.text for report, _ in heard for row in report.scores.sentences)
    for text in texts:
        cells = []
        for report, evaluation in heard:
            for row, audio in zip(report.scores.sentences, evaluation.spoken, strict=True):
                if row.text == text:
                    name = report.title if len(heard) > 1 else ""
                    cells.append(_recording(name, audio, _sentence_facts(row), _heard(row)))
        language = escape(heard[0][0].language)
        yield f'<section class="sentence"><h3 lang="{language}">{escape(text)}</h3>'
        yield f'<div class="side">{"".join(cells)}</div></section>'


def _sentence_facts(row: SentenceScore) -> str:
    parts = [f"similarity {row.similarity:.3f}"]
    if row.cer is not None:
        parts.append(f"character errors {row.cer:.2f}")
    if row.mos_p808 is not None:
        parts.append(f"DNSMOS {row.mos_p808:.2f}")
    return ", ".join([*parts, f"{row.seconds:.1f} s"])


def _heard(row: SentenceScore) -> str:
    """What the recogniser heard, with what is wrong in it marked."""
    if row.heard is None:
        return ""
    truth, guess = (_plain(text).split() for text in (row.text, row.heard))
    parts = []
    for kind, _, _, start, end in SequenceMatcher(None, truth, guess, autojunk=False).get_opcodes():
        words = escape(" ".join(guess[start:end]))
        if kind == "delete":
            parts.append("<mark>…</mark>")
        elif words:
            parts.append(words if kind == "equal" else f"<mark>{words}</mark>")
    return f'<p class="heard">heard: {" ".join(parts) or "nothing"}</p>'


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum() or c in " '")


def _pairs(reports: Sequence[Report], evaluations: Sequence[Evaluation | None]) -> Iterator[str]:
    """Sentences that both the person and the voice have read."""
    for report, evaluation in zip(reports, evaluations, strict=True):
        if evaluation is None or not evaluation.pairs:
            continue
        yield f"<h2>{escape(report.title)} and the person, the same words</h2>"
        for pair in evaluation.pairs:
            facts = f"mel-cepstral distortion {number(pair.distortion, 2)} dB"
            yield f'<section class="sentence"><h3>{escape(pair.text)}</h3><div class="side">'
            yield _recording(report.title, pair.spoken, facts)
            yield _recording("the person", pair.real, "a recording")
            yield "</div></section>"


def _real(reports: Sequence[Report], evaluations: Sequence[Evaluation | None]) -> Iterator[str]:
    """The person, where no pairs let them be heard."""
    known = [e for e in evaluations if e is not None]
    if not known or any(e.pairs for e in known):
        return
    yield f"<h2>Recordings of {escape(reports[0].reference)}</h2>"
    for audio, text in list(zip(known[0].real, known[0].real_texts, strict=True))[:REAL_CLIPS]:
        yield f'<section class="sentence"><h3>{escape(text) or "(no words known)"}</h3>'
        yield f'<div class="side">{_recording("the person", audio, "a recording")}</div></section>'


def _recording(name: str, audio: Audio, facts: str, more: str = "") -> str:
    """A player, a spectrogram, and what is to be said about them."""
    title = f"<b>{escape(name)}</b> " if name else ""
    return (
        f'<figure><img alt="spectrogram" src="{_picture(audio)}">'
        f'<audio controls preload="none" src="{_sound(audio)}"></audio>'
        f"<figcaption>{title}{escape(facts)}{more}</figcaption></figure>"
    )


def _picture(audio: Audio) -> str:
    config = AudioConfig()
    image = spectrogram_picture(resample(audio, config.sample_rate), config, PICTURE_HEIGHT)
    file = io.BytesIO()
    image.save(file, format="WEBP", quality=PICTURE_QUALITY)
    return _data("image/webp", file.getvalue())


def _sound(audio: Audio) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.mp3"
        write_audio(path, with_loudness(audio, PAGE_LUFS))
        return _data("audio/mpeg", path.read_bytes())


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"

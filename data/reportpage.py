"""The report as a page: what became of every second, clip by clip. One file, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from data.account import DOUBT, KINDS, NO_SPEECH, OTHER_SPEAKER, REJECTED, SILENCE, USED, Share
from data.making import Record, clock
from vits.files import write_text

if TYPE_CHECKING:
    from data.report import RecordingReport, Summary

COLOURS = {
    USED: "#2e9e6b",
    DOUBT: "#d9a21b",
    SILENCE: "#c9ced6",
    NO_SPEECH: "#9a8fb8",
    OTHER_SPEAKER: "#4a7fd0",
    REJECTED: "#cf4a4a",
}
VERDICTS = {"use": "use", "doubt": "use with doubt", "drop": "leave out"}
STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;
max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.bar{display:flex;height:1.5rem;border-radius:4px;overflow:hidden;margin:.3rem 0 .8rem}
.bar i{display:block;min-width:0}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.dot{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}
.scroll{overflow-x:auto}
"""


def write_page(
    path: Path,
    summary: Summary,
    records: Sequence[Record],
    shares: Sequence[tuple[RecordingReport, Sequence[Share]]],
) -> None:
    """Write report.html."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Data set report</title>",
        "<meta name=viewport content='width=device-width'>",
        f"<style>{STYLE}{_colour_rules()}</style><h1>Data set report</h1>",
        *(f"<p>{escape(line)}" for line in (*summary.advice, *summary.notes)),
        _account(summary),
        "<h2>Recordings</h2>",
        *(_recording(recording, found) for recording, found in shares),
        _left_out(summary),
        _clips(records),
    ]
    write_text(path, "\n".join(part for part in parts if part) + "\n")


def _colour_rules() -> str:
    return "".join(f".k{i}{{background:{COLOURS[kind]}}}" for i, kind in enumerate(KINDS))


def _account(summary: Summary) -> str:
    rows = [
        f"<tr><td><span class='dot k{i}'></span>{kind}<td class=n>{summary.totals[kind]:.1f} s"
        f"<td class=n>{100 * summary.totals[kind] / max(summary.source_s, 1e-9):.1f} %"
        for i, kind in enumerate(KINDS)
    ]
    total = f"<tr><th>all of the sources<th class=n>{summary.source_s:.1f} s<th class=n>100 %"
    return f"<h2>Every second</h2><table>{''.join(rows)}{total}</table>"


def _recording(recording: RecordingReport, found: Sequence[Share]) -> str:
    bars = "".join(
        f"<i class=k{KINDS.index(share.kind)} style='flex:{share.seconds:.3f}' "
        f"title='{clock(share.start_s)} {share.kind}'></i>"
        for share in found
    )
    told = [recording.flaw, *recording.notes]
    told += [f"not heard in it: {text[:300]!r}" for text in recording.unheard[:20]]
    lines = "".join(f"<br>{escape(line)}" for line in told if line)
    name = f"<b>{escape(recording.name)}</b>, {recording.seconds:.1f} s, {recording.sample_rate} Hz"
    return f"<p>{name}{lines}<div class=bar>{bars}</div>"


def _left_out(summary: Summary) -> str:
    rows = "".join(
        f"<tr><td>{escape(item.name)}<td>{escape(item.reason)}" for item in summary.dropped
    )
    return f"<h2>Sources left out</h2><table>{rows}</table>" if rows else ""


def _clips(records: Sequence[Record]) -> str:
    head = (
        "<tr><th>clip<th>verdict<th>text<th class=n>seconds<th class=n>speech over noise"
        "<th class=n>room<th class=n>up to<th class=n>letters/s<th>reason"
    )
    rows = [
        f"<tr><td>{escape(r.source)}<td><span class='dot k{KINDS.index(_kind(r))}'></span>"
        f"{VERDICTS[r.verdict]}<td>{escape(r.text)}<td class=n>{r.used_s:.1f}"
        f"<td class=n>{r.snr_db:.0f} dB<td class=n>{r.reverberation_s:.1f} s"
        f"<td class=n>{r.bandwidth_hz / 1000:.1f} kHz<td class=n>{r.letters_per_second:.0f}"
        f"<td>{escape('; '.join(filter(None, [r.reason, r.cleaning])))}"
        for r in records
    ]
    return f"<h2>Clips</h2><div class=scroll><table>{head}{''.join(rows)}</table></div>"


def _kind(record: Record) -> str:
    return {"use": USED, "doubt": DOUBT}.get(record.verdict, REJECTED)

"""A told story as one HTML page that needs nothing else: sound, pictures and text in one file.

The page reads itself aloud and lights each word; `page.css` and `page.js` are its looks and its
behaviour, and stand in the page word for word. A content security policy forbids it the network
and any script but its own, so that nothing a story says can become more than text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from PIL import Image

from pipelines.assets import Assets
from pipelines.media import labels
from pipelines.media.audiofile import mp3_bytes
from pipelines.media.labels import DEFAULT_LABEL, Label
from pipelines.media.markup import (
    byline,
    direction,
    language_tag,
    line_markup,
    plain,
    with_names,
)
from pipelines.media.parts import kept_parts, picture_part
from pipelines.media.phrases import phrase, primary
from pipelines.media.timeline import TimedLine, TimedScene, Timeline, chapter_titles, writable
from vits.files import write_text

PICTURE_PIXELS = (1280, 1280)
PICTURE_QUALITY = 84
SPEEDS = ("0.75", "1", "1.25", "1.5", "2")

# what the page itself says, by language
_PHRASES = {
    "en": {
        "play": "Play",
        "pause": "Pause",
        "back": "Previous line",
        "next": "Next line",
        "seek": "Position",
        "speed": "Speed",
        "controls": "Playback",
    },
    "de": {
        "play": "Abspielen",
        "pause": "Anhalten",
        "back": "Vorige Zeile",
        "next": "Nächste Zeile",
        "seek": "Stelle",
        "speed": "Tempo",
        "controls": "Wiedergabe",
    },
    "zh": {
        "play": "播放",
        "pause": "暂停",
        "back": "上一句",
        "next": "下一句",
        "seek": "进度",
        "speed": "语速",
        "controls": "播放控制",
    },
    "ja": {
        "play": "再生",
        "pause": "一時停止",
        "back": "前の行",
        "next": "次の行",
        "seek": "再生位置",
        "speed": "速さ",
        "controls": "再生操作",
    },
}

_ICONS = {  # SVG paths in a square of 24
    "play": "M8 4.5v15l12-7.5z",
    "pause": "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
    "back": "M5 5h2.5v14H5zM19.5 5v14l-11-7z",
    "next": "M16.5 5H19v14h-2.5zM4.5 5l11 7-11 7z",
}


def write_page(
    timeline: Timeline,
    path: str | Path,
    *,
    notice: bool = True,
    label: Label = DEFAULT_LABEL,
    parts: Assets | None = None,
) -> None:
    """Write the story as one page, whole or not at all. UserError if that cannot be done.

    `parts` keeps what is encoded for the next time.
    """
    with kept_parts(parts, Path(path)) as kept:
        write_text(Path(path), page(timeline, notice=notice, label=label, parts=kept))


def page(
    timeline: Timeline,
    *,
    notice: bool = True,
    label: Label = DEFAULT_LABEL,
    parts: Assets | None = None,
) -> str:
    """The page's HTML. The same timeline gives the same text."""
    with kept_parts(parts, timeline.audio) as kept:
        sections = "".join(_scenes(timeline, kept))
    style, script = _resource("page.css"), _resource("page.js")
    language = language_tag(timeline.language)
    phrases = _PHRASES.get(primary(language), _PHRASES["en"])
    title = plain(timeline.title)
    sound = _data("audio/mpeg", mp3_bytes(timeline, label=label))
    return f"""<!DOCTYPE html>
<html lang="{language}" dir="{direction(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="referrer" content="no-referrer">
<meta name="author" content="{plain(timeline.author)}">
<meta name="generator" content="{labels.PRODUCER}">
{labels.html_meta(label)}
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div class="left"><div class="stage" id="stage"></div></div>
<main>
<header>
<h1>{title}</h1>
{_byline(timeline)}
<audio id="sound" controls preload="auto" src="{sound}"></audio>
</header>
{sections}<footer>{_footer(timeline, notice)}</footer>
</main>
{_bar(timeline, phrases)}
<script type="application/json" id="times">{_times(timeline)}</script>
<script>{script}</script>
</body>
</html>
"""


# ---------------------------------------------------------------- text


def _byline(timeline: Timeline) -> str:
    text = byline(timeline.author, timeline.narrator, timeline.language)
    return f'<p class="byline">{text}</p>' if text else ""


def _footer(timeline: Timeline, notice: bool) -> str:
    lines = [phrase(timeline.language, "notice")] if notice else []
    lines += map(plain, timeline.credits)
    return "<br>".join(lines)


def _scenes(timeline: Timeline, parts: Assets) -> Iterator[str]:
    titles = chapter_titles(timeline)
    speaker = ""
    for scene, title in zip(timeline.scenes, titles, strict=True):
        yield f"<section>\n<h2>{plain(title)}</h2>\n"
        yield f"<figure>{_picture(scene, title, parts)}</figure>\n"
        for line, named in with_names(scene.lines, timeline.narrator, speaker):
            yield line_markup(line, named=named)
            speaker = line.speaker
        yield "</section>\n"


# ---------------------------------------------------------------- sound, pictures, times


def _picture(scene: TimedScene, title: str, parts: Assets) -> str:
    how = {"quality": PICTURE_QUALITY, "method": 4}
    part = picture_part(scene.picture, "WEBP", PICTURE_PIXELS, parts, how)
    with Image.open(part) as picture:
        size = f'width="{picture.width}" height="{picture.height}"'
    data = _data("image/webp", part.read_bytes())
    return f'<img alt="{plain(title)}" {size} src="{data}">'


def _data(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _times(timeline: Timeline) -> str:
    """What the script follows, as JSON that cannot end its own element."""
    words = [word for line in timeline.lines for word in line.words]
    times = {
        "author": writable(timeline.author),
        "duration": round(timeline.duration_s, 3),
        "sceneStarts": [round(scene.start_s, 3) for scene in timeline.scenes],
        "lineStarts": [round(_first_s(line), 3) for line in timeline.lines],
        "wordStarts": [round(word.start_s, 3) for word in words],
        "wordEnds": [round(word.end_s, 3) for word in words],
    }
    return json.dumps(times, separators=(",", ":")).replace("<", "\\u003c")


def _first_s(line: TimedLine) -> float:
    return line.words[0].start_s if line.words else line.start_s


# ---------------------------------------------------------------- frame of the page


def _bar(timeline: Timeline, phrases: dict[str, str]) -> str:
    minutes, seconds = divmod(int(timeline.duration_s), 60)
    whole = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else str(minutes)
    speeds = "".join(
        f'<option value="{speed}"{" selected" if speed == "1" else ""}>{speed}×</option>'
        for speed in SPEEDS
    )
    return f"""<div class="bar" id="bar" role="group" aria-label="{phrases["controls"]}">
<button type="button" id="back" aria-label="{phrases["back"]}" title="{phrases["back"]}">\
{_icon("back")}</button>
<button type="button" id="play" aria-label="{phrases["play"]}" title="{phrases["play"]}" \
data-play="{phrases["play"]}" data-pause="{phrases["pause"]}">{_icon("play")}{_icon("pause")}\
</button>
<button type="button" id="next" aria-label="{phrases["next"]}" title="{phrases["next"]}">\
{_icon("next")}</button>
<div class="track"><input type="range" id="seek" min="0" max="1000" value="0" \
aria-label="{phrases["seek"]}"></div>
<span class="time" id="clock" aria-live="off">0:00<span class="whole"> / {whole}:{seconds:02}\
</span></span>
<select id="speed" aria-label="{phrases["speed"]}" title="{phrases["speed"]}">{speeds}</select>
</div>"""


def _icon(name: str) -> str:
    return (
        f'<svg class="{name}" viewBox="0 0 24 24" aria-hidden="true"><path d="{_ICONS[name]}"/>'
        "</svg>"
    )


def _policy(style: str, script: str) -> str:
    """No network, no script and no style but the page's own, known by their hashes."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _resource(name: str) -> str:
    return files("pipelines.media").joinpath(name).read_text("utf-8")

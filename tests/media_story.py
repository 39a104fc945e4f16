"""A small told story for the tests of pipelines.media: drawn pictures, tones for words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw

from pipelines.media.timeline import TimedLine, TimedScene, Timeline

SAMPLE_RATE = 22050
SCENES = (
    ("The Lamp", ["The lamp went out at nine.", "“Who is there?” asked the keeper <quietly>."]),
    ("The Boat", ["A boat, small & grey, came out of the fog."]),
    ("", ["Nobody spoke; the sea did."]),
)
COLOURS = ((226, 188, 122), (122, 166, 190), (168, 146, 186))


@dataclass(frozen=True)
class Word:
    """Stands for vits.voice.WordTiming, which needs torch to import."""

    text: str
    char_start: int
    char_end: int
    start_s: float
    end_s: float


def tell(text: str, start_s: float, *, word_s: float = 0.3, speaker: str = "keeper") -> TimedLine:
    """A line whose words (or CJK characters) take `word_s` each."""
    spans = [m.span() for m in re.finditer(r"[\u3040-\u9fff]|[\w'’&]+", text)]
    words = tuple(
        Word(text[a:b], a, b, start_s + word_s * n, start_s + word_s * (n + 0.8))
        for n, (a, b) in enumerate(spans)
    )
    return TimedLine("s", speaker, text, start_s, start_s + word_s * len(words) + 0.2, words)


def story(folder: Path, *, word_s: float = 0.12, scenes=SCENES, language: str = "en") -> Timeline:
    """The story with its files in `folder`: about 4 seconds at the default pace."""
    told, now = [], 0.0
    for number, (title, texts) in enumerate(scenes):
        start_s, lines = now, []
        for text in texts:
            lines.append(tell(text, now + 0.1, word_s=word_s))
            now = lines[-1].end_s
        now += 0.2
        picture = folder / f"scene-{number}.png"
        draw(picture, COLOURS[number % len(COLOURS)])
        told.append(TimedScene(f"scene-{number}", title, picture, start_s, now, tuple(lines)))
    audio = folder / "story.wav"
    hum(audio, told, now)
    return Timeline("The Keeper & the “Lamp”", "A. Writer", language, "lj", tuple(told), audio, now)


def draw(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (960, 540)) -> None:
    """A dark bar with sharp edges and a disc on a plain ground."""
    image = Image.new("RGB", size, colour)
    pen = ImageDraw.Draw(image)
    width, height = size
    pen.rectangle((width * 0.2, height * 0.2, width * 0.3, height * 0.8), fill=(30, 30, 40))
    pen.ellipse((width * 0.6, height * 0.3, width * 0.8, height * 0.6), fill=(250, 240, 220))
    image.save(path)


def hum(path: Path, scenes: list[TimedScene], duration_s: float) -> None:
    """A tone while a word is said, silence between."""
    time = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    loud = np.zeros_like(time)
    for line in (line for scene in scenes for line in scene.lines):
        for word in line.words:
            loud[(time >= word.start_s) & (time < word.end_s)] = 0.05
    tone = np.sin(2 * np.pi * 220 * time) + 0.4 * np.sin(2 * np.pi * 1330 * time)
    soundfile.write(path, (loud * tone).astype(np.float32), SAMPLE_RATE, subtype="PCM_16")

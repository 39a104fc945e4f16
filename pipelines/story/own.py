"""Pictures and recordings of the user's own, in the place of what would be made.

A scene's `image` and a line's `audio` name files in the story's folder. They are brought into the
form of made things, under the hash of their bytes; the words of a recording get their times by
forced alignment.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.assets import Assets, asset_key, file_hash
from pipelines.story.script import Line, Scene, Story
from vits.audio import Audio
from vits.errors import UserError

VERSION = 1
LONGEST_PX = 4096
ALIGN_RATE, HOP = 22_050, 256  # of the alignment: a word's place to 12 ms


def check_own(story: Story, folder: Path) -> None:
    """UserError for the first named file that is not there, not inside, or not what it should be.

    Sounds are opened, pictures read: better now than after an hour's work.
    """
    from vits.audio import read_audio

    for scene in story.all_scenes:
        if scene.image:
            _read_picture(own_file(folder, scene.image, f"scene {scene.id}: image"))
        for line in scene.lines:
            if line.audio:
                read_audio(own_file(folder, line.audio, f"scene {scene.id}: audio"))


def own_file(folder: Path, name: str, where: str) -> Path:
    """The file `name` in the story's folder. UserError if it is not in there."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UserError(f"{where}: {name} is not in the story's folder.", f"Copy it into {folder}.")
    if not path.is_file():
        raise UserError(f"{where}: there is no file {path}.", "Check the name.")
    return path


# ---------------------------------------------------------------- pictures


def own_picture_key(scene: Scene, folder: Path) -> str:
    """Name of the user's picture among the assets."""
    path = own_file(folder, scene.image, f"scene {scene.id}: image")
    return asset_key("own-picture", VERSION, {"file": file_hash(path)})


def own_picture(scene: Scene, folder: Path, assets: Assets) -> Path:
    """The user's picture as a PNG. It is no machine's work and gets no label."""
    path = own_file(folder, scene.image, f"scene {scene.id}: image")

    def write(target: Path) -> None:
        _read_picture(path).save(target, "PNG", compress_level=6)

    return assets.get_or_make(own_picture_key(scene, folder), ".png", write)


def _read_picture(path: Path) -> Any:
    """The picture upright, in RGB, no larger than LONGEST_PX."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            opened.thumbnail((LONGEST_PX, LONGEST_PX))
            upright = ImageOps.exif_transpose(opened)
            ground = Image.new("RGB", upright.size, "white")
            clear = upright.convert("RGBA")
            ground.paste(clear, mask=clear.getchannel("A"))
            return ground
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            f"{path} is not a picture that can be read.", "Give a whole PNG, JPEG or WebP."
        ) from error


# ---------------------------------------------------------------- recordings


def own_recording_key(line: Line, story: Story, folder: Path) -> str:
    """Name of the user's recording of `line` among the assets."""
    path = own_file(folder, line.audio, "audio")
    facts = {"file": file_hash(path), "text": line.text, "language": story.language}
    return asset_key("own-recording", VERSION, facts)


def write_recording(line: Line, story: Story, folder: Path, audio: Path, words: Path) -> None:
    """The recording as sound and word times, in the form of what a narrator spoke."""
    from vits.audio import AudioWriter, read_audio

    heard = read_audio(own_file(folder, line.audio, "audio"))
    with AudioWriter(audio, heard.sample_rate) as writer:
        writer.write(heard.samples)
    facts = {
        "sample_rate": heard.sample_rate,
        "samples": len(heard.samples),
        "unknown": [],
        "words": align_words(heard, line.text, story.language),
    }
    words.write_text(json.dumps(facts, ensure_ascii=False, indent=1), "utf-8")


def align_words(heard: Audio, text: str, language: str) -> list[dict[str, Any]]:
    """The words of `text` with their places in it and their times in `heard`, in seconds.

    No words where the recording is shorter than its text could be spoken.
    """
    from data.align import align_corpus, alignment_features
    from vits.audio import resample
    from vits.text import SYMBOLS, encode, plan

    utterances = [u for u in plan(text, language=language) if u.symbols]
    symbols = [symbol for u in utterances for symbol in u.symbols]
    samples = resample(heard, ALIGN_RATE).samples
    features = alignment_features(samples, ALIGN_RATE, HOP)
    if not symbols or len(features) < len(symbols):
        return []
    (frames,) = align_corpus([features], [np.array(encode(symbols))], len(SYMBOLS))
    edges = np.concatenate([[0], np.cumsum(frames)]) * (HOP / ALIGN_RATE)
    found, offset = [], 0
    for utterance in utterances:
        for word in utterance.words:
            found.append(
                {
                    "text": word.text,
                    "char_start": word.char_start,
                    "char_end": word.char_end,
                    "start_s": round(float(edges[offset + word.symbol_start]), 4),
                    "end_s": round(float(edges[offset + word.symbol_end]), 4),
                }
            )
        offset += len(utterance.symbols)
    return found

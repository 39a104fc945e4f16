"""Who writes down what is said: Whisper where its weights are, else Pocketsphinx for English.

Whisper (arXiv:2212.04356) runs by faster-whisper from CTranslate2 weights or by transformers from
its own, without chance. Weights are a folder that is named, that `CLONE_VOICE_WHISPER` names, or
that faster-whisper has fetched before; nothing is downloaded unless a model is asked for by name.
Each word comes with a confidence, and a second, simpler decoding tells where the first is not to be
trusted.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vits.audio import Audio, resample
from vits.errors import UserError

log = logging.getLogger(__name__)

ASR_SAMPLE_RATE = 16_000  # Hz
WHISPER_FOLDER = "CLONE_VOICE_WHISPER"
# best first, with the gigabytes of memory that a machine should have for it
WHISPER_SIZES = {"large-v3-turbo": 12.0, "large-v3": 16.0, "medium": 8.0, "small": 4.0, "base": 0.0}
CTRANSLATE_FILES = ("model.bin", "config.json")
BEAM = 5


@dataclass(frozen=True)
class HeardWord:
    """One word and how sure the recogniser is of it, 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was heard in a clip. `again` is what a second, simpler decoding heard."""

    text: str
    language: str
    words: tuple[HeardWord, ...] = ()
    again: str | None = None

    @property
    def confidence(self) -> float | None:
        """The mean over the words, None where they have none."""
        return float(np.mean([w.confidence for w in self.words])) if self.words else None


class Recogniser(Protocol):
    """Something that writes down what it hears."""

    name: str

    def hear(self, audio: Audio) -> str:
        """The words of a recording, '' for none."""
        ...


class Pocketsphinx:
    """CMU Pocketsphinx with the American English model that comes with it: small and offline.

    It misreads a twelfth of a clear reader's characters, so what counts is the distance to the
    real clips' rate. `quick` looks at fewer guesses: twice as fast, and enough to tell whether a
    text is that of the clip.
    """

    def __init__(self, *, quick: bool = False) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise UserError(
                f"The speech recogniser cannot be loaded ({error}).",
                "Install it with: pip install pocketsphinx",
            ) from error
        self.name = f"pocketsphinx {version('pocketsphinx')}{', quick' if quick else ''}"
        fewer = {"fwdflat": False, "bestpath": False, "maxhmmpf": 3000, "maxwpf": 10}
        self._decoder = Decoder(loglevel="FATAL", **(fewer if quick else {}))

    def hear(self, audio: Audio) -> str:
        samples = resample(audio, ASR_SAMPLE_RATE).samples
        pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
        # Otherwise what was heard before changes what is heard now.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        if len(pcm):
            self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""


class Whisper:
    """Whisper from a folder of CTranslate2 weights; `language` None: each clip's own."""

    def __init__(self, folder: Path, language: str | None, threads: int = 1) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise UserError(
                "faster-whisper is not installed.", "Install it with: pip install faster-whisper"
            ) from error
        self.name = f"whisper {_model_name(folder)}, faster-whisper {version('faster-whisper')}"
        self._language = language
        try:
            self._model: Any = WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise _unusable(folder, error) from error

    def hear(self, audio: Audio) -> str:
        return self.transcribe(audio, twice=False).text

    def transcribe(self, audio: Audio, *, twice: bool = True) -> Transcript:
        """The words of a clip with their confidences; with `twice` the greedy decoding too."""
        samples = resample(audio, ASR_SAMPLE_RATE).samples
        if not np.any(samples):
            return Transcript("", self._language or "")
        text, language, words = self._decode(samples, self._language, BEAM)
        again = self._decode(samples, language, 1)[0] if twice else None
        return Transcript(text, language, words, again)

    def _decode(
        self, samples: np.ndarray, language: str | None, beam: int
    ) -> tuple[str, str, tuple[HeardWord, ...]]:
        segments, info = self._model.transcribe(
            samples, language=language, beam_size=beam, temperature=0.0,
            condition_on_previous_text=False, word_timestamps=beam > 1,
            without_timestamps=beam == 1,
        )  # fmt: skip
        found = list(segments)
        words = tuple(
            HeardWord(word.word.strip(), float(word.probability))
            for segment in found
            for word in segment.words or ()
        )
        text = "".join(segment.text for segment in found)
        return " ".join(text.split()), str(info.language), words


class TransformersWhisper:
    """Whisper from a folder as transformers saves it."""

    def __init__(self, folder: Path, language: str | None) -> None:
        try:
            from transformers import WhisperForConditionalGeneration, WhisperProcessor
        except ImportError as error:
            raise UserError(
                "transformers is not installed.",
                "Install it with: pip install 'transformers>=5,<6'",
            ) from error
        self.name = f"whisper {folder.name}, transformers {version('transformers')}"
        self._language = language
        try:
            self._processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
            model: Any = WhisperForConditionalGeneration.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise _unusable(folder, error) from error
        self._model = model.eval()

    def hear(self, audio: Audio) -> str:
        return self.transcribe(audio, twice=False).text

    def transcribe(self, audio: Audio, *, twice: bool = True) -> Transcript:
        """The words of a clip with their confidences; with `twice` the greedy decoding too."""
        samples = resample(audio, ASR_SAMPLE_RATE).samples
        if not np.any(samples):
            return Transcript("", self._language or "")
        features = self._processor(
            samples, sampling_rate=ASR_SAMPLE_RATE, return_tensors="pt"
        ).input_features
        language = self._language or self._heard_language(features)
        text, words = self._decode(features, language, BEAM)
        again = self._decode(features, language, 1)[0] if twice else None
        return Transcript(text, language, words, again)

    def _heard_language(self, features: Any) -> str:
        if not getattr(self._model.generation_config, "is_multilingual", False):
            return "en"
        import torch

        with torch.inference_mode():
            token = self._model.detect_language(features)
        return str(self._processor.tokenizer.decode(token[:1])).strip("<|>")

    def _decode(
        self, features: Any, language: str, beams: int
    ) -> tuple[str, tuple[HeardWord, ...]]:
        import torch

        multilingual = getattr(self._model.generation_config, "is_multilingual", False)
        spoken = {"language": language, "task": "transcribe"} if multilingual else {}
        with torch.inference_mode():
            made = self._model.generate(features, num_beams=beams, do_sample=False, **spoken)[0]
            start = self._model.generation_config.decoder_start_token_id
            if made[0] != start:  # some versions leave out the beginning that was given
                prompt = self._processor.get_decoder_prompt_ids(**spoken) if spoken else []
                given = torch.tensor([start, *(token for _, token in prompt)])
                made = torch.cat([given.to(made.dtype), made])
            logits = self._model(features, decoder_input_ids=made[None, :-1]).logits[0]
            sure = logits.softmax(dim=-1).gather(1, made[1:, None])[:, 0]
        text = self._processor.tokenizer.decode(made.tolist(), skip_special_tokens=True)
        return " ".join(text.split()), self._words(made[1:].tolist(), sure.tolist())

    def _words(self, tokens: list[int], sure: list[float]) -> tuple[HeardWord, ...]:
        """Tokens joined to words where a space begins one; a word is as sure as its least part."""
        special = set(self._processor.tokenizer.all_special_ids)
        words: list[HeardWord] = []
        for token, confidence in zip(tokens, sure, strict=True):
            if token in special:
                continue
            piece = self._processor.tokenizer.decode([token])
            if words and not piece.startswith(" "):
                last = words[-1]
                words[-1] = HeardWord(last.text + piece, min(last.confidence, confidence))
            else:
                words.append(HeardWord(piece.strip(), min(1.0, confidence)))
        return tuple(words)


Transcriber = Whisper | TransformersWhisper


def _unusable(folder: Path, error: Exception) -> UserError:
    return UserError(
        f"The Whisper weights in {folder} cannot be used: {error}.",
        f"Name a folder of faster-whisper or transformers weights with --asr or {WHISPER_FOLDER}.",
    )


def _model_name(folder: Path) -> str:
    """'small' for .../models--Systran--faster-whisper-small/snapshots/<hash>, else the folder's."""
    hub = next((part for part in folder.parts if part.startswith("models--")), folder.name)
    return hub.rsplit("--", 1)[-1].removeprefix("faster-whisper-")


# ---------------------------------------------------------------- finding one


def recogniser(language: str) -> Recogniser | None:
    """The recogniser for a language, None where there is none."""
    folder = whisper_folder()
    if folder is not None:
        return open_whisper(folder, language)
    return pocketsphinx() if language == "en" else None


def whisper_folder() -> Path | None:
    """Where Whisper's weights are on this machine, None without them or without faster-whisper.

    Raises UserError if `CLONE_VOICE_WHISPER` names a folder that holds none.
    """
    named = os.environ.get(WHISPER_FOLDER)
    if named:
        folder = Path(named).expanduser()
        if not (_is_ctranslate(folder) or _is_transformers(folder)):
            raise UserError(
                f"{WHISPER_FOLDER} names {folder}, which holds no Whisper weights.",
                "Let it name a folder of faster-whisper or transformers weights, or unset it.",
            )
        return folder
    return next(iter(_fetched_models()), None)


def fetch_whisper(model: str | None) -> Path:
    """The folder of a model: one that is named, or fetched from the hub by its size or name.

    Without `model` it is the best that fits this machine's memory. Raises UserError where it is not
    there and cannot be fetched.
    """
    if model is not None and (
        Path(model).exists() or "\\" in model or model.startswith(("/", "."))
    ):
        folder = Path(model)
        if _is_ctranslate(folder) or _is_transformers(folder):
            return folder
        raise UserError(
            f"{folder} holds no Whisper weights.",
            "Name a folder with model.bin (faster-whisper) or model.safetensors (transformers).",
        )
    name = model or best_size()
    try:
        from faster_whisper.utils import download_model
    except ImportError as error:
        raise UserError(
            "faster-whisper is not installed.", "Install it with: pip install faster-whisper"
        ) from error
    try:
        return Path(download_model(name))
    except Exception as error:  # the hub's client raises a dozen kinds
        raise UserError(
            f"The Whisper model {name!r} is not on this machine and could not be fetched "
            f"({type(error).__name__}).",
            how_to_get(name),
        ) from error


def how_to_get(name: str | None = None) -> str:
    """What to run for transcripts."""
    size = name or best_size()
    hub = size if "/" in size else f"Systran/faster-whisper-{size}"
    return (
        f"Run `hf download {hub} --local-dir whisper` where there is a network, bring the folder "
        "here, and add --asr whisper; or write the words with --review."
    )


def best_size(memory_gb: float | None = None) -> str:
    """The largest model that this machine's memory has room for."""
    memory_gb = _memory_gb() if memory_gb is None else memory_gb
    return next(size for size, needed in WHISPER_SIZES.items() if memory_gb >= needed)


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows does not say it so
        return 8.0


def _is_ctranslate(folder: Path) -> bool:
    return all((folder / name).is_file() for name in CTRANSLATE_FILES)


def _is_transformers(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return config.get("model_type") == "whisper" and any(folder.glob("*.safetensors"))


def _fetched_models() -> list[Path]:
    """Folders of the models fetched before, best first; none without faster-whisper."""
    try:
        from faster_whisper.utils import download_model
    except ImportError:
        return []
    found = []
    for size in WHISPER_SIZES:
        try:
            found.append(Path(download_model(size, local_files_only=True)))
        except (OSError, ValueError):  # not there
            continue
    return [folder for folder in found if _is_ctranslate(folder)]


@lru_cache(maxsize=2)
def open_whisper(folder: Path, language: str | None) -> Transcriber:
    """The recogniser of a folder, once for each language."""
    if _is_ctranslate(folder):
        return Whisper(folder, language)
    return TransformersWhisper(folder, language)


@lru_cache(maxsize=2)
def pocketsphinx(*, quick: bool = False) -> Pocketsphinx:
    """The decoder, made once."""
    return Pocketsphinx(quick=quick)

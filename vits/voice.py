"""A voice that speaks: text in, sound with the times of its words out, utterance by utterance.

    for speech in Voice.load("base").speak("Good evening."):
        speech.audio.samples, speech.audio.sample_rate, speech.words

The noise of an utterance follows from the seed and its own sounds: a sentence sounds the same
wherever it stands, and a change in one place changes no other. On a CPU the same text, voice, seed
and number of threads give the same samples. Nothing here sets the number of threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vits.audio import Audio, resample
from vits.card import Card, read_card
from vits.checkpoint import Speaker, VoiceConfig, load_config, load_voice
from vits.conversion import Window, convert_windows
from vits.device import pick_device
from vits.errors import UserError
from vits.layers import FRAME_BLOCK
from vits.library import (
    GRAPH,
    find_voice,
    is_graph,
    kept_graph,
    parse_voice,
    unknown,
    voice_hash,
)
from vits.model import Latents, Place, Vits
from vits.onnxvoice import OnnxNetwork
from vits.text import Emphasis, Lexicon, Utterance, Word
from vits.text.frontend import FrontEnd

__all__ = ["Planned", "Speech", "Voice", "WordTiming", "parse_voice"]

SLOWEST, FASTEST = 0.5, 2.0  # speeds
MOST_NOISE = 2.0  # times the model's own deviation; beyond it nothing is understood
EMPHASIS_STRETCH = 1.3  # of the sounds of an emphasised word
EMPHASIS_DB, EMPHASIS_RAMP_S = 2.5, 0.03
FADE_S = 0.005  # at both ends of an utterance, so that silence meets it without a click
KNEE = 0.9  # louder samples are bent towards 1 instead of being cut off there

Samples = NDArray[np.float32]
Engine = Literal["torch", "onnx"]


@dataclass(frozen=True)
class WordTiming:
    """A word's span in the source text and its time in the sound it came with, in seconds."""

    text: str
    char_start: int
    char_end: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """One utterance, spoken: its sound with the silence after it, and the times of its words.

    `text` is the source from `char_start` to `char_end`. `unknown` lists what could not be spoken:
    characters of the source, and sounds that this voice never learned.
    """

    audio: Audio
    words: tuple[WordTiming, ...]
    text: str
    char_start: int
    char_end: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Manner:
    """How to speak: what all utterances of one call share."""

    speaker: int
    length_scale: float
    noise_scale: float
    noise_scale_duration: float
    seed: int


@dataclass(frozen=True)
class Planned:
    """An utterance and how to say it: what `Voice.plan` gives and `speak_planned` takes."""

    utterance: Utterance
    manner: _Manner
    stressed: tuple[Word, ...] = ()  # words that are emphasised

    @property
    def kind(self) -> tuple[float, float, float]:
        """What those that are spoken in one pass have in common."""
        manner = self.manner
        return manner.length_scale, manner.noise_scale, manner.noise_scale_duration


@dataclass(frozen=True)
class _Sounds:
    """An utterance on its way to the decoder. symbol_ends (n_symbols + 1,) are frames from 0 on."""

    latents: Latents | None  # one row of a batch; None where there is nothing to say
    symbol_ends: Sequence[int]
    unknown: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Voice:
    """A loaded voice. Make one with `Voice.load`; it may speak several texts, one after another.

    `name` is the library's, `speaker` who speaks unless a call says otherwise, `hash` the SHA-256
    of everything in the voice that decides its sound.
    """

    model: Vits | OnnxNetwork
    config: VoiceConfig
    name: str
    folder: Path
    speaker: Speaker
    hash: str
    card: Card
    device: str = "cpu"

    @classmethod
    def load(cls, voice: str | Path, device: str = "cpu", engine: Engine = "torch") -> Voice:
        """Load 'NAME', 'NAME:SPEAKER' or a voice folder.

        engine: what runs its network; `onnx` is onnxruntime, for which the graph is made once and
        kept. A voice that is kept as ONNX always runs in it.

        Raises UserError for a voice or a speaker that is not there, with what there is, and for
        weights that do not fit their configuration, with every tensor that does not.
        """
        where, speaker = (voice, None) if isinstance(voice, Path) else parse_voice(voice)
        folder = find_voice(where)
        device = pick_device(device)
        model, config = _network(folder, device, engine)
        return cls(
            model=model,
            config=config,
            name=folder.name,
            folder=folder,
            speaker=find_speaker(config.speakers, speaker),
            hash=voice_hash(folder),
            card=read_card(folder),
            device="cpu" if isinstance(model, OnnxNetwork) else device,
        )

    def weights(self, purpose: str) -> Vits:
        """The network in PyTorch, for what onnxruntime cannot do.

        Raises UserError, which names the `purpose`, for a voice that is kept as ONNX.
        """
        if isinstance(self.model, Vits):
            return self.model
        raise UserError(
            f"The voice {self.name!r} is kept as ONNX, a finished graph without weights that could "
            f"be changed or parts that could be run alone: it speaks, but there is no {purpose}.",
            "Import the checkpoint that it was made from (of Piper: the .ckpt with its json).",
        )

    @property
    def sample_rate(self) -> int:
        return self.config.audio.sample_rate

    @property
    def knows_seeds(self) -> bool:
        """Whether a seed decides its noise: graphs of Piper draw theirs themselves."""
        return not (isinstance(self.model, OnnxNetwork) and self.model.is_pipers)

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """Who can speak, with gender and language as far as they are known."""
        return self.config.speakers

    @property
    def languages(self) -> tuple[str, ...]:
        return self.config.languages

    def speak(
        self,
        text: str | Iterable[str],
        *,
        speaker: str | None = None,
        language: str | None = None,
        speed: float = 1.0,
        noise: float | None = None,
        noise_duration: float | None = None,
        seed: int = 0,
        lexicon: Lexicon | None = None,
        soon: bool = False,
    ) -> Iterator[Speech]:
        """Speak a text, or chunks of one, utterance by utterance, each as soon as it is made.

        speed: 0.5 (slow) to 2.0. noise, noise_duration: how freely voice and rhythm vary, None
        for the voice's own setting, 0 for not at all. soon: begin with a short clause, so that the
        first sound comes early. Memory is that of the longest utterance. Raises UserError for
        settings that cannot be, at once, and for text that cannot be read, where it stands.
        """
        planned = self.plan(
            text,
            speaker=speaker,
            language=language,
            speed=speed,
            noise=noise,
            noise_duration=noise_duration,
            seed=seed,
            lexicon=lexicon,
            soon=soon,
        )
        return (self._speech(one) for one in planned)

    def plan(
        self,
        text: str | Iterable[str],
        *,
        speaker: str | None = None,
        language: str | None = None,
        speed: float = 1.0,
        noise: float | None = None,
        noise_duration: float | None = None,
        seed: int = 0,
        lexicon: Lexicon | None = None,
        soon: bool = False,
    ) -> Iterator[Planned]:
        """What `speak` would say, utterance by utterance, for those who say when."""
        manner = self._manner(speaker, speed, noise, noise_duration, seed)
        spoken = self._language(language, manner)
        emphasis = Emphasis()
        chunks = emphasis.blanked([text] if isinstance(text, str) else text)
        utterances = self.front_end.plan(chunks, spoken, lexicon, soon)
        return (
            Planned(
                utterance,
                manner,
                tuple(w for w in utterance.words if emphasis.has(w.char_start, w.char_end)),
            )
            for utterance in utterances
        )

    def speak_planned(self, planned: Sequence[Planned]) -> list[Speech]:
        """Speak several, in one pass of the network: each as it would be alone.

        They may be of several speakers and seeds, and are of one `kind`. What differs from one
        alone is the rounding of sums.
        """
        assert len({one.kind for one in planned}) == 1, "one pass has one speed and one noise"
        return self._speeches(planned)

    def stream_planned(self, planned: Planned) -> Iterator[Audio]:
        """The sound of one in pieces, the first as early as can be."""
        return self._pieces(planned)

    def speak_utterances(
        self,
        utterances: Iterable[Utterance],
        *,
        speaker: str | None = None,
        speed: float = 1.0,
        noise: float | None = None,
        noise_duration: float | None = None,
        seed: int = 0,
    ) -> Iterator[Speech]:
        """Speak what was planned before (`vits.text.plan`); each sounds as it does in `speak`."""
        manner = self._manner(speaker, speed, noise, noise_duration, seed)
        return (self._speech(Planned(utterance, manner)) for utterance in utterances)

    def plan_utterances(
        self,
        utterances: Iterable[Utterance],
        *,
        speaker: str | None = None,
        speed: float = 1.0,
        noise: float | None = None,
        noise_duration: float | None = None,
        seed: int = 0,
    ) -> list[Planned]:
        """What was planned before, for `speak_planned`: as `speak_utterances` would say it."""
        manner = self._manner(speaker, speed, noise, noise_duration, seed)
        return [Planned(utterance, manner) for utterance in utterances]

    def stream_audio(
        self,
        text: str | Iterable[str],
        *,
        speaker: str | None = None,
        language: str | None = None,
        speed: float = 1.0,
        noise: float | None = None,
        noise_duration: float | None = None,
        seed: int = 0,
        lexicon: Lexicon | None = None,
        soon: bool = True,
    ) -> Iterator[Audio]:
        """The sound of `speak` in pieces, the first as early as can be, for listening at once.

        Joined, they are what `speak` gives with the same settings.
        """
        planned = self.plan(
            text,
            speaker=speaker,
            language=language,
            speed=speed,
            noise=noise,
            noise_duration=noise_duration,
            seed=seed,
            lexicon=lexicon,
            soon=soon,
        )
        return (piece for one in planned for piece in self._pieces(one))

    def convert(
        self,
        audio: Audio,
        *,
        source: str | Samples,
        target: str | Samples | None = None,
        noise: float = 1.0,
        seed: int = 0,
    ) -> Audio:
        """The same words in another voice (VITS, section 4.4), at this voice's sample rate.

        source, target: a speaker of this voice, or a person's speaker-verification embedding
        (width,) where the voice is conditioned on those. target None is `self.speaker`.
        """
        heard = resample(audio, self.sample_rate)
        pieces = self.convert_stream(
            [heard.samples], source=source, target=target, noise=noise, seed=seed
        )
        return Audio(np.concatenate([piece.samples for piece in pieces]), self.sample_rate)

    def convert_stream(
        self,
        pieces: Iterable[Samples],
        *,
        source: str | Samples,
        target: str | Samples | None = None,
        noise: float = 1.0,
        seed: int = 0,
    ) -> Iterator[Audio]:
        """`convert` for sound of any length, in pieces at this voice's sample rate, in order.

        Joined, they are what `convert` gives. Memory is that of some seconds.
        """
        self.must_convert()
        model = self.weights("conversion with it")
        speaker_from, embedding_from = self._condition(source)
        speaker_to, embedding_to = self._condition(self.speaker.name if target is None else target)
        noise = _checked("noise", noise, 0.0, MOST_NOISE)
        place = Place(0, 0)

        def made(window: Window) -> Samples:
            spec = window.spec.to(self.device)
            lengths = torch.tensor([spec.shape[2]], device=self.device)
            z, g, pitch = model.turned(
                spec,
                lengths,
                speaker_from,
                speaker_to,
                source_embedding=embedding_from,
                target_embedding=embedding_to,
                noise_scale=noise,
                noise=window.noise.to(self.device),
            )
            place.start, place.end = window.start, window.end
            return _finished(_numpy(model.decode(z, lengths, g, place, pitch)[0]))

        windows = convert_windows(
            pieces,
            made,
            self.config.audio,
            channels=self.config.model.inter_channels,
            context_frames=model.conversion_context,
            seed=seed,
        )
        return (Audio(samples, self.sample_rate) for samples in windows)

    def must_convert(self) -> None:
        """Raise UserError if this voice cannot convert, whoever speaks."""
        self.weights("conversion with it")
        if self.config.model.speaker == "none":
            raise UserError(
                f"The voice {self.name!r} has one speaker and cannot convert between speakers.",
                "Choose a voice with several speakers, such as base.",
            )

    def warm_up(self) -> None:
        """Do once what the first utterance would otherwise wait for: reader, kernels, memory."""
        for language in self.languages[:1]:
            for _ in self.stream_audio("Ah, one two three four.", language=language):
                pass

    # ------------------------------------------------------------ settings

    def _manner(
        self,
        speaker: str | None,
        speed: float,
        noise: float | None,
        noise_duration: float | None,
        seed: int,
    ) -> _Manner:
        config = self.config
        who = self.speaker if speaker is None else find_speaker(config.speakers, speaker)
        rhythm = config.noise_scale_duration if noise_duration is None else noise_duration
        return _Manner(
            speaker=config.speakers.index(who),
            length_scale=config.length_scale_of(who) / _checked("speed", speed, SLOWEST, FASTEST),
            noise_scale=_checked(
                "noise", config.noise_scale if noise is None else noise, 0.0, MOST_NOISE
            ),
            noise_scale_duration=_checked("noise_duration", rhythm, 0.0, MOST_NOISE),
            seed=seed,
        )

    def _language(self, language: str | None, manner: _Manner) -> str:
        """The language asked for, else the speaker's own, else the voice's first."""
        if language is None:
            own = self.config.speakers[manner.speaker].language
            return own if own in self.languages else self.languages[0]
        if language not in self.languages:
            raise UserError(
                f"The voice {self.name!r} does not speak {language!r}.",
                f"It speaks {', '.join(self.languages)}; choose another voice for other languages.",
            )
        return language

    def _condition(self, who: str | Samples) -> tuple[Tensor | None, Tensor | None]:
        """(speaker index, embedding) as the model takes them; one of the two is None."""
        if isinstance(who, str):
            index = self.speakers.index(find_speaker(self.speakers, who))
            return torch.tensor([index], device=self.device), None
        width = self.config.model.embedding_channels
        if self.config.model.speaker != "embedding" or who.shape != (width,):
            raise UserError(
                f"The voice {self.name!r} takes no embedding of shape {who.shape}.",
                "Name one of its speakers.",
            )
        return None, torch.from_numpy(who.astype(np.float32)).to(self.device).unsqueeze(0)

    # ------------------------------------------------------------ one utterance

    @cached_property
    def front_end(self) -> FrontEnd:
        """How this voice reads a text."""
        return self.config.front_end

    def _sounds(self, planned: Sequence[Planned]) -> list[_Sounds]:
        """Several on their way to the decoder, by one pass for all that say anything."""
        known = [self.front_end.known(one.utterance.symbols) for one in planned]
        speaking = [i for i, one in enumerate(planned) if one.utterance.words and known[i]]
        sounds = [
            _Sounds(None, [0] * (len(one.utterance.symbols) + 1), self._unknown(one.utterance))
            for one in planned
        ]
        if not speaking:
            return sounds
        latents = self._latents([planned[i] for i in speaking])
        for row, i in enumerate(speaking):
            frames = np.zeros(len(planned[i].utterance.symbols), dtype=np.int64)
            durations = latents.durations[row].cpu().numpy()
            frames[known[i]] = self._symbol_frames(durations)[: len(known[i])]
            ends = [0, *np.cumsum(frames).tolist()]
            sounds[i] = replace(sounds[i], latents=_row(latents, row), symbol_ends=ends)
        return sounds

    def _unknown(self, utterance: Utterance) -> tuple[str, ...]:
        lost = self.front_end.lost(utterance.symbols)
        return tuple(dict.fromkeys([*utterance.unknown, *lost]))

    def _latents(self, planned: Sequence[Planned]) -> Latents:
        ids = [torch.tensor(self.front_end.ids(one.utterance.symbols)) for one in planned]
        manner = planned[0].manner
        latents = self.model.latents(
            torch.nn.utils.rnn.pad_sequence(ids, batch_first=True).to(self.device),
            torch.tensor([len(row) for row in ids], device=self.device),
            torch.tensor([one.manner.speaker for one in planned], device=self.device),
            noise_scale=manner.noise_scale,
            noise_scale_duration=manner.noise_scale_duration,
            length_scale=self._length_scale(planned),
            generator=[_generator(one.manner.seed, one.utterance.symbols) for one in planned],
        )
        return replace(latents, melody=self._melody([one.manner.speaker for one in planned]))

    def _melody(self, speakers: Sequence[int]) -> Tensor | None:
        """How high and low the speakers of rows go, (B, 2); None where all do as the network."""
        if not isinstance(self.model, Vits) or self.model.source is None:
            return None
        table = self.config.melodies()
        return None if table is None else table[list(speakers)].to(self.device)

    def _length_scale(self, planned: Sequence[Planned]) -> float | Tensor:
        """How long symbols are; (B, 1, S) where some of them are emphasised."""
        scale = planned[0].manner.length_scale
        if not any(one.stressed for one in planned):
            return scale
        rows = [torch.tensor(self._stretch(one)) for one in planned]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1.0)
        return scale * padded.to(self.device).unsqueeze(1)

    def _stretch(self, planned: Planned) -> list[float]:
        """The factor on each id's duration; a symbol's blank is the one behind it."""
        symbols = planned.utterance.symbols
        of_symbol = [1.0] * len(symbols)
        for word in planned.stressed:
            for place in range(word.symbol_start, word.symbol_end):
                of_symbol[place] = EMPHASIS_STRETCH
        kept = [of_symbol[place] for place in self.front_end.known(symbols)]
        if not self.config.model.add_blank:
            return kept
        spaced = [factor for pair in zip(kept, kept, strict=True) for factor in pair]
        return [1.0, *spaced] if self.config.text.blanks == "around" else spaced[:-1]

    def _symbol_frames(self, durations: NDArray[np.int64]) -> NDArray[np.int64]:
        """Frames of each symbol with the blank behind it; the first has the one before it too."""
        if not self.config.model.add_blank:
            return durations
        if self.config.text.blanks == "between":  # as if one of no length stood at each end
            durations = np.pad(durations, 1)
        frames = durations[1::2] + durations[2::2]
        frames[0] += durations[0]
        return frames

    def _speech(self, planned: Planned) -> Speech:
        return self._speeches([planned])[0]

    def _speeches(self, planned: Sequence[Planned]) -> list[Speech]:
        sounds = self._sounds(planned)
        louder = [
            self._louder(samples, 0, one, sound)
            for one, sound, samples in zip(planned, sounds, self._decoded(sounds), strict=True)
        ]
        return [
            Speech(
                audio=Audio(np.concatenate([samples, self._silence(utterance)]), self.sample_rate),
                words=tuple(self._timings(utterance, sound.symbol_ends)),
                text=utterance.text,
                char_start=utterance.char_start,
                char_end=utterance.char_end,
                unknown=sound.unknown,
            )
            for utterance, sound, samples in zip(
                (one.utterance for one in planned), sounds, louder, strict=True
            )
        ]

    def _decoded(self, sounds: Sequence[_Sounds]) -> list[Samples]:
        """The samples of each, by one pass of the decoder."""
        rows = [sound.latents for sound in sounds if sound.latents is not None]
        found = iter(self._sound_of(rows).unbind(0) if rows else ())
        decoded = []
        for sound in sounds:
            if sound.latents is None:
                decoded.append(np.zeros(0, dtype=np.float32))
                continue
            n_samples = int(sound.latents.lengths) * self.config.audio.hop_length
            samples = _finished(_numpy(next(found)[:n_samples]))
            decoded.append(self._faded(samples, 0, len(samples)))
        return decoded

    def _sound_of(self, rows: Sequence[Latents]) -> Tensor:
        z, lengths, g = _stacked(rows)
        melodies = [row.melody for row in rows if row.melody is not None]
        if not melodies:
            return self.model.decode(z, lengths, g)
        assert isinstance(self.model, Vits)
        return self.model.decode(z, lengths, g, melody=torch.cat(melodies))

    def _pieces(self, planned: Planned) -> Iterator[Audio]:
        sound = self._sounds([planned])[0]
        latents = sound.latents
        if latents is not None:
            total = int(latents.lengths) * self.config.audio.hop_length
            start = 0
            for piece in self.model.stream(latents):
                samples = self._faded(_finished(_numpy(piece)), start, total)
                samples = self._louder(samples, start, planned, sound)
                start += len(samples)
                yield Audio(samples, self.sample_rate)
        silence = self._silence(planned.utterance)
        if len(silence):
            yield Audio(silence, self.sample_rate)

    def _silence(self, utterance: Utterance) -> Samples:
        return np.zeros(round(utterance.pause_s * self.sample_rate), dtype=np.float32)

    def _faded(self, samples: Samples, start: int, total: int) -> Samples:
        """Samples from `start` on of an utterance of `total`, its two ends rising from zero."""
        length = max(1, round(FADE_S * self.sample_rate))
        place = np.arange(start, start + len(samples))
        gain = np.minimum((np.minimum(place, total - 1 - place) + 0.5) / length, 1.0)
        return (samples * gain).astype(np.float32)

    def _louder(self, samples: Samples, start: int, planned: Planned, sound: _Sounds) -> Samples:
        """Samples from `start` on of an utterance, its emphasised words raised, with soft edges."""
        if not planned.stressed or not len(samples):
            return samples
        hop, ramp = self.config.audio.hop_length, EMPHASIS_RAMP_S * self.sample_rate
        place, raised = np.arange(start, start + len(samples)), np.zeros(len(samples))
        for word in planned.stressed:
            begin = sound.symbol_ends[word.symbol_start] * hop
            end = sound.symbol_ends[word.symbol_end] * hop
            away = np.maximum(np.maximum(begin - place, place - end), 0)
            raised = np.maximum(raised, np.clip(1 - away / ramp, 0, 1))
        gain = 10 ** (EMPHASIS_DB * raised / 20)
        return np.clip(samples * gain, -1, 1).astype(np.float32)

    def _timings(self, utterance: Utterance, symbol_ends: Sequence[int]) -> Iterator[WordTiming]:
        frame_s = self.config.audio.hop_length / self.sample_rate
        for word in utterance.words:
            yield WordTiming(
                text=word.text,
                char_start=word.char_start,
                char_end=word.char_end,
                start_s=symbol_ends[word.symbol_start] * frame_s,
                end_s=symbol_ends[word.symbol_end] * frame_s,
            )


def find_speaker(speakers: Sequence[Speaker], name: str | None) -> Speaker:
    """The speaker of this name, in whatever case if that is clear; the first for None."""
    if name is None:
        return speakers[0]
    exact = [s for s in speakers if s.name == name]
    alike = exact or [s for s in speakers if s.name.casefold() == name.casefold()]
    if len(alike) != 1:
        raise unknown("speaker", name, [s.name for s in speakers])
    return alike[0]


def _checked(name: str, value: float, least: float, most: float) -> float:
    if not least <= value <= most:  # not a number is refused as well
        raise UserError(f"A {name} of {value} cannot be.", f"Choose one from {least} to {most}.")
    return value


def _generator(seed: int, symbols: Sequence[str]) -> torch.Generator:
    """The noise of one utterance: of the seed and of its sounds, not of its place."""
    text = f"{seed}\n{''.join(symbols)}".encode()
    number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
    return torch.Generator().manual_seed(number)


def _network(folder: Path, device: str, engine: Engine) -> tuple[Vits | OnnxNetwork, VoiceConfig]:
    if is_graph(folder):
        config = load_config(folder)
        return OnnxNetwork(folder / GRAPH, config, device), config
    if engine == "torch":
        model, config = load_voice(folder)
        return model.to(device).requires_grad_(False), config
    graph = kept_graph(voice_hash(folder))
    if not graph.exists():
        from vits.graph import write_graph

        model, config = load_voice(folder)
        write_graph(model, graph, config.melodies())
    config = load_config(folder)
    return OnnxNetwork(graph, config, device), config


def _row(latents: Latents, row: int) -> Latents:
    """One row of a batch, as long as it would be alone."""
    length = latents.lengths[row, None]
    frames = -(-int(length) // FRAME_BLOCK) * FRAME_BLOCK
    g = None if latents.g is None else latents.g[row, None]
    melody = None if latents.melody is None else latents.melody[row, None]
    z, durations = latents.z[row, None, :, :frames], latents.durations[row, None]
    return Latents(z, length, durations, g, melody)


def _stacked(rows: Sequence[Latents]) -> tuple[Tensor, Tensor, Tensor | None]:
    """Rows as a batch of the decoder: z padded to the longest, lengths, g."""
    longest = max(row.z.shape[2] for row in rows)
    pad = torch.nn.functional.pad
    z = torch.cat([pad(row.z, (0, longest - row.z.shape[2])) for row in rows])
    g = [row.g for row in rows if row.g is not None]
    return z, torch.cat([row.lengths for row in rows]), torch.cat(g) if g else None


def _numpy(sound: Tensor) -> Samples:
    return sound.float().cpu().numpy()


def _finished(samples: Samples) -> Samples:
    """Within [-1, 1]: what is above the knee is bent, sample by sample, and nothing is cut off."""
    over = np.abs(samples) - KNEE
    if not (over > 0).any():
        return samples
    room = 1.0 - KNEE
    bent = np.sign(samples) * (KNEE + room * np.tanh(np.maximum(over, 0.0) / room))
    return np.where(over > 0, bent, samples).astype(np.float32)

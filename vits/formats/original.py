"""G_*.pth and D_*.pth with their config.json: original VITS and VITS-fast-fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vits.checkpoint import Speaker, VoiceConfig
from vits.config import AudioConfig, TextConfig
from vits.errors import UserError
from vits.formats.imported import Imported, speakers_of, with_symbols
from vits.formats.loading import Checkpoint, names_the_file
from vits.formats.names import renamed
from vits.formats.sizes import check_against, sizes_of
from vits.text.legacy import CLEANERS

# What the original hard-codes: a pad, 16 marks, 52 letters and 109 of IPA, two of them twice.
ENGLISH_SYMBOLS = tuple(
    "_"
    ';:,.!?¡¿—…"«»“” '
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃ"
    "ˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘'\u0329'ᵻ"
)
_ENGLISH_CLEANERS = ("english_cleaners", "english_cleaners2")


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether this is a generator of the original's."""
    return any(name.endswith("enc_p.emb.weight") for name in checkpoint.tensors) and not any(
        name.startswith("state_dict/") for name in checkpoint.tensors
    )


def weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The tensors of `model`, or of a file that is nothing but them."""
    return checkpoint.part("model/") or dict(checkpoint.tensors)


@names_the_file
def read(
    checkpoint: Checkpoint,
    settings: Mapping[str, Any],
    where: Path,
    discriminator: Checkpoint | None = None,
    cleaner: str | None = None,
) -> Imported:
    """The voice of a generator and its config.json, `where`, and of a discriminator."""
    model, data = _section(settings, "model", where), _section(settings, "data", where)
    tensors, rows = renamed(weights(checkpoint), "original")
    sizes = sizes_of(
        tensors,
        upsample_rates=_tuple(model.get("upsample_rates", ())),
        dilations=_dilations(model.get("resblock_dilation_sizes")),
        add_blank=bool(data.get("add_blank", True)),
    )
    check_against(sizes, model, str(where))
    text, languages, symbols = _text(settings, data, where, cleaner)
    config = VoiceConfig(
        model=sizes,
        audio=audio_of(data, where),
        symbols=with_symbols(sizes, symbols, str(where)),
        languages=languages,
        speakers=_speakers(settings, sizes.n_speakers, languages[0], where),
        text=text,
    )
    critics = weights(discriminator) if discriminator is not None else None
    return Imported("original VITS", tensors, config, tuple(rows), critics)


def _section(settings: Mapping[str, Any], name: str, where: Path) -> Mapping[str, Any]:
    section = settings.get(name)
    if not isinstance(section, Mapping):
        raise UserError(
            f"{where} has no section {name!r}: it is not the configuration of a VITS.",
            "Name the json that came with the checkpoint with --config.",
        )
    return section


def audio_of(data: Mapping[str, Any], where: Path) -> AudioConfig:
    """The audio settings in the original's words. Raises UserError for one that is missing."""
    names = {
        "sample_rate": "sampling_rate",
        "n_fft": "filter_length",
        "hop_length": "hop_length",
        "win_length": "win_length",
    }
    missing = [theirs for theirs in names.values() if not isinstance(data.get(theirs), int)]
    if missing:
        raise UserError(
            f"{where} does not say {', '.join(missing)} in its section 'data'.",
            "Use the original file.",
        )
    values: dict[str, Any] = {ours: data[theirs] for ours, theirs in names.items()}
    values["n_mels"] = data.get("n_mel_channels", 80)
    values["f_min"] = float(data.get("mel_fmin") or 0.0)
    values["f_max"] = float(data["mel_fmax"]) if data.get("mel_fmax") else None
    return AudioConfig(**values)


def _text(
    settings: Mapping[str, Any], data: Mapping[str, Any], where: Path, cleaner: str | None
) -> tuple[TextConfig, tuple[str, ...], tuple[str, ...]]:
    """(how text is read, languages, symbols) as the configuration, or `cleaner`, says."""
    named = [cleaner] if cleaner else list(data.get("text_cleaners") or ())
    known = next((name for name in named if name in (*CLEANERS, *_ENGLISH_CLEANERS)), None)
    if known is None:
        raise UserError(
            f"{where} asks for the text cleaner {' '.join(map(str, named)) or '(none)'}, "
            "which is not known here.",
            f"Known are {', '.join((*CLEANERS, *_ENGLISH_CLEANERS))}; choose one with --cleaner.",
        )
    symbols = settings.get("symbols")
    if known in _ENGLISH_CLEANERS:
        text = TextConfig("espeak", espeak_voice="en-us")
        return text, ("en",), tuple(symbols or ENGLISH_SYMBOLS)
    if not isinstance(symbols, list) or not all(isinstance(s, str) for s in symbols):
        raise UserError(
            f"{where} lists no symbols.", "Use the configuration that came with the weights."
        )
    return TextConfig(known), CLEANERS[known].languages, tuple(symbols)


def _speakers(
    settings: Mapping[str, Any], count: int, language: str, where: Path
) -> tuple[Speaker, ...]:
    named = settings.get("speakers", {})
    if isinstance(named, list):
        named = {str(name): i for i, name in enumerate(named)}
    ids = {str(name): int(row) for name, row in named.items()} if named else {}
    return speakers_of(ids, count, language, str(where))


def _tuple(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _dilations(values: Any) -> tuple[tuple[int, ...], ...] | None:
    return tuple(_tuple(row) for row in values) if values else None

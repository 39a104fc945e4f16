"""Who writes down what is said: found where it is, told what to run where it is not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import require
from voices import reader, save

from data import recognisers, transcribe
from data.kept import Kept
from data.making import Record
from data.recognisers import Transcript, best_size, fetch_whisper, open_whisper
from data.recordings import Wishes, prepare_recordings
from data.words import said
from vits.errors import UserError

SPECIAL = [
    "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|translate|>", "<|transcribe|>",
    "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
]  # fmt: skip


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of a few kilobytes that has learned nothing, as transformers saves it."""
    require(find_spec("transformers"), "transformers is not installed")
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    folder = tmp_path_factory.mktemp("whisper") / "tiny"
    end = "<|endoftext|>"
    vocabulary = {char: i for i, char in enumerate(bytes_to_unicode().values())} | {end: 256}
    tokenizer = WhisperTokenizer(
        vocab=vocabulary, merges=[], unk_token=end, bos_token=end, eos_token=end, pad_token=end
    )
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    number = dict(zip(SPECIAL, tokenizer.convert_tokens_to_ids(SPECIAL), strict=True))
    ends = {"eos_token_id": 256, "bos_token_id": 256, "pad_token_id": 256}
    starts = {"decoder_start_token_id": number[SPECIAL[0]]}
    config = WhisperConfig(
        vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_target_positions=448, suppress_tokens=[],
        begin_suppress_tokens=[], **ends, **starts,
    )  # fmt: skip
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    how = GenerationConfig(max_length=16, **ends, **starts)
    how.is_multilingual = True
    how.lang_to_id = {name: number[name] for name in ("<|en|>", "<|zh|>")}
    how.task_to_id = {name: number[f"<|{name}|>"] for name in ("transcribe", "translate")}
    how.no_timestamps_token_id = number["<|notimestamps|>"]
    how.suppress_tokens = how.begin_suppress_tokens = []
    model.generation_config = how
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder


def test_transformers_weights_are_heard_with_language_and_confidence(tiny_whisper: Path) -> None:
    clip = reader(1)[0][0]
    found = open_whisper(tiny_whisper, None).transcribe(clip)
    assert found.language in ("en", "zh")
    assert found.text
    assert found.again is not None
    assert found.confidence is not None
    assert 0 <= found.confidence <= 1
    assert open_whisper(tiny_whisper, "zh").transcribe(clip).language == "zh"
    assert open_whisper(tiny_whisper, None).transcribe(clip) == found


def test_ctranslate_weights_are_heard_too(tiny_whisper: Path, tmp_path: Path) -> None:
    require(find_spec("faster_whisper"), "the extra asr is not installed")
    from ctranslate2.converters import TransformersConverter

    folder = tmp_path / "small"
    files = ["tokenizer.json", "processor_config.json"]
    TransformersConverter(str(tiny_whisper), copy_files=files).convert(str(folder))
    found = open_whisper(folder, "en").transcribe(reader(1)[0][0])
    assert found.language == "en"
    assert isinstance(found.again, str)


def test_a_named_folder_is_taken_and_a_wrong_one_refused(
    tiny_whisper: Path, tmp_path: Path
) -> None:
    assert fetch_whisper(str(tiny_whisper)) == tiny_whisper
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="no Whisper weights"):
        fetch_whisper(str(tmp_path / "other"))


def test_a_model_that_cannot_be_fetched_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    require(find_spec("faster_whisper"), "the extra asr is not installed")

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError

    monkeypatch.setattr("faster_whisper.utils.download_model", offline)
    with pytest.raises(UserError, match=r"hf download Systran/faster-whisper-small") as caught:
        fetch_whisper("small")
    assert "--asr whisper" in caught.value.remedy


@pytest.mark.parametrize(("memory_gb", "size"), [(2, "base"), (4, "small"), (8, "medium")])
def test_the_size_follows_the_memory(memory_gb: float, size: str) -> None:
    assert best_size(memory_gb) == size


def test_words_as_they_are_said() -> None:
    assert said("It cost £25, Mr. Hall!", "en") == "it cost twenty five pounds mister hall"


# ---------------------------------------------------------------- words for clips


class Planted:
    """A recogniser that hears what the test tells it to."""

    name = "planted"

    def __init__(self, *answers: Transcript) -> None:
        self.answers = list(answers)

    def transcribe(self, audio: object, *, twice: bool = True) -> Transcript:
        return self.answers.pop(0)


def heard(text: str, again: str, sure: float = 0.9) -> Transcript:
    words = tuple(recognisers.HeardWord(word, sure) for word in text.split())
    return Transcript(text, "en", words, again)


def planted(monkeypatch: pytest.MonkeyPatch, *answers: Transcript) -> None:
    listener = Planted(*answers)
    monkeypatch.setattr(transcribe, "whisper_folder", lambda: Path("planted"))
    monkeypatch.setattr(transcribe, "open_whisper", lambda *_: listener)


def records(tmp_path: Path, *texts: str) -> list[Record]:
    found = []
    for index, text in enumerate(texts):
        save(tmp_path / f"wavs/{index}.wav", reader(1)[0][0])
        found.append(Record(str(index), f"{index}", text, "en", "use", "", wav=f"wavs/{index}.wav",
                            sha256=str(index), seconds=2.6))  # fmt: skip
    return found


def write_down(tmp_path: Path, given: list[Record], when: str = "auto") -> list[Record]:
    return transcribe.write_down(
        given, tmp_path, Kept(tmp_path), when=when, model=None, language=None, tell=lambda e: None
    )[0]


def test_words_two_decodings_agree_on_are_used_and_others_doubted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(
        monkeypatch,
        heard("Good evening to you.", "good evening to you"),
        heard("Good evening to you.", "wooden leaning shoe"),
        heard("Good evening to you.", "Good evening to you.", sure=0.3),
        heard("", ""),
    )
    found = write_down(tmp_path, records(tmp_path, "", "", "", ""))
    assert [record.verdict for record in found] == ["use", "doubt", "doubt", "drop"]
    assert found[0].text == "Good evening to you."
    assert "wooden leaning shoe" in found[1].reason
    assert "not sure" in found[2].reason


def test_given_words_stay_and_mismatches_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(monkeypatch, heard("good evening", ""), heard("a whole other sentence", ""))
    given = records(tmp_path, "Good evening.", "Good evening.")
    found = write_down(tmp_path, given, "always")
    assert [record.verdict for record in found] == ["use", "drop"]
    assert "a whole other sentence" in found[1].reason
    assert [record.text for record in found] == ["Good evening."] * 2


def test_what_was_heard_once_is_not_heard_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(monkeypatch, heard("Good evening.", "Good evening."))
    first = write_down(tmp_path, records(tmp_path, ""))
    assert write_down(tmp_path, records(tmp_path, "")) == first  # nothing is left to answer


def test_pocketsphinx_checks_english_where_there_is_no_whisper(tmp_path: Path) -> None:
    (clip, text), (other, _) = reader(2)
    for name, audio in (("right", clip), ("wrong", other)):
        save(tmp_path / f"in/{name}.wav", audio)
        (tmp_path / f"in/{name}.txt").write_text(text, encoding="utf-8")
    made = prepare_recordings([tmp_path / "in"], tmp_path / "out", Wishes("en", "always"))
    verdicts = {clip.source: clip.verdict for clip in made.clips}
    assert verdicts.get("right.wav") == "use"
    assert verdicts.get("wrong.wav") != "use"

"""Corpora are read exactly as they are downloaded, one tiny folder of each layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.corpora import read_corpus
from vits.errors import UserError


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def ljspeech(root: Path) -> Path:
    lines = 'LJ001-0001|In 1450.|In fourteen fifty.\nLJ001-0002|being "modern".|being modern.\n'
    return put(
        root / "LJSpeech-1.1",
        {
            "metadata.csv": lines,
            "README": "This is a public domain speech dataset",
            "wavs/LJ001-0001.wav": "",
            "wavs/LJ001-0002.wav": "",
        },
    )


def vctk(root: Path) -> Path:
    return put(
        root / "VCTK-Corpus-0.92",
        {
            "speaker-info.txt": "ID  AGE  GENDER  ACCENTS  REGION COMMENTS\n"
            "p225  23  F    English    Southern  England\np226  22  M    English    Surrey\n",
            "txt/p225/p225_001.txt": "Please call Stella.\n",
            "txt/p226/p226_001.txt": "Ask her.\n",
            "txt/p226/p226_002.txt": "There is no sound for this one.\n",
            "wav48_silence_trimmed/p225/p225_001_mic1.flac": "",
            "wav48_silence_trimmed/p225/p225_001_mic2.flac": "",
            "wav48_silence_trimmed/p226/p226_001_mic1.flac": "",
        },
    )


def libritts(root: Path) -> Path:
    stem = "train-clean-100/19/198/19_198_000000_000000"
    return put(
        root / "LibriTTS",
        {
            "SPEAKERS.txt": ";ID  |SEX| SUBSET           |MINUTES| NAME\n"
            "19    | F | train-clean-100  | 25.0  | Kara Shallenberg\n",
            f"{stem}.wav": "",
            f"{stem}.normalized.txt": "Northanger Abbey",
            f"{stem}.original.txt": "NORTHANGER ABBEY",
        },
    )


def common_voice(root: Path) -> Path:
    header = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale"
    row = f"{'ab' * 32}\tcommon_voice_zh_1.mp3\t他说“好”。\t2\t0\ttwenties\tmale\t\tzh-CN"
    return put(
        root / "cv-corpus-17.0" / "zh-CN",
        {
            "validated.tsv": f"{header}\n{row}\n",
            "train.tsv": f"{header}\n",
            "clips/common_voice_zh_1.mp3": "",
        },
    ).parent


def aishell3(root: Path) -> Path:
    return put(
        root / "data_aishell3",
        {
            "spk-info.txt": "# speaker info\nSSB0005\tB\tfemale\tnorth\n",
            "train/content.txt": "SSB00050001.wav\t广 guang3 州 zhou1 女 nv3 大 da4\n",
            "train/wav/SSB0005/SSB00050001.wav": "",
            "test/content.txt": "SSB00050002.wav\t你 ni2 好 hao3\n",
            "test/wav/SSB0005/SSB00050002.wav": "",
        },
    )


def baker(root: Path) -> Path:
    lines = (
        "000001\t卡尔普#2陪外孙#1玩滑梯#4。\n\tka2 er2 pu3 pei2 wai4 sun1 wan2 hua2 ti1\n"
        "000002\t假语村言#2别再#1拥抱我#4。\n\tjia2 yu3 cun1 yan2 bie2 zai4 yong1 bao4 wo3\n"
    )
    return put(
        root / "BZNSYP",
        {
            "ProsodyLabeling/000001-010000.txt": lines,
            "PhoneLabeling/000001.interval": "",
            "Wave/000001.wav": "",
            "Wave/000002.wav": "",
        },
    )


def thchs30(root: Path) -> Path:
    return put(
        root / "data_thchs30",
        {
            "data/A11_0.wav": "",
            "data/A11_0.wav.trn": "绿 是 阳春 烟 景\nlv4 shi4 yang2 chun1\nl v4 sh ix4\n",
            "train/A11_0.wav.trn": "../data/A11_0.wav.trn\n",
            "lm_word/word.3gram.lm": "",
        },
    )


def css10(root: Path) -> Path:
    return put(
        root / "japanese",
        {
            "transcript.txt": "meian/meian_0000.wav|医者は探りを、|医者は探りを入れた後で、|2.1\n",
            "meian/meian_0000.wav": "",
        },
    )


def jsut(root: Path) -> Path:
    return put(
        root / "jsut_ver1.1",
        {
            "basic5000/transcript_utf8.txt": "BASIC5000_0001:水をマレーシアから買わなくては。\n",
            "basic5000/wav/BASIC5000_0001.wav": "",
            "onomatopee300/transcript_utf8.txt": "ONOMATOPEE300_001:きびきびした社員。\n",
            "onomatopee300/wav/ONOMATOPEE300_001.wav": "",
        },
    )


def manifest(root: Path) -> Path:
    lines = (
        'path\tspeaker\tgender\tlanguage\tseconds\ttext\na.flac\tKat\tF\ten\t2.0\tShe said "no\n'
        "b.ogg\tBen\tM\tde\t3.1\n"
    )
    return put(root / "ours", {"manifest.tsv": lines, "a.flac": "", "b.ogg": ""})


@pytest.mark.parametrize(
    ("make", "kind", "rows"),
    [
        (ljspeech, "LJSpeech", [("In fourteen fifty.", "ljspeech", "en", ""),
                                ("being modern.", "ljspeech", "en", "")]),
        (vctk, "VCTK", [("Please call Stella.", "vctk-p225", "en", "female"),
                        ("Ask her.", "vctk-p226", "en", "male")]),
        (libritts, "LibriTTS", [("Northanger Abbey", "libritts-19", "en", "female")]),
        (common_voice, "Common Voice", [("他说“好”。", f"cv-{'ab' * 8}", "zh", "male")]),
        (aishell3, "AISHELL-3", [("广州女大", "aishell-SSB0005", "zh", "female"),
                                 ("你好", "aishell-SSB0005", "zh", "female")]),
        (baker, "Baker", [("卡尔普陪外孙玩滑梯。", "baker", "zh", "female"),
                          ("假语村言别再拥抱我。", "baker", "zh", "female")]),
        (thchs30, "THCHS-30", [("绿是阳春烟景", "thchs30-A11", "zh", "")]),
        (css10, "CSS10", [("医者は探りを入れた後で、", "css10-japanese", "ja", "")]),
        (jsut, "JSUT", [("水をマレーシアから買わなくては。", "jsut", "ja", "female"),
                        ("きびきびした社員。", "jsut", "ja", "female")]),
        (manifest, "manifest", [('She said "no', "Kat", "en", "female"),
                                ("", "Ben", "de", "male")]),
    ],
)  # fmt: skip
def test_each_layout_is_read_as_it_is(
    tmp_path: Path,
    make: Callable[[Path], Path],
    kind: str,
    rows: list[tuple[str, str, str, str]],
) -> None:
    corpus = read_corpus(make(tmp_path))
    assert corpus.kind == kind
    assert corpus.licence
    found = [(r.text, r.speaker, r.language, r.gender) for r in corpus.recordings]
    assert found == rows
    assert all(r.path.is_file() for r in corpus.recordings)


def test_a_folder_around_the_corpus_will_do(tmp_path: Path) -> None:
    baker(tmp_path)
    assert read_corpus(tmp_path).kind == "Baker"


def test_what_is_no_corpus_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        read_corpus(tmp_path / "nothing")
    with pytest.raises(UserError, match="in no layout"):
        read_corpus(tmp_path)
    put(tmp_path / "empty", {"metadata.csv": "a|b|c\n"})
    with pytest.raises(UserError, match="lists no recordings that are there"):
        read_corpus(tmp_path / "empty")

from __future__ import annotations

from pathlib import Path

import pytest

from data.encodings import read_text
from data.intake import NO_TRANSCRIPT, find_clips, language_code
from vits.errors import UserError


def sound(folder: Path, *names: str) -> None:
    """Files with the names of sounds: intake looks at names only."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes([number]))


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def names(folder: Path) -> dict[str, str]:
    return {found.name: found.text for found in find_clips(folder).found}


def reasons(folder: Path) -> dict[str, str]:
    return {item.name: item.reason for item in find_clips(folder).dropped}


def test_a_folder_with_sidecars_gives_pairs_in_natural_order(tmp_path: Path) -> None:
    sound(tmp_path, "clip10.wav", "clip2.mp3", "sub/b.FLAC", "clip3.m4a")
    for name, text in (("clip10.txt", "ten"), ("clip2.lab", "two"), ("sub/b.TXT", " b\n b ")):
        write(tmp_path / name, text)
    write(tmp_path / "clip3.m4a.txt", "three")
    assert list(names(tmp_path).items()) == [
        ("clip2.mp3", "two"), ("clip3.m4a", "three"), ("clip10.wav", "ten"), ("sub/b.FLAC", "b b"),
    ]  # fmt: skip
    assert reasons(tmp_path) == {}


def test_what_has_no_partner_is_listed(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav", "b.wav")
    write(tmp_path / "a.txt", "words")
    write(tmp_path / "c.txt", "words without a sound")
    write(tmp_path / "README.txt", "About these clips")
    assert list(names(tmp_path)) == ["a.wav"]
    assert reasons(tmp_path) == {
        "b.wav": NO_TRANSCRIPT,
        "c.txt": "has no sound file of the same name",
    }


def test_bare_sounds_say_that_transcripts_are_needed(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav", "film.mp4")
    assert set(reasons(tmp_path).values()) == {NO_TRANSCRIPT}


def test_txt_goes_before_lab_and_the_other_is_not_an_orphan(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav")
    write(tmp_path / "a.lab", "lab")
    write(tmp_path / "a.txt", "txt")
    assert names(tmp_path) == {"a.wav": "txt"}
    assert reasons(tmp_path) == {}


def test_labels_of_phones_are_not_words(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav")
    write(tmp_path / "a.lab", "0 1200000 sil\n1200000 1500000 ah\n")
    assert "not words" in reasons(tmp_path)["a.wav"]


def test_hidden_files_and_the_result_folder_are_not_clips(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav", "._a.wav", "__MACOSX/a.wav", ".git/b.wav", "out/wavs/a.wav")
    write(tmp_path / "a.txt", "words")
    intake = find_clips(tmp_path, without=tmp_path / "out")
    assert [found.name for found in intake.found] == ["a.wav"]
    assert intake.dropped == ()


def test_an_ljspeech_folder_with_two_or_three_columns(tmp_path: Path) -> None:
    sound(tmp_path, "wavs/LJ1.wav", "wavs/LJ2.wav", "wavs/LJ3.wav")
    write(
        tmp_path / "metadata.csv",
        'LJ1|He said "no" in 1999.|He said "no" in nineteen ninety-nine.\nLJ2|Two.\r\nLJ4|Four.\n',
    )
    assert names(tmp_path) == {
        "wavs/LJ1.wav": 'He said "no" in nineteen ninety-nine.',
        "wavs/LJ2.wav": "Two.",
    }
    assert reasons(tmp_path) == {
        "LJ4": "has no sound file, or several of its name (metadata.csv line 3)",
        "wavs/LJ3.wav": "has no transcript (no line in metadata.csv)",
    }


def test_vits_file_lists_with_two_three_and_four_columns(tmp_path: Path) -> None:
    sound(tmp_path, "wavs/a.wav", "wavs/b.wav", "wavs/c.wav")
    write(tmp_path / "train.txt", "wavs/a.wav|Hello.\nwavs/b.wav|7|Seven | eight.\n")
    write(tmp_path / "val.txt", "wavs/c.wav|anna|ZH|你好。\n")
    found = {item.name: item for item in find_clips(tmp_path).found}
    assert found["wavs/a.wav"].text == "Hello."
    assert (found["wavs/b.wav"].speaker, found["wavs/b.wav"].text) == ("7", "Seven | eight.")
    c = found["wavs/c.wav"]
    assert (c.speaker, c.language, c.text) == ("anna", "zh", "你好。")


def test_a_manifest_names_its_columns(tmp_path: Path) -> None:
    sound(tmp_path, "a b.wav", "c.wav", "d.wav", "e.wav")
    write(
        tmp_path / "manifest.tsv",
        "speaker\tpath\ttext\tlanguage\tverdict\n"
        'lj\ta b.wav\tthe "forty-two line Bible"\ten-US\tuse\n'
        'lj\tc.wav\t"He said ""no""."\ten\tdoubt\n'
        "lj\td.wav\tno\ten\tdrop\n"
        "\te.wav\n",
    )
    found = find_clips(tmp_path).found
    assert [item.text for item in found] == ['the "forty-two line Bible"', 'He said "no".', ""]
    assert [item.language for item in found] == ["en", "en", ""]
    assert reasons(tmp_path) == {"d.wav": "is marked drop (manifest.tsv line 4)"}


def test_a_comma_separated_list_with_a_header(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav")
    write(tmp_path / "metadata.csv", 'file_name,transcription\na.wav,"Yes, well."\n')
    assert names(tmp_path) == {"a.wav": "Yes, well."}


@pytest.mark.parametrize(
    "written",
    [
        "中文 录音/片段 一.wav",
        "\N{MICROPHONE}.wav",
        "O'Brien & Söhne.wav",
        "a%20b;c.wav",
        "[1].wav",
    ],
)
def test_names_may_hold_whatever_file_systems_allow(tmp_path: Path, written: str) -> None:
    sound(tmp_path, written)
    write(tmp_path / "list.txt", f"{written}|words\n")
    assert names(tmp_path) == {written: "words"}
    (tmp_path / "list.txt").unlink()
    write((tmp_path / written).with_suffix(".txt"), "words")
    assert names(tmp_path) == {written: "words"}


@pytest.mark.parametrize(
    "written",
    [
        "sub\\a.wav",
        ".\\sub\\a.wav",
        "D:\\old machine\\clips\\a.wav",
        "/home/other/a.wav",
        "sub/A.WAV",
    ],
)
def test_paths_of_windows_and_of_other_machines_are_found(tmp_path: Path, written: str) -> None:
    sound(tmp_path, "sub/a.wav")
    write(tmp_path / "list.txt", f"{written}|words\n")
    assert names(tmp_path) == {"sub/a.wav": "words"}


def test_a_name_that_several_files_have_is_not_guessed(tmp_path: Path) -> None:
    sound(tmp_path, "x/a.wav", "y/a.wav")
    write(tmp_path / "list.txt", "/gone/a.wav|words\n")
    assert names(tmp_path) == {}
    assert "several" in reasons(tmp_path)["/gone/a.wav"]


def test_decomposed_names_of_macos_are_the_same_names(tmp_path: Path) -> None:
    sound(tmp_path, "gro\u0308\u00dfer.wav")
    write(tmp_path / "list.txt", "wavs/gr\u00f6\u00dfer.wav|Wort\n")
    assert list(names(tmp_path).values()) == ["Wort"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_lists_and_sidecars_of_chinese_windows_are_read(tmp_path: Path, encoding: str) -> None:
    sound(tmp_path, "录音.wav")
    write(tmp_path / "list.txt", "录音.wav|你好，世界。\r\n", encoding)
    assert names(tmp_path) == {"录音.wav": "你好，世界。"}
    (tmp_path / "list.txt").unlink()
    write(tmp_path / "录音.txt", "你好，世界。\r\n", encoding)
    assert names(tmp_path) == {"录音.wav": "你好，世界。"}


def test_windows_latin_is_not_taken_for_chinese(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "Die Straße ist größer, das weiß ich für gewiß.", "cp1252")
    assert read_text(tmp_path / "a.txt").startswith("Die Straße ist größer")


def test_a_list_may_be_named_itself(tmp_path: Path) -> None:
    sound(tmp_path, "wavs/a.wav", "wavs/b.wav")
    write(tmp_path / "some.list", "wavs/b.wav|words\n")
    intake = find_clips(tmp_path / "some.list")
    assert [found.name for found in intake.found] == ["wavs/b.wav"]
    assert intake.dropped == ()  # what a list leaves out was not asked for


def test_a_sound_may_be_named_itself(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav", "b.wav")
    write(tmp_path / "a.txt", "words")
    assert [found.name for found in find_clips(tmp_path / "a.wav").found] == ["a.wav"]


def test_a_clip_listed_twice_is_used_once(tmp_path: Path) -> None:
    sound(tmp_path, "a.wav")
    write(tmp_path / "list.txt", "a.wav|one\n./a.wav|two\n")
    assert names(tmp_path) == {"a.wav": "one"}
    assert "second time" in reasons(tmp_path)["a.wav"]


def test_a_source_that_is_not_there_or_not_a_list_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder or file"):
        find_clips(tmp_path / "none")
    write(tmp_path / "letter.txt", "Dear reader\n")
    with pytest.raises(UserError, match="line 1 has neither"):
        find_clips(tmp_path / "letter.txt")


def test_an_empty_folder_is_empty(tmp_path: Path) -> None:
    intake = find_clips(tmp_path)
    assert (intake.found, intake.dropped) == ((), ())


def test_codes_of_languages_are_brought_to_one_form() -> None:
    codes = [language_code(name) for name in ("EN", "zh-CN", "JP", "de_DE", "")]
    assert codes == ["en", "zh", "ja", "de", ""]

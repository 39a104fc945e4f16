"""The user's own pronunciations go before every rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from vits.errors import UserError
from vits.text import Lexicon, phonemize_lines, plan


def read(text: str, lexicon: Lexicon) -> str:
    return "".join(phonemize_lines([text], "en", lexicon)[0])


def test_ipa_and_respellings_are_spoken(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text(
        "\ufeff# names\r\nSiobhan\tshivawn\r\n\r\nNgaio\tnˈaɪoʊ\nPete\t/pˈiːt/\n", encoding="utf-8"
    )
    lexicon = Lexicon.load(path)
    assert lexicon.entries == {
        "siobhan": ("shivawn",),
        "ngaio": ("/nˈaɪoʊ/",),
        "pete": ("/pˈiːt/",),
    }
    assert read("SIOBHAN saw Ngaio.", lexicon) == "‹en›" + "ʃˈɪvɔːn sˈɔː nˈaɪoʊ."


def test_upper_and_lower_case_are_the_same_and_longer_words_are_not_touched() -> None:
    lexicon = Lexicon.parse("cat\t/dˈɔɡ/")
    assert "dˈɔɡ" in read("CAT", lexicon)
    assert "dˈɔɡ" not in read("concat cats category", lexicon)


def test_possessives_follow_their_word() -> None:
    lexicon = Lexicon.parse("Ngaio\t/nˈaɪoʊ/\nRuss\t/ɹˈʌs/\nKit\t/kˈɪt/\nSiobhan\tshivawn")
    text = "Ngaio's Russ's Kit’s Siobhan's"
    assert read(text, lexicon) == "‹en›nˈaɪoʊz ɹˈʌsɪz kˈɪts ʃˈɪvɔːnz."


def test_several_words_and_signs_can_be_one_entry() -> None:
    lexicon = Lexicon.parse("New York\t/nuːjˈɔːk/\nC++\tsee plus plus\n3M\tthree em")
    (utterance,) = plan("In New York, C++ and 3M.", lexicon=lexicon)
    assert [word.text for word in utterance.words] == ["In", "New York", "C++", "and", "3M"]


def test_an_entry_keeps_its_place_in_the_source() -> None:
    (utterance,) = plan("Hi, Ngaio!", lexicon=Lexicon.parse("ngaio\tnˈaɪoʊ"))
    word = utterance.words[1]
    assert (word.text, word.char_start, word.char_end) == ("Ngaio", 4, 9)
    assert "".join(utterance.symbols[word.symbol_start : word.symbol_end]) == "nˈaɪoʊ"


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("word", "names:2: a row is"),
        ("word\t", "names:2: a row is"),
        ("a\tb\tc", "names:2: a row is"),
        ("word\tw3rd", "names:2: 3 in"),
        ("word\t/日/", "names:2: 日 in"),
        ("word\t//", "names:2: the pronunciation is empty"),
        ("ok\tother", "names:2: 'ok' is here with two"),
    ],
)
def test_a_bad_row_is_refused_with_its_file_and_line(row: str, cause: str) -> None:
    with pytest.raises(UserError, match=cause):
        Lexicon.parse(f"ok\tokay\n{row}\n", "names")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.tsv"):
        Lexicon.load(tmp_path / "nowhere.tsv")
    (tmp_path / "gbk.tsv").write_bytes("词\tci".encode("gbk"))
    with pytest.raises(UserError, match="UTF-8"):
        Lexicon.load(tmp_path / "gbk.tsv")


def test_the_digest_follows_the_entries_and_not_their_order() -> None:
    one, two = Lexicon.parse("a\tx\nb\ty"), Lexicon.parse("b\ty\na\tx")
    assert one.digest == two.digest != Lexicon.parse("a\tx").digest

"""Private data: found by form and check digits, masked alike everywhere, and never written."""

from __future__ import annotations

import pytest

from pipelines.persona.names import Names
from pipelines.persona.privacy import (
    Masker,
    find_private,
    iban,
    luhn,
    mod_11_2,
    participants,
)


def found(text: str) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in find_private(text, Names(["Mira Lin"]))]


def masked(text: str) -> str | None:
    return Masker(Names(["Mira Lin"])).mask(text)[0]


def test_check_digits_are_those_of_the_standards() -> None:
    assert mod_11_2("11010519491231002X")  # the example of GB 11643
    assert not mod_11_2("110105194912310021")
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert iban("GB82 WEST 1234 5698 7654 32")
    assert not iban("GB82 WEST 1234 5698 7654 33")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("我手机13812345678，白天在", "phone", "13812345678"),
        ("call +49 171 5550142 now", "phone", "+49 171 5550142"),
        ("办公室010-62345678转1", "phone", "010-62345678"),
        ("(415) 555-2671 is mine", "phone", "(415) 555-2671"),
        ("身份证11010519491231002X。", "id", "11010519491231002X"),
        ("ssn 123-45-6789", "id", "123-45-6789"),
        ("卡4111 1111 1111 1111", "card", "4111 1111 1111 1111"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "card", "GB82 WEST 1234 5698 7654 32"),
        ("写信到li.lei@example.com吧", "email", "li.lei@example.com"),
        ("住在北京市朝阳区建国路88号3单元502室", "address", "北京市朝阳区建国路88号3单元502室"),
        ("to 42 Maple Street, Apt 4B please", "address", "42 Maple Street, Apt 4B"),
        ("微信号：night_fox9", "account", "night_fox9"),
        ("the password is Tr0ub4dor", "account", "Tr0ub4dor"),
        ("昨天跟李晓燕吃饭", "name", "李晓燕"),
        ("I saw Hannah Miller", "name", "Hannah Miller"),
        ("Dr. Zweig wants you", "name", "Zweig"),
    ],
)
def test_each_kind_is_found_exactly(text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "3 things on the way home at 3:30 pm for $299.95, version 10.2.14",
        "周五高三开会，任何人都方便，马路上堵了40分钟，共299元",
        "I will come in May, the rest may follow on Monday at Google",
        "2023年10月5日到2024-02-11，20231105",
        "Mira Lin here, Mira is fine",
    ],
)
def test_ordinary_words_and_numbers_stay(text: str) -> None:
    assert found(text) == []
    assert masked(text) == text


def test_the_same_person_and_number_have_the_same_pseudonym_everywhere() -> None:
    masker = Masker(Names())
    participants(masker.names, ["Jonas Weber", "李晓燕"])
    first, _ = masker.mask("Jonas Weber: 138-1234-5678")
    second, _ = masker.mask("ask jonas, 13812345678, or 晓燕, not Petra")
    third, _ = masker.mask("李晓燕和Jonas")
    assert first == "Alder: [phone 1]"
    assert second == "ask Alder, [phone 1], or 阿甲, not Aspen"
    assert third == "阿甲和Alder"
    assert masker.counts == {"name": 6, "phone": 2}
    assert masker.distinct == {"phone": 1, "name": 3}


def test_a_number_that_no_check_explains_drops_the_turn() -> None:
    assert Masker(Names()).mask("take 110105194912310021 for it") == (None, "unsure")
    assert Masker(Names()).mask("backup 20231105 142500 done")[0] is not None


def test_by_choice_whatever_is_private_drops_the_turn() -> None:
    masker = Masker(Names(), drop=True)
    assert masker.mask("call 13812345678") == (None, "private")
    assert masker.mask("call me") == ("call me", "")


def test_more_people_than_pseudonyms_stay_apart() -> None:
    masker = Masker(Names())
    given = {
        masker.pseudonym("name", f"Person{chr(65 + i // 26)}{chr(97 + i % 26)}x") for i in range(60)
    }
    assert len(given) == 60

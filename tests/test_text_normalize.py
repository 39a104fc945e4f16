"""Numbers, dates, abbreviations: what is written becomes what is said, in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vits.text.normalize import normalize
from vits.text.tokens import plain, roman


def spoken(text: str, language: str = "en") -> str:
    """Words and marks as one line; IPA stays between slashes."""
    tokens = normalize(text, language).tokens
    return " ".join(token.mark or " ".join(token.spoken) for token in tokens)


ENGLISH = [
    ("1999", "nineteen ninety-nine"),
    ("1905", "nineteen oh five"),
    ("1900", "nineteen hundred"),
    ("2005", "two thousand five"),
    ("2024", "twenty twenty-four"),
    ("In 1066", "In ten sixty-six"),
    ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
    ("3.14", "three point one four"),
    ("0.5", "zero point five"),
    (".5", "point five"),
    ("-5", "minus five"),
    ("007", "zero zero seven"),
    ("1st, 22nd and 103rd", "first , twenty-second and one hundred third"),
    ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
    ("mid-1990s", "mid nineteen nineties"),
    ("1914-18", "nineteen fourteen to eighteen"),
    ("10–15", "ten to fifteen"),
    ("1/2 and 3/4", "one half and three quarters"),
    ("2½ cups", "two and a half cups"),
    ("3:1", "three to one"),
    ("1.2.3", "one point two point three"),
    ("555-1234", "five five five one two three four"),
    ("10^6", "ten to the power of six"),
    ("$5", "five dollars"),
    ("$1", "one dollar"),
    ("$5.50", "five dollars and fifty cents"),
    ("$0.99", "ninety-nine cents"),
    ("£3.01", "three pounds and one penny"),
    ("$2.5 million", "two point five million dollars"),
    ("€1,000", "one thousand euros"),
    ("-$5", "minus five dollars"),
    ("20%", "twenty percent"),
    ("1 km", "one kilometer"),
    ("10 km", "ten kilometers"),
    ("60 mph", "sixty miles per hour"),
    ("6 ft", "six feet"),
    ("20 °C", "twenty degrees Celsius"),
    ("5 m²", "five square meters"),
    ("6'2\"", "six feet two"),
    ("10:30", "ten thirty"),
    ("10:05", "ten oh five"),
    ("12:00", "twelve o'clock"),
    ("5 p.m.", "five /pˌiːˈɛm/"),
    ("10:30 a.m.", "ten thirty /ˌeɪˈɛm/"),
    ("May 5, 1999", "May fifth , nineteen ninety-nine"),
    ("Sept. 3", "September third"),
    ("5 May 1999", "the fifth of May nineteen ninety-nine"),
    ("2024-05-17", "May seventeenth twenty twenty-four"),
    ("5/17/2024", "May seventeenth twenty twenty-four"),
    ("Mr. and Mrs. Hall", "mister and /mˈɪsɪz/ Hall"),
    ("Dr. Hall lives at Lake Dr.", "doctor Hall lives at Lake drive"),
    ("St. James at Main St.", "saint James at Main street"),
    ("e.g. this, i.e. that", "for example this , that is that"),
    ("cats vs. dogs etc.", "cats versus dogs etc"),
    ("No. 5", "number five"),
    ("No.", "No ."),
    ("Vol. 2, p. 7", "volume two , page seven"),
    ("#1", "number one"),
    ("J. R. Smith", "/dʒˈeɪ/ /ˈɑːɹ/ Smith"),
    ("Chapter IV", "Chapter four"),
    ("Henry VIII", "Henry the eighth"),
    ("World War II", "World War two"),
    ("I am", "I am"),
    ("Malcolm X", "Malcolm /ˈɛks/"),
    ("the FBI and NASA", "the /ˌɛfbˌiːˈaɪ/ and nasa"),
    ("the U.S. army", "the /jˌuːˈɛs/ army"),
    ("on the US side", "on the /jˌuːˈɛs/ side"),
    ("TVs", "/tˌiːvˈiːz/"),
    ("HELP ME NOW", "help me now"),
    ("As it Is", "As it Is"),
    ("MP3 and COVID-19", "/ˌɛmpˈiː/ three and covid nineteen"),
    ("R&B", "/ˈɑːɹ/ and /bˈiː/"),
    ("bob@mail.org", "bob at mail dot org"),
    ("shh", "/ʃː/"),
    ("well-known", "well-known"),
    ("rock 'n' roll", "rock n roll"),
    ("word--word", "word — word"),
    ("wait...", "wait …"),
    ("what?!", "what ?"),
    ("(really)", ", really ,"),
    ("π", "pi"),
    ("Hm, 1,000s of 100s", "/hˈəm/ , thousands of hundreds"),
    ("in 2020/21", "in twenty twenty twenty-one"),
    ("type A or B", "type /ˈeɪ/ or /bˈiː/"),
    ("A man and/or a plan", "A man and or a plan"),
    ("Ask Dr. Who", "Ask doctor Who"),
]


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english_is_read_as_people_read_it(written: str, said: str) -> None:
    assert spoken(written) == said


GERMAN = [
    ("Am 3. Mai 1999", "Am dritten Mai neunzehnhundertneunundneunzig"),
    ("der 3. Mann", "der dritte Mann"),
    ("im 19. Jahrhundert", "im neunzehnten Jahrhundert"),
    ("5,50 €", "fünf Euro fünfzig"),
    ("3,5 km", "drei Komma fünf Kilometer"),
    ("1.000.000", "eine Million"),
    ("10:30 Uhr", "zehn Uhr dreißig"),
    ("24.12.2020", "vierundzwanzigsten Dezember zweitausendzwanzig"),
    ("z. B. Dr. Hall", "zum Beispiel Doktor Hall"),
    ("Ludwig XIV. lebte", "Ludwig der vierzehnte lebte"),
    ("20 %", "zwanzig Prozent"),
    ("„Ja“", "Ja"),
]


@pytest.mark.parametrize(("written", "said"), GERMAN)
def test_german_is_read_as_people_read_it(written: str, said: str) -> None:
    assert spoken(written, "de") == said


def test_a_number_of_many_words_is_one_word_of_the_source() -> None:
    (token,) = [t for t in normalize("it was 1999.", "en").tokens if len(t.spoken) > 1]
    assert (token.char_start, token.char_end) == (7, 11)


def test_a_word_keeps_its_place_behind_typographic_signs() -> None:
    text = "“Ｆｕｌｌ－width，” she said…"  # full-width letters, hyphen and comma
    words = [text[t.char_start : t.char_end] for t in normalize(text, "en").tokens if t.spoken]
    assert words == ["Ｆｕｌｌ－width", "she", "said"]


def test_what_cannot_be_spoken_is_returned_with_its_place() -> None:
    text = "I ♥ 日本 and 🙂."
    assert [text[at] for at in normalize(text, "en").unknown] == ["♥", "日", "本", "🙂"]


def test_a_letter_that_espeak_lacks_inside_a_word_is_reported() -> None:
    normal = normalize("Nguyễn ɓaɓa", "en")
    assert [token.spoken for token in normal.tokens] == [("Nguyen",), ("aa",)]
    assert normal.unknown == (7, 9)


@given(st.text(max_size=60))
def test_plain_text_is_as_long_as_the_source(text: str) -> None:
    assert len(plain(text)) == len(text)


@given(st.text(max_size=60), st.sampled_from(["en", "de"]))
def test_tokens_follow_each_other_inside_the_source(text: str, language: str) -> None:
    end = 0
    for token in normalize(text, language).tokens:
        assert end <= token.char_start < token.char_end <= len(text)
        assert bool(token.mark) != bool(token.spoken)
        end = token.char_end


@given(st.integers(0, 10**18), st.sampled_from(["en", "de"]))
def test_every_number_is_said_in_letters(number: int, language: str) -> None:
    said = spoken(str(number), language)
    assert said
    assert not any(char.isdigit() for char in said)


def test_roman_numerals_are_read_only_if_well_formed() -> None:
    assert [roman(n) for n in ("IV", "XIX", "MCMXCIX", "IIII", "VX", "")] == [
        4,
        19,
        1999,
        *[None] * 3,
    ]

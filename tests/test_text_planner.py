"""Long text is cut where people breathe; nothing of it is lost, and chunks change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vits.errors import UserError
from vits.text import check_script, encode, phonemize_lines, plan, unknown_characters
from vits.text.normalize import is_unspoken
from vits.text.planner import MAX_SYMBOLS
from vits.text.sentences import MARKUP
from vits.text.symbols import PUNCTUATION, SENTENCE_ENDS
from vits.text.tokens import words

WORDS = [
    *sorted(
        words(
            "Hello world was and The He A I U.S. Mr. Dr. St. e.g. etc. J. No. 5 1999 3.14 $5.50 "
            "10:30 p.m. km % III NASA ½ ² '90s www.a.com can't well-known iPhone é ß α ﬁ ễ 日本 🙂"
        )
    ),
    *("of the", "in the", "May 5", "1st"),
]
MARKS = [*"[]()\"'’“”.!?…,;:-–—。_*/&@#", "...", "--", "[pause:1]", "[break]", "[pause:2.5]"]
SPACES = [" ", "  ", "\n", "\n\n", "\t", "\r\n", ". ", ", "]
ODD = ["\u0301", "\u00ad", "\x00", "\u200d", "\ud800"]
PIECES = [*WORDS, *MARKS, *SPACES * 4, *ODD]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.text(max_size=120),
    st.lists(st.sampled_from(["word ", "of the ", "and ", "x, "]), min_size=200, max_size=300).map(
        "".join
    ),
)


def utterances(text: str | list[str], language: str = "en", short: bool = False) -> object:
    """What `plan` gives, or the error that it ends in."""
    try:
        return list(plan(text, language=language, first_clause_short=short))
    except UserError as error:
        return str(error)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(texts, st.integers(1, 40), st.sampled_from(["en", "de"]), st.booleans())
def test_chunks_give_the_utterances_of_the_whole(
    text: str, size: int, language: str, short: bool
) -> None:
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert utterances(chunks, language, short) == utterances(text, language, short)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(texts, st.sampled_from(["en", "de"]), st.booleans())
def test_every_character_is_spoken_or_known_to_be_silent_or_reported(
    text: str, language: str, short: bool
) -> None:
    end = 0
    planned = utterances(text, language, short)
    for utterance in planned if isinstance(planned, list) else []:
        assert not MARKUP.sub("", text[end : utterance.char_start]).strip()
        assert text[utterance.char_start : utterance.char_end] == utterance.text
        end = utterance.char_end
        spoken = {at for word in utterance.words for at in range(word.char_start, word.char_end)}
        for at in set(range(utterance.char_start, end)) - spoken:
            assert is_unspoken(text[at]) or text[at] in utterance.unknown
    if isinstance(planned, list):
        assert not MARKUP.sub("", text[end:]).strip()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(texts, st.sampled_from(["en", "de"]), st.booleans())
def test_words_are_in_order_in_the_source_and_in_the_symbols(
    text: str, language: str, short: bool
) -> None:
    planned = utterances(text, language, short)
    for utterance in planned if isinstance(planned, list) else []:
        place, position = utterance.char_start, 0
        for word in utterance.words:
            assert place <= word.char_start < word.char_end <= utterance.char_end
            assert text[word.char_start : word.char_end] == word.text
            assert position < word.symbol_start < word.symbol_end < len(utterance.symbols)
            sounds = utterance.symbols[word.symbol_start : word.symbol_end]
            assert not set(sounds) & set(PUNCTUATION)
            place, position = word.char_end, word.symbol_end
        if utterance.symbols:
            assert utterance.words
            assert utterance.symbols[0] == f"‹{language}›"
            assert utterance.symbols[-1] in SENTENCE_ENDS
            encode(utterance.symbols)


def sentences(text: str, language: str = "en") -> list[str]:
    return [utterance.text for utterance in plan(text, language=language)]


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Hall met Dr. Grey at 5 p.m. on Main St. in York.",
        "It costs $3.50, i.e. a lot, e.g. for me.",
        "J. R. R. Tolkien wrote it.",
        "The U.S. Army left.",
        '"What?" he asked.',
        '"Go away!" she said.',
        "Wait... what is it?",
        '"Well . . . maybe."',
        "Ask Dr. Who.",
        "See No. 5 and Fig. 2.",
        "Visit www.example.com or mail a.b@c.org now.",
        "A line that is long enough to be wrapped by an editor, and that\ngoes on here.",
    ],
)
def test_a_dot_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "parts",
    [
        ["He came.", "She left."],
        ["Yes!", "No?", "Well…", "Perhaps."],
        ['He said "no."', "She went."],
        ["(He came.)", "She left."],
        ["It was 5 p.m.", "He left."],
        ["He ate apples, pears, etc.", "Then he slept."],
        ["It was vitamin C.", "He took it."],
        ["You and I.", "They know."],
        ["He lives on Main St.", "She does not."],
        ["It was 1999.", "Then it was 2000."],
        ["She went to the U.S.", "The flight was long."],
        ["did you eat.", "no i did not."],
        ["Did he? No.", "He left."][1:],
    ],
)
def test_sentences_end_where_they_end(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts


def test_chinese_full_stops_need_no_space() -> None:
    assert sentences("Hello。World！") == ["Hello。", "World！"]


def test_german_ordinals_do_not_end_sentences() -> None:
    text = "Am 3. Mai kam Ludwig XIV. nach Köln, z. B. mit Dr. Müller."
    assert sentences(text, "de") == [text]
    assert sentences("Er hatte 3. Dann ging er.", "de") == ["Er hatte 3.", "Dann ging er."]


def test_pauses_follow_the_punctuation() -> None:
    text = "One. Two.\n\nThree [pause:2.5] four. [break] Five [pause:500ms][pause:1s]\nTitle\nSix"
    assert [(u.text, u.pause_s) for u in plan(text)] == [
        ("One.", 0.35),
        ("Two.", 0.7),
        ("Three", 2.5),
        ("four.", 0.7),
        ("Five", 1.5),
        ("Title", 0.35),
        ("Six", 0.35),
    ]


def test_a_pause_before_all_text_is_an_utterance_without_symbols() -> None:
    silence, speech = plan("[pause:1] Hi.")
    assert (silence.symbols, silence.words, silence.pause_s) == ((), (), 1.0)
    assert speech.text == "Hi."


@pytest.mark.parametrize("markup", ["[pause:soon]", "[pause:-1]", "[pause:61]", "[pause:1e3]"])
def test_a_pause_that_is_no_length_of_time_is_refused_with_its_place(markup: str) -> None:
    with pytest.raises(UserError, match="at character 6"):
        list(plan(f"Hello {markup} world."))


def test_brackets_that_are_no_markup_are_read() -> None:
    (utterance,) = plan("The [sic] word.")
    assert [word.text for word in utterance.words] == ["The", "sic", "word"]


def test_long_sentences_are_cut_at_clauses_into_like_parts() -> None:
    clause = "and then the old man went down to the river to look for his boat"
    text = ", ".join([clause] * 9) + "."
    parts = list(plan(text))
    assert all(len(part.symbols) <= MAX_SYMBOLS for part in parts)
    assert all(part.text.endswith((",", ".")) for part in parts)
    assert [part.pause_s for part in parts] == [0.15] * (len(parts) - 1) + [0.35]
    assert " ".join(part.text for part in parts) == text


def test_text_without_any_mark_is_cut_between_words() -> None:
    text = "word and more " * 2000
    assert " ".join(part.text for part in plan(text)).split() == text.split()


def test_a_word_without_end_is_spoken_to_its_end() -> None:
    parts = list(plan("a" * 5000))
    assert "".join(part.text for part in parts) == "a" * 5000


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("Well, it was a long and cold night in the old house.", "Well,"),
        ("When the sun had gone down, they went home at last.", "When the sun had gone down,"),
        ("The very old man went down to the river to fish.", "The very old man went down"),
        ("It was a very short one.", "It was a very short one."),
    ],
)
def test_the_first_clause_can_be_short_so_that_sound_comes_soon(text: str, opening: str) -> None:
    parts = list(plan(text + " The second sentence, however, is not cut at its commas.",
                      first_clause_short=True))  # fmt: skip
    assert parts[0].text == opening
    assert parts[-1].text == "The second sentence, however, is not cut at its commas."
    assert all(part.symbols[-1] in SENTENCE_ENDS for part in parts)


def test_a_year_is_one_word_of_the_source_and_many_in_the_symbols() -> None:
    (utterance,) = plan("It was 1999 then.")
    word = utterance.words[2]
    assert word.text == "1999"
    sounds = "".join(utterance.symbols[word.symbol_start : word.symbol_end])
    assert sounds == "nˈaɪntiːn nˈaɪntinˈaɪn"


def test_what_cannot_be_spoken_is_reported_with_its_utterance() -> None:
    first, second = plan("I ♥ 日本 🙂. Fine.")
    assert first.unknown == ("♥", "日", "本", "🙂")
    assert second.unknown == ()
    assert unknown_characters("a🙂b🙂", "en") == ("🙂",)


def test_text_in_another_script_is_refused_and_not_read_as_silence() -> None:
    with pytest.raises(UserError, match=r"another script than 'en'.*Choose the language"):
        list(plan("今天天气很好。"))
    with pytest.raises(UserError, match="character 7"):
        list(plan("Hello. Привет."))
    with pytest.raises(UserError, match="another script"):
        check_script("你好", "de")
    check_script("Hello 你好", "en")
    check_script("🙂", "en")


def test_signs_alone_are_silence() -> None:
    (stars,) = plan("* * *")
    assert (stars.symbols, stars.unknown) == ((), ())
    assert list(plan(" \n ")) == []
    assert list(plan("")) == []


def test_an_unknown_language_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UserError, match="'fr' cannot be read"):
        plan("Bonjour", language="fr")


def test_lines_are_the_utterances_of_their_sentences() -> None:
    lines = ["It was 1999, in the end.", "No. 5 of the U.S. agencies!"]
    planned = [utterance.symbols for line in lines for utterance in plan(line)]
    assert phonemize_lines(lines, "en") == planned


def test_a_sentence_is_spoken_before_the_next_one_is_complete() -> None:
    pulled: list[str] = []

    def stream() -> Iterator[str]:
        for chunk in ["First one. ", "Second ", "is here. ", "Third."]:
            pulled.append(chunk)
            yield chunk

    first = next(plan(stream()))
    assert first.text == "First one."
    assert pulled == ["First one. ", "Second "]


def test_a_book_is_held_a_page_at_a_time() -> None:
    page = "It was the best of times, it was the worst of times. He said: go. " * 4
    pulled = 0

    def book() -> Iterator[str]:
        nonlocal pulled
        for _ in range(60):
            pulled += len(page)
            yield page

    end = 0
    for utterance in plan(book()):
        assert pulled - utterance.char_start < 10 * len(page)
        end = utterance.char_end
    assert end == pulled - 1

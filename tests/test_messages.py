"""Every message has its Chinese, and what is shown is in the reader's language."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import polib
import pytest

from pipelines.i18n.catalogue import fields_of
from recipes.messages import harvest, messages
from recipes.messages.catalogues import COMPLETE, LOCALE, compare, write
from recipes.messages.harvest import Harvest, Message

LANGUAGES = sorted(path.stem for path in LOCALE.glob("*.po"))


def test_every_message_is_translated_and_every_translation_is_said() -> None:
    """`python bootstrap.py messages --write` puts what is missing into the catalogues."""
    lines = [line for language in LANGUAGES for line in compare(language, messages()).lines]
    assert not lines, "\n".join(lines)


def test_chinese_is_complete_by_its_own_word() -> None:
    assert "zh" in COMPLETE
    assert set(LANGUAGES) == {"zh", "ja"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_one_that_gettext_takes(language: str, tmp_path: Path) -> None:
    """No entry twice, none fuzzy, every field in both, and it compiles."""
    entries = polib.pofile(str(LOCALE / f"{language}.po"), check_for_duplicates=True)
    assert not [entry.msgid for entry in entries if "fuzzy" in entry.flags or entry.obsolete]
    for entry in entries:
        if entry.msgstr:
            assert set(fields_of(entry.msgid)) == set(fields_of(entry.msgstr)), entry.msgid
            assert entry.msgid.endswith(" ") or not entry.msgstr.endswith(" "), entry.msgid
    entries.save_as_mofile(str(tmp_path / "compiled.mo"))


def test_chinese_uses_chinese_marks() -> None:
    """Half-width commas and full stops between Chinese characters are slips of the keyboard."""
    wrong = [
        entry.msgstr
        for entry in polib.pofile(str(LOCALE / "zh.po"))
        if any(
            _is_han(before) and mark in ",;?!" and (_is_han(after) or after == " ")
            for before, mark, after in zip(
                entry.msgstr, entry.msgstr[1:], entry.msgstr[2:] + " ", strict=False
            )
        )
    ]
    assert not wrong


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


# --- the harvest


def harvested(tmp_path: Path, code: str) -> set[str]:
    """Messages that are found in a module of pipelines/."""
    for room in ("commands", "pipelines", "data", "vits"):
        (tmp_path / room).mkdir()
    (tmp_path / "cli.py").write_text("")
    (tmp_path / "pipelines" / "x.py").write_text(textwrap.dedent(code))
    return {m.text for m in Harvest(tmp_path).run() if m.places == ("pipelines/x.py",)}


def test_both_sentences_of_an_error_are_found(tmp_path: Path) -> None:
    code = """
    def f(voice, folder):
        raise UserError(f"There is no voice {voice.name!r} in {folder}.", "Check " "the name.")
    """
    assert harvested(tmp_path, code) == {
        "There is no voice {name} in {folder}.",
        "Check the name.",
    }


def test_choices_become_whole_sentences(tmp_path: Path) -> None:
    code = """
    def f(near, name):
        hint = f" (did you mean '{near}'?)" if near else ""
        raise UserError(f"There is no form '{name}'{hint}.", "Look." if near else HELP)

    HELP = "See --help."
    """
    assert harvested(tmp_path, code) == {
        "There is no form '{name}' (did you mean '{near}'?).",
        "There is no form '{name}'.",
        "Look.",
        "See --help.",
    }


def test_a_cause_is_followed_through_helpers_and_parameters(tmp_path: Path) -> None:
    code = """
    def read(path):
        raise _broken("it is empty", path)

    def check(path):
        raise _broken(_why(path), path)

    def _why(path) -> str:
        return f"it has {len(path)} parts"

    def _broken(why, path):
        return UserError(f"{path} cannot be read: {why}.", REMEDY)

    REMEDY = "Get it again."
    """
    assert harvested(tmp_path, code) == {
        "{path} cannot be read: {why}.",
        "it is empty",
        "it has {count:d} parts",
        "Get it again.",
    }


def test_numbers_and_plurals_are_told_apart_from_words(tmp_path: Path) -> None:
    code = """
    def f(report, seconds, clips):
        report.say(f"{plural(clips, 'clip')} of {seconds:.1f} s were read.")
    """
    assert harvested(tmp_path, code) == {
        "{clips} of {seconds:d} s were read.",
        "{count:d} clip",
        "{count:d} clips",
    }


def test_a_text_put_together_step_by_step_is_found_in_steps(tmp_path: Path) -> None:
    code = """
    def f(dropped):
        reasons = "; ".join(f"{d} is silent" for d in dropped)
        if len(dropped) > 3:
            reasons += f"; and {len(dropped)} more"
        raise UserError(f"Nothing is left: {reasons}.", "")
    """
    assert "; and {count:d} more" in harvested(tmp_path, code)


def test_every_user_error_of_the_code_was_understood() -> None:
    """No cause or remedy is built in a way that the harvest cannot follow to words.

    What a library of others says (an exception's own text) is the exception.
    """
    opaque = []
    for module in harvest().modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError":
                for argument in node.args:
                    if harvest().reader.texts(module, argument) is None:
                        opaque.append(f"{module.place}: {ast.unparse(argument)}")
    others = re.compile(r"message|cause(\.replace\(.*\))?|error\.(cause|remedy)")  # click's, theirs
    assert not [line for line in opaque if not others.fullmatch(line.partition(": ")[2])]


# --- keeping the catalogues


def test_writing_adds_what_is_missing_and_drops_what_is_said_no_more(tmp_path: Path) -> None:
    said = [Message("There is no {kind}.", ("a.py",)), Message("New.", ("b.py",))]
    before = polib.POFile()
    before.append(polib.POEntry(msgid="There is no {thing}.", msgstr="没有{thing}。"))
    before.append(polib.POEntry(msgid="Old.", msgstr="旧的。"))
    before.save(str(tmp_path / "zh.po"))
    found = compare("zh", said, tmp_path)
    assert [message.text for message in found.missing] == ["New."]
    assert found.obsolete == ("Old.",)
    write("zh", said, tmp_path)
    after = polib.pofile(str(tmp_path / "zh.po"))
    assert {entry.msgid: entry.msgstr for entry in after} == {
        "There is no {thing}.": "没有{thing}。",  # kept, though the code calls the field otherwise
        "New.": "",
    }


def test_a_translation_with_other_fields_is_told(tmp_path: Path) -> None:
    said = [Message("There is no {kind}.", ("a.py",))]
    before = polib.POFile()
    before.append(polib.POEntry(msgid="There is no {kind}.", msgstr="没有{what}。"))
    before.save(str(tmp_path / "zh.po"))
    assert compare("zh", said, tmp_path).wrong == ("There is no {kind}.",)

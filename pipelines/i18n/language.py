"""Which language the reader wants: CLONE_VOICE_LANG, or else what the system is set to.

The order of the variables is gettext's: LANGUAGE (several, by preference), LC_ALL, LC_MESSAGES,
LANG. Windows has none of them; there the language of its menus counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

LANGUAGES = ("en", "zh", "ja")
VARIABLE = "CLONE_VOICE_LANG"
_asked: ContextVar[str | None] = ContextVar("language", default=None)


def language() -> str:
    """One of LANGUAGES: what `speaking` asks for here, else the environment, else the system."""
    return _asked.get() or _of_environment(os.environ) or _of_system() or "en"


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Messages of this thread, or of this task of a server, are in this language for a while."""
    token = _asked.set(named_language(code) or "en")
    try:
        yield
    finally:
        _asked.reset(token)


def named_language(name: str) -> str | None:
    """zh_CN.UTF-8, zh-Hant, Chinese (Simplified)_China: the language meant, if it is one of ours.

    C and POSIX are English.
    """
    word = name.replace("-", "_").split(".")[0].split("_")[0].split(" ")[0].lower()
    names = {"c": "en", "posix": "en", "english": "en", "chinese": "zh", "japanese": "ja"}
    code = names.get(word, word)
    return code if code in LANGUAGES else None


def _of_environment(environment: Mapping[str, str]) -> str | None:
    """The first language asked for that there is; English for one that there is not."""
    asked = environment.get(VARIABLE, "").split()
    locale = next(
        (environment[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(n)), ""
    )
    if locale.split(".")[0] not in ("", "C", "POSIX"):  # with these, gettext too ignores LANGUAGE
        asked += environment.get("LANGUAGE", "").split(":")
    asked = [name for name in [*asked, locale] if name]
    known = (code for name in asked if (code := named_language(name)))
    return next(known, "en") if asked else None


@cache
def _of_system() -> str | None:
    """The language of the menus, where the environment names none."""
    if sys.platform == "win32":
        import ctypes
        import locale

        number = ctypes.windll.kernel32.GetUserDefaultUILanguage()
        return named_language(locale.windows_locale.get(number, ""))
    return None

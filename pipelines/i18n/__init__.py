"""The reader's language: what is said in English is shown in Chinese or Japanese.

The code says everything in English, as whole sentences. A catalogue (`locale/zh.po`, gettext's
format) holds each of them once more in another language, its fields named as in `str.format`:
"There is no voice {name}." What shows a message to a person (the command line, a page) passes it
through `translated`, which finds the sentence it was made from and fills in the other one:

    with speaking("zh"):
        translated("There is no voice anna.")      # '没有名为 anna 的声音。'

Why not `_()` where a message is raised, as gettext programs do? Because messages here are raised
in worker processes, kept in files that tell how far a shelf of books is, and read by several people
at once, each in their own language; only who shows them knows which. So they travel in English,
which is also what logs and --json hold, and are turned at the door. What a door says of its own
accord, it says by `said("{span} left", span=...)`.

`recipes/messages.py` finds every message in the code and tells which lack a translation; a test
holds the catalogues against it. Catalogues are read as .po files, without a step that compiles
them: there is nothing to forget after an edit, and matching needs the English texts anyway.
"""

from __future__ import annotations

from functools import lru_cache

from pipelines.i18n.language import LANGUAGES, language, named_language, speaking
from vits.errors import UserError

__all__ = [
    "LANGUAGES", "Verbatim", "language", "named_language", "said", "speaking", "told", "translated",
]  # fmt: skip
LONGEST_TEXT = 4000  # characters; what is longer is somebody's text, not a message


class Verbatim(str):
    """A text of somebody's own, which is shown as it is even where it reads like a message."""


def translated(text: str) -> str:
    """A message in the reader's language; unchanged where it is in no catalogue."""
    if isinstance(text, Verbatim):
        return text
    return _translated(text, language()) if len(text) <= LONGEST_TEXT else text


def told(error: UserError) -> tuple[str, str]:
    """An error's cause and remedy in the reader's language."""
    return translated(error.cause), translated(error.remedy)


def said(template: str, **fields: object) -> str:
    """What stands for `template` in the reader's language, with its fields filled in."""
    from pipelines.i18n.catalogue import catalogue

    return catalogue(language()).template(template).format(**fields)


@lru_cache(maxsize=4096)
def _translated(text: str, code: str) -> str:
    from pipelines.i18n.catalogue import catalogue

    return text if code == "en" else catalogue(code).text(text)

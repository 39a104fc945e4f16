"""Every message that the code can show a person, found by reading it, and the catalogues of them.

    python bootstrap.py messages            what has no translation, or is said no more
    python bootstrap.py messages --write    the same, and put it into pipelines/i18n/locale/*.po

`harvest` knows where messages are said, `texts` follows them to their words, `helptexts` reads the
commands' help, `catalogues` compares with the .po files and mends those.
"""

from __future__ import annotations

from functools import cache

from recipes.messages.harvest import Harvest, Message
from recipes.messages.helptexts import help_messages

__all__ = ["Message", "harvest", "messages"]


@cache
def harvest() -> Harvest:
    """The project's code, read once."""
    return Harvest()


@cache
def messages() -> tuple[Message, ...]:
    """Everything, each shape of a message once, in the order of files."""
    merged: dict[str, Message] = {}
    for message in [*harvest().run(), *help_messages()]:
        before = merged.get(message.shape)
        places = tuple(sorted({*message.places, *(before.places if before else ())}))
        merged[message.shape] = Message(before.text if before else message.text, places)
    return tuple(sorted(merged.values(), key=lambda m: (m.places[0], m.text)))

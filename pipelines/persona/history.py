"""What was said before: `history.jsonl` of the persona, which can be deleted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipelines.llm.chat import Message
from vits.errors import UserError
from vits.files import write_text

HISTORY = "history.jsonl"


def read_history(folder: Path) -> list[Message]:
    """What was said before; UserError for a file that is damaged."""
    path = folder / HISTORY
    if not path.exists():
        return []
    try:
        entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return [Message(entry["role"], entry["content"]) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged.", "Delete it, or begin anew with: digital-human chat --clear."
        ) from error


def write_history(folder: Path, history: Sequence[Message]) -> None:
    lines = ({"role": m.role, "content": m.content} for m in history)
    write_text(folder / HISTORY, "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines))


def clear_history(folder: Path) -> None:
    (folder / HISTORY).unlink(missing_ok=True)

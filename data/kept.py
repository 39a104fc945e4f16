"""What was worked out about a recording, kept by the hash of all that decides it.

Plain JSON in a hidden folder of the data set: the same question is not answered twice, and it may
be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vits.files import write_text

FOLDER = ".cache"


class Kept:
    """Answers in one folder. `fresh` counts those that had to be worked out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self.fresh = 0

    def get_or_make(self, stage: str, decides: object, make: Callable[[], Any]) -> Any:
        """The JSON value that `stage` has for `decides`; `make` works out what is missing."""
        text = json.dumps([stage, decides], ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        path = self.folder / f"{stage}-{digest}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there, or cut off
            value = make()
        self.fresh += 1
        write_text(path, json.dumps(value, ensure_ascii=False))
        return value

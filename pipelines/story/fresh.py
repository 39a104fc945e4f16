"""`story new`: a story.yaml to write oneself, with everything it may hold shown."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pipelines.story.storyfile import FILE_NAME
from vits.errors import UserError
from vits.files import write_text


def new_story(folder: Path) -> Path:
    """Write the template into `folder`. UserError where a story is there already."""
    target = folder / FILE_NAME
    if target.exists():
        raise UserError(f"{target} is there already.", "Choose another folder, or edit that one.")
    write_text(target, files("pipelines.story").joinpath("template.yaml").read_text("utf-8"))
    return target

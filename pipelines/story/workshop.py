"""One story's pictures and spoken lines: what each is made of, whether it is there, the making.

The user's own files come first, then what is pinned, then what artist and narrator make.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.assets import Assets
from pipelines.story import own
from pipelines.story.illustrators import Illustrator, make_picture, picture_key
from pipelines.story.narrator import (
    SUFFIXES,
    Narration,
    Narrator,
    narrate,
    narration_key,
    read_narration,
)
from pipelines.story.script import Line, Scene, Story
from pipelines.story.takes import Takes, Target

log = logging.getLogger(__name__)


@dataclass
class Workshop:
    """Makes the parts of `story` in `folder`. The story has the seeds of its takes already."""

    story: Story
    folder: Path
    takes: Takes
    artist: Illustrator
    narrator: Narrator
    source: Path | None = None  # where the user's own files are, if not in `folder`
    pictures: Assets = field(init=False)
    audio: Assets = field(init=False)

    def __post_init__(self) -> None:
        self.pictures = Assets(self.folder / "pictures")
        self.audio = Assets(self.folder / "audio")
        self.source = self.source or self.folder

    # ------------------------------------------------------------ pictures

    def picture_name(self, scene: Scene) -> str:
        """The key of the scene's picture among the assets."""
        if scene.image:
            return own.own_picture_key(scene, self._source)
        return self._kept_picture(scene) or picture_key(self.artist, scene, self.story)

    def has_picture(self, scene: Scene) -> bool:
        return self.pictures.has(self.picture_name(scene), ".png")

    def picture(self, scene: Scene) -> Path:
        """The scene's picture, made if it is not there."""
        if scene.image:
            return own.own_picture(scene, self._source, self.pictures)
        if kept := self._kept_picture(scene):
            return self.pictures.path(kept, ".png")
        return make_picture(self.artist, scene, self.story, self.pictures)

    def _kept_picture(self, scene: Scene) -> str:
        key = self.takes.of_picture(scene).keep
        if key and not self.pictures.has(key, ".png"):
            log.warning("the picture kept for scene %s is gone; it is made anew", scene.id)
            return ""
        return key

    # ------------------------------------------------------------ lines

    def line_name(self, scene: Scene, line: Line) -> str:
        """The key of the spoken line among the assets."""
        if line.audio:
            return own.own_recording_key(line, self.story, self._source)
        return self._kept_line(scene, line) or narration_key(self.narrator, line)

    def has_line(self, scene: Scene, line: Line) -> bool:
        key = self.line_name(scene, line)
        return all(self.audio.has(key, suffix) for suffix in SUFFIXES)

    def spoken(self, scene: Scene, line: Line) -> Narration:
        """The line as sound and words, spoken if it is not there."""
        if line.audio:
            return self._recorded(line)
        if kept := self._kept_line(scene, line):
            return read_narration(*(self.audio.path(kept, suffix) for suffix in SUFFIXES))
        return narrate(self.narrator, line, self.audio)

    def _recorded(self, line: Line) -> Narration:
        key = own.own_recording_key(line, self.story, self._source)
        paths = self.audio.get_or_make_all(
            key,
            SUFFIXES,
            lambda parts: own.write_recording(line, self.story, self._source, *parts),
        )
        return read_narration(*paths)

    def _kept_line(self, scene: Scene, line: Line) -> str:
        key = self.takes.of_line(scene, line).keep
        if key and not all(self.audio.has(key, suffix) for suffix in SUFFIXES):
            log.warning("what was kept of '%s' is gone; it is spoken anew", line.shown[:40])
            return ""
        return key

    # ------------------------------------------------------------ either

    def name_of(self, target: Target) -> str:
        if target.line is None:
            return self.picture_name(target.scene)
        return self.line_name(target.scene, target.line)

    def has(self, target: Target) -> bool:
        if target.line is None:
            return self.has_picture(target.scene)
        return self.has_line(target.scene, target.line)

    @property
    def _source(self) -> Path:
        assert self.source is not None
        return self.source

"""Before a story is made: its source written or found, its folder, and who makes its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.assets import Assets, asset_key
from pipelines.media.phrases import phrase
from pipelines.progress import OnProgress
from pipelines.story.forms import Wishes
from pipelines.story.illustrators import DEFAULT, Illustrator, illustrator
from pipelines.story.narrator import Narrator, VoiceNarrator
from pipelines.story.own import own_file
from pipelines.story.script import Line, Story
from pipelines.story.storyfile import FILE_NAME, dump_story
from pipelines.story.takes import another_take, read_takes, targets, with_takes, write_takes
from pipelines.story.workshop import Workshop
from pipelines.story.writer import STORY_SUFFIXES, TEXT_SUFFIXES, is_idea
from vits.errors import UserError
from vits.files import atomic_file, cannot_write


def with_notice(story: Story) -> Story:
    """The story with a last line in which the narrator says that a machine speaks."""
    *others, last = story.scenes
    line = Line(text=phrase(story.language, "spoken"))
    ended = last.model_copy(update={"lines": (*last.lines, line)})
    return story.model_copy(update={"scenes": (*others, ended)})


def written(
    source: str | Path,
    out: Path,
    llm: str,
    wishes: Wishes | None,
    language: str | None,
    on_event: OnProgress,
) -> tuple[str | Path, str]:
    """The source, or `out` where a language model has written the story into it, and what the
    model's work came to, in words ('' where none was asked)."""
    idea = is_idea(str(source))
    is_text = Path(str(source)[:200]).suffix.lower() in TEXT_SUFFIXES
    if not idea and not (llm and is_text):
        return source, ""
    from pipelines.story.writing import write

    wishes = wishes or Wishes(language="")
    wishes = replace(wishes, language=wishes.language or language or "")
    _, model = write(str(source), out, llm=llm, wishes=wishes, on_event=on_event)
    used = model.usage if model else None
    return out, used.line if used and used.requests else ""


def open_workshop(
    story: Story,
    out: Path,
    voice: str,
    narrator: Narrator | None = None,
    artist: Illustrator | None = None,
    device: str = "cpu",
    *,
    redo: Sequence[str] = (),
) -> Workshop:
    """All that makes the parts of `story` in `out`, its takes heeded and those of `redo` added."""
    takes = read_takes(out)
    if redo:
        wanted = [target for wish in redo for target in targets(story, wish)]
        takes = another_take(takes, wanted)
        write_takes(takes, out)
    story = with_takes(story, takes)
    narrator = narrator or VoiceNarrator(story, voice, device=device)
    return Workshop(story, out, takes, artist or illustrator(DEFAULT), narrator)


def story_folder(source: str | Path) -> Path:
    """The folder that the files named in the story of `source` are looked for in."""
    return Path(source) if Path(source).is_dir() else Path(source).parent


def keep_own(story: Story, folder: Path, out: Path) -> None:
    """Bring the user's own pictures and recordings along, so that `out` is whole by itself."""
    if folder.resolve() == out.resolve():
        return
    names = [scene.image for scene in story.all_scenes]
    names += [line.audio for scene in story.scenes for line in scene.lines]
    for name in filter(None, names):
        data = own_file(folder, name, "story").read_bytes()
        target = out / name
        if not target.is_file() or target.read_bytes() != data:
            with atomic_file(target) as file:
                file.write(data)


def make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error


def keep_story(source: Path, story: Story, out: Path) -> None:
    """Put the told story into its folder, unless it is there or somebody has edited it there."""
    target = out / FILE_NAME
    origin = source / FILE_NAME if source.is_dir() else source
    if target.is_file() and target.samefile(origin):
        return
    is_story = origin.suffix.lower() in STORY_SUFFIXES
    text = origin.read_bytes() if is_story else dump_story(story).encode()
    if target.is_file() and target.read_bytes() == text:
        return
    assets = Assets(out)
    if not assets.is_ours(FILE_NAME):
        raise UserError(
            f"{target} was edited, or belongs to another story; it would be lost.",
            f"Render that one with 'story render {out}', or choose another folder with -o.",
        )
    key = asset_key("story", 1, {"text": text.decode("utf-8", "replace")})
    assets.publish(key, FILE_NAME, lambda path: path.write_bytes(text))

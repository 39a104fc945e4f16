"""`story write`: a story folder from an idea, an outline, a text, or a story in another language.

What a language model answered is kept in DIR/writing, so that a killed run goes on and a second
one asks nothing again.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from pipelines.assets import Assets, asset_key
from pipelines.llm import LanguageModel, open_model
from pipelines.llm.config import default_model
from pipelines.llm.memo import Remembering
from pipelines.progress import OnProgress, silent
from pipelines.story.author import STAGE, Author
from pipelines.story.drafts import check_language
from pipelines.story.forms import Wishes
from pipelines.story.labelling import label_paragraphs
from pipelines.story.past import Past
from pipelines.story.script import Story
from pipelines.story.storyfile import FILE_NAME, dump_story
from pipelines.story.translating import translate
from pipelines.story.writer import (
    STORY_SUFFIXES,
    TEXT_SUFFIXES,
    by_rules,
    is_idea,
    no_such_source,
    read_text,
    story_from,
    story_language,
)
from vits.errors import UserError

ANSWERS = "writing"  # the folder of what the model said
_BULLET = re.compile(r"^\s*(?:[-*+•·]|\d{1,2}[.)、]|[一二三四五六七八九十]{1,3}[、.])\s*\S")


def write(
    source: str,
    out: Path,
    *,
    llm: str | LanguageModel = "",
    wishes: Wishes | None = None,
    retell: bool = False,
    translate_to: str | None = None,
    device: str = "auto",
    on_event: OnProgress = silent,
) -> tuple[Path, LanguageModel | None]:
    """Write story.yaml into `out`; returns its path and the model that was used, if one was.

    `source` is an idea in words, the path of an outline (a list) or of a text, or a story. A text
    keeps its words unless `retell` asks for others. A story.yaml that was written for the same
    source and wishes is left as it is, edits and all. UserError where another is in the way, and
    for an idea without a model.
    """
    wishes = wishes or Wishes(language="")
    text, kind = _read(source, retell)
    if not wishes.language and kind not in ("story", "text"):
        wishes = replace(wishes, language=story_language([text]))
    for language in filter(None, (wishes.language, translate_to)):
        check_language(language)
    facts = {"text": text, "kind": kind, "wishes": asdict(wishes), "to": translate_to}
    key = asset_key("written", 1, facts)
    model = _model(llm, out, device)
    assets = Assets(out)
    if assets.was_made_for(key, FILE_NAME):
        return out / FILE_NAME, model
    _check_free(out / FILE_NAME, assets, _story_path(source) if kind == "story" else None)

    if translate_to or kind not in ("story", "text"):
        _needed(model, source)

    def story() -> Story:
        made = _written(source, text, kind, model, wishes, on_event)
        if translate_to:
            made = translate(made, translate_to, _needed(model, source), on_event=on_event)
        return made

    began = time.monotonic()
    assets.publish(key, FILE_NAME, lambda path: path.write_text(dump_story(story()), "utf-8"))
    if kind not in ("story", "text"):
        past = Past.load()
        past.note(STAGE, wishes.count, time.monotonic() - began)
        past.save()
    return out / FILE_NAME, model


def _check_free(target: Path, assets: Assets, origin: Path | None) -> None:
    """UserError where writing would lose what somebody wrote."""
    if origin is not None and target.is_file() and target.samefile(origin):
        raise UserError(f"{target} is a story already.", "Choose another folder with -o.")
    if not assets.is_ours(FILE_NAME):
        raise UserError(
            f"{target} was edited, or belongs to another story; it would be lost.",
            "Choose another folder with -o, or move the file away.",
        )


def _model(llm: str | LanguageModel, out: Path, device: str) -> LanguageModel | None:
    """The model that is asked for, or the one set up; its answers are kept in `out`."""
    if not isinstance(llm, str):
        return Remembering(llm, Assets(out / ANSWERS))
    spec = llm or default_model()
    return Remembering(open_model(spec, device=device), Assets(out / ANSWERS)) if spec else None


def _read(source: str, retell: bool) -> tuple[str, str]:
    """What `source` holds, and whether it is an idea, an outline, a text or a story."""
    if is_idea(source):
        return source, "idea"
    path = Path(source)
    if path.is_dir() or path.suffix.lower() in STORY_SUFFIXES:
        story = story_from(path)
        return dump_story(story), "story"
    if not path.is_file():
        raise no_such_source(source)
    if path.suffix.lower() not in TEXT_SUFFIXES:
        story_from(path)  # says what can be read
    text = read_text(path)
    if is_outline(text):
        return text, "outline"
    return text, "retell" if retell else "text"


def is_outline(text: str) -> bool:
    """Whether a text is a list: at least three lines begin with a bullet, and most do."""
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    bullets = sum(bool(_BULLET.match(line)) for line in lines)
    return bullets >= 3 and bullets >= 0.6 * len(lines)


def _written(
    source: str,
    text: str,
    kind: str,
    model: LanguageModel | None,
    wishes: Wishes,
    on_event: OnProgress,
) -> Story:
    if kind == "story":
        return story_from(source)
    if kind == "text":
        found = partial(label_paragraphs, model=model, seed=wishes.seed) if model else by_rules
        return story_from(source, language=wishes.language or None, attribute=found)
    if kind == "outline" and wishes.scenes is None:
        bullets = sum(bool(_BULLET.match(line)) for line in text.split("\n"))
        wishes = replace(wishes, scenes=min(bullets, 60))
    return Author(_needed(model, source), wishes, on_event).write(text)


def _needed(model: LanguageModel | None, source: str) -> LanguageModel:
    if model is None:
        raise (
            no_such_source(source)
            if is_idea(source)
            else UserError(
                f"Nobody can write {source} in other words: no language model is set up.",
                "Name one with --llm (hf:FOLDER_OR_ID, openai:MODEL@URL, ollama:qwen3).",
            )
        )
    return model


def _story_path(source: str) -> Path:
    return Path(source) / FILE_NAME if Path(source).is_dir() else Path(source)

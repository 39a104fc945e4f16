"""The programs `clone-voice`, `story` and `digital-human`: which commands belong to each.

Nothing heavy is imported before a command runs, so that --help answers at once.
"""

from __future__ import annotations

from commands import (
    audiobooks,
    authoring,
    books,
    converting,
    doctor,
    evaluating,
    exporting,
    importing,
    persona,
    pictures,
    preparing,
    serving,
    sounds,
    speaking,
    stories,
    studio,
    talking,
    training,
    tuning,
    voices,
)
from commands.reporting import command_group

clone_voice = command_group(
    "clone-voice",
    "Turn about 20 short clips into a voice, and speak.",
    preparing.script,
    preparing.prepare,
    training.train,
    training.pretrain,
    evaluating.evaluate,
    evaluating.compare,
    speaking.say,
    serving.serve,
    converting.convert,
    studio.studio,
    sounds.phonemes,
    voices.list_command,
    voices.show,
    voices.remove,
    voices.rename,
    voices.pack,
    voices.add,
    importing.import_command,
    exporting.export,
    doctor.doctor,
)
story = command_group(
    "story",
    "Tell a story with a voice: a film, a page, subtitles, sound.",
    stories.render,
    authoring.write,
    authoring.new,
    authoring.check,
    authoring.pin,
    authoring.prompt,
    stories.demo,
    pictures.picture,
    pictures.models,
    books.chapters,
    audiobooks.audiobook,
    audiobooks.batch,
)
digital_human = command_group(
    "digital-human",
    "A digital human: one person's words, knowledge and voice. It says that it is an AI.",
    persona.learn,
    tuning.train,
    tuning.merge,
    tuning.prefer,
    talking.remember,
    talking.chat,
    talking.say,
    talking.serve,
)


def clone_voice_main() -> None:
    """Entry point of `clone-voice`."""
    clone_voice()


def story_main() -> None:
    """Entry point of `story`."""
    story()


def digital_human_main() -> None:
    """Entry point of `digital-human`."""
    digital_human()

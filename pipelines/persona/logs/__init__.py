"""What people wrote to each other, as the usual programs export it, read message by message."""

from pipelines.persona.logs.message import Kind, Message
from pipelines.persona.logs.reading import Log, open_log

__all__ = ["Kind", "Log", "Message", "open_log"]

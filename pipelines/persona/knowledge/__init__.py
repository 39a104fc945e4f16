"""What a persona knows: its documents in passages, found by meaning and by words together."""

from pipelines.persona.knowledge.base import Found, Knowledge

__all__ = ["Found", "Knowledge"]

"""The one exception for anything a user can cause: what happened, and what to do about it."""

from __future__ import annotations


class UserError(Exception):
    """A problem the user can mend.

    `cause` says what is wrong and where; `remedy` says what to do. Both are whole sentences,
    so that `str(error)` is the one clear line that the commands print.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        """Survive the trip back from a worker process."""
        return UserError, (self.cause, self.remedy)

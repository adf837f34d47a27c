"""What can go wrong for the page."""

from datetime import datetime


class WebError(Exception):
    """The page cannot start or go on; the text names the place, the reason and the fix."""


class AccountError(Exception):
    """An account cannot be made or changed so; the text says why, for people."""


class NotFoundError(Exception):
    """What was asked for is not in the log, or its address is none."""


class GoneError(Exception):
    """What was asked for had its time.

    Attributes:
        since: When it went, if that is known.
    """

    def __init__(self, what: str, since: datetime | None = None) -> None:
        super().__init__(what)
        self.since = since


class TooSlowError(Exception):
    """A query took longer than anybody waits for."""


class WrongInputError(Exception):
    """A filter or a form says what cannot be; the text says what to write, for people."""

"""What can go wrong for the page, with the fix in the text."""

from cleandesk.worker.protocol import Failed


class PageError(Exception):
    """The page cannot start or go on; the text names the place, the reason and the fix."""


class BoxUnreachableError(Exception):
    """The box does not answer on its socket, or not as agreed."""


class BoxFailedError(Exception):
    """The box did not do what it was asked.

    Attributes:
        failed: Its answer.
    """

    def __init__(self, failed: Failed) -> None:
        super().__init__(f"{failed.reason}: {failed.detail}")
        self.failed = failed

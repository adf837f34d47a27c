"""Why an update is not installed."""


class UpdateError(Exception):
    """The update is refused; the text says why, and what to do about it."""

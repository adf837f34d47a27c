"""What can go wrong on the worker's side."""


class PinError(Exception):
    """A pin cannot be used; the text names it, the reason and the fix."""

"""How a detector fails."""

from pathlib import Path


class ModelError(Exception):
    """A model that cannot be used: the place, the reason and the fix in one line."""

    def __init__(self, place: Path, reason: str, fix: str) -> None:
        super().__init__(f"{place}: {reason}; {fix}")
        self.place = place
        self.reason = reason
        self.fix = fix

"""How a still is not made."""

from enum import StrEnum
from pathlib import Path


class EvidenceError(Exception):
    """Stills cannot be made at all: the place, the reason and the fix in one line."""

    def __init__(self, place: Path | str, reason: str, fix: str) -> None:
        super().__init__(f"{place}: {reason}; {fix}")
        self.place = place
        self.reason = reason
        self.fix = fix


class Refusal(StrEnum):
    """Why there is no still of one violation. None of them is a fault."""

    COVERED = "covered"
    TOO_SMALL = "too_small"
    FACE = "face"


class StillRefusedError(Exception):
    """There is no still of this violation, and why.

    Attributes:
        refusal: For programs.
    """

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(f"no still: {reason}")
        self.refusal = refusal

"""What can be wrong with a model that is one file."""

from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with an artefact, for programs."""

    DAMAGED = "damaged"
    TRUNCATED = "truncated"
    UNTRUSTED = "untrusted"


class ArtefactError(Exception):
    """An artefact that is not taken.

    Attributes:
        fault: What kind.
        reason: Why.
        fix: What to do about it.
    """

    def __init__(self, fault: Fault, reason: str, fix: str) -> None:
        super().__init__(f"{reason}: {fix} [{fault}]")
        self.fault, self.reason, self.fix = fault, reason, fix

"""The one picture that may leave the box: a violation's thing, and nobody."""

from cleandesk.evidence.errors import EvidenceError, Refusal, StillRefusedError
from cleandesk.evidence.still import Still, StillMaker

__all__ = ["EvidenceError", "Refusal", "Still", "StillMaker", "StillRefusedError"]

"""The one picture that may leave the box: a violation's thing, and nobody."""

from cleandesk.evidence.background import Background, Job
from cleandesk.evidence.errors import EvidenceError, Refusal, StillRefusedError
from cleandesk.evidence.still import Still, StillMaker
from cleandesk.evidence.taking import Taking

__all__ = [
    "Background",
    "EvidenceError",
    "Job",
    "Refusal",
    "Still",
    "StillMaker",
    "StillRefusedError",
    "Taking",
]

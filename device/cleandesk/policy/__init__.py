"""From detections to violations, by rules; no input or output, no clock of its own."""

from cleandesk.policy.change import Change, Place, Progress
from cleandesk.policy.policy import Policy, RuleError
from cleandesk.policy.state import PolicyState

__all__ = ["Change", "Place", "Policy", "PolicyState", "Progress", "RuleError"]

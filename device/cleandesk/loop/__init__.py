"""From a frame to what the policy says of it, waiting for nothing but the model."""

from cleandesk.loop.gate import Gate
from cleandesk.loop.governor import Governor
from cleandesk.loop.looker import Looker, Seen
from cleandesk.loop.needs import Needs, needs_of
from cleandesk.loop.preparer import Preparer, Ready
from cleandesk.loop.tray import Tray

__all__ = [
    "Gate",
    "Governor",
    "Looker",
    "Needs",
    "Preparer",
    "Ready",
    "Seen",
    "Tray",
    "needs_of",
]

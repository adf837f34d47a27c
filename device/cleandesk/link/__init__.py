"""What leaves the box: the outbox that keeps events, and the link that carries them."""

from cleandesk.link.errors import OutboxAccessError, OutboxBusyError, OutboxError
from cleandesk.link.events import EventMaker, closing
from cleandesk.link.link import Link
from cleandesk.link.outbox import Outbox

__all__ = [
    "EventMaker",
    "Link",
    "Outbox",
    "OutboxAccessError",
    "OutboxBusyError",
    "OutboxError",
    "closing",
]

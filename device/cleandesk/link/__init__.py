"""What leaves the box: the outbox that keeps events, and the link that carries them."""

from cleandesk.link.chain import Entry, Verdict, Walk
from cleandesk.link.errors import (
    LedgerUnreadableError,
    OutboxAccessError,
    OutboxBusyError,
    OutboxError,
    OutboxHeldError,
)
from cleandesk.link.events import EventMaker, closing
from cleandesk.link.link import Link
from cleandesk.link.outbox import Outbox
from cleandesk.link.paper import Paper
from cleandesk.link.standing import Standing

__all__ = [
    "Entry",
    "EventMaker",
    "LedgerUnreadableError",
    "Link",
    "Outbox",
    "OutboxAccessError",
    "OutboxBusyError",
    "OutboxError",
    "OutboxHeldError",
    "Paper",
    "Standing",
    "Verdict",
    "Walk",
    "closing",
]

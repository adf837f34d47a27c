"""What a new process takes over from the ledger."""

import logging
from collections.abc import Collection

from cleandesk.contract.topics import Channel
from cleandesk.link import Entry, LedgerUnreadableError, Outbox

log = logging.getLogger(__name__)

_READ, _PAGE = 2000, 200


def recall(outbox: Outbox, wanted: Collection[Channel]) -> list[Entry]:
    """Return those of the ledger's newest 2000 entries that are of these channels, oldest first."""
    found: list[Entry] = []
    before: int | None = None
    for _ in range(_READ // _PAGE):
        try:
            entries = outbox.ledger(before, _PAGE)
        except LedgerUnreadableError as error:
            log.warning("earlier violations and answers are forgotten", extra={"why": str(error)})
            break
        if not entries:
            break
        before = entries[-1].number
        found += [one for one in entries if one.kind in wanted]
    return found[::-1]

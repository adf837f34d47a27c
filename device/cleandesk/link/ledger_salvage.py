"""What can still be read of a damaged file's ledger, and which entries are missing."""

import sqlite3
from dataclasses import dataclass, field

from cleandesk.contract.topics import Channel
from cleandesk.link import loss
from cleandesk.link.chain import FIRST, Anchor, Entry, Gap
from cleandesk.link.ledger import COLUMNS, entry
from cleandesk.link.readable import readable_rows
from cleandesk.link.records import Waiting

_ANSWERED = frozenset({Channel.APPEAL.value, Channel.STILL.value})
#: Nobody knows any more for how long a still was to be held back: longer than any site's delay.
_HOLD_S = 24 * 3600.0
_SETTLED_BY_PUBACK = frozenset({Channel.IDLE.value, Channel.COMMAND.value})


@dataclass(slots=True)
class LedgerSalvage:
    """What came out of a damaged file.

    Attributes:
        entries: Those that are whole, in order, with their own numbers and hashes.
        anchor: Where the ledger began; without its word everything from 1 on.
        gaps: Entries that were given out and are not there.
    """

    entries: list[Entry] = field(default_factory=list)
    anchor: Anchor = FIRST
    gaps: tuple[Gap, ...] = ()

    def find_gaps(self, last: int) -> None:
        """Say what is missing, up to the highest number that was given out or is there."""
        numbers = [one.number for one in self.entries]
        missing = loss.gaps(self.anchor.number + 1, max([last, *numbers]), numbers)
        self.gaps = tuple(Gap(first, last) for first, last in missing)

    def numbers(self) -> dict[str, int]:
        """Return the numbers of events, by event_id."""
        events = (one for one in self.entries if one.kind == Channel.VIOLATION.value)
        return {one.message_id: one.number for one in events}

    def papers(self) -> list[Waiting]:
        """Return what was not settled, in order."""
        return [
            Waiting(
                one.number,
                answered=one.kind in _ANSWERED,
                hold_s=_HOLD_S if one.kind == Channel.STILL.value else 0.0,
            )
            for one in self.entries
            if (one.kind in _ANSWERED and one.answer is None)
            or (one.kind in _SETTLED_BY_PUBACK and one.sent_at is None)
        ]


def read_ledger(db: sqlite3.Connection, last: int) -> list[Entry]:
    """Return the entries that are whole.

    Args:
        db: The damaged file.
        last: The highest number that was given out, as far as is known.
    """
    found: list[Entry] = []
    select = f"SELECT {COLUMNS} FROM ledger NOT INDEXED"  # noqa: S608 - constants
    for row in readable_rows(db, select, "number", last):
        try:
            found.append(entry(row))
        except ValueError:
            continue  # it is counted among the missing
    return found

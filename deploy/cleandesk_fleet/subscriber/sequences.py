"""Which numbers of a box's events are logged, missing or lost: nothing goes unnoticed.

A box numbers its events from 1 in each epoch. Up to `top` every number is logged, in a gap or in
a loss; above it only losses are known. Gaps and losses are kept as ranges that never overlap, so
that the cost of a message does not grow with the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.tables import epochs, gaps, losses

Range = tuple[int, int]  # first and last, both included


@dataclass(slots=True)
class _Head:
    top: int = 0
    lost_top: int = 0
    missing: int = 0
    known: bool = False


class Sequence:
    """One epoch of one box, within one transaction; `save` it before the commit."""

    def __init__(self, connection: Connection, address: Address, epoch: str) -> None:
        self._connection = connection
        self._key = {"site": address.site, "box": address.box, "epoch": epoch}
        row = connection.execute(
            select(epochs.c.top, epochs.c.lost_top, epochs.c.missing).where(self._ours(epochs))
        ).first()
        self._head = _Head(row.top, row.lost_top, row.missing, known=True) if row else _Head()
        #: Whether a gap began, changed or ended within this transaction.
        self.gaps_changed = False

    @property
    def missing(self) -> int:
        """How many events are in gaps: neither logged nor reported lost."""
        return self._head.missing

    def arrive(self, seq: int) -> bool:
        """Take note that an event is logged.

        Returns:
            False if its number was logged before.
        """
        head = self._head
        if seq <= head.top:
            return self._fill(gaps, seq) or self._fill(losses, seq)
        self._miss(head.top + 1, seq - 1)
        if seq <= head.lost_top:
            self._fill(losses, seq)
        head.top = seq
        return True

    def expect(self, last: int) -> None:
        """Take note that the box has nothing more to send up to a number: what lacks is a gap."""
        if last > self._head.top:
            self._miss(self._head.top + 1, last)
            self._head.top = last

    def lose(self, first: int, last: int, reason: str, now: datetime) -> int:
        """Take note that events will not come; those that are logged stay logged.

        Returns:
            How many of them were not known to be lost.
        """
        head = self._head
        lost = self._carve(first, min(last, head.top)) if head.missing else []
        beyond = (max(first, head.top + 1), last)
        if beyond[0] <= last:
            lost += subtract(beyond, self._overlapping(losses, *beyond))
            head.lost_top = max(head.lost_top, last)
        for start, end in lost:
            self._insert(losses, start, end, reason=reason, reported_at=now)
        return count(lost)

    def gaps(self, limit: int) -> list[Range]:
        """Return the first gaps."""
        rows = self._connection.execute(
            select(gaps.c.first, gaps.c.last)
            .where(self._ours(gaps))
            .order_by(gaps.c.first)
            .limit(limit)
        )
        return [(row.first, row.last) for row in rows]

    def save(self) -> None:
        """Write the counts back."""
        head = self._head
        values = {"top": head.top, "lost_top": head.lost_top, "missing": head.missing}
        if head.known:
            self._connection.execute(epochs.update().where(self._ours(epochs)).values(values))
        else:
            self._connection.execute(epochs.insert().values(**self._key, **values))
            head.known = True

    def _miss(self, first: int, last: int) -> None:
        if first > last:
            return
        lost = self._overlapping(losses, first, last) if first <= self._head.lost_top else []
        for start, end in subtract((first, last), lost):
            self._insert(gaps, start, end)
            self._head.missing += end - start + 1
            self.gaps_changed = True

    def _carve(self, first: int, last: int) -> list[Range]:
        """Take what overlaps a range out of the gaps, and return it."""
        taken: list[Range] = []
        for gap in self._overlapping(gaps, first, last):
            self._delete(gaps, gap[0])
            for start, end in subtract(gap, [(first, last)]):
                self._insert(gaps, start, end)
            taken.append((max(first, gap[0]), min(last, gap[1])))
            self.gaps_changed = True
        self._head.missing -= count(taken)
        return taken

    def _fill(self, table: Table, seq: int) -> bool:
        """Take one number out of the range that holds it; say whether there was one."""
        row = self._connection.execute(
            select(table).where(self._ours(table), table.c.first <= seq, table.c.last >= seq)
        ).first()
        if row is None:
            return False
        self._delete(table, row.first)
        rest = {k: v for k, v in row._mapping.items() if k in {"reason", "reported_at"}}  # noqa: SLF001 - public by SQLAlchemy's documentation
        for start, end in subtract((row.first, row.last), [(seq, seq)]):
            self._insert(table, start, end, **rest)
        if table is gaps:
            self._head.missing -= 1
            self.gaps_changed = True
        return True

    def _overlapping(self, table: Table, first: int, last: int) -> list[Range]:
        rows = self._connection.execute(
            select(table.c.first, table.c.last)
            .where(self._ours(table), table.c.first <= last, table.c.last >= first)
            .order_by(table.c.first)
        )
        return [(row.first, row.last) for row in rows]

    def _insert(self, table: Table, first: int, last: int, **rest: object) -> None:
        self._connection.execute(table.insert().values(**self._key, first=first, last=last, **rest))

    def _delete(self, table: Table, first: int) -> None:
        self._connection.execute(table.delete().where(self._ours(table), table.c.first == first))

    def _ours(self, table: Table) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._key.items()))


def subtract(whole: Range, parts: Iterable[Range]) -> list[Range]:
    """Return what is left of a range without the parts, which are in order and do not overlap."""
    left: list[Range] = []
    start, last = whole
    for first, end in parts:
        if first > start:
            left.append((start, min(first - 1, last)))
        start = max(start, end + 1)
    if start <= last:
        left.append((start, last))
    return left


def count(ranges: Iterable[Range]) -> int:
    """Return how many numbers some ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def describe(ranges: Iterable[Range]) -> str:
    """Write ranges for people: `4-7, 9`."""
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)

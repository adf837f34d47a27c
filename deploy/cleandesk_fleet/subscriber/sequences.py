"""Which numbers of a box's events are logged, missing or lost: nothing goes unnoticed.

A box numbers its events from 1 in each epoch. Up to `top` every number is logged, in a gap or in
a loss; above it only losses are known. Gaps and losses are kept as ranges that never overlap, so
that the cost of a message does not grow with the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from cleandesk.contract.topics import Address
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.ranges import Range, Ranges, count, subtract
from cleandesk_fleet.subscriber.rows import Key, Row, Rows, box_key
from cleandesk_fleet.subscriber.tables import epochs, gaps, losses

_KEY = ("site", "box", "epoch")
_MOST_PARAMETERS = 500


@dataclass(frozen=True, slots=True)
class Numbered:
    """One epoch of one box."""

    address: Address
    epoch: str

    @property
    def key(self) -> Key:
        """As in the tables."""
        return box_key(self.address, self.epoch)


class Sequences:
    """The epochs of one transaction; `save` them before the commit.

    Args:
        connection: To the log.
        now: When the transaction takes place.
        expected: Epochs that will be asked for, and which numbers came: read in one go. Others
            may be asked for, too.
    """

    def __init__(
        self, connection: Connection, now: datetime, expected: Mapping[Numbered, Iterable[int]]
    ) -> None:
        self._connection, self._now = connection, now
        self._heads = Rows(connection, epochs, {one.key for one in expected})
        self._known: dict[Numbered, Sequence] = {}
        self._expected = {one: list(numbers) for one, numbers in expected.items()}

    def of(self, address: Address, epoch: str) -> "Sequence":
        """Return one epoch of one box."""
        one = Numbered(address, epoch)
        known = self._known.get(one)
        if known is None:
            numbers = self._expected.get(one)
            expected = numbers is not None
            heads = self._heads if expected else Rows(self._connection, epochs, [one.key])
            around = (min(numbers), max(numbers)) if numbers else None
            known = Sequence(self._connection, one, heads.get(one.key), self._now, around)
            self._known[one] = known
        return known

    def changed_gaps(self) -> "list[Sequence]":
        """Return those of which a gap began, changed or ended."""
        return [one for one in self._known.values() if one.gaps_changed]

    def save(self) -> None:
        """Write everything back."""
        changed = [one for one in self._known.values() if one.changed]
        bulk.upsert(self._connection, epochs, [one.row() for one in changed])
        for table in (gaps, losses):
            for one in changed:
                one.delete(table)
            bulk.insert(self._connection, table, [row for one in changed for row in one.new(table)])


class Sequence:
    """One epoch of one box, within one transaction.

    Args:
        connection: To the log.
        of: Which one.
        head: Its row, if there is one.
        now: When the transaction takes place.
        around: The numbers that will be asked about lie between these.
    """

    def __init__(
        self,
        connection: Connection,
        of: Numbered,
        head: Row | None,
        now: datetime,
        around: Range | None,
    ) -> None:
        self._connection, self.of, self._now = connection, of, now
        self._key = dict(zip(_KEY, of.key, strict=True))
        self._top: int = head["top"] if head else 0
        self._lost_top: int = head["lost_top"] if head else 0
        #: How many events are in gaps: neither logged nor reported lost.
        self.missing: int = head["missing"] if head else 0
        self._around = around
        self._ranges: dict[str, Ranges] = {gaps.name: Ranges(), losses.name: Ranges()}
        #: Whether a gap began, changed or ended within this transaction.
        self.gaps_changed = False
        self.changed = head is None

    def arrive(self, seq: int) -> bool:
        """Take note that an event is logged.

        Returns:
            False if its number was logged before.
        """
        if seq <= self._top:
            return (self.missing > 0 and self._fill(gaps, seq)) or self._fill(losses, seq)
        self._miss(self._top + 1, seq - 1)
        if seq <= self._lost_top:
            self._fill(losses, seq)
        self._top = seq
        self.changed = True
        return True

    def expect(self, last: int) -> None:
        """Take note that the box has nothing more to send up to a number: what lacks is a gap."""
        if last > self._top:
            self._miss(self._top + 1, last)
            self._top = last
            self.changed = True

    def lose(self, first: int, last: int, reason: str) -> int:
        """Take note that events will not come; those that are logged stay logged.

        A range that ends before it begins, which only a damaged or hostile box names, is empty.

        Returns:
            How many of them were not known to be lost.
        """
        if first > last:
            return 0
        lost = self._carve(first, min(last, self._top)) if self.missing else []
        beyond = (max(first, self._top + 1), last)
        if beyond[0] <= last:
            known = self._overlapping(losses, *beyond)
            lost += subtract(beyond, [(start, end) for start, end, _ in known])
            self._lost_top = max(self._lost_top, last)
            self.changed = True
        for start, end in lost:
            self._add(losses, start, end, {"reason": reason, "reported_at": self._now})
        return count(lost)

    def gaps(self, limit: int) -> list[Range]:
        """Return the first gaps, as they were saved."""
        rows = self._connection.execute(
            select(gaps.c.first, gaps.c.last)
            .where(self._ours(gaps))
            .order_by(gaps.c.first)
            .limit(limit)
        )
        return [(row.first, row.last) for row in rows]

    def row(self) -> Row:
        """Return the epoch's own row."""
        return self._key | {
            "top": self._top,
            "lost_top": self._lost_top,
            "missing": self.missing,
        }

    def delete(self, table: Table) -> None:
        """Delete the rows of ranges that are no more."""
        gone = sorted(self._ranges[table.name].gone)
        for start in range(0, len(gone), _MOST_PARAMETERS):
            part = table.c.first.in_(gone[start : start + _MOST_PARAMETERS])
            self._connection.execute(table.delete().where(self._ours(table), part))

    def new(self, table: Table) -> list[Row]:
        """Return the rows of new ranges."""
        ranges = self._ranges[table.name]
        return [
            self._key | {"first": first, "last": ranges.rows[first][0]} | ranges.rows[first][1]
            for first in sorted(ranges.new)
        ]

    def _miss(self, first: int, last: int) -> None:
        if first > last:
            return
        lost = self._overlapping(losses, first, last) if first <= self._lost_top else []
        for start, end in subtract((first, last), [(a, b) for a, b, _ in lost]):
            self._add(gaps, start, end, {"noted_at": self._now})
            self.missing += end - start + 1

    def _carve(self, first: int, last: int) -> list[Range]:
        """Take what overlaps a range out of the gaps, and return it."""
        taken: list[Range] = []
        for start, end, rest in self._overlapping(gaps, first, last):
            self._replace(gaps, (start, end), [(first, last)], rest)
            taken.append((max(first, start), min(last, end)))
        self.missing -= count(taken)
        return taken

    def _fill(self, table: Table, seq: int) -> bool:
        """Take one number out of the range that holds it; say whether there was one."""
        for start, end, rest in self._overlapping(table, seq, seq):
            self._replace(table, (start, end), [(seq, seq)], rest)
            if table is gaps:
                self.missing -= 1
            return True
        return False

    def _replace(self, table: Table, whole: Range, parts: Iterable[Range], rest: Row) -> None:
        self._ranges[table.name].remove(whole[0])
        self._touched(table)
        for start, end in subtract(whole, parts):
            self._add(table, start, end, rest)

    def _add(self, table: Table, first: int, last: int, rest: Row) -> None:
        self._ranges[table.name].add(first, last, rest)
        self._touched(table)

    def _touched(self, table: Table) -> None:
        self.changed = True
        self.gaps_changed |= table is gaps

    def _overlapping(self, table: Table, first: int, last: int) -> list[tuple[int, int, Row]]:
        ranges = self._ranges[table.name]
        if ranges.unread(first, last):
            low, high = self._around or (first, last)
            self._read(table, min(low, first), max(high, last))
        return ranges.overlapping(first, last)

    def _read(self, table: Table, first: int, last: int) -> None:
        rows = self._connection.execute(
            select(table).where(self._ours(table), table.c.first <= last, table.c.last >= first)
        )
        values = ({**row._mapping} for row in rows)  # noqa: SLF001 - public by SQLAlchemy's documentation
        found = [
            (row["first"], row["last"], {k: v for k, v in row.items() if k in _RESTS[table.name]})
            for row in values
        ]
        self._ranges[table.name].read(first, last, found)

    def _ours(self, table: Table) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._key.items()))


_RESTS = {
    table.name: {c.name for c in table.c} - {*_KEY, "first", "last"} for table in (gaps, losses)
}

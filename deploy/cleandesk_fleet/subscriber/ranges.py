"""Ranges of numbers that never overlap: arithmetic, and a table of them in memory."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from cleandesk_fleet.subscriber.rows import Row

Range = tuple[int, int]  # first and last, both included


@dataclass(slots=True)
class Ranges:
    """The ranges of one epoch that were read so far, what changed, and what goes with each.

    Attributes:
        gone: First numbers of rows to delete.
        new: First numbers of rows to add.
    """

    rows: dict[int, tuple[int, Row]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    new: set[int] = field(default_factory=set)
    _firsts: list[int] = field(default_factory=list)
    _read: list[Range] = field(default_factory=list)

    def unread(self, first: int, last: int) -> bool:
        """Say whether the database must be asked about a part of this range."""
        return not any(start <= first and last <= end for start, end in self._read)

    def read(self, first: int, last: int, found: Iterable[tuple[int, int, Row]]) -> None:
        """Take in what the database has of a range; what was changed meanwhile stays changed."""
        for start, end, rest in found:
            if start not in self.rows and start not in self.gone:
                self.rows[start] = (end, rest)
                insort(self._firsts, start)
        self._read.append((first, last))

    def overlapping(self, first: int, last: int) -> list[tuple[int, int, Row]]:
        """Return the ranges that share a number with this one, in order."""
        begin = max(bisect_right(self._firsts, first) - 1, 0)
        end = bisect_right(self._firsts, last)
        found = ((start, *self.rows[start]) for start in self._firsts[begin:end])
        return [(start, stop, rest) for start, stop, rest in found if stop >= first]

    def add(self, first: int, last: int, rest: Row) -> None:
        """Add a range that overlaps with none."""
        self.rows[first] = (last, rest)
        insort(self._firsts, first)
        self.new.add(first)

    def remove(self, first: int) -> None:
        """Remove the range that begins there."""
        del self.rows[first]
        del self._firsts[bisect_left(self._firsts, first)]
        self.new.discard(first)
        self.gone.add(first)  # also a new one: it may have replaced one of the database


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

"""What was answered to one command, and how much more may be: nobody can fill the ledger by asking.

Each answer is an entry of the ledger, and the oldest entries go when it is full. So who asks all
the time could push out what the ledger is for. Therefore all answers together get a share of it.
"""

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import TypeVar

from cleandesk.clock import Instant
from cleandesk.contract.topics import Command
from cleandesk.link import Entry, Paper
from cleandesk.link.ledger import OVERHEAD
from cleandesk.settings import LedgerSettings
from cleandesk.worker.limiter import DAY_S, HOUR_S, MINUTE_S, Limiter

#: The latest requests that are remembered.
MOST_REMEMBERED = 1000
#: What is no request, or too late, or one too many, is answered so often in any hour.
REFUSALS_AN_HOUR = 12
#: Answers that are given once more, in any minute.
REPEATS_A_MINUTE = 12
#: A fourth of the ledger is the most that answers take, though somebody asks all the time.
_SHARE = 4
_BYTES_A_MB = 1_000_000
T = TypeVar("T")


def room_a_day(ledger: LedgerSettings) -> float:
    """Return how many bytes the answers to one command may take in any day."""
    return ledger.max_mb * _BYTES_A_MB / (_SHARE * ledger.keep_days * len(Command))


class Answers:
    """The answers to one command. From any thread.

    Args:
        per_hour: How many requests are answered as done in any hour.
        room: Bytes of the ledger in any day.
    """

    def __init__(self, per_hour: int, room: float) -> None:
        self._guard = Lock()
        self._done, self._room = Limiter(per_hour, HOUR_S), Limiter(room, DAY_S)
        self._refusals = Limiter(REFUSALS_AN_HOUR, HOUR_S)
        self._repeats = Limiter(REPEATS_A_MINUTE, MINUTE_S)
        self._given: OrderedDict[bytes, Paper | None] = OrderedDict()
        # Apart, so that a flood of them makes the box forget no answer.
        self._silent: OrderedDict[bytes, None] = OrderedDict()

    def load(self, correlation: bytes, entry: Entry, now: Instant) -> None:
        """Take over an answer of an earlier process from the ledger."""
        paper = Paper(entry.topic, entry.message_id, entry.payload)
        age_s = (now.utc - datetime.fromisoformat(entry.at)).total_seconds()
        with self._guard:
            if correlation:
                _put(self._given, correlation, paper)
            if 0 <= age_s < DAY_S:  # a clock that is behind can tell nothing
                self._room.count(now.mono - age_s, _size(paper))

    def knows(self, correlation: bytes) -> bool:
        """Say whether this request came before."""
        with self._guard:
            return correlation in self._given or correlation in self._silent

    def again(self, correlation: bytes, now: float) -> Paper | None:
        """Return the answer to a known request; None: not yet, never, or too often."""
        with self._guard:
            paper = self._given.get(correlation)
            return paper if paper is not None and self._repeats.take(now) else None

    def may_do(self, now: float) -> bool:
        """Say whether one more is done and answered, and count it."""
        with self._guard:
            return not self._room.full(now) and self._done.take(now)

    def may_refuse(self, now: float) -> bool:
        """Say whether one more is refused with an answer, and count it."""
        with self._guard:
            return not self._room.full(now) and self._refusals.take(now)

    def begun(self, correlation: bytes, *, silent: bool = False) -> None:
        """Remember a request that is being done; `silent` ones are never answered."""
        with self._guard:
            if silent:
                _put(self._silent, correlation, None)
            else:
                _put(self._given, correlation, None)

    def forget(self, correlation: bytes) -> None:
        """Forget a request: it may be asked again."""
        with self._guard:
            self._given.pop(correlation, None)
            self._silent.pop(correlation, None)

    def answered(self, correlation: bytes, paper: Paper, now: float) -> None:
        """Remember an answer, and count its bytes; one without correlation data is no one's."""
        with self._guard:
            if correlation:
                _put(self._given, correlation, paper)
            self._room.count(now, _size(paper))


def _size(paper: Paper) -> int:
    return len(paper.payload) + OVERHEAD


def _put(known: OrderedDict[bytes, T], correlation: bytes, value: T) -> None:
    known[correlation] = value
    while len(known) > MOST_REMEMBERED:
        known.popitem(last=False)

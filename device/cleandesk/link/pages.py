"""The ledger's side of the outbox's books: what waits to be entered, and what is to be noted.

What is entered is numbered and chained only when the file takes it, so that the file decides what
comes after what. Nothing that is not in the file is handed to the link.
"""

import logging
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from cleandesk.clock import Instant
from cleandesk.contract.messages import AckStatus, timestamp
from cleandesk.contract.topics import Channel
from cleandesk.link.chain import NOTE, SEALED, Anchor, Draft, Entry
from cleandesk.link.ledger import OVERHEAD, Marks, milliseconds
from cleandesk.link.paper import Paper
from cleandesk.link.records import Contents, Seen, Waiting
from cleandesk.link.store import Store

log = logging.getLogger(__name__)

MAX_DRAFTS = 4000  # while the disk takes none
MAX_PAPERS = 10_000
#: Of those, stills: on file while no subscriber answers, and in memory while the disk takes none.
MAX_STILLS, MAX_STILLS_IN_MEMORY = 200, 8
_EVENTS = Channel.VIOLATION.value
_APPEALS = Channel.APPEAL.value
_PRIVACY = Channel.PRIVACY.value
_STILLS = Channel.STILL.value
#: What a subscriber answers for.
_ANSWERED = frozenset({_APPEALS, _STILLS})
_PAPERS = _ANSWERED | {Channel.IDLE.value, Channel.COMMAND.value}
#: A second one with the same id and bytes is the first one, sent once more.
_ONCE = frozenset({_APPEALS, Channel.COMMAND.value})


@dataclass(frozen=True, slots=True)
class Entered:
    """What one transaction put into the ledger.

    Attributes:
        entries: In order.
        papers: How many papers wait now.
        given_up: Stills that will not be sent, as too many wait.
    """

    entries: tuple[Entry, ...]
    papers: int
    given_up: int

    def numbers(self, kind: Channel) -> dict[tuple[str, str], int]:
        """Return the numbers of one kind's entries, by topic and message id."""
        return {
            (one.topic, one.message_id): one.number
            for one in self.entries
            if one.kind == kind.value
        }


class Pages:
    """What of the ledger is in memory.

    Attributes:
        anchor: Where the ledger on file begins.
        head: Its newest entry.
        bytes: Roughly what it takes there.
        drafts: What is not on file yet, in order.
        marks: What is not noted on file yet.
        privacy: The newest state of the worker that was entered.
        papers: How many wait, on file and not settled.
        done: Papers that were settled and are still in the file.
    """

    def __init__(self) -> None:
        self.anchor = self.head = Anchor()
        self.bytes = 0
        self.drafts: deque[Draft] = deque()
        self.marks = Marks()
        self.privacy: Entry | None = None
        self.papers = 0
        self.done: set[int] = set()
        self._tried: set[int] = set()

    @property
    def waiting(self) -> bool:
        """Whether the file is behind."""
        return bool(self.drafts or self.marks or self.done)

    def adopt(self, store: Store, contents: Contents) -> None:
        """Go on with a file that was opened."""
        self.anchor, self.head = contents.anchor, contents.head
        self.bytes = store.ledger.size()
        self.papers = store.papers.count() - len(self.done)
        held = self.privacy
        if held is not None and not store.ledger.has(held.number):
            self.privacy = None
            self.drafts.append(held.draft())

    def draft(self, kind: str, topic: str, message_id: str, payload: bytes, at: Instant) -> None:
        """Have something entered with the next `write`."""
        self.drafts.append(Draft(timestamp(at.utc), at.synced, kind, topic, message_id, payload))

    def say(self, paper: Paper, at: Instant, hold_s: float) -> None:
        """Have a paper entered; a state of the worker that is the present one is none."""
        kind = paper.channel.value
        if kind == _PRIVACY and self._newest_privacy() == paper.payload:
            return
        self.draft(kind, paper.topic, paper.message_id, paper.payload, at)
        self.drafts[-1] = replace(self.drafts[-1], hold_s=hold_s)

    def note(self, what: str, text: str, at: Instant) -> None:
        """Have something entered that is sent to nobody."""
        self.draft(NOTE, "", what, text.encode(), at)

    def enter(
        self, store: Store, late: Iterable[Draft], actives: Iterable[Draft], now: Seen
    ) -> Entered:
        """Bring the file up to date in the caller's transaction; memory follows with `entered`."""
        entries: list[Entry] = []
        papers: list[Waiting] = []
        known: dict[tuple[str, str, str, bytes], int] = {}
        head = self.head
        for draft in [*late, *self.drafts, *actives]:
            key = (draft.kind, draft.topic, draft.message_id, draft.payload)
            number = known.get(key)
            if number is None and draft.kind in _ONCE:
                number = store.ledger.find(key)
            if number is None or draft.kind not in _ONCE:
                entry = draft.entered(head.number + 1, head.chain)
                entries.append(entry)
                head, number = Anchor(entry.number, entry.chain), entry.number
            known[key] = number
            if draft.kind in _PAPERS:
                papers.append(Waiting(number, draft.kind in _ANSWERED, draft.hold_s))
        store.ledger.append(entries)
        store.papers.delete(self.done)
        store.papers.add(papers, now)
        store.papers.drop_oldest(MAX_PAPERS)
        given_up = store.papers.drop_oldest_stills(MAX_STILLS) if papers else 0
        store.ledger.mark(self.marks)
        count = store.papers.count() if papers or self.done else self.papers
        return Entered(tuple(entries), count, given_up)

    def entered(self, done: Entered) -> None:
        """Take note that the transaction was committed."""
        for one in done.entries:
            self.head = Anchor(one.number, one.chain)
            self.bytes += len(one.payload) + OVERHEAD
            if one.kind == _PRIVACY:
                self.privacy = one
        if done.given_up:
            log.warning(
                "no subscriber takes the stills: the oldest will not be sent",
                extra={"stills": done.given_up, "fix": "start cleandesk-subscriber"},
            )
        self.papers = done.papers
        self.drafts.clear()
        self.done.clear()
        self.marks = Marks()

    def pruned(self, anchor: Anchor, freed: int, at: Instant) -> None:
        """Take note that the oldest entries were deleted."""
        self.anchor = anchor
        self.bytes -= freed
        if self.privacy is not None and self.privacy.number <= anchor.number:
            one = self.privacy
            self.draft(one.kind, one.topic, one.message_id, one.payload, at)

    def forget(self, event_ids: Collection[str]) -> None:
        """Drop the drafts of events that are lost."""
        self.drafts = deque(
            one for one in self.drafts if one.kind != _EVENTS or one.message_id not in event_ids
        )

    def shorten(self) -> int:
        """Drop the oldest papers and notes where there are too many; return how many.

        The newest state of the worker stays. Events are counted and bounded by their own queue.
        """
        others = [one for one in self.drafts if one.kind != _EVENTS]
        newest = next((one for one in reversed(others) if one.kind == _PRIVACY), None)
        gone = {id(one) for one in others[: max(0, len(others) - MAX_DRAFTS)] if one is not newest}
        stills = [one for one in others if one.kind == _STILLS or one.message_id == SEALED]
        gone |= {id(one) for one in stills[: max(0, len(stills) - MAX_STILLS_IN_MEMORY)]}
        if gone:
            self.drafts = deque(one for one in self.drafts if id(one) not in gone)
        return len(gone)

    def trying(self, numbers: Iterable[int]) -> bool:
        """Note what is about to be handed to a connection; say whether that is news."""
        news = set(numbers) - self._tried
        self._tried |= news
        self.marks.tried |= news
        self.marks.untried -= news
        return bool(news)

    def refused(self, number: int) -> None:
        """Note that the broker did not take an entry's message."""
        self._tried.discard(number)
        self.marks.tried.discard(number)
        self.marks.untried.add(number)

    def sent(self, number: int, at: Instant) -> None:
        """Note that the broker has an entry's message."""
        self.marks.sent.setdefault(number, milliseconds(at.utc))

    def answered(self, number: int, result: AckStatus, at: Instant) -> None:
        """Note what the subscriber said; then it was sent, too."""
        self.marks.answers[number] = result
        self.sent(number, at)

    def settled(self, paper: int) -> None:
        """Note that a paper need not be sent again."""
        self.done.add(paper)
        self.papers -= 1

    def _newest_privacy(self) -> bytes | None:
        drafts: Sequence[Draft | Entry | None] = [self.privacy, *self.drafts]
        said = [one.payload for one in drafts if one is not None and one.kind == _PRIVACY]
        return said[-1] if said else None

"""The outbox's books: what is committed, what waits in memory, and how both become one.

In memory is the truth, on disk is what of it was written; `write` makes them the same in one
transaction. No lock and no failure is handled here: `Outbox` does both.
"""

import json
import uuid
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from cleandesk.clock import Instant
from cleandesk.contract.messages import ActiveViolation, CloseReason, timestamp
from cleandesk.contract.topics import Address, Channel
from cleandesk.link import loss
from cleandesk.link.chain import Draft
from cleandesk.link.events import EventMaker, closing
from cleandesk.link.mark import Mark, Span
from cleandesk.link.opening import Opened
from cleandesk.link.pages import Entered, Pages
from cleandesk.link.records import Active, Record, Seen
from cleandesk.link.store import Store, losses_json
from cleandesk.policy.change import Change

MAX_IN_MEMORY = 1000  # events, while the disk takes none


class Book:
    """Numbers, open violations and losses of one outbox, and its events in memory.

    Attributes:
        pages: The ledger's side of it.
    """

    def __init__(self, address: Address, boot: str, loaded_at: float) -> None:
        self._address, self._boot, self._loaded_at = address, boot, loaded_at
        self.pages = Pages()
        self.epoch, self.next_seq, self.next_id = uuid.uuid4().hex, 1, 1
        self.state: bytes | None = None
        self.refused = 0
        self.losses: loss.Losses = ()
        self.queue: deque[Record] = deque()
        self.queue_since = 0.0
        self.wanted: dict[str, Active] = {}
        self.stored: dict[str, Active] = {}
        self.settled: dict[int, int] = {}  # ids the subscriber has, still in the file; their bytes
        self.depth = self.bytes = 0  # in the file and not settled
        self.waiting_since: float | None = None
        self._old: dict[str, tuple[int, int]] = {}  # spans of earlier epochs
        self._orphans: set[str] = set()
        self.loaded = False
        self._stale = True  # the file's events are not on this power-on's clock yet
        self._stored_meta: dict[str, object] = {}

    def remember(self, known: Mark | None) -> None:
        """Keep the sidecar's word on a file, in case that it cannot be opened yet."""
        self._old = {span.epoch: (span.first, span.last) for span in known.spans} if known else {}

    def adopt(self, opened: Opened) -> None:
        """Go on with a file that was opened: the first one, the same again, or a fresh one."""
        contents, store = opened.contents, opened.store
        if not self.loaded:
            # What is open on file and not in the policy's state is nobody's, and never closes.
            known = self.state is None and contents.state is not None
            self._orphans = set() if known else set(contents.active) - set(self.wanted)
            self.state = self.state or contents.state
            self.wanted = {**contents.active, **self.wanted}
        if contents.epoch != self.epoch or not self.loaded:
            self.losses = loss.merge(self.losses, contents.losses)
            self.refused = max(self.refused, contents.refused)
            self.epoch, self.next_seq = contents.epoch, contents.next_seq
            self.settled.clear()
            self.pages.done.clear()
        self.next_id = max(self.next_id, opened.next_id)
        self.stored = _only_entered(store, contents.active)
        self.wanted = _only_entered(store, self.wanted)
        self.pages.adopt(store, contents)
        self._stored_meta = {}
        self._old = {e: span for e, span in store.spans().items() if e != self.epoch}
        self._count(store)
        self.loaded = self._stale = True

    def append(self, change: Change, make: EventMaker, now: Instant) -> None:
        """Make an event of a change; it waits in memory for `write`."""
        event_id = uuid.uuid4().hex
        payload = make.event(change, epoch=self.epoch, seq=self.next_seq, event_id=event_id)
        if not self.queue:
            self.queue_since = now.mono
        self.queue.append(Record(self.epoch, self.next_seq, event_id, payload))
        self.pages.drafts.append(self._event_draft(event_id, payload, now))
        self.next_seq += 1
        self._set_active(change.violation_id, make.active(change, event_id=event_id))

    def orphaned(self, at: Instant) -> list[Change]:
        """Return, once, the closing of violations that are open on file and known to nobody."""
        payloads = [self.wanted[id_].payload for id_ in sorted(self._orphans)]
        self._orphans = set()
        return [
            closing(ActiveViolation.model_validate_json(payload), CloseReason.RESTART, at)
            for payload in payloads
            if payload
        ]

    def shorten(self) -> int:
        """Lose the oldest events of a queue that is too long; return how many."""
        lost = [self.queue.popleft() for _ in range(len(self.queue) - MAX_IN_MEMORY)]
        for record in lost:
            self.losses = loss.add(self.losses, record.epoch, [(record.seq, record.seq)], "disk")
        if lost:
            self.pages.forget({record.event_id for record in lost})
        return len(lost)

    def write(self, store: Store, at: Instant, max_events: int, max_bytes: int) -> int:
        """Bring the file up to date in one transaction; return how many events were too many.

        Raises:
            sqlite3.Error: Then nothing was changed, neither here nor in the file.
        """
        records, size = list(self.queue), sum(len(record.payload) for record in self.queue)
        settled = list(self.settled)
        meta: dict[str, object] = {
            "epoch": self.epoch,
            "next_seq": self.next_seq,
            "state": self.state,
            "refused": self.refused,
            "seen_boot": self._boot,
            "seen_mono": at.mono,
            "anchor": self.pages.anchor.number,
            "anchor_chain": self.pages.anchor.chain,
        }
        with store.transaction():
            late: list[tuple[str, bytes]] = []
            if self._stale:
                store.carry_over(seen := Seen(self._boot, at.mono))
                store.papers.carry_over(seen)
                late = store.unentered()
            entered = self.pages.enter(
                store,
                [self._event_draft(event_id, payload, at) for event_id, payload in late],
                self._active_drafts(at),
                Seen(self._boot, at.mono),
            )
            numbers = {id_: n for (_, id_), n in entered.numbers(Channel.VIOLATION).items()}
            wanted = self._with_entries(entered)
            store.set_entries([(event_id, numbers[event_id]) for event_id, _ in late])
            store.delete(settled)
            store.insert(self.next_id, records, Seen(self._boot, self.queue_since), numbers)
            dropped = store.drop_oldest(
                self.depth + len(records) - max_events, self.bytes + size - max_bytes
            )
            losses = self._with_dropped(dropped)
            store.put_active(wanted, self.stored)
            meta["lost"] = losses_json(losses)
            store.put_meta(meta, self._stored_meta)
        self._stale = False
        self.next_id += len(records)
        self.queue.clear()
        for id_ in settled:
            self.settled.pop(id_, None)
        self.losses = losses
        self.wanted = wanted
        self.stored, self._stored_meta = dict(wanted), meta
        self.pages.entered(entered)
        self.depth += len(records) - len(dropped)
        self.bytes += size - sum(row[2] for row in dropped)
        self.waiting_since = store.waiting_since(self._boot, self._loaded_at)
        return len(dropped)

    def prune(self, store: Store, before: datetime | None, max_bytes: int, at: Instant) -> bool:
        """Delete some of the oldest entries of the ledger; say whether there were any.

        What waits to be sent stays, and all that was entered after it. What the broker still holds
        is entered anew with the next `write`.

        Args:
            store: The file.
            before: Those that were entered earlier; None where the clock cannot be trusted.
            max_bytes: And until the others take no more.
            at: The present moment.

        Raises:
            sqlite3.Error: Then nothing was changed, neither here nor in the file.
        """
        pages = self.pages
        firsts = [store.first_entry(), store.papers.first_entry()]
        limit = min([pages.head.number + 1, *(first for first in firsts if first)])
        with store.transaction():
            pruned = store.ledger.prune(
                timestamp(before) if before else "", pages.bytes - max_bytes, limit
            )
            if pruned is None:
                return False
            anchor, freed = pruned
            meta = self._stored_meta | {"anchor": anchor.number, "anchor_chain": anchor.chain}
            store.put_meta(meta, self._stored_meta)
        self._stored_meta = meta
        pages.pruned(anchor, freed, at)
        self.wanted = {
            violation_id: replace(active, entry=0) if active.entry <= anchor.number else active
            for violation_id, active in self.wanted.items()
        }
        return True

    def mark(self, store: Store | None) -> Mark:
        """Return what the sidecar shall say."""
        spans: dict[str, tuple[int, int]] = {}
        for epoch, (first, last) in [*self._old.items(), (self.epoch, (1, self.next_seq - 1))]:
            waiting = store.first_seq(epoch) if store else first
            if waiting is not None:
                spans[epoch] = (waiting, last)
        for record in self.queue:
            first, last = spans.get(record.epoch, (record.seq, record.seq))
            spans[record.epoch] = (min(first, record.seq), max(last, record.seq))
        spans.setdefault(self.epoch, (self.next_seq, self.next_seq - 1))
        return Mark(
            spans=[Span(epoch=e, first=first, last=last) for e, (first, last) in spans.items()],
            last_id=self.next_id - 1,
            entries=self.pages.head.number,
        )

    def _event_draft(self, event_id: str, payload: bytes, at: Instant) -> Draft:
        topic = self._address.topic(Channel.VIOLATION)
        return Draft(
            timestamp(at.utc), at.synced, Channel.VIOLATION.value, topic, event_id, payload
        )

    def _active_drafts(self, at: Instant) -> Iterable[Draft]:
        """Yield what is to be entered of `active`: only what the file has may be published."""
        for violation_id, active in self.wanted.items():
            if not active.entry:
                event = json.loads(active.payload)["since_event"] if active.payload else None
                yield Draft(
                    timestamp(at.utc),
                    at.synced,
                    Channel.ACTIVE.value,
                    self._address.topic(Channel.ACTIVE, violation_id),
                    f"{violation_id}:{event}" if event else violation_id,
                    active.payload,
                )

    def _with_entries(self, entered: Entered) -> dict[str, Active]:
        numbers = {topic: n for (topic, _), n in entered.numbers(Channel.ACTIVE).items()}
        return {
            violation_id: active
            if active.entry
            else replace(active, entry=numbers[self._address.topic(Channel.ACTIVE, violation_id)])
            for violation_id, active in self.wanted.items()
        }

    def _set_active(self, violation_id: str, payload: bytes) -> None:
        before = self.wanted.get(violation_id)
        if payload:
            self.wanted[violation_id] = Active(payload, before is not None and before.published)
        elif before is not None and before.published:
            self.wanted[violation_id] = Active(b"", published=True)
        else:
            self.wanted.pop(violation_id, None)

    def _with_dropped(self, dropped: Collection[tuple[str, int, int]]) -> loss.Losses:
        losses = self.losses
        for epoch in dict.fromkeys(row[0] for row in dropped):
            runs = loss.runs_of(row[1] for row in dropped if row[0] == epoch)
            losses = loss.add(losses, epoch, runs, "full")
        return losses

    def _count(self, store: Store) -> None:
        self.depth, self.bytes = store.size()
        self.depth -= len(self.settled)
        self.bytes -= sum(self.settled.values())
        self.waiting_since = store.waiting_since(self._boot, self._loaded_at)


def _only_entered(store: Store, topics: dict[str, Active]) -> dict[str, Active]:
    """Return the topics; one whose entry a damaged file has lost is entered anew."""
    return {
        violation_id: active if store.ledger.has(active.entry) else replace(active, entry=0)
        for violation_id, active in topics.items()
    }

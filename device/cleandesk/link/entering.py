"""The outbox's ledger: what is said of the worker, what became of it, and who may read it."""

import logging
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial

from cleandesk.clock import Instant
from cleandesk.link.chain import NOTE, SEALED, Entry, Verdict, Walk
from cleandesk.link.errors import LedgerUnreadableError
from cleandesk.link.keeper import Keeper
from cleandesk.link.paper import Paper
from cleandesk.link.records import Pending
from cleandesk.link.store import Store

log = logging.getLogger(__name__)

_PRUNE_EVERY_S = 3600.0


class Entering(Keeper):
    """Enters messages about the worker, and remembers what became of them."""

    _prune_at = 0.0

    def say(self, paper: Paper, *, hold_s: float = 0.0) -> None:
        """Enter a message about the worker in the ledger, and have it sent after that.

        From any thread. It is on the disk when this returns, or, if that takes nothing, in memory:
        then it is entered, and only after that sent, as soon as the disk works. An appeal or an
        answer that was said before, byte for byte, is the same entry, and is sent once more.

        Args:
            paper: What to say.
            hold_s: Of a still: once it is entered, hold it back for so long. Time without power
                does not count, and after a new power-on all of it passes again.
        """
        with self._guard:
            self._book.pages.say(paper, self._clock.now(), hold_s)
            self._write_pages()
        self._listener()

    def note(self, what: str, text: str) -> None:
        """Enter something that happened on the box and is sent to nobody. From any thread.

        Args:
            what: A word for programs, such as `aiming_view`, `pin_reset` or `break_by_button`.
            text: For the worker.
        """
        with self._guard:
            self._book.pages.note(what, text, self._clock.now())
            self._write_pages()

    def note_picture(self, jpeg: bytes) -> None:
        """Enter the redacted picture of the sealed still that is said next. From any thread."""
        with self._guard:
            self._book.pages.draft(NOTE, "", SEALED, jpeg, self._clock.now())
            self._write_pages()

    def ledger(self, before: int | None = None, limit: int = 50) -> list[Entry]:
        """Return entries of the ledger, the newest first. From any thread.

        Args:
            before: Only those with a lower number.
            limit: At most so many.

        Raises:
            LedgerUnreadableError: If the disk does not let it be read at present.
        """
        with self._guard:
            return self._read(lambda store: store.ledger.page(before, limit))

    def verify(self) -> Verdict:
        """Walk along the ledger's chain. From any thread; the frame loop goes on meanwhile.

        Raises:
            LedgerUnreadableError: If the disk does not let it be read at present.
        """
        while True:
            walk, done = self.follow()
            while not done:
                walk, done = self.follow(walk)
            with self._guard:
                if walk.wrong is not None or walk.anchor == self._book.pages.anchor:
                    return walk.verdict()  # else its beginning was deleted meanwhile: once more

    def follow(self, walk: Walk | None = None) -> tuple[Walk, bool]:
        """Go on with a walk along the ledger's chain, for a part of it. From any thread.

        Args:
            walk: Where it came to; None: it begins.

        Returns:
            The walk, or a new one where that one leads nowhere: what follows was deleted, or the
            file is another one. And whether it is at the end, or at an entry that does not fit.

        Raises:
            LedgerUnreadableError: If the disk does not let it be read at present.
        """
        with self._guard:
            anchor, head = self._book.pages.anchor, self._book.pages.head
            gaps = self._read(lambda store: store.ledger.gaps())
            if (
                walk is None
                or walk.gaps != gaps
                or not anchor.number <= walk.head.number <= head.number
            ):
                walk = Walk(anchor, gaps)
            part = self._read(partial(_entries_after, walk.head.number))
        walk.follow(part)
        return walk, not part or walk.wrong is not None

    @property
    def kept(self) -> int:
        """How many entries of the ledger are kept; those that a damaged file lost count, too."""
        with self._guard:
            return self._book.pages.head.number - self._book.pages.anchor.number

    def privacy(self) -> Entry | None:
        """Return the newest state of the worker that was entered in this run."""
        with self._guard:
            return self._book.pages.privacy

    def unconfirmed(self) -> list[Entry]:
        """Return retained messages that a broker may have or not, the oldest first."""
        with self._guard:
            try:
                return self._read(lambda store: store.ledger.unconfirmed())
            except LedgerUnreadableError:
                return []  # they stay unconfirmed

    def note_trying(self, entries: Collection[int]) -> bool:
        """Remember, before they are handed to the broker, that it may hold these entries.

        Returns:
            Whether that is on the disk. Else they must wait: killed now, nobody would know.
        """
        with self._guard:
            wanted, news = self._book.wanted, self._book.pages.trying(entries)
            for violation_id, active in wanted.items():
                if active.entry in entries and not active.published:
                    wanted[violation_id], news = replace(active, published=True), True
            if news or self._book.pages.marks.tried:
                self._flush()
            return self._book.pages.marks.tried.isdisjoint(entries)

    def note_sent(self, entry: int) -> None:
        """Remember that the broker has an entry's message; the next `tick` writes it."""
        with self._guard:
            self._book.pages.sent(entry, self._clock.now())

    def note_refused(self, entry: int) -> None:
        """Remember that the broker did not take an entry's message."""
        with self._guard:
            self._book.pages.refused(entry)

    def papers(self, *, answered: bool, after: int = 0, limit: int = 100) -> list[Pending]:
        """Return papers after an id, oldest first: those that a subscriber answers for, or not.

        Stills are not among them.
        """
        return self._unsettled(
            lambda store, most: store.papers.pending(answered=answered, after=after, limit=most),
            limit,
        )

    def stills(self, *, after: int = 0, limit: int = 100) -> list[Pending]:
        """Return stills after an id, oldest first, up to one that is held back."""
        now = self._clock.now().mono
        return self._unsettled(
            lambda store, most: store.papers.stills(now, after=after, limit=most), limit
        )

    def settle_paper(self, paper: Pending) -> None:
        """Release a paper that nobody answers for: the broker has it."""
        with self._guard:
            if paper.id not in self._book.pages.done:
                self._book.pages.settled(paper.id)

    @property
    def last_paper(self) -> int:
        """The highest `Pending.id` of a paper so far; 0 where none waits."""
        with self._guard:
            try:
                return self._read(lambda store: store.papers.last_id())
            except LedgerUnreadableError:
                return 0

    @property
    def waiting(self) -> int:
        """How many events and papers are on file or in memory, not held back and not settled."""
        with self._guard:
            book, now = self._book, self._clock.now().mono
            papers = book.pages.papers
            if papers and self._store is not None:
                try:
                    papers -= self._store.papers.held(now)
                except sqlite3.Error as error:
                    self._failed(error)
            return book.depth + len(book.queue) + papers

    def _unsettled(self, find: Callable[[Store, int], list[Pending]], limit: int) -> list[Pending]:
        with self._guard:
            done = self._book.pages.done
            if self._store is None or not self._book.pages.papers:
                return []
            try:
                found = find(self._store, limit + len(done))
            except sqlite3.Error as error:
                self._failed(error)
                return []
            return [one for one in found if one.id not in done][:limit]

    def _write_pages(self) -> None:
        self._flush()
        if dropped := self._book.pages.shorten():
            log.error("papers are lost: the disk takes nothing", extra={"papers": dropped})

    def _prune(self, now: Instant) -> None:
        """Delete old entries of the ledger, a few at a time, so that the loop need not wait."""
        if self._store is None or self._storage != "ok" or now.mono < self._prune_at:
            return
        keep = timedelta(days=self._keep.keep_days)
        try:
            more = self._book.prune(
                self._store,
                now.utc - keep if now.synced else None,
                self._keep_bytes,
                now,
            )
        except sqlite3.Error as error:
            self._failed(error)
        else:
            self._prune_at = now.mono + (0 if more else _PRUNE_EVERY_S)


def _entries_after(number: int, store: Store) -> list[Entry]:
    return store.ledger.after(number)

"""Checks the ledger's chain for the page, beside its requests, and remembers how far it came."""

import logging
import threading
from dataclasses import dataclass

from cleandesk.clock import Clock
from cleandesk.link import LedgerUnreadableError, Outbox, Walk

log = logging.getLogger(__name__)

#: A request waits so long for the end of a check: a short ledger's is there by then.
_PATIENCE_S = 1.0
#: Between two parts, for the frame loop.
_PAUSE_S = 0.005
#: What was checked is checked again after so long, in case that it was changed in the file.
_ANEW_S = 3600.0


@dataclass(frozen=True, slots=True)
class Checked:
    """How far the chain was checked.

    Attributes:
        to: The newest entry that was checked and fits.
        whole: All up to there fit, and there is none before them that was not checked; False: an
            entry does not fit; None: the first check has not come to the end yet.
    """

    to: int = 0
    whole: bool | None = None


class Checking:
    """Walks along the chain in a thread that lives as long as there is something to check.

    At the end it stays where it is, and goes on from there. From any thread.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pause = threading.Event()
        self._walk: Walk | None = None
        self._began = clock.now().mono
        self._checked = Checked()

    def checked(self) -> Checked:
        """Have what is new checked, wait a moment for it, and return how far it came."""
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, args=(self._start(),), name="ledger check", daemon=True
                )
                self._thread.start()
            thread = self._thread
        thread.join(_PATIENCE_S)
        return self._checked

    def _start(self) -> Walk | None:
        """Return where to go on; None: at the beginning."""
        now = self._clock.now().mono
        if self._walk is None or now - self._began >= _ANEW_S:
            self._began = now
            return None
        return self._walk

    def _run(self, walk: Walk | None) -> None:
        done = False
        try:
            while not done:
                walk, done = self._outbox.follow(walk)
                self._note(walk, done=done)
                self._pause.wait(_PAUSE_S)
        except LedgerUnreadableError as error:
            log.warning("the ledger's check goes on later", extra={"why": str(error)})
        self._walk = walk

    def _note(self, walk: Walk, *, done: bool) -> None:
        """Take note of how far it came; while all is checked anew the last word stands."""
        if done:
            self._checked = Checked(walk.head.number, walk.wrong is None)
        elif self._checked.whole is None:
            self._checked = Checked(walk.head.number)

"""A file, fetched from the enrolment service with the box's own certificate: a model, or a bundle.

It comes in pieces, each of which is on the disk before the next one is asked for: whatever cuts it
off, little is fetched twice, and a database beside it never waits for much to be written.
"""

import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cleandesk import whole_file
from cleandesk.clock import Clock
from cleandesk.identity.errors import PASSING, Code, IdentityError
from cleandesk.identity.floor import Floor
from cleandesk.identity.home import Home
from cleandesk.identity.service import Service

log = logging.getLogger(__name__)

#: Bytes that are asked for at once; the service ends a connection after 20 s.
PIECE = 4 * 2**20
_PATH = "/v1/artefacts/{}"
#: Who has no answer asks again, later each time: at most so late, and so often that it is not all
#: of its patience.
_PAUSE_S, _LONGEST_PAUSE_S, _LEAST_TRIES = 2.0, 300.0, 10
#: Who answers like that is not the service, once there is some of the file: a router whose line is
#: down, say.
_IN_BETWEEN = frozenset({Code.SERVICE_UNKNOWN, Code.ANSWER})
#: Boxes that are told to wait for as long as each other come a little apart.
_SPREAD = 0.25


class Fetching:
    """Fetches files; one that was begun is gone on with.

    Args:
        home: Where the box keeps its identity.
        clock: The box's.
        patience_s: A service that is away, or full, or a line that brings nothing, is waited for so
            long.
        most_per_s: Bytes a second at most, so that others have the line, too; None: no bound.
        mono: Tells the time, seconds.
        pause: Waits.
    """

    def __init__(
        self,
        home: Home,
        clock: Clock,
        *,
        patience_s: float,
        most_per_s: float | None = None,
        mono: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._home, self._clock = home, clock
        self._patience_s, self._most_per_s = patience_s, most_per_s
        self._longest_s = max(_PAUSE_S, min(_LONGEST_PAUSE_S, patience_s / _LEAST_TRIES))
        self._mono, self._pause = mono, pause

    @property
    def root(self) -> x509.Certificate:
        """Who vouches for whoever signs models.

        Raises:
            IdentityError: If it is gone or damaged.
        """
        return self._home.certificate(self._home.root)

    def moment(self) -> datetime:
        """Return the time to hold certificates against.

        Raises:
            IdentityError: If there is no identity.
        """
        pinned = self._home.certificate(self._home.pinned)
        begins = self._home.current().certificate.not_valid_before_utc
        return self._floor.now(begins, pinned.not_valid_before_utc)

    @property
    def _floor(self) -> Floor:
        return Floor(self._home.clock, self._clock)

    def fetch(self, name: str, size: int, path: Path, *, mode: int = whole_file.SECRET) -> None:
        """Fetch a file, on top of what there is of it; all of it is on the disk afterwards.

        Args:
            name: The service's name for it.
            size: Bytes that it must have; it is not read further.
            path: Where it goes.
            mode: Its permissions, whatever the process's umask.

        Raises:
            IdentityError: If it cannot be had: the service is away, says no, or has less of it.
            OSError: The disk does not take it.
        """
        give_up, pause_s = self._mono() + self._patience_s, _PAUSE_S
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "ab") as file:
            os.fchmod(handle, mode)
            while (begin := file.tell()) < size:
                wait_s = 0.0
                try:
                    for chunk in self._piece(name, begin, min(begin + PIECE, size)):
                        file.write(chunk)
                except IdentityError as error:
                    waits = error.code in PASSING or (begin > 0 and error.code in _IN_BETWEEN)
                    if not waits or self._mono() >= give_up:
                        raise
                    wait_s = error.wait_s
                file.flush()
                os.fsync(handle)
                if file.tell() > begin:
                    give_up, pause_s = self._mono() + self._patience_s, _PAUSE_S
                elif self._mono() >= give_up:
                    raise self._away()
                else:
                    self._wait(wait_s or pause_s, give_up)
                    pause_s = min(2 * pause_s, self._longest_s)

    def _piece(self, name: str, begin: int, end: int) -> Iterator[bytes]:
        """Yield a part of the file, no faster than is allowed, and no more than was asked for."""
        left, due = end - begin, self._mono()
        for chunk in self._service().fetch(_PATH.format(name), begin, end):
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return
            if self._most_per_s is not None:
                due = max(due, self._mono()) + len(chunk) / self._most_per_s
                self._pause(max(0.0, due - self._mono()))

    def _wait(self, seconds: float, give_up: float) -> None:
        spread = seconds * random.uniform(1, 1 + _SPREAD)  # noqa: S311 - spreads load
        self._pause(max(0.0, min(spread, give_up - self._mono())))

    def _service(self) -> Service:
        moment, journal = self.moment(), self._home.journal()
        if journal is None:
            fix = "run `cleandesk claim`"
            raise IdentityError(Code.NOT_CLAIMED, self._home.identity, "no claim is here", fix)
        return Service(
            journal.service,
            self._home.pinned,
            moment,
            behind=self._floor.behind(moment),
            identity=self._home.box,
        )

    def _away(self) -> IdentityError:
        fix = "is the service running, and does the line bear it? Then ask again"
        return IdentityError(Code.SERVICE_AWAY, "the enrolment service", "nothing comes", fix)

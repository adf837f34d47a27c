"""A model's file, fetched from the enrolment service with the box's own certificate."""

import logging
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cleandesk.clock import Clock
from cleandesk.identity.errors import PASSING, Code, IdentityError
from cleandesk.identity.floor import Floor
from cleandesk.identity.home import Home
from cleandesk.identity.service import Service

log = logging.getLogger(__name__)

_PATH = "/v1/artefacts/{}"
_PAUSE_S = 2.0


class Fetching:
    """Fetches files; one that was begun is gone on with.

    Args:
        home: Where the box keeps its identity.
        clock: The box's.
        patience_s: A service that is away, or a line that brings nothing, is waited for so long.
    """

    def __init__(self, home: Home, clock: Clock, *, patience_s: float) -> None:
        self._home, self._clock = home, clock
        self._patience_s = patience_s

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

    def fetch(self, name: str, size: int, path: Path) -> None:
        """Fetch a file, on top of what there is of it; all of it is on the disk afterwards.

        Args:
            name: The service's name for it.
            size: Bytes that it must have; it is not read further.
            path: Where it goes.

        Raises:
            IdentityError: If it cannot be had: the service is away, says no, or has less of it.
            OSError: The disk does not take it.
        """
        give_up = time.monotonic() + self._patience_s
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "ab") as file:
            while (begin := file.tell()) < size:
                if begin > 0:
                    log.info("a model's file is gone on with", extra={"from": begin, "of": size})
                try:
                    for chunk in _at_most(
                        self._service().fetch(_PATH.format(name), begin), size - begin
                    ):
                        file.write(chunk)
                except IdentityError as error:
                    if error.code not in PASSING or time.monotonic() > give_up:
                        raise
                if file.tell() > begin:
                    give_up = time.monotonic() + self._patience_s
                elif time.monotonic() > give_up:
                    raise self._away()
                else:
                    time.sleep(_PAUSE_S)
            file.flush()
            os.fsync(handle)

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


def _at_most(chunks: Iterator[bytes], left: int) -> Iterator[bytes]:
    """Yield no more than so many bytes."""
    for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return

"""Other software on request: `cmd/update`.

The box's own process fetches the bundle, as the model's, by its own certificate, in a thread of its
own and no faster than leaves the line to others. Then it is the updater's, a unit and a user of its
own, which judges, installs, tries, and keeps or leaves it; what becomes of it the box only tells.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cleandesk.clock import Clock
from cleandesk.contract.bundle import UpdateError, Version
from cleandesk.contract.commands import Outcome
from cleandesk.contract.messages import Count
from cleandesk.contract.topics import Command
from cleandesk.contract.update_messages import BoxUpdate, UpdateRequest, UpdateResponse
from cleandesk.control import errand
from cleandesk.control.errand import MOST_ATTEMPTS, Begun, Errand, RefusedError
from cleandesk.control.software import Software, Where, seen_of
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.fetching import Fetching
from cleandesk.update.drop import MODE, Drop
from cleandesk.update.standing import Fetched
from cleandesk.update.system import is_newer
from cleandesk.worker.commands import Asker, Commands

log = logging.getLogger(__name__)

_AN_HOUR = 6
#: What outbox and ledger may still grow by: both are bounded by 64 MB, and SQLite needs room.
SPARE_BYTES = 192 * 2**20
_MB = 1e6


class _LaterError(Exception):
    """It is not the time for it; the text says why."""


class _Begun(Begun):
    """A request that is being done: what it asks for, and how far it has come.

    Attributes:
        had: Bytes that were there when the last process began with it.
        handed: The bundle is whole, and is handed over.
    """

    request: UpdateRequest
    had: Count = 0
    handed: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What the software is changed by.

    Attributes:
        drop: Where bundles are fetched to and handed over.
        fetching: None: `cleandesk claim` did not make this box's key.
        note: Enters a change in the ledger.
        boot: The present power-on.
        where: Where the box sees how its system stands.
    """

    drop: Drop
    fetching: Fetching | None
    note: Callable[[str, str], None]
    boot: str
    where: Where


def record_of(outbox: Path) -> Path:
    """Return the path of the file that remembers a request: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".update")


class Updates:
    """Fetches other software when it is asked to, one request at a time, and tells how it does.

    Args:
        outbox: What it keeps lies beside it.
        clock: The box's.
        means: What it acts by.
    """

    def __init__(self, outbox: Path, clock: Clock, means: Means) -> None:
        self._by = means
        self._software = Software(seen_of(outbox), means.where, means.drop, means.boot)
        self._errand = Errand(
            Command.UPDATE,
            record=record_of(outbox),
            begun=_Begun,
            response=UpdateResponse,
            clock=clock,
            do=self._answer,
        )
        self._fetches: UpdateRequest | None = None

    @property
    def running(self) -> BoxUpdate | None:
        """How software and update stand, as `health` tells; None: none is ever installed."""
        request, fetched = self._fetches, None
        if request is not None:
            share = self._by.drop.has(request.sha256) / request.size
            fetched = Fetched(request.version, min(share, 1.0))
        return self._software.stands(fetched)

    def serve(self, commands: Commands) -> None:
        """Plug in the command."""
        commands.add(
            Command.UPDATE, UpdateRequest, UpdateResponse, self._on_request, per_hour=_AN_HOUR
        )

    def begin(self, commands: Commands) -> None:
        """Tell what has changed since the last process; go on with what it began.

        To be called when the answers of earlier processes are known, and no request comes yet.
        """
        self._software.tell_changes(self._by.note)
        begun = self._errand.pending
        self._tidy(but=None if begun is None else begun.request.sha256)
        if begun is not None:
            self._errand.resume(commands, begun)

    def _on_request(self, request: UpdateRequest, asker: Asker) -> None:
        topic, correlation = asker.topic, asker.correlation.hex()
        begun = _Begun(correlation=correlation, topic=topic, request=request)
        self._errand.start(asker, lambda: begun)

    def _answer(self, asker: Asker, begun: _Begun) -> None:
        """Do what was asked for, and answer."""
        outcome, detail = Outcome.DONE, None
        try:
            taken = self._take(begun)
            detail = None if taken else "it runs already"
        except _LaterError as later:
            outcome, detail = Outcome.BUSY, str(later)
        except errand.TOLD as error:
            outcome, detail = Outcome.FAILED, errand.told(error)
            log.warning("no update: %s", detail, extra={"artefact": begun.request.artefact})
            self._software.refuses(begun.request.version, detail)
            refused = isinstance(error, IdentityError) and error.code is Code.REFUSED
            if refused or isinstance(error, OSError):
                self._tidy()  # what cannot be had, or held, is not gone on with
        finally:
            self._fetches = None
        response = self._errand.response(outcome, detail)
        asker(response.model_copy(update={"update": self.running}))

    def _take(self, begun: _Begun) -> bool:
        """Have the bundle whole on the disk, and hand it over; returns False if it runs already.

        Raises:
            RefusedError: If it must not be taken.
            IdentityError: If it cannot be fetched.
            OSError: The disk does not take it.
        """
        request, drop = begun.request, self._by.drop
        if not begun.handed:
            if not self._wanted(request):
                self._software.forget_refused()
                return False
            begun = self._begin(begun)
            self._fetch(request)
            self._by.note(
                "software_sent",
                "The site sends the box other software, by its word version "
                f"{request.version}. The box is to start anew with it, on trial.",
            )
            self._errand.remember(begun.model_copy(update={"handed": True}))
        self._software.sent(request.version)
        drop.hand_over(request.sha256)
        log.warning("an update is handed over", extra={"version": request.version})
        return True

    def _wanted(self, request: UpdateRequest) -> bool:
        """Say whether a bundle brings something new, and may come now."""
        software = self._software
        if software.version is None or not software.takes_updates:
            fix = "flash an image that was made with UPDATES"
            raise RefusedError(f"no_updates: this box has nobody who installs one: {fix}")
        try:
            newer = is_newer(Version.parse(request.version), software.version)
        except UpdateError as error:
            raise RefusedError(f"older: {error}") from error
        if not newer:
            return False
        if software.on_trial:
            raise _LaterError("what runs is on trial itself: ask again once it is committed")
        if self._by.drop.handed:
            raise _LaterError("another one waits to be installed: ask again once it was")
        left = software.left
        if left is not None and left.version == request.version and not request.again:
            fix = "make another one with a higher version, or ask for it once more with again"
            raise RefusedError(f"given_up: {left.why}: {fix}")
        return True

    def _begin(self, begun: _Begun) -> _Begun:
        """Remember a request with the attempts that brought nothing; returns it."""
        had = self._by.drop.has(begun.request.sha256)
        attempts = begun.attempts if had <= begun.had else 0
        if attempts >= MOST_ATTEMPTS:
            raise RefusedError("cut_off: the box was cut off each time: look into its log")
        begun = begun.model_copy(update={"attempts": attempts + 1, "had": had})
        self._errand.remember(begun)
        return begun

    def _fetch(self, request: UpdateRequest) -> None:
        fetching, drop = self._by.fetching, self._by.drop
        if fetching is None:
            raise RefusedError("not_claimed: this box's key was not made by `cleandesk claim`")
        drop.tidy(but=request.sha256)
        needed, free = request.size - drop.has(request.sha256) + SPARE_BYTES, drop.free()
        if free < needed:
            figures = f"it needs {needed / _MB:.0f} MB and {free / _MB:.0f} MB are free"
            raise RefusedError(f"disk: {figures}: free space on the box's disk")
        self._software.forget_refused()
        self._fetches = request
        fetching.fetch(request.artefact, request.size, drop.incoming(request.sha256), mode=MODE)
        if not drop.is_whole(request.sha256):
            self._tidy()
            fix = "publish it anew, or ask for the right one"
            raise RefusedError(f"damaged: it is not the file that was asked for: {fix}")

    def _tidy(self, *, but: str | None = None) -> None:
        try:
            self._by.drop.tidy(but=but)
        except OSError as error:
            log.warning("what is fetched no more stays", extra={"why": error.strerror})

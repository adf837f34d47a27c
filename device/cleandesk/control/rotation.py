"""A new key on request: `cmd/rotate-key`.

The box's own process renews, in a thread of its own, as `cleandesk renew --now` would. It runs as
the user whom the identity belongs to and reads the key anyway, so that a unit of its own would
guard nothing; the answer needs no way back through a file; and the folder's lock keeps the timer's
renewal out meanwhile.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from cleandesk import durable
from cleandesk.clock import Clock
from cleandesk.contract.commands import Outcome, RotateKeyRequest, RotateKeyResponse
from cleandesk.contract.topics import Command
from cleandesk.identity.chain import Identity
from cleandesk.identity.errors import PASSING, Code, IdentityError
from cleandesk.identity.home import Home
from cleandesk.identity.renewal import Renewal
from cleandesk.worker.commands import Asker, Commands

log = logging.getLogger(__name__)

_ROTATIONS_AN_HOUR = 6
#: What may go away by itself is tried again for so long, then it is told.
_PATIENCE_S, _PAUSE_S = 15.0, 1.0
_MOST_DETAIL = 200


class _Begun(BaseModel):
    """A request that is being done: who waits, and which certificate is to be replaced."""

    model_config = durable.READABLE
    correlation: str = Field(pattern=r"^([0-9a-f]{2}){1,64}$")
    topic: str
    serial: str


def path_of(outbox: Path) -> Path:
    """Return the path of the file that remembers a request: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".rotation")


class Rotation:
    """Makes a new key when it is asked to, one at a time.

    A request is on the disk before it is begun: killed at any moment, the next process goes on with
    the same key, and gives the answer that is owed.

    Args:
        home: Where the box keeps its identity; None: `cleandesk claim` did not make it.
        clock: The box's.
        path: The file that remembers a request.
        reconnect: Connects anew, by the key and certificate as they are now.
        patience_s: See `_PATIENCE_S`.
    """

    def __init__(
        self,
        home: Home | None,
        clock: Clock,
        path: Path,
        reconnect: Callable[[], None],
        *,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._home, self._clock, self._path = home, clock, path
        self._reconnect, self._patience_s = reconnect, patience_s
        self._at_work = threading.Lock()

    def serve(self, commands: Commands) -> None:
        """Plug in the command."""
        commands.add(
            Command.ROTATE_KEY,
            RotateKeyRequest,
            RotateKeyResponse,
            self._on_request,
            per_hour=_ROTATIONS_AN_HOUR,
        )

    def resume(self, commands: Commands) -> None:
        """Go on with what an earlier process began; it has loaded what was answered."""
        begun = self._read()
        if begun is None:
            return
        correlation = bytes.fromhex(begun.correlation)
        asker = commands.again(Command.ROTATE_KEY, correlation, begun.topic)
        if asker is None:
            self._forget()
        else:
            log.info("a new key was asked for before this start: going on with it")
            self._start(asker, begun)

    def _on_request(self, _: RotateKeyRequest, asker: Asker) -> None:
        self._start(asker, None)

    def _start(self, asker: Asker, begun: _Begun | None) -> None:
        if not self._at_work.acquire(blocking=False):
            asker(self._response(Outcome.BUSY, "another request for a new key is at work"))
            return
        threading.Thread(
            target=self._run, args=(asker, begun), name="rotate key", daemon=True
        ).start()

    def _run(self, asker: Asker, begun: _Begun | None) -> None:
        try:
            asker(self._outcome(asker, begun))
            self._forget()
        except Exception:
            log.exception("a request for a new key failed; the next start goes on with it")
        finally:
            self._at_work.release()

    def _outcome(self, asker: Asker, begun: _Begun | None) -> RotateKeyResponse:
        if self._home is None:
            said = "this box's key was not made by `cleandesk claim`: replace it where it was made"
            return self._response(Outcome.FAILED, said)
        try:
            identity = self._renewed(self._home, asker, begun)
        except IdentityError as error:
            log.warning("no new key: %s", error, extra={"code": error.code.value})
            outcome = Outcome.BUSY if error.code is Code.BUSY else Outcome.FAILED
            return self._response(outcome, f"{error.code}: {error.place}: {error.reason}")
        # Before the answer, which so goes by the new certificate.
        self._reconnect()
        ends_at = identity.certificate.not_valid_after_utc
        done = self._response(Outcome.DONE, None)
        return done.model_copy(update={"serial": identity.serial, "ends_at": ends_at})

    def _renewed(self, home: Home, asker: Asker, begun: _Begun | None) -> Identity:
        give_up = time.monotonic() + self._patience_s
        while True:
            try:
                present = home.current()
                if begun is None:
                    begun = self._begin(asker, present.serial)
                # Where a new one is here already, what is left of making it is cleared away.
                asked = present.serial == begun.serial
                return Renewal(home, self._clock).run(now=asked)[1]
            except IdentityError as error:
                if error.code not in PASSING or time.monotonic() > give_up:
                    raise
            time.sleep(_PAUSE_S)

    def _begin(self, asker: Asker, serial: str) -> _Begun:
        begun = _Begun(correlation=asker.correlation.hex(), topic=asker.topic, serial=serial)
        try:
            durable.write(self._path, begun.model_dump_json().encode())
        except OSError as error:
            reason = error.strerror or str(error)
            fix = "look at the box's disk, then ask again"
            raise IdentityError(Code.DISK, self._path, reason, fix) from error
        return begun

    def _read(self) -> _Begun | None:
        try:
            content = durable.read(self._path)
            return None if content is None else _Begun.model_validate_json(content)
        except (durable.DamagedError, ValidationError) as error:
            log.warning("a request for a new key was begun, and nobody can tell which: ask again")
            log.debug("the file is damaged", extra={"why": str(error)})
            return None

    def _forget(self) -> None:
        try:
            durable.forget(self._path)
        except OSError as error:
            log.warning("what was answered stays on file", extra={"why": error.strerror})

    def _response(self, outcome: Outcome, detail: str | None) -> RotateKeyResponse:
        now = self._clock.now()
        return RotateKeyResponse(
            outcome=outcome,
            detail=None if detail is None else detail[:_MOST_DETAIL],
            at=now.utc,
            clock_synced=now.synced,
        )

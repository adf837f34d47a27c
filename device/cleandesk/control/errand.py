"""A request that takes long: done in a thread of its own, one at a time, and through restarts.

It is on the disk before it is begun: killed at any moment, the next process goes on with it, and
gives the answer that is owed. The frame loop and other requests go on meanwhile.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, Field, ValidationError

from cleandesk import durable
from cleandesk.clock import Clock
from cleandesk.contract.artefact_errors import ArtefactError
from cleandesk.contract.commands import Outcome, Response
from cleandesk.contract.messages import Count
from cleandesk.contract.topics import Command
from cleandesk.identity.errors import IdentityError
from cleandesk.worker.commands import Asker, Commands

log = logging.getLogger(__name__)

#: A request whose process was cut off so often is gone on with no more.
MOST_ATTEMPTS = 5
_MOST_DETAIL = 200
#: What is being finished is waited for so long.
_TURN_S = 1.0


class RefusedError(Exception):
    """What was asked for is not done; the text says why, and the fix."""


#: What is told to whoever asks.
TOLD = (RefusedError, ArtefactError, IdentityError, OSError)


def told(error: Exception) -> str:
    """Return what whoever asked is told of an error of `TOLD`."""
    match error:
        case ArtefactError():
            return f"{error.fault}: {error.reason}: {error.fix}"
        case IdentityError():
            return f"{error.code}: {error.reason}: {error.fix}"
        case OSError():
            return f"disk: {(error.strerror or 'it fails').lower()}: look at the box's disk"
        case _:
            return str(error)


class Begun(BaseModel):
    """A request that is being done: who waits for its answer.

    Attributes:
        attempts: How many processes have begun with it.
    """

    model_config = durable.READABLE

    correlation: str = Field(pattern=r"^([0-9a-f]{2}){1,64}$")
    topic: str
    attempts: Count = 0


B = TypeVar("B", bound=Begun)
R = TypeVar("R", bound=Response)


class Errand(Generic[B, R]):
    """Requests of one kind.

    Args:
        command: Its name.
        record: The file that remembers a request.
        begun: How a request is remembered.
        response: What is answered.
        clock: The box's.
        do: Does it and answers; returns what is to follow once the record is forgotten.
    """

    def __init__(
        self,
        command: Command,
        *,
        record: Path,
        begun: type[B],
        response: type[R],
        clock: Clock,
        do: Callable[[Asker, B], Callable[[], None] | None],
    ) -> None:
        self._command, self._record, self._kind = command, record, begun
        self._make, self._clock, self._do = response, clock, do
        self._at_work = threading.Lock()

    @property
    def pending(self) -> B | None:
        """What was begun and is not answered yet."""
        try:
            content = durable.read(self._record)
            return None if content is None else self._kind.model_validate_json(content)
        except (durable.DamagedError, ValidationError) as error:
            log.warning("nobody can tell what was asked for: ask again", extra=self._named)
            log.debug("the file is damaged", extra={"why": str(error)[:_MOST_DETAIL]})
            return None

    def start(self, asker: Asker, begin: Callable[[], B]) -> None:
        """Do a request, once it is its turn; returns at once.

        Args:
            asker: Who waits for the answer.
            begin: Returns how it is remembered, when nothing else is at work.
        """
        # Here, not in the thread: who asked first is first.
        first = self._at_work.acquire(blocking=False)
        name, given = self._command.value, (asker, begin, first)
        threading.Thread(target=self._run, args=given, name=name, daemon=True).start()

    def resume(self, commands: Commands, begun: B) -> None:
        """Go on with what an earlier process began; it has loaded what was answered."""
        asker = commands.again(self._command, bytes.fromhex(begun.correlation), begun.topic)
        if asker is None:
            self._forget()
            return
        log.info("something was asked for before this start: going on with it", extra=self._named)
        self.start(asker, lambda: begun)

    def remember(self, begun: B) -> None:
        """Have a request on the disk.

        Raises:
            OSError: The disk does not take it.
        """
        durable.write(self._record, begun.model_dump_json().encode())

    def response(self, outcome: Outcome, detail: str | None = None) -> R:
        """Return an answer."""
        now = self._clock.now()
        return self._make(
            outcome=outcome,
            detail=None if detail is None else detail[:_MOST_DETAIL],
            at=now.utc,
            clock_synced=now.synced,
        )

    def _run(self, asker: Asker, begin: Callable[[], B], first: bool) -> None:  # noqa: FBT001 - as a thread's argument
        if not first and not self._at_work.acquire(timeout=_TURN_S):
            said = f"another request for {self._command} is at work"
            asker(self.response(Outcome.BUSY, said))
            return
        try:
            follows = self._do(asker, begin())
            self._forget()
            if follows is not None:
                follows()
        except Exception:
            log.exception("a request failed; the next start goes on with it", extra=self._named)
        finally:
            self._at_work.release()

    def _forget(self) -> None:
        try:
            durable.forget(self._record)
        except OSError as error:
            log.warning("what was answered stays on file", extra={"why": error.strerror})

    @property
    def _named(self) -> dict[str, object]:
        return {"command": self._command.value}

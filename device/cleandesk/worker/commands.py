"""What a box can be asked by MQTT: each request is checked, done once, and answered.

A request names where its answer goes and carries correlation data. The same correlation data twice
is the same request: it gets the same bytes again. They are remembered by the ledger, where each
answer is entered before it is sent.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from cleandesk.clock import Clock, Instant
from cleandesk.contract.commands import MAX_CORRELATION, Outcome, Request, Response
from cleandesk.contract.invalid import why
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Channel, Command, Side, TopicError, parse
from cleandesk.link import Entry, Paper
from cleandesk.worker.limiter import HOUR_S, MINUTE_S, Limiter

log = logging.getLogger(__name__)

RequestT = TypeVar("RequestT", bound=Request)
Reply = Callable[[Response], None]

#: The latest answers that are remembered.
MOST_REMEMBERED = 1000
#: Requests that are answered at all, a minute: more than anybody needs, so that nobody can fill the
#: ledger.
_MOST_A_MINUTE = 60
_MOST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Kind(Generic[RequestT]):
    """One command of the registry.

    Attributes:
        request: Its type.
        response: The type of its answer.
        handle: Does it, and replies once, now or later, from any thread.
        limiter: How often.
    """

    request: type[RequestT]
    response: type[Response]
    handle: Callable[[RequestT, Reply], None]
    limiter: Limiter


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is being answered: what, where to, and what to add for people."""

    command: Command
    correlation: bytes
    topic: str
    remark: str | None


class Commands:
    """The registry. `take` is called in the link's thread; replies come from any.

    Args:
        address: The box's.
        clock: The box's.
        say: Enters an answer into the ledger and has it sent.
    """

    def __init__(self, address: Address, clock: Clock, say: Callable[[Paper], None]) -> None:
        self._address, self._clock, self._say = address, clock, say
        self._kinds: dict[Command, Kind[Any]] = {}
        self._guard = Lock()
        self._answers: OrderedDict[tuple[Command, bytes], Paper | None] = OrderedDict()
        self._all = Limiter(_MOST_A_MINUTE, MINUTE_S)

    def add(
        self,
        command: Command,
        request: type[RequestT],
        response: type[Response],
        handle: Callable[[RequestT, Reply], None],
        *,
        per_hour: int,
    ) -> None:
        """Plug in a command.

        Args:
            command: Its name.
            request: What is asked.
            response: What is answered; made with outcome, detail and time alone where nothing
                was done.
            handle: Does it, and replies once, now or later.
            per_hour: How many are done in any hour; more are answered `busy`.
        """
        self._kinds[command] = Kind(request, response, handle, Limiter(per_hour, HOUR_S))

    def load(self, entries: Iterable[Entry]) -> None:
        """Take over the answers of earlier processes from the ledger, oldest first."""
        for entry in entries:
            if entry.kind != Channel.COMMAND:
                continue
            command = parse(entry.topic).command
            if command is not None:
                key = (command, bytes.fromhex(entry.message_id))
                self._remember(key, Paper(entry.topic, entry.message_id, entry.payload))

    def take(self, received: Received, arrived: Instant) -> None:
        """Check a request, do it, and have it answered.

        Args:
            received: What came on `cmd/<name>/request`.
            arrived: When.
        """
        try:
            command = parse(received.topic).command
        except TopicError as error:
            log.warning("a request for no known command is ignored", extra={"error": str(error)})
            return
        kind = None if command is None else self._kinds.get(command)
        if command is None or kind is None or received.retain:
            log.warning(
                "a request that is retained, or that this box does not serve, is ignored",
                extra={"topic": received.topic[:200], "retained": received.retain},
            )
            return
        correlation = received.correlation or b""
        if not 0 < len(correlation) <= MAX_CORRELATION:
            log.warning(
                "a request that cannot be answered is ignored: it needs correlation data",
                extra={"topic": received.topic, "bytes": len(correlation)},
            )
            return
        with self._guard:
            known = (command, correlation) in self._answers
            answer = self._answers.get((command, correlation))
        if known:
            if answer is not None:  # else it is being done, and will be answered
                self._say(answer)
            return
        self._begin(command, kind, received, arrived)

    def _begin(
        self, command: Command, kind: Kind[Any], received: Received, arrived: Instant
    ) -> None:
        now = self._clock.now()
        if self._all.full(now.mono):
            log.warning("too many requests: they are not even answered")
            return
        self._all.count(now.mono)
        topic, remark = self._where(command, received.response_topic)
        correlation = received.correlation or b""
        asked = _Asked(command, correlation, topic, remark)
        self._remember((command, correlation), None)

        def reply(response: Response) -> None:
            self._reply(asked, response)

        def refuse(outcome: Outcome, detail: str) -> None:
            at = self._clock.now()
            reply(
                kind.response(
                    outcome=outcome,
                    detail=detail[:_MOST_DETAIL],
                    at=at.utc,
                    clock_synced=at.synced,
                )
            )

        try:
            request = kind.request.model_validate_json(received.payload)
        except ValidationError as error:
            refuse(Outcome.INVALID, why(error))
            return
        if _expired(request, received, arrived, now):
            refuse(Outcome.EXPIRED, "it came too late")
        elif kind.limiter.full(now.mono):
            refuse(Outcome.BUSY, "too many of this kind; ask again later, as a new request")
        else:
            kind.limiter.count(now.mono)
            try:
                kind.handle(request, reply)
            except BaseException:
                with self._guard:  # it may be asked again
                    self._answers.pop((command, correlation), None)
                raise

    def _where(self, command: Command, wanted: str | None) -> tuple[str, str | None]:
        """Return the topic of the answer, and a remark if it is not the one that was asked for.

        A box may write below its own `cmd/<name>/response` and nowhere else: a request must not
        make it speak in another's name.
        """
        default = self._address.command(command, Side.RESPONSE)
        if wanted is None or wanted == default:
            return default, None
        below = wanted.startswith(f"{default}/") and not set(wanted) & set("+#\0")
        try:
            fits = below and parse(wanted).address == self._address
        except TopicError:
            fits = False
        if fits:
            return wanted, None
        return default, f"answered here: the response topic asked for is not below {default}"

    def _reply(self, asked: _Asked, response: Response) -> None:
        if asked.remark:
            detail = f"{response.detail}; {asked.remark}" if response.detail else asked.remark
            response = response.model_copy(update={"detail": detail[:_MOST_DETAIL]})
        paper = Paper(asked.topic, asked.correlation.hex(), response.to_json())
        self._remember((asked.command, asked.correlation), paper)
        self._say(paper)

    def _remember(self, key: tuple[Command, bytes], answer: Paper | None) -> None:
        with self._guard:
            self._answers[key] = answer
            while len(self._answers) > MOST_REMEMBERED:
                self._answers.popitem(last=False)


def _expired(request: Request, received: Received, arrived: Instant, now: Instant) -> bool:
    """Say whether it is too late; the wall clock is asked only while it can be trusted."""
    if received.expiry_s is not None and now.mono - arrived.mono > received.expiry_s:
        return True
    return request.expires_at is not None and now.synced and now.utc > request.expires_at

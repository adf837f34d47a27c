"""What a box can be asked by MQTT: each request is checked, done once, and answered.

A request names where its answer goes and carries correlation data. The same correlation data twice
is the same request: it gets the same bytes again. They are remembered by the ledger, where each
answer is entered before it is sent. Each command has limits of its own: a flood of one takes
nothing from another.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from cleandesk.clock import Clock, Instant
from cleandesk.contract.commands import MAX_CORRELATION, Outcome, Request, Response
from cleandesk.contract.health import RequestsHealth
from cleandesk.contract.invalid import why
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Channel, Command, Side, TopicError, parse
from cleandesk.link import Entry, Paper
from cleandesk.worker.answers import Answers
from cleandesk.worker.limiter import MINUTE_S, Limiter

log = logging.getLogger(__name__)

RequestT = TypeVar("RequestT", bound=Request)
Reply = Callable[[Response], None]

_MOST_DETAIL = 200
#: Longer topics would fill the ledger.
_LONGEST_TOPIC = 256
#: Lines in the log about requests that get no answer.
_COMPLAINTS_A_MINUTE = 10


@dataclass(frozen=True, slots=True)
class Kind(Generic[RequestT]):
    """One command of the registry.

    Attributes:
        request: Its type.
        response: The type of its answer.
        handle: Does it, and replies once, now or later, from any thread.
        answers: Those that were given, and how many more may be.
        always: It is done even where no answer may be given any more.
    """

    request: type[RequestT]
    response: type[Response]
    handle: Callable[[RequestT, "Asker"], None]
    answers: Answers
    always: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is being answered: of what kind, where to, and what to add for people.

    Without correlation data it is invalid, and answered where anybody on the topic can hear why.
    """

    kind: Kind[Any]
    correlation: bytes
    topic: str
    remark: str | None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who waits for an answer: called with it, once, now or later, from any thread.

    Attributes:
        correlation: Names the request, for ever.
        topic: Where the answer goes.
    """

    correlation: bytes
    topic: str
    _reply: Reply

    def __call__(self, response: Response) -> None:
        """Answer."""
        self._reply(response)


class Commands:
    """The registry. `take` is called in the link's thread; replies come from any.

    Args:
        address: The box's.
        clock: The box's.
        say: Enters an answer into the ledger and has it sent.
        room: Bytes of the ledger that the answers to one command may take in any day.
    """

    def __init__(
        self, address: Address, clock: Clock, say: Callable[[Paper], None], *, room: float
    ) -> None:
        self._address, self._clock, self._say, self._room = address, clock, say, room
        self._kinds: dict[Command, Kind[Any]] = {}
        self._complaints = Limiter(_COMPLAINTS_A_MINUTE, MINUTE_S)
        self._done = self._refused = self._ignored = 0

    @property
    def health(self) -> RequestsHealth:
        """What became of the requests so far."""
        return RequestsHealth(done=self._done, refused=self._refused, ignored=self._ignored)

    def add(
        self,
        command: Command,
        request: type[RequestT],
        response: type[Response],
        handle: Callable[[RequestT, Asker], None],
        *,
        per_hour: int,
        always: bool = False,
    ) -> None:
        """Plug in a command.

        Args:
            command: Its name.
            request: What is asked.
            response: What is answered; made with outcome, detail and time alone where nothing
                was done.
            handle: Does it, and replies once, now or later.
            per_hour: How many are done and answered in any hour; more are answered `busy`, and
                more than a few of these not at all.
            always: More are done all the same, and not answered.
        """
        answers = Answers(per_hour, self._room)
        self._kinds[command] = Kind(request, response, handle, answers, always)

    def load(self, entries: Iterable[Entry]) -> None:
        """Take over the answers of earlier processes from the ledger, oldest first."""
        now = self._clock.now()
        for entry in entries:
            command = parse(entry.topic).command if entry.kind == Channel.COMMAND else None
            kind = None if command is None else self._kinds.get(command)
            if kind is not None:
                kind.answers.load(bytes.fromhex(entry.message_id), entry, now)

    def take(self, received: Received, arrived: Instant) -> None:
        """Check a request, do it, and have it answered.

        Args:
            received: What came on `cmd/<name>/request`.
            arrived: When.
        """
        try:
            command = parse(received.topic).command
        except TopicError as error:
            self._ignored += 1
            self._complain("a request for no known command is ignored", error=str(error))
            return
        kind = None if command is None else self._kinds.get(command)
        if command is None or kind is None or received.retain:
            self._ignored += 1
            self._complain(
                "a request that is retained, or that this box does not serve, is ignored",
                topic=received.topic[:_LONGEST_TOPIC],
                retained=received.retain,
            )
            return
        correlation = received.correlation or b""
        if not 0 < len(correlation) <= MAX_CORRELATION:
            topic = self._address.command(command, Side.RESPONSE)
            needed = f"a request carries 1 to {MAX_CORRELATION} bytes of correlation data"
            self._refuse(_Asked(kind, b"", topic, None), Outcome.INVALID, needed)
            return
        if kind.answers.knows(correlation):
            answer = kind.answers.again(correlation, self._clock.now().mono)
            if answer is not None:
                self._say(answer)
            return
        topic, remark = self._where(command, received.response_topic)
        self._begin(_Asked(kind, correlation, topic, remark), received, arrived)

    def _begin(self, asked: _Asked, received: Received, arrived: Instant) -> None:
        kind, now = asked.kind, self._clock.now()
        try:
            request = kind.request.model_validate_json(received.payload)
        except ValidationError as error:
            self._refuse(asked, Outcome.INVALID, why(error))
            return
        if _expired(request, received, arrived, now):
            self._refuse(asked, Outcome.EXPIRED, "it came too late")
        elif kind.answers.may_do(now.mono):
            self._do(asked, request)
        elif kind.always:
            self._complain("too many requests: one more is done, and not answered")
            self._do(asked, request, silent=True)
        else:
            busy = "too many of this kind; ask again later, as a new request"
            self._refuse(asked, Outcome.BUSY, busy)

    def _do(self, asked: _Asked, request: Request, *, silent: bool = False) -> None:
        self._done += 1
        answers = asked.kind.answers
        answers.begun(asked.correlation, silent=silent)
        try:
            asked.kind.handle(request, self._asker(asked, silent=silent))
        except BaseException:
            answers.forget(asked.correlation)
            raise

    def again(self, command: Command, correlation: bytes, topic: str) -> Asker | None:
        """Return who waits for an answer that an earlier process owed; None: they have it."""
        kind = self._kinds[command]
        if kind.answers.knows(correlation):
            return None
        kind.answers.begun(correlation)
        return self._asker(_Asked(kind, correlation, topic, None))

    def _asker(self, asked: _Asked, *, silent: bool = False) -> Asker:
        reply = _unheard if silent else partial(self._reply, asked)
        return Asker(asked.correlation, asked.topic, reply)

    def _refuse(self, asked: _Asked, outcome: Outcome, detail: str) -> None:
        self._refused += 1
        at = self._clock.now()
        if not asked.kind.answers.may_refuse(at.mono):
            self._complain("too many requests: one more is not even answered", outcome=outcome)
            return
        self._reply(
            asked,
            asked.kind.response(
                outcome=outcome, detail=detail[:_MOST_DETAIL], at=at.utc, clock_synced=at.synced
            ),
        )

    def _complain(self, text: str, **extra: object) -> None:
        """Write a line to the log, unless there were many of them just now."""
        if self._complaints.take(self._clock.now().mono):
            log.warning(text, extra=extra)

    def _where(self, command: Command, wanted: str | None) -> tuple[str, str | None]:
        """Return the topic of the answer, and a remark if it is not the one that was asked for.

        A box may write below its own `cmd/<name>/response` and nowhere else: a request must not
        make it speak in another's name.
        """
        default = self._address.command(command, Side.RESPONSE)
        if wanted is None or wanted == default:
            return default, None
        short = len(wanted) <= _LONGEST_TOPIC
        below = short and wanted.startswith(f"{default}/") and not set(wanted) & set("+#\0")
        try:
            fits = below and parse(wanted).address == self._address
        except TopicError:
            fits = False
        if fits:
            return wanted, None
        return default, f"answered here: the topic asked for is not below {default}, or too long"

    def _reply(self, asked: _Asked, response: Response) -> None:
        if asked.remark:
            detail = f"{response.detail}; {asked.remark}" if response.detail else asked.remark
            response = response.model_copy(update={"detail": detail[:_MOST_DETAIL]})
        paper = Paper(asked.topic, asked.correlation.hex(), response.to_json())
        asked.kind.answers.answered(asked.correlation, paper, self._clock.now().mono)
        self._say(paper)


def _expired(request: Request, received: Received, arrived: Instant, now: Instant) -> bool:
    """Say whether it is too late; the wall clock is asked only while it can be trusted."""
    if received.expiry_s is not None and now.mono - arrived.mono > received.expiry_s:
        return True
    return request.expires_at is not None and now.synced and now.utc > request.expires_at


def _unheard(_: Response) -> None:
    """Stand in for a reply that is not sent."""

"""Asking one box something, over the broker, as the administrator, and waiting for its answer."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from pydantic import ValidationError

from cleandesk.contract import reasons
from cleandesk.contract.commands import Request, Response
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.health import Health
from cleandesk.contract.messages import Status
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import Address, Command, Side
from cleandesk_fleet.provision.door import PATIENCE_S
from cleandesk_fleet.provision.errors import BoxError, BrokerError, OfflineError
from cleandesk_fleet.provision.glancing import Known, away, glance

R = TypeVar("R", bound=Response)
Tell = Callable[[str], None]

#: The broker keeps no request for a box that is away, so it is sent again; a box repeats an answer
#: twelve times a minute at most.
_AGAIN_S = 6.0
_RETRY_MAX_S = 2.0


@dataclass(frozen=True, slots=True)
class _Puback:
    mid: int
    code: int


class Line:
    """The administrator's connection to the broker, and what the broker knows of one box.

    Args:
        admin: How the administrator reaches the broker.
        address: The box.
        command: What it will be asked.

    Raises:
        BrokerError: On entering, if the broker does not take the administrator.
    """

    def __init__(self, admin: BrokerSettings, address: Address, command: Command) -> None:
        self._admin, self._address, self._command = admin, address, command
        self._news: queue.SimpleQueue[Received | _Puback | None] = queue.SimpleQueue()
        self._known = Known(address, {})
        self._here: bool | None = None
        self._session = Session(
            admin.model_copy(update={"retry_max_s": _RETRY_MAX_S}),
            f"asking {address} for {command} {time.monotonic_ns()}",
            subscriptions=[address.command(command, Side.RESPONSE)],
            on_message=self._news.put,
            on_connect=partial(self._news.put, None),
            on_puback=lambda mid, code: self._news.put(_Puback(mid, code)),
        )

    def __enter__(self) -> Self:
        self._known = glance(self._admin, [self._address])[self._address]
        self._session.start()
        try:
            self._news.get(timeout=PATIENCE_S)
        except queue.Empty:
            self._session.stop()
            raise away(self._admin) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._session.stop()

    @property
    def here(self) -> bool:
        """Whether the broker had somebody who takes the box's requests, when it was asked last."""
        return bool(self._here)

    @property
    def status(self) -> Status | None:
        """What the broker retained of the box's `status`; None if it is empty, or nonsense."""
        return self._known.status

    @property
    def health(self) -> Health | None:
        """What the broker retained of the box's `health`; None if it is empty, or nonsense."""
        return self._known.health

    def ask(
        self, request: Request, answer: type[R], correlation: bytes, *, wait_s: float, tell: Tell
    ) -> R:
        """Ask the box, and wait for its answer. The same correlation data is done once.

        Args:
            request: What is asked.
            answer: What it answers with.
            correlation: Names this request.
            wait_s: Wait no longer, seconds.
            tell: Told what is waited for, in words.

        Raises:
            OfflineError: If the box is not on the line, or does not answer in time.
            BrokerError: If the broker does not let the administrator ask.
            BoxError: If the answer cannot be read.
        """
        now = time.monotonic()
        give_up, send_at, mid = now + wait_s, now, 0
        publication = Publication(
            self._address.command(self._command, Side.REQUEST),
            request.to_json(),
            expiry_s=max(1, int(wait_s)),
            response_topic=self._address.command(self._command, Side.RESPONSE),
            correlation=correlation,
        )
        while (now := time.monotonic()) < give_up:
            if now >= send_at:
                send_at, mid = now + _AGAIN_S, self._send(publication, mid, tell)
            try:
                news = self._news.get(timeout=min(send_at, give_up) - now)
            except queue.Empty:
                continue
            match news:
                case None:
                    send_at = time.monotonic()
                case _Puback(mid=its, code=code) if its == mid:
                    self._delivered(code, tell)
                case Received() if news.correlation == correlation:
                    return self._parsed(news, answer)
        where = (
            "is on the line, and gave" if self._here else "is not on the line any more, and gave"
        )
        raise OfflineError(
            f"{self._address} {where} no answer within {wait_s:.0f} s: look at its log "
            "(`journalctl -u cleandesk`), then do it again"
        )

    def _send(self, publication: Publication, last: int, tell: Tell) -> int:
        try:
            return self._session.publish(publication)
        except NotConnectedError:
            tell("the broker is away; waiting for it")
            return last

    def _delivered(self, code: int, tell: Tell) -> None:
        """Judge the broker's word on a request: whether somebody is there who takes it."""
        if code == reasons.NOT_AUTHORIZED:
            raise BrokerError(
                "the broker's rules do not let the administrator ask: run `cleandesk-provision "
                "broker`, reload the broker, then do it again"
            )
        was_here, self._here = self._here, code != reasons.NO_MATCHING_SUBSCRIBERS
        if self._here:
            tell(f"{self._address} has the request; waiting for its answer")
        elif was_here is None:
            raise OfflineError(f"{self._address} is offline{self._since()}")
        else:
            tell(f"{self._address} has left the line; waiting for it")

    def _since(self) -> str:
        status = self.status
        fix = "give it power and network, then do it again"
        if status is None:
            return f", and was never on the line: {fix}"
        at = "" if status.at is None else f" at {status.at:%Y-%m-%d %H:%M} UTC"
        return f", and last said '{status.state}'{at}: {fix}"

    def _parsed(self, received: Received, answer: type[R]) -> R:
        try:
            return answer.model_validate_json(received.payload)
        except ValidationError as error:
            raise BoxError(
                f"{self._address} answered what is no answer ({error.error_count()} errors): bring "
                "box and cleandesk-provision to the same version"
            ) from error

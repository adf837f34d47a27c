"""Asking many boxes the same at once, over the broker, as the administrator."""

import queue
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from cleandesk.contract import reasons
from cleandesk.contract.commands import Request, Response
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk.contract.topics import ROOT, Address, Channel, Command, Side
from cleandesk_fleet.provision.asking import Tell
from cleandesk_fleet.provision.door import PATIENCE_S
from cleandesk_fleet.provision.errors import BrokerError
from cleandesk_fleet.provision.glancing import away

R = TypeVar("R", bound=Response)

_BYTES = 16
#: Boxes that are asked in a second: they do not all come to the service in the same one.
_A_SECOND = 50
_PAUSE_S = 0.02
#: Who has the request and did not answer is asked once more: the answer may have been lost.
_AGAIN_S = 30.0


@dataclass
class Asked(Generic[R]):
    """One box that is asked.

    Attributes:
        here: Whether the broker had somebody who took the request; None: it did not say.
        answer: What the box answered; None: nothing yet.
        unreadable: It answered, and that is no answer.
    """

    address: Address
    correlation: bytes
    here: bool | None = None
    answer: R | None = None
    unreadable: bool = False
    send_at: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether something may still come of it."""
        return self.here is not False and self.answer is None and not self.unreadable


class Crowd(Generic[R]):
    """Boxes that are asked the same, each once, and what they answer.

    Args:
        admin: How the administrator reaches the broker.
        command: What they are asked.
        response: What they answer with.
        addresses: The boxes.
    """

    def __init__(
        self,
        admin: BrokerSettings,
        command: Command,
        response: type[R],
        addresses: Sequence[Address],
    ) -> None:
        self._admin, self._command, self._response = admin, command, response
        self.asked = [Asked[R](one, secrets.token_bytes(_BYTES)) for one in addresses]
        self._by_correlation = {one.correlation: one for one in self.asked}
        self._by_mid: dict[int, Asked[R]] = {}
        self._next_at = 0.0
        self._news: queue.SimpleQueue[Received | tuple[int, int] | None] = queue.SimpleQueue()
        self._session = Session(
            admin,
            f"asking boxes for {command} {time.monotonic_ns()}",
            subscriptions=[f"{ROOT}/+/+/{Channel.COMMAND}/{command}/{Side.RESPONSE}"],
            on_message=self._news.put,
            on_connect=lambda: self._news.put(None),
            on_puback=lambda mid, code: self._news.put((mid, code)),
        )

    def ask(self, request: Request, *, wait_s: float, tell: Tell) -> Sequence[Asked[R]]:
        """Ask all, and wait for their answers; who is not on the line is not waited for.

        Args:
            request: What is asked.
            wait_s: Wait no longer, seconds, from when the last one was asked.
            tell: Told what is waited for, in words.

        Raises:
            BrokerError: If the broker is away, or does not let the administrator ask.
        """
        self._session.start()
        try:
            try:
                self._news.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise away(self._admin) from None
            body, give_up = request.to_json(), time.monotonic() + wait_s
            give_up += len(self.asked) / _A_SECOND
            while (now := time.monotonic()) < give_up and any(one.waits for one in self.asked):
                self._send(body, now, int(wait_s))
                self._hear()
                tell(self._summary())
        finally:
            self._session.stop()
        return self.asked

    def _send(self, body: bytes, now: float, expiry_s: int) -> None:
        """Ask the next one that is due."""
        one = next((one for one in self.asked if one.waits and one.send_at <= now), None)
        if one is None or now < self._next_at:
            return
        publication = Publication(
            one.address.command(self._command, Side.REQUEST),
            body,
            expiry_s=max(1, expiry_s),
            response_topic=one.address.command(self._command, Side.RESPONSE),
            correlation=one.correlation,
        )
        try:
            self._by_mid[self._session.publish(publication)] = one
        except NotConnectedError:
            return
        one.send_at, self._next_at = now + _AGAIN_S, now + 1 / _A_SECOND

    def _hear(self) -> None:
        try:
            news = self._news.get(timeout=_PAUSE_S)
        except queue.Empty:
            return
        match news:
            case None:  # connected anew: what was on the way may be lost
                for one in self.asked:
                    one.send_at = 0.0
            case (mid, code):
                self._delivered(mid, code)
            case Received():
                self._answered(news)

    def _delivered(self, mid: int, code: int) -> None:
        if code == reasons.NOT_AUTHORIZED:
            raise BrokerError(
                "the broker's rules do not let the administrator ask: run `cleandesk-provision "
                "broker`, reload the broker, then do it again"
            )
        one = self._by_mid.pop(mid, None)
        # Who had it once is waited for: it may begin anew meanwhile.
        if one is not None and not one.here:
            one.here = code != reasons.NO_MATCHING_SUBSCRIBERS

    def _answered(self, received: Received) -> None:
        one = self._by_correlation.get(received.correlation or b"")
        if one is None:
            return
        try:
            one.answer = self._response.model_validate_json(received.payload)
        except ValidationError:
            one.unreadable = True

    def _summary(self) -> str:
        answered = sum(one.answer is not None for one in self.asked)
        there = sum(bool(one.here) for one in self.asked)
        return f"{there} of {len(self.asked)} boxes have the request, {answered} answered"

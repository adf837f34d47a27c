"""The subscriber's answers: from its `ack` to what the outbox releases."""

import logging
import time

from pydantic import ValidationError

from cleandesk.contract.invalid import why
from cleandesk.contract.messages import Ack, AckResult
from cleandesk.contract.mqtt import Received
from cleandesk.link.outbox import Outbox
from cleandesk.link.senders import Senders

log = logging.getLogger(__name__)


class Settling:
    """Gathers answers, and settles them together: one transaction for many.

    Attributes:
        last: When the last one came, of time.monotonic(); None: none did.
    """

    def __init__(self, outbox: Outbox, senders: Senders) -> None:
        self._outbox, self._senders = outbox, senders
        self._acks: list[AckResult] = []
        self.last: float | None = None

    def take(self, received: Received) -> None:
        """Take an `ack`, unless it is none."""
        if received.retain:
            log.warning("a retained ack is ignored: acks are answers, nobody may keep them")
            return
        try:
            self._acks += Ack.model_validate_json(received.payload).root
            self.last = time.monotonic()
        except ValidationError as error:
            log.warning(
                "an ack that is none is ignored",
                extra={"bytes": len(received.payload), "error": why(error)},
            )

    def settle(self, now: float) -> None:
        """Release what was answered for."""
        if self._acks:
            acks, self._acks = self._acks, []
            released = self._outbox.settle(acks)
            # One that was given up while it was on its way must not keep its place for ever.
            gone = self._outbox.gone(one.id for one in acks)
            self._senders.answered(released | gone, now)

"""A message about the worker that is no event: said once, entered in the ledger, then sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cleandesk.contract.commands import MAX_CORRELATION, Response
from cleandesk.contract.messages import Privacy
from cleandesk.contract.publication import UserProperties
from cleandesk.contract.stills import StillHeaders, media_type_of
from cleandesk.contract.topics import Address, Channel, Command, Side, parse
from cleandesk.contract.worker_messages import Appeal, Idle


@dataclass(frozen=True, slots=True)
class Paper:
    """One message, serialised once.

    Attributes:
        topic: Where to.
        message_id: As in the ledger (`chain.Entry`).
        payload: These bytes are entered, sent, and sent again.
    """

    topic: str
    message_id: str
    payload: bytes

    @classmethod
    def privacy(cls, address: Address, privacy: Privacy) -> Self:
        """Return the state of the worker: retained, so that only the newest is sent."""
        return cls(address.topic(Channel.PRIVACY), "", privacy.to_json())

    @classmethod
    def appeal(cls, address: Address, appeal: Appeal) -> Self:
        """Return an objection: sent until the subscriber has answered for it."""
        return cls(address.topic(Channel.APPEAL), appeal.appeal_id, appeal.to_json())

    @classmethod
    def idle(cls, address: Address, idle: Idle) -> Self:
        """Return an idle marker: sent until the broker has it."""
        return cls(address.topic(Channel.IDLE), "", idle.to_json())

    @classmethod
    def response(
        cls, address: Address, command: Command, correlation: bytes, response: Response
    ) -> Self:
        """Return the answer to a request: sent until the broker has it.

        Args:
            address: The box's.
            command: What was asked.
            correlation: The request's correlation data, 1 to 64 bytes.
            response: The answer.
        """
        if not 0 < len(correlation) <= MAX_CORRELATION:
            raise ValueError(f"correlation data of {len(correlation)} bytes; 1-{MAX_CORRELATION}")
        topic = address.command(command, Side.RESPONSE)
        return cls(topic, correlation.hex(), response.to_json())

    @classmethod
    def still(cls, address: Address, violation_id: str, still_id: str, content: bytes) -> Self:
        """Return a violation's picture: held back, then sent until the subscriber has answered.

        Raises:
            ValueError: If the content is no still.
        """
        if media_type_of(content) is None:
            raise ValueError(f"{len(content)} bytes that are no still")
        return cls(address.topic(Channel.STILL, violation_id), still_id, content)

    @property
    def channel(self) -> Channel:
        """Which channel of the contract it is for."""
        return parse(self.topic).channel

    @property
    def correlation(self) -> bytes | None:
        """What an answer carries, so that the asker knows it; None where the asker sent none."""
        named = self.message_id and self.channel is Channel.COMMAND
        return bytes.fromhex(self.message_id) if named else None

    def user(self, at: str, *, clock_synced: bool) -> UserProperties:
        """Return the user properties that it is sent with, which only a still has.

        Args:
            at: When it was entered, RFC 3339.
            clock_synced: Whether that can be trusted.
        """
        if self.channel is not Channel.STILL:
            return ()
        moment = datetime.fromisoformat(at)
        headers = StillHeaders.of(
            self.payload, still_id=self.message_id, at=moment, clock_synced=clock_synced
        )
        return headers.to_user()

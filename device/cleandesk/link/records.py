"""What the outbox keeps, as values."""

import hashlib
from dataclasses import dataclass, field

from cleandesk.contract.messages import LostRange


@dataclass(frozen=True, slots=True)
class Record:
    """One event, serialised once: these bytes are committed, sent, and sent again."""

    epoch: str
    seq: int
    event_id: str
    payload: bytes

    @property
    def digest(self) -> bytes:
        """sha256 of the payload: names it where its event_id cannot be read."""
        return hashlib.sha256(self.payload).digest()


@dataclass(frozen=True, slots=True)
class Pending:
    """A committed event that waits for the subscriber's word.

    Attributes:
        id: Rises with each commit and is never used twice by a process: the order of sending.
    """

    id: int
    event_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Active:
    """A retained `active` topic that the broker holds, or shall hold.

    Attributes:
        payload: The open violation; empty once it is closed and the topic must be cleared.
        published: The broker may have it.
    """

    payload: bytes
    published: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The last moment that the file knows of, in powered-on time."""

    boot: str
    mono: float


@dataclass(frozen=True, slots=True)
class Contents:
    """All of an outbox file but its events."""

    epoch: str
    next_seq: int = 1
    state: bytes | None = None
    refused: int = 0
    losses: tuple[LostRange, ...] = ()
    active: dict[str, Active] = field(default_factory=dict)

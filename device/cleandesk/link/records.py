"""What the outbox keeps, as values."""

import hashlib
from dataclasses import dataclass, field

from cleandesk.contract.health import LostRange
from cleandesk.contract.publication import UserProperties
from cleandesk.link.chain import FIRST, Anchor


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
    """A committed event, or paper, that waits to be settled.

    Attributes:
        id: Rises with each commit and is never used twice by a process: the order of sending.
        event_id: Names it in the subscriber's answer; an appeal's is its appeal_id, a still's its
            still_id. What nobody
            answers for has its `id` here.
        entry: Its number in the ledger.
        topic: Where a paper is sent to.
        correlation: What an answer carries, so that the asker knows it.
        user: User properties that it is always sent with.
    """

    id: int
    event_id: str
    payload: bytes
    entry: int = 0
    topic: str = ""
    correlation: bytes | None = None
    user: UserProperties = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that is to be sent.

    Attributes:
        entry: Its number in the ledger.
        answered: Whether a subscriber answers for it.
        hold_s: It is held back for so long, powered-on time.
    """

    entry: int
    answered: bool
    hold_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Active:
    """A retained `active` topic that the broker holds, or shall hold.

    Attributes:
        payload: The open violation; empty once it is closed and the topic must be cleared.
        published: The broker may have it.
        entry: Its number in the ledger; 0 until it is entered.
    """

    payload: bytes
    published: bool = False
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """The last moment that the file knows of, in powered-on time."""

    boot: str
    mono: float


@dataclass(frozen=True, slots=True)
class Contents:
    """All of an outbox file but its events and the ledger's entries.

    Attributes:
        anchor: Where the ledger begins.
        head: Its newest entry.
    """

    epoch: str
    next_seq: int = 1
    state: bytes | None = None
    refused: int = 0
    losses: tuple[LostRange, ...] = ()
    active: dict[str, Active] = field(default_factory=dict)
    anchor: Anchor = FIRST
    head: Anchor = FIRST

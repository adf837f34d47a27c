"""One change of the state: a transaction, its moment, who makes it, and the audit trail."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from cleandesk_fleet.provision.tables import audit

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """What functions that change the state work with.

    Attributes:
        connection: In a transaction.
        now: The moment of all of it.
        who: Whom the audit trail names.
    """

    connection: Connection
    now: datetime
    who: str

    def note(self, did: str, subject: str, *, alarm: bool = False, **detail: object) -> None:
        """Enter something into the audit trail; an alarm is logged as an error, too."""
        self.connection.execute(
            audit.insert().values(
                at=self.now,
                who=self.who,
                did=did,
                subject=subject,
                detail=json.dumps(detail, default=str, sort_keys=True),
                alarm=alarm,
            )
        )
        level = logging.ERROR if alarm else logging.INFO
        log.log(level, did, extra={"who": self.who, "subject": subject, **detail})


class Registry:
    """The state of provisioning.

    Args:
        engine: From `open_database`.
        who: Whom the audit trail names.
        clock: Where time comes from.
        dry: Changes are worked out, and then not kept.
    """

    def __init__(
        self, engine: Engine, who: str, clock: Clock = utc_now, *, dry: bool = False
    ) -> None:
        self._engine, self._who, self._clock = engine, who, clock
        self.dry = dry

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Begin a change; it is kept, whole, when the block ends without an error."""
        with self._engine.connect() as connection, connection.begin() as transaction:
            yield Change(connection, self._clock(), self._who)
            if self.dry:
                transaction.rollback()

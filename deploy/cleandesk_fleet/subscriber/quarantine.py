"""What could not be logged is kept, with the reason, up to a bound."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from cleandesk.contract.topics import Channel, TopicError, parse
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.intake import Rejected
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import meta, quarantine

#: Enough to see what came; a whole event is far shorter.
MAX_KEPT_BYTES = 4096
#: It is in an index, whose entries PostgreSQL bounds: 2,704 bytes.
_MAX_KEPT_TOPIC_BYTES = 2000
DROPPED = "quarantine_dropped"


class Quarantine:
    """What one transaction could not log: gathered, so that whoever sends it costs little."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._rows: dict[tuple[str, str], Row] = {}

    def keep(self, rejected: Rejected) -> None:
        """Keep one message; one that is kept already is counted."""
        whole = printable(rejected.topic).encode()
        topic = whole[:_MAX_KEPT_TOPIC_BYTES].decode(errors="ignore")
        digest = hashlib.sha256(rejected.payload).hexdigest()
        known = self._rows.get((topic, digest))
        if known is not None:
            known["deliveries"] += 1
            return
        picture = _may_be_picture(rejected.topic)
        self._rows[topic, digest] = {
            "site": rejected.address.site if rejected.address else None,
            "box": rejected.address.box if rejected.address else None,
            "topic": topic,
            "digest": digest,
            "size": len(rejected.payload),
            "payload": b"" if picture else rejected.payload[:MAX_KEPT_BYTES],
            "result": rejected.status.value,
            "reason": printable(rejected.reason),
            "deliveries": 1,
            "received_at": self._now,
            "last_at": self._now,
        }

    def save(self, connection: Connection, limit: int) -> None:
        """Write what was gathered; drop the oldest above a limit, and count them."""
        rows = list(self._rows.values())
        bulk.add_or_count(
            connection,
            quarantine,
            rows,
            by=("topic", "digest"),
            count="deliveries",
            latest="last_at",
        )
        if rows:
            trim(connection, limit)


def trim(connection: Connection, limit: int) -> None:
    """Drop the oldest above a limit and count them."""
    surplus = (connection.scalar(select(func.count()).select_from(quarantine)) or 0) - limit
    if surplus <= 0:
        return
    oldest = select(quarantine.c.id).order_by(quarantine.c.id).limit(surplus)
    # Another subscriber may have dropped the same ones meanwhile, and counted them.
    dropped = connection.execute(delete(quarantine).where(quarantine.c.id.in_(oldest))).rowcount
    bulk.add(connection, meta, {"name": DROPPED, "value": "0"})
    mine = meta.c.name == DROPPED
    before = connection.scalar(select(meta.c.value).where(mine).with_for_update())
    total = str(int(before or 0) + dropped)
    connection.execute(meta.update().where(mine).values(value=total))


def _may_be_picture(topic: str) -> bool:
    """Say whether only size and digest are kept: nothing here is deleted after a picture's time."""
    try:
        return parse(topic).channel is Channel.STILL
    except TopicError:
        return topic.split("/")[4:5] == [Channel.STILL.value]


def printable(text: str) -> str:
    """Return a text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()

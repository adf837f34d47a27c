"""What can still be read of a damaged outbox file, and what must be reported lost."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from cleandesk.contract.messages import ViolationEvent
from cleandesk.link import loss, schema, store
from cleandesk.link.ledger_salvage import LedgerSalvage, read_ledger
from cleandesk.link.mark import Mark
from cleandesk.link.readable import Row, readable_rows
from cleandesk.link.records import Active, Contents, Record

log = logging.getLogger(__name__)

_ROWS = "SELECT id, epoch, seq, event_id, digest, payload FROM events NOT INDEXED"


@dataclass(slots=True)
class Salvage:
    """What came out of a damaged file.

    Attributes:
        records: Events that are whole, in their order, byte for byte.
        spans: Numbers that may have waited, by epoch; what is not in `records` is lost.
        ledger: The entries that are whole, and which are missing.
        known: False if not even the range of what was lost can be told.
    """

    records: list[Record] = field(default_factory=list)
    state: bytes | None = None
    refused: int = 0
    losses: loss.Losses = ()
    active: dict[str, Active] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    ledger: LedgerSalvage = field(default_factory=LedgerSalvage)
    known: bool = True

    def add_lost(self) -> None:
        """Count as lost what should be there and is not."""
        for epoch, (first, last) in self.spans.items():
            there = [record.seq for record in self.records if record.epoch == epoch]
            runs = loss.gaps(first, last, there)
            self.losses = loss.add(self.losses, epoch, runs, "corrupt")


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged file, its WAL with it, to `<name>.corrupt-<time>`; return the new path."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside


def newest_aside(path: Path) -> Path | None:
    """Return the file that was set aside last, if any."""
    found = sorted(
        file
        for file in path.parent.glob(f"{path.name}.corrupt-*")
        if not file.name.endswith(("-wal", "-shm"))
    )
    return found[-1] if found else None


def read(path: Path | None, mark: Mark | None) -> Salvage:
    """Read what can be read of a file that was set aside. Never raises for what is in it.

    Args:
        path: The file; None if it is gone.
        mark: The sidecar, which knows the numbers where the file does not.
    """
    found = Salvage()
    contents: Contents | None = None
    if path is not None:
        try:
            with closing(schema.connect(path)) as db:
                contents = _read_all(db, found, mark)
        except sqlite3.Error as error:
            log.error(  # noqa: TRY400 - what is wrong is told, the stack says nothing
                "nothing of the outbox can be read",
                extra={"path": str(path), "error": str(error)},
            )
    found.ledger.find_gaps(mark.entries if mark else 0)
    found.spans = _spans(found.records, contents, mark)
    found.known = mark is not None or contents is not None
    found.add_lost()
    return found


def _read_all(db: sqlite3.Connection, found: Salvage, mark: Mark | None) -> Contents | None:
    """Read each part by itself: one may be whole where the other is not."""
    reader = store.Store(db)
    rows = readable_rows(db, _ROWS, "id", mark.last_id if mark else 0)
    whole = [record for row in rows if (record := _record(row))]
    found.records = list({(record.epoch, record.seq): record for record in whole}.values())
    found.ledger.entries = read_ledger(db, mark.entries if mark else 0)
    try:
        found.active.update(reader.active())
    except sqlite3.Error as error:
        log.warning("open violations are readable in part", extra={"error": str(error)})
    try:
        contents = reader.load()
    except sqlite3.Error as error:
        log.warning("the policy's state is unreadable", extra={"error": str(error)})
        return None
    found.ledger.anchor = contents.anchor
    found.state, found.refused, found.losses = contents.state, contents.refused, contents.losses
    return contents


def _record(row: Row) -> Record | None:
    """Return a row as an event if it is whole: its digest and its own words agree."""
    _, epoch, seq, event_id, digest, payload = row
    if not isinstance(payload, bytes):
        return None
    try:
        event = ViolationEvent.model_validate_json(payload)
    except ValidationError:
        return None
    record = Record(event.epoch, event.seq, event.event_id, payload)
    columns = (record.epoch, record.seq, record.event_id, record.digest)
    return record if columns == (epoch, seq, event_id, digest) else None


def _spans(
    records: list[Record], contents: Contents | None, mark: Mark | None
) -> dict[str, tuple[int, int]]:
    """Return which numbers may have waited: the sidecar's word, widened by what was read.

    Where only the file can tell, it starts from 1: too wide is safe.
    """
    spans = {span.epoch: (span.first, span.last) for span in mark.spans} if mark else {}
    if contents is not None and contents.next_seq > 1:
        first, last = spans.get(contents.epoch, (1, 0))
        spans[contents.epoch] = (first, max(last, contents.next_seq - 1))
    for record in records:
        first, last = spans.get(record.epoch, (1, 0))
        spans[record.epoch] = (min(first, record.seq), max(last, record.seq))
    return spans

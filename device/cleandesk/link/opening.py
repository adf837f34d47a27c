"""Opening the outbox: one process only, a damaged file set aside, nothing lost in silence."""

import fcntl
import logging
import os
import sqlite3
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from cleandesk.clock import Instant
from cleandesk.contract.messages import timestamp
from cleandesk.link import loss, mark, salvage
from cleandesk.link.chain import DAMAGE, NOTE, Draft
from cleandesk.link.errors import OutboxAccessError, OutboxBusyError
from cleandesk.link.ledger import damage
from cleandesk.link.ledger_salvage import LedgerSalvage
from cleandesk.link.records import Contents, Seen
from cleandesk.link.schema import Trouble, trouble
from cleandesk.link.store import Store, losses_json

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is ready, and what it holds.

    Attributes:
        next_id: The next event's row id; above every one that this process has used.
    """

    store: Store
    contents: Contents
    next_id: int


def lock_of(outbox: Path) -> Path:
    """Return the path of the file that the one process which has the outbox holds."""
    return outbox.with_name(outbox.name + ".lock")


def lock(path: Path) -> int:
    """Take `<name>.lock` for this process; return its descriptor. It is free again when closed.

    Raises:
        OutboxBusyError: If another process has it.
        OutboxAccessError: If the folder is missing, or may not be written to.
    """
    if path.is_dir():
        raise OutboxAccessError(f"outbox {path} is a folder: give outbox.path a file's name")
    where = lock_of(path)
    try:
        file = os.open(where, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise OutboxAccessError(
            f"outbox {path}: there is no folder {path.parent}: create it, owned by the box's user"
        ) from None
    except OSError as error:
        raise OutboxAccessError(
            f"outbox {path}: {error.strerror}: let the box's user write to {path.parent}, "
            "or set outbox.path elsewhere"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise OutboxBusyError(
            f"outbox {path} is in use by another process: end it, or set another outbox.path"
        ) from None
    return file


def open_store(path: Path, now: Instant, next_id: int = 1) -> Opened:
    """Open the file, make it if it is new, or start a fresh one with what a damaged one still had.

    Args:
        path: The outbox; its lock is held.
        now: Names the file that is set aside, and dates the note about it.
        next_id: Lowest row id to use in a fresh file.

    Raises:
        OutboxError: If it may not be used, or is something else.
        sqlite3.Error: If the disk is full or fails.
    """
    known = mark.read(path)
    try:
        existing = _open_existing(path)
    except sqlite3.Error as error:
        kind = trouble(error)
        if kind is Trouble.DAMAGED:
            log.error(  # noqa: TRY400 - the damage is told, the stack says nothing
                "outbox file is damaged: setting it aside",
                extra={"path": str(path), "error": str(error)},
            )
            return _start_fresh(path, salvage.set_aside(path, now.utc), known, next_id, now)
        if kind is Trouble.ACCESS:
            raise OutboxAccessError(
                f"outbox {path}: {error}: let the box's user read and write it and its folder"
            ) from error
        if kind is Trouble.BUSY:
            raise OutboxBusyError(
                f"outbox {path} is open in another program: close that, it is the box's alone"
            ) from error
        raise
    if existing is None:
        # No file, and yet numbers were given out: it vanished, or a start was cut short while it
        # was setting a damaged one aside.
        aside = salvage.newest_aside(path) if known else None
        return _start_fresh(path, aside, known, next_id, now)
    return existing


def _open_existing(path: Path) -> Opened | None:
    if not path.exists() or path.stat().st_size == 0:
        return None
    store = Store.open(path)
    if store is None:
        return None
    try:
        contents, known = _with_head(store, store.load()), mark.read(path)
        if known is not None:
            contents = _with_uncommitted(contents, store.spans(), known)
        return Opened(store, contents, store.last_id() + 1)
    except BaseException:
        store.close()
        raise


def _with_head(store: Store, contents: Contents) -> Contents:
    head = store.ledger.head(contents.anchor)
    return replace(contents, active=dict(store.active()), head=head)


def _with_uncommitted(contents: Contents, there: Collection[str], known: mark.Mark) -> Contents:
    """Report numbers that were given out and never reached the file: it was full, or failing."""
    next_seq, losses = contents.next_seq, contents.losses
    for span in known.spans:
        if span.epoch == contents.epoch:
            run = (contents.next_seq, span.last)
            next_seq = max(next_seq, span.last + 1)
        elif span.epoch not in there:
            run = (span.first, span.last)
        else:
            continue
        if run[0] <= run[1]:
            losses = loss.add(losses, span.epoch, [run], "disk")
            log.error("events were lost while the disk failed", extra={"seq": run})
    return replace(contents, next_seq=next_seq, losses=losses)


def _remove(path: Path) -> None:
    """Remove an empty database with its WAL, which SQLite would replay into its successor."""
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _start_fresh(
    path: Path, aside: Path | None, known: mark.Mark | None, next_id: int, now: Instant
) -> Opened:
    epoch = uuid.uuid4().hex
    found = salvage.Salvage() if aside is None and known is None else salvage.read(aside, known)
    building = path.with_name(path.name + ".new")
    _remove(building)
    building.touch(mode=0o600)
    store = Store.create(building, epoch)
    contents = Contents(
        epoch=epoch,
        state=found.state,
        refused=found.refused,
        losses=found.losses,
        active=found.active,
        anchor=found.ledger.anchor,
    )
    try:
        with store.transaction():
            _carry_ledger(store, found.ledger, now)
            # Of an unknown power-on: they count their age from now.
            store.insert(next_id, found.records, Seen("", 0.0), found.ledger.numbers())
            store.put_active(contents.active, {})
            store.put_meta(
                {
                    "epoch": epoch,
                    "next_seq": 1,
                    "state": found.state,
                    "refused": found.refused,
                    "lost": losses_json(found.losses),
                    "anchor": contents.anchor.number,
                    "anchor_chain": contents.anchor.chain,
                },
                {},
            )
    finally:
        store.close()  # and with it the WAL: one file is renamed at once, or not at all
    _remove(path)
    building.rename(path)
    if aside is not None or known is not None:
        log.error(
            "outbox starts anew",
            extra={
                "aside": str(aside) if aside else None,
                "salvaged": len(found.records),
                "lost": loss.count(found.losses) if found.known else "unknown",
                "ranges": [one.model_dump() for one in contents.losses],
                "entries": len(found.ledger.entries),
                "missing": [(gap.first, gap.last) for gap in found.ledger.gaps],
            },
        )
    opened = Store.open(path)
    if opened is None:
        raise OutboxAccessError(f"outbox {path} vanished while it was made: is its disk all right?")
    return Opened(opened, _with_head(opened, contents), next_id + len(found.records))


def _carry_ledger(store: Store, found: LedgerSalvage, now: Instant) -> None:
    """Keep the entries that can be read, number by number, and enter what is missing."""
    store.ledger.append(found.entries)
    store.papers.add(found.papers(), Seen("", 0.0))
    if found.gaps:
        head = store.ledger.head(found.anchor)
        number = max(head.number, found.gaps[-1].last) + 1
        payload = damage(found.gaps)
        note = Draft(timestamp(now.utc), now.synced, NOTE, "", DAMAGE, payload)
        store.ledger.append([note.entered(number, head.chain)])

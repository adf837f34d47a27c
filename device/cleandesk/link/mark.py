"""The outbox's sidecar `<name>.mark`: which numbers were given out, should the file not tell.

Rewritten in place after each commit, without fsync: it survives a killed process, and after a power
cut it may be a little old. Its size never changes, so that a full disk does not stop it.
"""

import logging
import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from cleandesk.contract.messages import Count, Id

log = logging.getLogger(__name__)

_SIZE = 4096  # one page: it is written whole or not at all
_MAX_EPOCHS = 32


class Span(BaseModel):
    """Numbers of one epoch: from the oldest that still waited to the newest given out."""

    epoch: Id
    first: Count
    last: Count


class Mark(BaseModel):
    """What the sidecar holds.

    Attributes:
        spans: The epochs that may have waiting events, oldest first.
        last_id: The highest row id given out.
        entries: The number of the ledger's newest entry.
    """

    spans: Annotated[list[Span], Field(max_length=_MAX_EPOCHS)]
    last_id: Count
    entries: Count = 0


def path_of(outbox: Path) -> Path:
    """Return the sidecar's path."""
    return outbox.with_name(outbox.name + ".mark")


def read(outbox: Path) -> Mark | None:
    """Return the sidecar's content; None if there is none, or it is damaged."""
    try:
        return Mark.model_validate_json(path_of(outbox).read_bytes().rstrip(b"\n "))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning(
            "outbox mark is unreadable", extra={"path": str(path_of(outbox)), "error": str(error)}
        )
        return None


def write(outbox: Path, mark: Mark) -> None:
    """Replace the sidecar's content.

    Raises:
        OSError: If it cannot be written.
    """
    short = mark.model_copy(update={"spans": mark.spans[-_MAX_EPOCHS:]})
    text = short.model_dump_json().encode()
    file = os.open(path_of(outbox), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(file, text.ljust(_SIZE - 1) + b"\n", 0)
    finally:
        os.close(file)

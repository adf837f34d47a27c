"""How many starts in a row have crashed: what ends without a word is counted by the next start."""

import contextlib
import logging
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cleandesk import durable
from cleandesk.clock import Instant
from cleandesk.contract.messages import Count, Id
from cleandesk.settings_worker import SafeModeSettings

log = logging.getLogger(__name__)

_LONGEST = 120


class _Row(BaseModel):
    """Starts of one power-on that have not lasted; `why` is the last one's own word."""

    model_config = durable.READABLE
    boot: Id
    count: Count
    why: str | None = None


def path_of(outbox: Path) -> Path:
    """Return the file's path: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".starts")


class Starts:
    """Counts the starts of one box. A power cut is no crash: each power-on counts anew.

    A disk that takes nothing, or a file that is damaged, never keeps a box from looking.

    Args:
        path: The file.
        settings: How many are too many.
        boot: Id of this power-on.
    """

    def __init__(self, path: Path, settings: SafeModeSettings, boot: str) -> None:
        self._path, self._settings, self._boot = path, settings, boot
        self._row = _Row(boot=boot, count=0)
        self._began: Instant | None = None

    def begin(self, now: Instant) -> str | None:
        """Count a start.

        Returns:
            Why it must be one in safe mode; None: it must not.
        """
        crashed, before = self.crashed(), self._read().count
        self._count(now, before)
        return crashed

    def crashed(self) -> str | None:
        """Return why the next start will be one in safe mode; None: it will not."""
        row = self._read()
        if row.count < self._settings.after_starts:
            return None
        return f"{row.count} starts in a row crashed; the last: {row.why or 'without a word'}"

    def anew(self, now: Instant) -> None:
        """Count this start as the first one: what the others crashed by is gone."""
        self._count(now, 0)

    def follow(self, now: Instant) -> None:
        """Take note that the box still runs: after a time the start has not crashed."""
        if self._began and now.mono - self._began.mono >= self._settings.healthy_after_s:
            self.ended()

    def failed(self, error: BaseException) -> None:
        """Remember what a start died of."""
        why = f"{type(error).__name__}: {error}"[:_LONGEST]
        self._write(self._row.model_copy(update={"why": why}))

    def withdraw(self) -> None:
        """Take back the count of this start: it is nobody's fault that safe mode could mend."""
        self._write(self._row.model_copy(update={"count": self._row.count - 1}))

    def ended(self) -> None:
        """Count anew from here on: the box has lasted, or ended in order."""
        self._began = None
        try:
            durable.forget(self._path)
        except OSError as error:
            log.warning("the count of starts stays", extra={"why": error.strerror})

    def _count(self, now: Instant, before: int) -> None:
        self._began, self._row = now, _Row(boot=self._boot, count=before + 1)
        self._write(self._row)

    def _read(self) -> _Row:
        with contextlib.suppress(durable.DamagedError, ValidationError):
            content = durable.read(self._path)
            row = _Row.model_validate_json(content) if content is not None else None
            if row is not None and row.boot == self._boot:
                return row
        return _Row(boot=self._boot, count=0)

    def _write(self, row: _Row) -> None:
        try:
            durable.write(self._path, row.model_dump_json().encode())
        except OSError as error:
            log.warning("this start is not counted", extra={"why": error.strerror})

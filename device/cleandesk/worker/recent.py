"""The latest violations, as the worker's page shows them."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from cleandesk.contract.messages import ActiveViolation, Phase, ViolationEvent, ViolationFacts
from cleandesk.contract.topics import Channel
from cleandesk.contract.worker_messages import Appeal, AppealReason
from cleandesk.link import Entry
from cleandesk.policy import Change
from cleandesk.worker.protocol import Shown

_MOST = 50
_KEPT = timedelta(hours=24)


class Recent:
    """Violations that are open or were within 24 hours, at most fifty. From any thread.

    Where there are more, those go first that have been closed for the longest time.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._shown: dict[str, _Known] = {}

    def load(self, entries: Iterable[Entry], open_now: Iterable[ActiveViolation] = ()) -> None:
        """Take over what earlier processes have left.

        Args:
            entries: Of the ledger, the oldest first.
            open_now: What is open; the ledger's word on it may lie far back.
        """
        for one in open_now:
            self._put(_shown(one, Phase.OPEN, one.opened_at), one.opened_at)
        for entry in entries:
            try:
                if entry.kind == Channel.VIOLATION:
                    event = ViolationEvent.model_validate_json(entry.payload)
                    self._put(_shown(event, event.phase, event.opened_at), event.at)
                elif entry.kind == Channel.APPEAL:
                    appeal = Appeal.model_validate_json(entry.payload)
                    self.objected(appeal.violation_id, appeal.reason)
            except ValidationError:
                continue  # of another version: the ledger shows it word for word all the same

    def take(self, changes: Iterable[Change]) -> None:
        """Take what changed."""
        for change in changes:
            self._put(_shown(change, change.phase, change.opened.utc), change.at.utc)

    def objected(self, violation_id: str, reason: AppealReason) -> bool:
        """Note an objection; False if no such violation is known."""
        with self._guard:
            known = self._shown.get(violation_id)
            if known is None:
                return False
            self._shown[violation_id] = replace(known, shown=_objected(known.shown, reason))
            return True

    def list(self, now: datetime) -> list[Shown]:
        """Return them, the last opened first."""
        with self._guard:
            kept = [one for one in self._shown.values() if one.open or now - one.changed <= _KEPT]
        return [one.shown for one in reversed(kept)]

    def _put(self, shown: Shown, changed: datetime) -> None:
        with self._guard:
            before = self._shown.get(shown.violation_id)
            if before is not None:
                shown = _objected(shown, before.shown.objected)
            self._shown[shown.violation_id] = _Known(shown, changed)
            while len(self._shown) > _MOST:
                known = self._shown
                del known[min(known, key=lambda one: (known[one].open, known[one].changed))]


@dataclass(frozen=True, slots=True)
class _Known:
    """A violation as it is shown, and when it changed last."""

    shown: Shown
    changed: datetime

    @property
    def open(self) -> bool:
        return self.shown.phase is not Phase.CLOSE


def _objected(shown: Shown, reason: AppealReason | None) -> Shown:
    return shown.model_copy(update={"objected": reason})


def _shown(facts: ViolationFacts | Change, phase: Phase, opened_at: datetime) -> Shown:
    return Shown(
        violation_id=facts.violation_id,
        rule=facts.rule,
        class_name=facts.class_name,
        zone=facts.zone,
        severity=facts.severity,
        phase=phase,
        opened_at=opened_at,
        suspended=facts.suspended,
    )

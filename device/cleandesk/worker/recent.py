"""The latest violations, as the worker's page shows them."""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import ValidationError

from cleandesk.contract.messages import Phase, ViolationEvent
from cleandesk.contract.topics import Channel
from cleandesk.contract.worker_messages import Appeal, AppealReason
from cleandesk.link import Entry
from cleandesk.policy import Change
from cleandesk.worker.protocol import Shown

_MOST = 50
_KEPT = timedelta(hours=24)


class Recent:
    """Violations of the last 24 hours, at most fifty. From any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._shown: dict[str, Shown] = {}

    def load(self, entries: Iterable[Entry]) -> None:
        """Take over what the ledger says of earlier processes, oldest first."""
        for entry in entries:
            try:
                if entry.kind == Channel.VIOLATION:
                    event = ViolationEvent.model_validate_json(entry.payload)
                    self._put(_shown(event, event.phase, event.opened_at))
                elif entry.kind == Channel.APPEAL:
                    appeal = Appeal.model_validate_json(entry.payload)
                    self.objected(appeal.violation_id, appeal.reason)
            except ValidationError:
                continue  # of another version: the ledger shows it word for word all the same

    def take(self, changes: Iterable[Change]) -> None:
        """Take what changed."""
        for change in changes:
            self._put(_shown(change, change.phase, change.opened.utc))

    def objected(self, violation_id: str, reason: AppealReason) -> bool:
        """Note an objection; False if no such violation is known."""
        with self._guard:
            known = self._shown.get(violation_id)
            if known is None:
                return False
            self._shown[violation_id] = known.model_copy(update={"objected": reason})
            return True

    def list(self, now: datetime) -> list[Shown]:
        """Return them, the newest first."""
        with self._guard:
            kept = [
                one
                for one in self._shown.values()
                if one.phase is not Phase.CLOSE or now - one.opened_at <= _KEPT
            ]
        return kept[: -_MOST - 1 : -1]

    def _put(self, shown: Shown) -> None:
        with self._guard:
            before = self._shown.get(shown.violation_id)
            if before is not None:
                shown = shown.model_copy(update={"objected": before.objected})
            self._shown[shown.violation_id] = shown
            while len(self._shown) > _MOST:
                del self._shown[next(iter(self._shown))]


def _shown(facts: ViolationEvent | Change, phase: Phase, opened_at: datetime) -> Shown:
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

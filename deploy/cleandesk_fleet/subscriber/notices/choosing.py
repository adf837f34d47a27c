"""Which violations people are told of: decided, and entered, in the commit that logs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from sqlalchemy import Connection

from cleandesk.contract.messages import Severity
from cleandesk_fleet.subscriber.database import bulk
from cleandesk_fleet.subscriber.notices.settings import NoticesSettings
from cleandesk_fleet.subscriber.notices.table import notices
from cleandesk_fleet.subscriber.rows import Key, Row

_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}
#: What is told: which violation, of what, since when; not where it lay, nor how sure the model is.
_TOLD = ("severity", "rule", "class", "opened_at", "clock_synced")


class Way(StrEnum):
    """How people are told."""

    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which violations are told of, and by which ways."""

    ways: tuple[Way, ...] = ()
    severity: Severity = Severity.HIGH
    by_site: Mapping[str, Severity | Literal["never"]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: NoticesSettings | None) -> "Wanted":
        """Return what the settings ask for; without any, nothing."""
        if settings is None:
            return cls()
        ways = {Way.WEBHOOK: settings.webhook, Way.MAIL: settings.mail}
        return cls(
            tuple(way for way, how in ways.items() if how is not None),
            settings.severity,
            settings.by_site,
        )

    def concerns(self, site: str, severity: str) -> bool:
        """Say whether a violation is severe enough."""
        wanted = self.by_site.get(site, self.severity)
        return bool(self.ways) and wanted != "never" and _RANK[severity] >= _RANK[wanted]


class NewNotices:
    """What one transaction finds to be told; `save` it before the commit."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._rows: list[Row] = []

    def consider(self, key: Key, before: Row | None, after: Row) -> None:
        """Look at a violation that changed: it is told when it first is severe, and never again.

        Whoever writes about its box locks that, so of several subscribers one sees the first time.
        """
        site, box, violation_id = key
        if not self._wanted.concerns(site, after["severity"]):
            return
        if before is not None and self._wanted.concerns(site, before["severity"]):
            return
        told = {name: after[name] for name in _TOLD}
        mine = {"site": site, "box": box, "violation_id": violation_id, "attempts": 0}
        self._rows += [mine | told | {"way": way.value} for way in self._wanted.ways]

    def save(self, connection: Connection, now: datetime) -> None:
        """Write them down; one that is there already stays as it is."""
        rows = [row | {"received_at": now} for row in self._rows]
        bulk.add_new(connection, notices, rows)

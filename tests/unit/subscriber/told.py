"""A message of severe violations, for tests of the ways by which people are told."""

from datetime import UTC, datetime
from typing import Any

from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.outbox import Message
from tests.unit.subscriber.make import START, hex_id

MADE = datetime(2026, 5, 4, 8, 0, 30, tzinfo=UTC)


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "site": "s1",
        "box": f"b{number}",
        "violation_id": hex_id("v", number),
        "severity": "high",
        "rule": "no-phone",
        "class": "phone",
        "opened_at": START,
        "clock_synced": True,
    } | changes


def message(*rows: dict[str, Any], way: Way = Way.WEBHOOK) -> Message:
    return Message(hex_id("message"), way, MADE, 1, rows or (row(),))

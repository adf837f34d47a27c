from typing import Any

import pytest

from cleandesk_fleet.subscriber.intake import read
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import alarms, boxes
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import (
    BOOT,
    EPOCH,
    START,
    HandClock,
    event,
    health,
    health_fields,
    received,
    status,
)


def box_row(kept: Kept) -> dict[str, Any]:
    (row,) = kept.rows(boxes)
    return row


def open_alarms(kept: Kept) -> list[tuple[str, str, str]]:
    return [
        (row["kind"], row["subject"], row["detail"])
        for row in kept.rows(alarms)
        if row["closed_at"] is None
    ]


def test_what_a_box_says_about_itself_is_kept(journal: Log, clock: HandClock, kept: Kept) -> None:
    privacy = {"state": "break", "reason": "lunch", "since": START.isoformat()}
    outbox = {"depth": 4, "lost": 2, "next_seq": 9}
    journal.commit(
        [status(), read(received("privacy", privacy), None), health(outbox=outbox)], clock()
    )
    row = box_row(kept)
    assert (row["status"], row["version"], row["boot"]) == ("online", "1.0", BOOT)
    assert (row["privacy"], row["privacy_reason"], row["privacy_since"]) == (
        "break",
        "lunch",
        START,
    )
    assert (row["outbox_depth"], row["outbox_lost"], row["epoch"]) == (4, 2, EPOCH)
    assert row["health"] == received("health", health_fields(outbox=outbox)).payload
    assert row["last_seen"] == clock().utc


def test_a_last_will_alarms_at_once_and_a_return_ends_it(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([status("online"), status("offline")], clock())
    assert [kind for kind, *_ in open_alarms(kept)] == ["offline"]
    assert box_row(kept)["status"] == "offline"
    journal.commit([status("online")], clock())
    assert open_alarms(kept) == []


def test_the_brokers_copy_does_not_count_as_seen(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([status("online", retain=True), health(retain=True)], clock())
    assert box_row(kept)["last_seen"] is None
    journal.commit([event(1)], clock.sleep(5))
    assert box_row(kept)["last_seen"] == clock().utc


def test_a_camera_fault_alarms_until_another_or_none(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([health(camera={"fault": "stalled", "fault_detail": "no frame"})], clock())
    assert open_alarms(kept) == [("fault", "stalled", "no frame")]
    journal.commit([health(camera={"fault": "black"}, uptime_s=160)], clock())
    assert open_alarms(kept) == [("fault", "black", "")]
    journal.commit([health(uptime_s=220)], clock())
    assert open_alarms(kept) == []


def test_a_failing_outbox_alarms(journal: Log, clock: HandClock, kept: Kept) -> None:
    journal.commit([health(outbox={"storage": "full"})], clock())
    assert open_alarms(kept) == [("storage", "full", "the box cannot keep all events")]
    journal.commit([health(uptime_s=160)], clock())
    assert open_alarms(kept) == []


def test_an_older_copy_of_health_changes_nothing(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([health(uptime_s=500)], clock())
    journal.commit([health(uptime_s=100, retain=True, camera={"fault": "black"})], clock())
    assert open_alarms(kept) == []
    assert box_row(kept)["uptime_s"] == 500


def test_health_after_a_new_power_on_counts(journal: Log, clock: HandClock, kept: Kept) -> None:
    journal.commit([health(uptime_s=500)], clock())
    journal.commit([health(uptime_s=3, boot="c" * 32, camera={"fault": "black"})], clock())
    assert len(open_alarms(kept)) == 1


@pytest.mark.parametrize("goodbye", [status("stopped"), read(received("status", b""), None)])
def test_a_box_at_rest_has_no_alarms_of_its_state(
    goodbye: Any, journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([status(), status("offline"), health(camera={"fault": "black"})], clock())
    journal.look_around(clock.sleep(181))
    assert {kind for kind, *_ in open_alarms(kept)} == {"offline", "fault", "silent"}
    journal.commit([goodbye], clock())
    assert open_alarms(kept) == []
    journal.look_around(clock.sleep(1000))
    assert open_alarms(kept) == []


def test_emptying_privacy_leaves_the_box_in_place(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([status(), read(received("privacy", b""), None)], clock())
    assert box_row(kept)["status"] == "online"
    journal.look_around(clock.sleep(181))
    assert [kind for kind, *_ in open_alarms(kept)] == ["silent"]

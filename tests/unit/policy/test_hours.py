"""Rules with hours: time zones, midnight, summer time, and a clock that nobody can trust."""

from datetime import UTC, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from cleandesk.contract.messages import CloseReason
from cleandesk.settings import Hours, PresenceRule, Schedule
from tests.unit.policy.traces import (
    PHONE_AT,
    PHONE_RULE,
    START,
    Desk,
    Distrust,
    Event,
    Jump,
    Run,
    Thing,
    lives,
    policy,
    reasons,
)


def schedule(zone: str, days: list[str], begin: str, end: str) -> Schedule:
    hours = Hours.model_validate({"days": days, "from": begin, "until": end})
    return Schedule(timezone=zone, hours=[hours])


WEEK = ["mon", "tue", "wed", "thu", "fri"]
OFFICE = schedule("Europe/Berlin", WEEK, "08:00", "17:30")
NIGHT = schedule("Europe/Berlin", ["fri"], "22:00", "06:00")
SMALL_HOURS = schedule("Europe/Berlin", ["sun"], "02:30", "03:30")
ALL_DAY = schedule("UTC", ["sat"], "00:00", "00:00")


@pytest.mark.parametrize(
    ("hours", "utc", "covered"),
    [
        (OFFICE, "2025-01-06T07:00", True),
        (OFFICE, "2025-01-06T06:59", False),
        (OFFICE, "2025-01-06T16:29", True),
        (OFFICE, "2025-01-06T16:30", False),
        (OFFICE, "2025-07-07T06:00", True),
        (OFFICE, "2025-07-07T15:30", False),
        (OFFICE, "2025-01-04T10:00", False),
        (NIGHT, "2025-01-10T21:00", True),
        (NIGHT, "2025-01-11T04:59", True),
        (NIGHT, "2025-01-11T05:00", False),
        (NIGHT, "2025-01-11T21:00", False),
        (NIGHT, "2025-01-10T04:00", False),
        (SMALL_HOURS, "2025-03-30T00:59", False),
        (SMALL_HOURS, "2025-03-30T01:00", True),
        (SMALL_HOURS, "2025-03-30T01:30", False),
        (SMALL_HOURS, "2025-10-26T00:30", True),
        (SMALL_HOURS, "2025-10-26T01:00", False),
        (SMALL_HOURS, "2025-10-26T01:30", True),
        (SMALL_HOURS, "2025-10-26T02:30", False),
        (ALL_DAY, "2025-01-04T00:00", True),
        (ALL_DAY, "2025-01-04T23:59", True),
        (ALL_DAY, "2025-01-05T00:00", False),
    ],
)
def test_hours_in_the_schedule_s_own_zone(
    hours: Schedule,
    utc: str,
    covered: bool,  # noqa: FBT001
) -> None:
    """Clocks go from 02:00 to 03:00 on 2025-03-30, and from 03:00 to 02:00 on 2025-10-26."""
    assert hours.covers(datetime.fromisoformat(utc).replace(tzinfo=UTC)) is covered


@pytest.mark.parametrize("wrong", [1050, "17.30", "24:60", "08:00Z", "8 o'clock", None])
def test_what_is_no_time_of_day_is_refused(wrong: object) -> None:
    """1050 is what YAML 1.1 makes of a bare 17:30."""
    with pytest.raises(ValidationError, match=r"until"):
        Hours.model_validate({"days": ["mon"], "from": "08:00", "until": wrong})


def ends_after(seconds: float) -> PresenceRule:
    """Return the phone rule with hours from 08:00 until so long after the trace's begin."""
    end = (START + timedelta(seconds=seconds)).time()
    hours = Hours.model_validate({"days": ["mon"], "from": time(8), "until": end})
    return PHONE_RULE.model_copy(update={"schedule": Schedule(timezone="UTC", hours=[hours])})


LYING = Thing("phone", PHONE_AT, 0, 10_000)


def test_the_end_of_the_hours_closes_and_nothing_opens_after() -> None:
    run = Run(Desk([LYING]), ends_after(60))
    (life,) = lives(run.until(200))
    assert life.closed is not None
    assert life.closed.reason is CloseReason.OFF
    assert life.closed.at.utc == START + timedelta(seconds=60)
    assert run.policy.progress() == []


def test_the_end_of_the_hours_closes_while_the_camera_is_faulty() -> None:
    run = Run(Desk([LYING]), ends_after(60))
    run.until(30)
    changes = run.policy.suspend(run.wall.at(59)) + run.policy.suspend(run.wall.at(61))
    assert [c.reason for c in changes] == [None, CloseReason.OFF]


def test_what_lies_there_when_the_hours_begin_is_given_its_dwell() -> None:
    run = Run(Desk([LYING]), PHONE_RULE.model_copy(update={"schedule": schedule(
        "UTC", ["mon"], "09:01", "17:00")}))  # fmt: skip
    (life,) = lives(run.until(100))
    assert life.opened.at.mono == pytest.approx(1000 + 60 + PHONE_RULE.dwell_s)


def test_without_a_trusted_clock_a_scheduled_rule_opens_nothing() -> None:
    run = Run(Desk([LYING]), ends_after(3600), PHONE_RULE.model_copy(update={"name": "always"}))
    run.wall.synced = False
    assert [life.opened.rule for life in lives(run.until(60))] == ["always"]
    assert not run.policy.scheduled_rules_active
    run.wall.synced = True
    assert sorted(life.opened.rule for life in lives(run.until(120))) == ["always", "phone"]
    assert run.policy.scheduled_rules_active


def test_without_a_trusted_clock_what_is_open_is_suspended_not_closed() -> None:
    run = Run(Desk([Thing("phone", PHONE_AT, 0, 90)]), ends_after(3600))
    events: list[Event] = [Distrust(30), Jump(30, 1e6), Jump(110, -1e6), Distrust(110, synced=True)]
    (life,) = lives(run.until(130, events))
    assert [(u.suspended, u.at.mono) for u in life.updates] == [(True, 1030), (False, 1110)]
    assert life.reason is CloseReason.CLEARED
    assert life.closed is not None
    assert life.closed.at.mono >= 1110 + PHONE_RULE.clear_after_s - 1


def test_trust_that_comes_back_after_hours_closes_as_off() -> None:
    run = Run(Desk([LYING]), ends_after(60))
    assert reasons(run.until(120, [Distrust(30), Distrust(100, synced=True)])) == [CloseReason.OFF]


def test_a_clock_that_jumps_and_is_trusted_decides_by_its_word() -> None:
    run = Run(Desk([LYING]), ends_after(3600))
    run.until(60, [Jump(30, 86_400)])
    assert reasons(run.changes) == [CloseReason.OFF]


def test_a_policy_without_hours_is_active_whatever_the_clock() -> None:
    assert policy(PHONE_RULE).scheduled_rules_active
    assert not policy(ends_after(60)).scheduled_rules_active

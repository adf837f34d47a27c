"""What outlives the process, and what a new one makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from cleandesk.contract.messages import CloseReason, Phase, Severity
from cleandesk.policy import Change, Policy, PolicyState
from cleandesk.settings import Rule
from tests.unit.policy.traces import (
    BOOT,
    OTHER_BOOT,
    PHONE_AT,
    PHONE_RULE,
    SHEET_RULE,
    Desk,
    Run,
    Thing,
    Wall,
    frame,
    policy,
)

WALL = Wall()
RESTART, CONFIG = CloseReason.RESTART, CloseReason.CONFIG


def saved(*, suspended: bool = False) -> PolicyState:
    """Return the state of a policy that has a phone open, last looked at in second 20."""
    run = Run(Desk([Thing("phone", PHONE_AT, 0, 1000)]), PHONE_RULE)
    run.until(20)
    if suspended:
        run.policy.suspend(WALL.at(20))
    else:
        run.policy.step(frame(("phone", 0.9, PHONE_AT)), WALL.at(20))
    return PolicyState.model_validate_json(run.policy.snapshot().model_dump_json())


def reborn(
    state: PolicyState, away: float, *rules: Rule, wall: Wall = WALL, boot: str = BOOT
) -> tuple[Policy, list[Change]]:
    subject = policy(*(rules or (PHONE_RULE,)), boot=boot)
    return subject, subject.restore(state, wall.at(20 + away))


def test_a_snapshot_survives_json_unchanged() -> None:
    state = saved()
    assert PolicyState.model_validate_json(state.model_dump_json()) == state
    subject, _ = reborn(state, 0)
    assert subject.snapshot() == state


@pytest.mark.parametrize(("away", "closes"), [(0, []), (59, []), (60, []), (61, [RESTART])])
def test_within_grace_it_goes_on_and_beyond_it_closes(
    away: float, closes: list[CloseReason]
) -> None:
    subject, changes = reborn(saved(), away)
    assert [c.reason for c in changes] == closes
    assert subject.open_count == 1 - len(closes)


def test_it_goes_on_under_its_id_with_the_thing_that_lies_there() -> None:
    state = saved()
    subject, _ = reborn(state, 30)
    changes: list[Change] = []
    for i in range(300):
        found = [("phone", 0.9, PHONE_AT)] if i < 100 else []
        changes += subject.step(frame(*found), WALL.at(50 + i / 5))
    (closed,) = changes
    assert closed.violation_id == state.violations[0].violation_id
    assert closed.dwell_s == pytest.approx(69.8)
    assert closed.opened == state.violations[0].opened.instant()


def test_absence_before_a_kill_is_not_forgotten_and_time_away_is_none() -> None:
    run = Run(Desk([Thing("phone", PHONE_AT, 0, 20)]), PHONE_RULE)
    run.until(26)
    subject = policy(PHONE_RULE)
    subject.restore(run.policy.snapshot(), WALL.at(70))
    changes: list[Change] = []
    for i in range(30):
        changes += subject.step(frame(), WALL.at(70 + i / 5))
    (closed,) = changes
    assert closed.at.mono == pytest.approx(1000 + 70 + 4, abs=0.5)


@pytest.mark.parametrize(
    ("utc_s", "synced_before", "synced_after", "closes"),
    [
        (30, True, True, []),
        (-1, True, True, []),
        (61, True, True, [RESTART]),
        (-30, True, True, [RESTART]),
        (30, False, True, [RESTART]),
        (30, True, False, [RESTART]),
    ],
)
def test_across_a_power_cut_only_a_trusted_wall_clock_tells(
    utc_s: float,
    synced_before: bool,  # noqa: FBT001
    synced_after: bool,  # noqa: FBT001
    closes: list[CloseReason],
) -> None:
    state = saved()
    assert state.at is not None
    state = state.model_copy(update={"at": state.at.model_copy(update={"synced": synced_before})})
    wall = Wall(synced=synced_after, booted=20.0, ahead_s=utc_s)
    _, changes = reborn(state, 0, wall=wall, boot=OTHER_BOOT)
    assert [c.reason for c in changes] == closes


def test_a_power_cut_leaves_dwell_as_powered_on_time() -> None:
    state = saved()
    subject, _ = reborn(state, 30, wall=Wall(booted=45.0), boot=OTHER_BOOT)
    (closed,) = subject.close_all(CloseReason.BREAK, Wall(booted=45.0).at(60))
    assert closed.dwell_s == pytest.approx(20)
    assert closed.opened.utc == state.violations[0].opened.utc


@pytest.mark.parametrize(
    "rules",
    [
        [SHEET_RULE],
        [PHONE_RULE.model_copy(update={"zone": "room"})],
        [PHONE_RULE.model_copy(update={"min_score": 0.6})],
        [PHONE_RULE.model_copy(update={"severity": Severity.HIGH})],
    ],
    ids=["gone", "zone", "score", "severity"],
)
def test_a_rule_that_is_gone_or_changed_closes_its_violations(rules: list[Rule]) -> None:
    state = saved()
    subject, (closed,) = reborn(state, 5, *rules)
    assert (closed.phase, closed.reason) == (Phase.CLOSE, CONFIG)
    assert (closed.rule, closed.class_name, closed.zone) == ("phone", "phone", "desk")
    assert closed.at == WALL.at(25)
    assert subject.open_count == 0


def test_a_changed_neighbour_and_a_default_written_out_change_nothing() -> None:
    same = PHONE_RULE.model_validate({**PHONE_RULE.model_dump(), "hits": 3})
    assert reborn(saved(), 5, same, SHEET_RULE)[1] == []


def test_what_was_suspended_is_so_until_the_next_look() -> None:
    subject, changes = reborn(saved(suspended=True), 30)
    assert changes == []
    assert subject.suspend(WALL.at(51)) == []
    (resumed,) = subject.step(frame(("phone", 0.9, PHONE_AT)), WALL.at(52))
    assert (resumed.phase, resumed.suspended) == (Phase.UPDATE, False)


def test_a_state_from_before_the_first_look_restores_nothing() -> None:
    assert reborn(policy(PHONE_RULE).snapshot(), 5)[1] == []


def test_a_policy_that_has_looked_takes_no_state() -> None:
    subject, _ = reborn(saved(), 5)
    with pytest.raises(RuntimeError, match="before the first step"):
        subject.restore(saved(), WALL.at(30))


@pytest.mark.parametrize(
    "text", ["", "{}", '{"schema": 2, "boot": "' + BOOT + '"}', '{"schema": 1, "boot": "x"}']
)
def test_a_state_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        PolicyState.model_validate_json(text)


def test_a_candidate_is_no_value() -> None:
    subject = policy(PHONE_RULE)
    subject.step(frame(("phone", 0.9, PHONE_AT)), WALL.at(0))
    assert len(subject.progress()) == 1
    assert subject.snapshot().violations == ()


def test_utc_that_jumped_within_one_boot_does_not_matter() -> None:
    now = WALL.at(30)
    later = replace(now, utc=now.utc + timedelta(days=400))
    subject = policy(PHONE_RULE)
    assert subject.restore(saved(), later) == []
    assert subject.open_count == 1

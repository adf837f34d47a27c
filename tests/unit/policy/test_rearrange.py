"""Other rules while the box runs: what stays the same goes on, what does not closes as `config`."""

import pytest

from cleandesk.contract.messages import CloseReason, Phase
from cleandesk.policy import Change, Policy, RuleError
from cleandesk.settings import PresenceRule, Zone
from tests.unit.policy.traces import (
    LOOK_S,
    PEOPLE_RULE,
    PHONE_AT,
    PHONE_RULE,
    ZONES,
    Wall,
    frame,
    policy,
)

WALL = Wall()
STRICTER = PHONE_RULE.model_copy(update={"dwell_s": 1.0})
SMALLER = Zone(polygon=[(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)])


def look(subject: Policy, begin: float, end: float) -> list[Change]:
    changes: list[Change] = []
    for i in range(round((end - begin) / LOOK_S)):
        at = WALL.at(begin + i * LOOK_S)
        changes += subject.step(frame(("phone", 0.9, PHONE_AT)), at)
    return changes


def opened() -> tuple[Policy, str]:
    subject = policy(PHONE_RULE)
    (change,) = look(subject, 0, 10)
    return subject, change.violation_id


def test_what_is_open_under_a_rule_that_stays_goes_on_under_its_id() -> None:
    subject, violation_id = opened()
    # A zone in front of the others gives each of them another place.
    zones = {"chair": SMALLER, **ZONES}
    assert subject.rearrange([PEOPLE_RULE, PHONE_RULE], zones, WALL.at(10)) == []
    assert look(subject, 10, 15) == []
    (closed,) = subject.close_all(CloseReason.BREAK, WALL.at(15))
    assert closed.violation_id == violation_id
    assert closed.dwell_s == pytest.approx(14.8)


@pytest.mark.parametrize(
    ("rules", "zones"),
    [
        ([PEOPLE_RULE], ZONES),
        ([STRICTER], ZONES),
        ([PHONE_RULE.model_copy(update={"name": "other"})], ZONES),
        ([PHONE_RULE], ZONES | {"desk": SMALLER}),
    ],
    ids=["gone", "another", "another name", "another zone"],
)
def test_what_is_open_under_a_rule_that_does_not_closes(
    rules: list[PresenceRule], zones: dict[str, Zone]
) -> None:
    subject, violation_id = opened()
    (closed,) = subject.rearrange(rules, zones, WALL.at(10))
    assert (closed.violation_id, closed.phase) == (violation_id, Phase.CLOSE)
    assert (closed.reason, closed.at) == (CloseReason.CONFIG, WALL.at(10))
    assert subject.open_count == 0


def test_a_new_rule_opens_by_its_own_times() -> None:
    subject, _ = opened()
    subject.rearrange([STRICTER], ZONES, WALL.at(10))
    assert [change.phase for change in look(subject, 10, 12)] == [Phase.OPEN]


def test_rules_that_do_not_fit_change_nothing() -> None:
    subject, violation_id = opened()
    with pytest.raises(RuleError, match="no zone 'desk'"):
        subject.rearrange([PHONE_RULE], {"room": ZONES["room"]}, WALL.at(10))
    assert look(subject, 10, 12) == []
    (closed,) = subject.close_all(CloseReason.BREAK, WALL.at(12))
    assert closed.violation_id == violation_id


def test_floors_follow_the_rules() -> None:
    subject = policy(PHONE_RULE)
    subject.rearrange([PHONE_RULE.model_copy(update={"min_score": 0.9})], ZONES, WALL.at(0))
    assert subject.floors[0] == pytest.approx(0.36)

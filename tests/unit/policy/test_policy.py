"""One violation's life: opening, keeping up, suspension, closing; and what ends them all."""

import pytest

from cleandesk.contract.messages import CloseReason, Phase, Severity
from cleandesk.policy import Change, Place, Policy, RuleError
from cleandesk.policy.observation import PERSON_SCORE
from cleandesk.settings import PeopleRule, PresenceRule
from tests.unit.policy.traces import (
    BOOT,
    LOOK_S,
    NAMES,
    PEOPLE_RULE,
    PHONE_AT,
    PHONE_RULE,
    SCREEN_RULE,
    SHEET_RULE,
    THRESHOLD,
    ZONES,
    Desk,
    Fault,
    Found,
    Ids,
    Run,
    Stall,
    Thing,
    Wall,
    frame,
    lives,
    policy,
    reasons,
)

CLEARED = CloseReason.CLEARED
WALL = Wall()
LYING = Thing("phone", PHONE_AT, 0, 10_000)


def quiet(*things: Thing, dim: list[tuple[float, float]] | None = None) -> Desk:
    return Desk(list(things), jitter=0.0, noise=0.0, dim=dim or [])


def looks(subject: Policy, found: list[list[Found]], *, begin: float = 0.0) -> list[Change]:
    changes: list[Change] = []
    for i, things in enumerate(found):
        changes += subject.step(frame(*things), WALL.at(begin + i * LOOK_S))
    return changes


def test_it_opens_after_the_dwell_and_closes_after_the_clear_time() -> None:
    run = Run(quiet(Thing("phone", PHONE_AT, 1, 21)), PHONE_RULE)
    opened, closed = run.until(60)
    assert (opened.phase, opened.at) == (Phase.OPEN, WALL.at(6))
    assert (opened.class_name, opened.zone, opened.severity) == ("phone", "desk", Severity.MEDIUM)
    assert opened.place == pytest.approx(PHONE_AT, abs=1e-4)
    assert opened.dwell_s == pytest.approx(5)
    assert (closed.phase, closed.reason) == (Phase.CLOSE, CLEARED)
    assert closed.at.mono == pytest.approx(1000 + 20.8 + 10)
    assert closed.opened == opened.at
    assert closed.dwell_s == pytest.approx(19.8)


@pytest.mark.parametrize(
    ("hits", "of", "seen", "opens"),
    [
        (3, 5, "xxx", 2),
        (3, 5, "x.x.x", 4),
        (3, 5, "xx...x", None),
        (3, 5, "xx..x", 4),
        (1, 1, ".x", 1),
        (5, 5, "xxxx.xxxxx", 9),
        (2, 10, "x.......x", 8),
    ],
)
def test_k_of_n_looks(hits: int, of: int, seen: str, opens: int | None) -> None:
    rule = PHONE_RULE.model_copy(update={"hits": hits, "of": of, "dwell_s": 0})
    found: list[list[Found]] = [[("phone", 0.9, PHONE_AT)] if c == "x" else [] for c in seen]
    changes = looks(policy(rule), found)
    assert [c.at for c in changes] == ([] if opens is None else [WALL.at(opens * LOOK_S)])


@pytest.mark.parametrize(("name", "threshold"), [("paper", 0.8), ("phone", 0.6)])
def test_a_rule_without_a_score_believes_the_model_class_by_class(
    name: str, threshold: float
) -> None:
    told = {"phone": 0.6, "paper": 0.8}
    watching = Policy(
        [PresenceRule(name="any", zone="desk", classes=["phone", "paper"], dwell_s=0)],
        ZONES,
        NAMES,
        threshold_of=lambda class_name: told.get(class_name, THRESHOLD),
        new_id=Ids(),
        look_s=LOOK_S,
        boot=BOOT,
    )
    seen = frame((name, 0.7, PHONE_AT))
    opened = [c for n in range(20) for c in watching.step(seen, WALL.at(n * LOOK_S))]
    assert bool(opened) == (threshold <= 0.7)
    floors = dict(zip(NAMES, watching.floors, strict=True))
    assert floors.pop("phone") == pytest.approx(0.6 / 2.5)
    assert floors.pop("paper") == pytest.approx(0.8 / 2.5)
    assert floors.pop("person") == PERSON_SCORE
    assert set(floors.values()) == {float("inf")}


@pytest.mark.parametrize(("factor", "reasons_"), [(0.5, [None]), (0.41, [None]), (0.39, [CLEARED])])
def test_hold_score_keeps_it_up_when_light_fails(
    factor: float, reasons_: list[CloseReason | None]
) -> None:
    """0.5 opens, 0.2 holds: 40 %."""
    thing = Thing("phone", PHONE_AT, 0, 100, score=0.5)
    run = Run(quiet(thing, dim=[(20, factor)]), PHONE_RULE)
    assert reasons(run.until(60)) == reasons_


def test_weak_sightings_alone_open_nothing() -> None:
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 100, score=0.45)), PHONE_RULE)
    assert run.until(60) == []


def test_a_thing_on_the_zone_s_border_stays_in_until_three_quarters_are_out() -> None:
    """The desk begins at 0.4; the phone is 0.12 high."""
    at = [(0.3, y, 0.38, y + 0.12) for y in (0.35, 0.32, 0.30)]
    moves = ((20.0, at[1]), (60.0, at[2]))
    run = Run(quiet(Thing("phone", at[0], 0, 100, moves=moves)), PHONE_RULE)
    assert reasons(run.until(59)) == [None]
    assert reasons(run.until(80)) == [CLEARED]


def test_a_stall_is_neither_presence_nor_absence() -> None:
    brief = Thing("phone", PHONE_AT, 0, 2)
    run = Run(quiet(brief, Thing("phone", PHONE_AT, 3000, 3001)), PHONE_RULE)
    assert run.until(3030, [Stall(2, 2997)]) == []
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 30)), PHONE_RULE)
    (life,) = lives(run.until(3100, [Stall(30, 3000)]))
    assert life.closed is not None
    assert life.closed.at.mono >= 1000 + 3030 + PHONE_RULE.clear_after_s - 2


def test_time_in_a_fault_is_no_absence_at_all() -> None:
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 30)), PHONE_RULE)
    (life,) = lives(run.until(100, [Fault(30, 20)]))
    assert life.closed is not None
    assert life.closed.at == WALL.at(50 + PHONE_RULE.clear_after_s)


def test_one_missing_look_after_a_gap_does_not_close() -> None:
    rule = PHONE_RULE.model_copy(update={"clear_after_s": 1})
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 20), Thing("phone", PHONE_AT, 120.2, 200)), rule)
    assert reasons(run.until(150, [Stall(20, 100)])) == [None]


def test_a_fault_suspends_once_and_the_next_look_resumes_once() -> None:
    run = Run(quiet(LYING), PHONE_RULE)
    (life,) = lives(run.until(100, [Fault(20, 60)]))
    assert [(u.suspended, u.at) for u in life.updates] == [
        (True, WALL.at(20)),
        (False, WALL.at(80)),
    ]
    assert life.closed is None


def test_a_fault_forgets_what_was_on_the_way() -> None:
    run = Run(quiet(LYING), PHONE_RULE)
    (life,) = lives(run.until(100, [Fault(4, 10)]))
    assert life.opened.at == WALL.at(14 + PHONE_RULE.dwell_s)


@pytest.mark.parametrize("told", [True, False], ids=["told all the time", "told once"])
def test_after_a_day_of_suspension_it_expires(told: bool) -> None:  # noqa: FBT001
    run = Run(quiet(LYING), PHONE_RULE)
    run.until(20)
    day = 86_400
    changes = run.policy.suspend(WALL.at(20))
    if told:
        changes += run.policy.suspend(WALL.at(20 + day)) + run.policy.suspend(WALL.at(21 + day))
    changes += run.policy.step(frame(), WALL.at(22 + day))
    assert [(c.phase, c.reason) for c in changes] == [
        (Phase.UPDATE, None),
        (Phase.CLOSE, CloseReason.EXPIRED),
    ]
    assert run.policy.open_count == 0


@pytest.mark.parametrize("reason", [CloseReason.BREAK, CloseReason.OFF])
def test_close_all_closes_each_once_with_its_reason(reason: CloseReason) -> None:
    sheet = Thing("paper", (0.6, 0.5, 0.8, 0.7), 0, 1000)
    run = Run(quiet(LYING, sheet), PHONE_RULE, SHEET_RULE)
    run.until(20)
    closed = run.policy.close_all(reason, WALL.at(20))
    assert [(c.rule, c.reason) for c in closed] == [("phone", reason), ("sheets", reason)]
    assert run.policy.close_all(reason, WALL.at(21)) == []


def test_after_a_break_only_frames_from_after_its_end_count() -> None:
    run = Run(quiet(LYING), PHONE_RULE)
    run.until(20)
    run.policy.close_all(CloseReason.BREAK, WALL.at(20))
    assert looks(run.policy, [[("phone", 0.9, PHONE_AT)]] * 50, begin=20 - 50 * LOOK_S) == []
    run.policy.close_all(CloseReason.BREAK, WALL.at(620))
    assert looks(run.policy, [[("phone", 0.9, PHONE_AT)]] * 50, begin=610.2) == []
    assert run.policy.progress() == []
    again = looks(run.policy, [[("phone", 0.9, PHONE_AT)]] * 50, begin=620.1)
    assert [(c.phase, c.at) for c in again] == [(Phase.OPEN, WALL.at(620.1 + 5))]


def test_a_person_in_front_stops_absence_for_grace_and_no_longer() -> None:
    person = Thing("person", (0.2, 0.2, 0.5, 0.9), 20, 1000)
    desk = quiet(Thing("phone", PHONE_AT, 0, 20), person)
    (life,) = lives(Run(desk, PHONE_RULE).until(200))
    assert life.closed is not None
    held = life.closed.at.mono - 1020
    assert held == pytest.approx(PHONE_RULE.grace_s + PHONE_RULE.clear_after_s, abs=1)


def test_a_person_elsewhere_hides_nothing() -> None:
    person = Thing("person", (0.5, 0.2, 0.8, 0.9), 20, 1000)
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 20), person), PHONE_RULE)
    (life,) = lives(run.until(60))
    assert life.closed is not None
    assert life.closed.at.mono == pytest.approx(1019.8 + 10)


def test_a_phone_taken_and_put_far_away_is_two_violations() -> None:
    far = (0.8, 0.6, 0.88, 0.72)
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 20), Thing("phone", far, 21, 60)), PHONE_RULE)
    assert reasons(run.until(100)) == [CLEARED, CLEARED]


def test_a_slid_phone_is_the_same_violation_at_its_new_place() -> None:
    near = (0.45, 0.65, 0.53, 0.77)
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 20), Thing("phone", near, 21, 60)), PHONE_RULE)
    (life,) = lives(run.until(100))
    assert life.closed is not None
    assert life.closed.place == pytest.approx(near, abs=1e-4)
    assert life.closed.at.mono == pytest.approx(1059.8 + 10)


def test_a_slid_phone_stays_open_while_a_long_dwell_decides() -> None:
    rule = PHONE_RULE.model_copy(update={"dwell_s": 60})
    near = (0.45, 0.65, 0.53, 0.77)
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 100), Thing("phone", near, 101, 200)), rule)
    assert reasons(run.until(190)) == [None]
    assert reasons(run.until(250)) == [CLEARED]


def test_the_first_of_two_phones_may_go_while_the_second_is_new() -> None:
    near = (0.40, 0.60, 0.48, 0.72)
    run = Run(quiet(Thing("phone", PHONE_AT, 0, 20), Thing("phone", near, 16, 60)), PHONE_RULE)
    assert reasons(run.until(100)) == [CLEARED, CLEARED]


def test_a_new_phone_beside_one_that_was_missed_for_a_look_is_a_second() -> None:
    """The first is unseen when the second turns up, and is seen again: nothing has moved."""
    one: Found = ("phone", 0.9, PHONE_AT)
    two: Found = ("phone", 0.9, (0.40, 0.60, 0.48, 0.72))
    found: list[list[Found]] = [[one]] * 50 + [[two]] + [[one, two]] * 50
    changes = looks(policy(PHONE_RULE), found)
    assert [c.phase for c in changes] == [Phase.OPEN, Phase.OPEN]


def test_a_candidate_is_forgotten_after_ten_looks_without_it() -> None:
    rule = PHONE_RULE.model_copy(update={"hits": 1, "of": 1, "dwell_s": 1.5})
    once: Found = ("phone", 0.9, PHONE_AT)
    assert len(looks(policy(rule), [[once], *[[]] * 9, [once]])) == 1
    assert looks(policy(rule), [[once], *[[]] * 10, [once]]) == []


def test_a_violation_has_the_class_most_often_seen() -> None:
    sheet = (0.5, 0.5, 0.7, 0.7)
    found: list[list[Found]] = [[("notebook", 0.9, sheet)]] * 5 + [[("paper", 0.6, sheet)]] * 40
    (opened,) = looks(policy(SHEET_RULE), found)
    assert opened.class_name == "paper"


def test_more_people_than_allowed_are_one_violation_however_many_come() -> None:
    people = [
        Thing("person", (x, 0.1, x + 0.15, 0.9), begin, end)
        for x, begin, end in ((0.1, 0, 100), (0.4, 10, 50), (0.7, 20, 60))
    ]
    (life,) = lives(Run(quiet(*people), PEOPLE_RULE).until(100))
    assert life.opened.at.mono == pytest.approx(1010 + 5)
    assert life.closed is not None
    assert life.closed.at.mono == pytest.approx(1059.8 + 10)


def test_nobody_allowed_makes_one_person_a_violation() -> None:
    rule = PeopleRule(name="nobody", zone="room", kind="people", more_than=0)
    person = Thing("person", (0.1, 0.1, 0.3, 0.9), 0, 20)
    assert reasons(Run(quiet(person), rule).until(60)) == [CLEARED]


def test_a_phone_waved_before_the_screen_is_one_violation() -> None:
    worker = Thing("person", (0.3, 0.05, 0.6, 0.9), 0, 100)
    way = tuple(
        (i * 0.2, (0.35 + 0.04 * (i % 4), 0.2, 0.39 + 0.04 * (i % 4), 0.3)) for i in range(200)
    )
    phone = Thing("phone", way[0][1], 0, 40, moves=way)
    assert reasons(Run(quiet(worker, phone), SCREEN_RULE, PHONE_RULE).until(80)) == [CLEARED]


def test_progress_shows_what_is_on_the_way_and_what_is_open() -> None:
    run = Run(quiet(LYING), PHONE_RULE)
    run.until(3)
    (row,) = run.policy.progress()
    assert (row.rule, row.zone, row.class_name, row.open) == ("phone", "desk", "phone", False)
    assert row.present_s == pytest.approx(2.8)
    assert row.dwell_s == PHONE_RULE.dwell_s
    run.until(20)
    (row,) = run.policy.progress()
    assert row.open
    assert row.violation_id == run.changes[0].violation_id


def test_two_rules_about_one_thing_are_two_violations() -> None:
    low = PHONE_RULE.model_copy(update={"name": "soft", "severity": Severity.LOW, "dwell_s": 1})
    run = Run(quiet(LYING), PHONE_RULE, low)
    found = [(c.rule, c.severity, c.at) for c in run.until(20)]
    assert found == [("soft", "low", WALL.at(1)), ("phone", "medium", WALL.at(5))]


def test_rules_that_do_not_fit_are_refused_all_at_once() -> None:
    rules = [
        PresenceRule(name="a", zone="desk", classes=["phone", "fone"]),
        PresenceRule(name="b", zone="attic", classes=["paper"]),
    ]
    with pytest.raises(RuleError) as caught:
        Policy(
            rules,
            ZONES,
            NAMES,
            threshold_of=lambda _: THRESHOLD,
            new_id=Ids(),
            look_s=LOOK_S,
            boot=BOOT,
        )
    first, second = caught.value.problems
    assert "rule 'a': the model knows no class 'fone'" in first
    assert "rule 'b': no zone 'attic'; there is desk, room" in second


def test_a_place_in_the_picture_is_never_outside() -> None:
    edge: Place = (-0.02, 0.9, 0.06, 1.04)
    (opened,) = looks(policy(PHONE_RULE), [[("phone", 0.9, edge)]] * 40)
    assert opened.place == pytest.approx((0, 0.9, 0.06, 1), abs=1e-4)

"""The demo's verdict: each visit once, nothing else, all closed."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.outcome import Logged, compare, overlap
from models.scenes.truth import Truth, Visit

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
TRUTH = Truth(
    comment="one phone",
    duration_s=40,
    fps=10,
    size=(100, 100),
    visits=(Visit(id="phone-1", class_name="phone", box=(10, 10, 30, 40), from_s=5, to_s=20),),
    light=(),
    fixtures=(),
)


def _logged(**changes: object) -> Logged:
    facts: dict[str, object] = {
        "violation_id": "0" * 32,
        "rule": "no-phone",
        "class": "phone",
        "zone": "desk",
        "severity": "high",
        "score": 0.8,
        "dwell_s": 12.0,
        "place": (0.1, 0.1, 0.3, 0.4),
        "opened_at": START + timedelta(seconds=8.2),
        "closed_at": START + timedelta(seconds=23.4),
        "reason": "cleared",
    }
    return Logged.model_validate(facts | changes)


def test_one_violation_for_one_visit_is_as_expected() -> None:
    outcome = compare(TRUTH, [_logged()], START)
    assert outcome.as_expected
    assert [visit.id for visit, _ in outcome.matched] == ["phone-1"]


def test_a_visit_without_a_violation_is_missed() -> None:
    outcome = compare(TRUTH, [], START)
    assert [visit.id for visit in outcome.missed] == ["phone-1"]
    assert not outcome.as_expected


def test_a_second_violation_for_one_visit_is_doubled() -> None:
    outcome = compare(TRUTH, [_logged(), _logged(violation_id="1" * 32)], START)
    assert len(outcome.doubled) == 1
    assert not outcome.as_expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"class": "pen"},
        {"place": (0.6, 0.6, 0.9, 0.9)},
        {"opened_at": START + timedelta(seconds=3)},
        {"opened_at": START + timedelta(seconds=30)},
        {"closed_at": START + timedelta(seconds=12)},
        {"closed_at": START + timedelta(seconds=35)},
    ],
)
def test_a_violation_that_no_visit_explains_is_false(wrong: dict[str, object]) -> None:
    outcome = compare(TRUTH, [_logged(**wrong)], START)
    assert len(outcome.false) == 1
    assert not outcome.as_expected


def test_a_violation_that_stays_open_is_not_as_expected() -> None:
    outcome = compare(TRUTH, [_logged(closed_at=None, reason=None)], START)
    assert len(outcome.unclosed) == 1
    assert not outcome.as_expected


def test_overlap() -> None:
    assert overlap((0, 0, 1, 1), (0, 0, 1, 1)) == 1
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0
    assert overlap((0, 0, 2, 1), (1, 0, 3, 1)) == pytest.approx(1 / 3)

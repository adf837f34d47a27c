"""Real clips: each bottle that is put down and each person who stays gives one violation."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.mosquitto import needs_mosquitto
from tests.rig import SHARED, Log, Rig, presence
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto]

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Stay:
    """Something that was there for a while, as a person who watched the clip wrote it down.

    Attributes:
        centre: Where, as a fraction of the picture's width.
        begin_s: When it stood still, seconds; 0 if it was there from the start.
        end_s: When it was taken away; None if it was there to the end.
    """

    centre: float
    begin_s: float
    end_s: float | None


#: Three stand there; left is taken at 7 and another put down at 12; left and middle are taken at
#: 17.5; middle is put down at 24, left at 28; right is taken at 32 and put down at 36.
BOTTLES = [
    Stay(0.14, 0.0, 7.0),
    Stay(0.49, 0.0, 17.6),
    Stay(0.84, 0.0, 31.9),
    Stay(0.15, 12.5, 17.4),
    Stay(0.50, 24.2, None),
    Stay(0.12, 28.4, None),
    Stay(0.85, 36.0, None),
]
#: Six people walk in, stand still for a while, and walk out, one at a time.
PEOPLE = [
    Stay(0.58, 6.6, 19.5),
    Stay(0.60, 23.1, 44.7),
    Stay(0.61, 50.7, 69.6),
    Stay(0.57, 74.7, 86.7),
    Stay(0.59, 92.7, 119.7),
    Stay(0.58, 123.9, 135.8),
]


def _watch(make_rig: MakeRig, clip: str, rule: dict[str, object]) -> tuple[Rig, Log]:
    path = SHARED / "videos" / clip
    if not path.exists():
        pytest.skip(f"{clip} is not beside the project: ../shared/videos")
    camera = {"source": str(path), "realtime": False, "starts_at": START.isoformat()}
    rig = make_rig(camera=camera, rules=[rule])
    rig.start_subscriber()
    rig.start_box("--until-end")
    assert rig.wait("box") == 0, rig.words("box")
    return rig, [event for event in rig.events() if event["phase"] == "open"]


def _seconds(moment: str) -> float:
    return (datetime.fromisoformat(moment) - START) / timedelta(seconds=1)


def _assert_one_each(log: Log, stays: list[Stay], *, slack_s: float) -> None:
    told = [_stay_of(opened, stays, slack_s) for opened in log]
    assert sorted(told) == list(range(len(stays))), [
        (opened["class"], _seconds(opened["opened_at"]), opened["place"]) for opened in log
    ]


def _stay_of(event: dict[str, object], stays: list[Stay], slack_s: float) -> int:
    opened = _seconds(str(event["opened_at"]))
    place = event["place"]
    assert isinstance(place, list)
    centre = (place[0] + place[2]) / 2
    fitting = [
        index
        for index, stay in enumerate(stays)
        if abs(stay.centre - centre) < 0.15
        and stay.begin_s - slack_s <= opened <= (stay.end_s or 1e9)
    ]
    assert len(fitting) == 1, f"opened at {opened:.1f} s around {centre:.2f}: fits {fitting}"
    return fitting[0]


def test_each_bottle_that_is_put_down_gives_one_violation(make_rig: MakeRig) -> None:
    rule = presence("bottle", dwell_s=2.0, clear_after_s=2.0)
    _, log = _watch(make_rig, "bottle-detection.mp4", rule)
    _assert_one_each(log, BOTTLES, slack_s=1.0)


def test_each_bottle_that_is_taken_away_closes_its_violation(make_rig: MakeRig) -> None:
    rule = presence("bottle", dwell_s=2.0, clear_after_s=2.0)
    rig, _ = _watch(make_rig, "bottle-detection.mp4", rule)
    taken = sum(stay.end_s is not None for stay in BOTTLES)
    closed = [violation["reason"] for violation in rig.violations() if violation["closed_at"]]
    assert closed == ["cleared"] * taken


def test_each_person_who_stays_gives_one_violation(make_rig: MakeRig) -> None:
    rule = presence("person", dwell_s=2.0, clear_after_s=2.0)
    _, log = _watch(make_rig, "one-by-one-person-detection.mp4", rule)
    _assert_one_each(log, PEOPLE, slack_s=1.0)


def test_people_are_counted_one_violation_for_each_stay(make_rig: MakeRig) -> None:
    rule: dict[str, object] = {
        "name": "nobody-here",
        "kind": "people",
        "more_than": 0,
        "zone": "desk",
        "min_score": 0.4,
        "dwell_s": 2.0,
        "clear_after_s": 2.0,
    }
    _, log = _watch(make_rig, "one-by-one-person-detection.mp4", rule)
    _assert_one_each(log, PEOPLE, slack_s=1.0)

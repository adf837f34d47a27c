"""Which frame a still is of: the first one that shows the thing, and none of a break."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cleandesk.clock import Instant
from cleandesk.contract.messages import Phase
from cleandesk.detector import Detections
from cleandesk.evidence import Job, Taking
from cleandesk.evidence.taking import PATIENCE_S
from cleandesk.policy import Change
from tests.unit.link.make import change, closed

PICTURE = np.zeros((100, 200, 3), np.uint8)
NAMES = ("phone", "person")
THERE = (20.0, 20.0, 60.0, 40.0)  # in pixels: the place of `change`
ELSEWHERE = (150.0, 60.0, 190.0, 90.0)


@dataclass
class Tray:
    """Stands for the thread: keeps what it is given, and why there is none."""

    jobs: list[Job] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    forgot: int = 0

    def take(self, job: Job) -> bool:
        self.jobs.append(job)
        return True

    def drop(self, violation_id: str, why: str) -> None:
        assert violation_id
        self.dropped.append(why)

    def forget(self) -> None:
        self.forgot += 1


def at(seconds: float) -> Instant:
    moment = datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(seconds=seconds)
    return Instant(1000 + seconds, moment, synced=True)


def found(*things: tuple[int, tuple[float, float, float, float]]) -> Detections:
    boxes = np.array([box for _, box in things], np.float32).reshape(-1, 4)
    ids = np.array([class_id for class_id, _ in things], np.int64)
    return Detections(boxes, np.full(len(things), 0.9, np.float32), ids, NAMES, (200, 100))


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def taking(tray: Tray) -> Taking:
    return Taking(tray, lambda: 3)  # type: ignore[arg-type] # it only takes, drops and forgets


def opened(taking: Taking) -> Change:
    one = change()
    taking.follow([one])
    return one


def test_nothing_is_wanted_until_a_violation_opens(taking: Taking, tray: Tray) -> None:
    taking.look(None, found((0, THERE)), at(0))
    taking.follow([change(phase=Phase.UPDATE), change(phase=Phase.CLOSE)])
    assert not taking.wanted
    assert (tray.jobs, tray.dropped) == ([], [])


def test_the_first_frame_that_shows_the_thing_is_taken(taking: Taking, tray: Tray) -> None:
    one = opened(taking)
    assert taking.wanted
    taking.look(None, found((0, THERE)), at(0))  # it was taken before
    taking.look(PICTURE, found((0, ELSEWHERE), (1, THERE)), at(0.2))  # a hand is over it
    assert taking.wanted
    shifted = (24.0, 22.0, 64.0, 42.0)
    taking.look(PICTURE, found((0, ELSEWHERE), (0, shifted)), at(0.4))
    (job,) = tray.jobs
    assert (job.violation_id, job.breaks) == (one.violation_id, 3)
    assert job.frame is PICTURE
    assert job.place == pytest.approx((0.12, 0.22, 0.32, 0.42))
    assert not taking.wanted


def test_two_violations_share_one_frame(taking: Taking, tray: Tray) -> None:
    opened(taking)
    opened(taking)
    taking.look(PICTURE, found((0, THERE)), at(0.2))
    assert len({job.violation_id for job in tray.jobs}) == 2
    assert all(job.frame is PICTURE for job in tray.jobs)


def test_what_is_not_seen_again_has_none(taking: Taking, tray: Tray) -> None:
    opened(taking)
    taking.look(PICTURE, found(), at(PATIENCE_S))
    assert taking.wanted
    taking.look(PICTURE, found((0, THERE)), at(PATIENCE_S + 0.1))
    assert (taking.wanted, tray.dropped) == (False, ["the thing was not seen again"])


def test_what_closes_before_has_none(taking: Taking, tray: Tray) -> None:
    one = opened(taking)
    taking.follow([closed(one.violation_id)])
    assert (taking.wanted, tray.dropped) == (False, ["it closed at once"])


def test_of_people_there_is_none(taking: Taking) -> None:
    taking.want("0" * 32, "person", (0, 0, 1, 1), at(0))
    assert not taking.wanted


def test_a_break_ends_it(taking: Taking, tray: Tray) -> None:
    opened(taking)
    taking.forget()
    taking.look(PICTURE, found((0, THERE)), at(0.2))
    assert (taking.wanted, tray.jobs, tray.forgot, len(tray.dropped)) == (False, [], 1, 1)

"""Stills are made beside the loop: few wait, none holds it up, and a break makes all worthless."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.contract.health import StillHealth
from cleandesk.detector import Detections, ModelError
from cleandesk.evidence import Background, Job, Refusal, Still, StillRefusedError
from cleandesk.evidence.background import PLACES
from cleandesk.policy.change import Place
from tests.eventually import eventually

FRAME = np.zeros((20, 30, 3), np.uint8)
NOTHING = Detections.none(("phone", "person"), (30, 20))


class Maker:
    """Makes a still of anything, once it is let to."""

    def __init__(self) -> None:
        self.busy, self.go = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.niceness = 0

    def make(self, frame: NDArray[np.uint8], detections: Detections, place: Place) -> Still:
        assert frame.size
        assert detections.size == (30, 20)
        assert place
        self.niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        self.busy.set()
        assert self.go.wait(20)
        if self.error:
            raise self.error
        return Still(b"a still", "image/jpeg", b"a still")


class Made:
    """A thread with its maker, and what came out of it."""

    def __init__(self) -> None:
        self.maker, self.sent, self.breaks = Maker(), list[str](), 0
        self.background = Background(
            self.maker,  # type: ignore[arg-type] # it only makes
            lambda violation_id, _: self.sent.append(violation_id),
            lambda: self.breaks,
        )

    def take(self, name: str) -> bool:
        return self.background.take(Job(name, FRAME, NOTHING, (0, 0, 1, 1), self.breaks))

    def done(self, health: StillHealth) -> None:
        eventually(lambda: self.background.health == health, f"{health}")


@pytest.fixture
def made() -> Iterator[Made]:
    made = Made()
    made.background.start()
    yield made
    made.maker.go.set()
    made.background.stop()


def test_what_does_not_fit_is_refused_at_once_and_counted(made: Made) -> None:
    assert made.take("first")
    assert made.maker.busy.wait(20)
    assert [made.take(str(number)) for number in range(PLACES + 2)] == [True] * PLACES + [False] * 2
    made.maker.go.set()
    made.done(StillHealth(made=PLACES + 1, refused=0, dropped=2))
    assert made.sent == ["first", *map(str, range(PLACES))]


def test_every_other_thread_goes_first(made: Made) -> None:
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    made.maker.go.set()
    made.take("one")
    made.done(StillHealth(made=1, refused=0, dropped=0))
    assert made.maker.niceness == 19
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


def test_a_break_that_begins_while_it_is_made_leaves_none(made: Made) -> None:
    made.take("before")
    assert made.maker.busy.wait(20)
    made.take("waits")
    made.breaks += 1
    made.background.forget()
    made.maker.go.set()
    made.done(StillHealth(made=0, refused=0, dropped=2))
    made.take("after the break")
    made.done(StillHealth(made=1, refused=0, dropped=2))
    assert made.sent == ["after the break"]


def test_what_cannot_be_shown_is_no_fault(made: Made) -> None:
    made.maker.error = StillRefusedError(Refusal.COVERED, "somebody may be there")
    made.maker.go.set()
    made.take("covered")
    made.done(StillHealth(made=0, refused=1, dropped=0))
    assert made.sent == []


def test_an_error_ends_one_still_and_not_the_thread(made: Made) -> None:
    made.maker.error = ModelError(Path("model"), "it gives no numbers", "use another")
    made.maker.go.set()
    made.take("wrong")
    made.done(StillHealth(made=0, refused=0, dropped=1))
    made.maker.error = None
    made.take("right")
    made.done(StillHealth(made=1, refused=0, dropped=1))


def test_the_end_drops_what_waits_and_says_so(made: Made) -> None:
    made.take("first")
    assert made.maker.busy.wait(20)
    made.take("waits")
    made.maker.go.set()
    made.background.stop()
    assert made.background.health.dropped <= 1
    assert made.background.health.made + made.background.health.dropped == 2
    made.background.stop()

"""Absent is who was not seen for long enough; it never flickers, nor hides who is seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.clock import Instant
from cleandesk.detector import Detections
from cleandesk.policy.observation import PERSON_SCORE
from cleandesk.settings import Zone
from cleandesk.worker.idle import SILENT_S, Idle
from cleandesk.worker.presence import GAP_S, Presence
from tests.unit.worker.make import START

NAMES = ("cup", "person")
LEFT = Zone(polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
AFTER_S = 60.0


def _at(seconds: float) -> Instant:
    return Instant(1000 + seconds, START + timedelta(seconds=seconds), synced=True)


def _found(x: float | None, score: float = 0.9, kind: int = 1) -> Detections:
    """One thing of a tenth of the picture's width, its left edge at `x`; None: nothing."""
    if x is None:
        return Detections.none(NAMES, (100, 100))
    box = np.array([[x * 100, 20, x * 100 + 10, 90]], np.float32)
    return Detections(box, np.array([score], np.float32), np.array([kind]), NAMES, (100, 100))


def _presence() -> Presence:
    return Presence(LEFT, AFTER_S)


def test_nobody_for_long_enough_is_absent_since_they_were_last_seen() -> None:
    presence = _presence()
    presence.look(_found(0.2), _at(0))
    for second in range(1, 60):
        presence.look(_found(None), _at(second))
        assert presence.absent_since is None
    presence.look(_found(None), _at(60))
    assert presence.absent_since == _at(0)
    presence.look(_found(0.2), _at(61))
    assert presence.absent_since is None


def test_who_is_elsewhere_in_the_picture_and_what_is_nobody_do_not_count() -> None:
    for found in (_found(0.7), _found(0.2, kind=0), _found(0.2, score=PERSON_SCORE - 0.01)):
        presence = _presence()
        for second in range(62):
            presence.look(found, _at(second))
        assert presence.absent_since is not None


def test_a_frame_that_shows_the_same_shows_the_same_person() -> None:
    presence = _presence()
    presence.look(_found(0.2), _at(0))
    for second in range(1, 200):
        presence.unchanged(_at(second))
    assert presence.absent_since is None


def test_time_that_nobody_looked_at_is_no_absence() -> None:
    presence = _presence()
    presence.look(_found(None), _at(0))
    presence.look(_found(None), _at(AFTER_S + GAP_S))
    assert presence.absent_since is None
    presence.forget()
    presence.look(_found(None), _at(AFTER_S + GAP_S + 1))
    assert presence.absent_since is None


STEPS = st.lists(
    st.tuples(
        st.floats(0.05, 30),
        st.sampled_from(["person", "nobody", "nobody", "nobody", "same", "forget"]),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_it_never_turns_absent_within_the_time_and_never_flaps(
    steps: list[tuple[float, str]],
) -> None:
    presence, now = _presence(), 0.0
    last_person = turned = float("-inf")
    shown = "nobody"
    for seconds, what in steps:
        now += seconds
        was = presence.absent_since
        if what == "forget":
            presence.forget()
            shown = "nobody"
        elif what == "same":
            presence.unchanged(_at(now))
        else:
            shown = what
            presence.look(_found(0.2 if what == "person" else None), _at(now))
        if shown == "person" and what != "forget":
            last_person = now
            assert presence.absent_since is None
        if presence.absent_since is not None and was is None:
            assert now - last_person >= AFTER_S
            assert now - turned >= AFTER_S, "it turned absent twice within the time"
            turned = now


def test_idle_is_absent_and_without_input_and_ends_with_either() -> None:
    idle, away = Idle(600), _at(0)
    idle.tell(700, _at(10))
    assert not idle.step(None, _at(10))
    assert idle.step(away, _at(11))
    assert idle.stands
    assert idle.step(None, _at(12)), "the worker is back"
    assert idle.step(away, _at(13))
    idle.tell(3, _at(14))
    assert idle.step(away, _at(14)), "there was input"
    assert not idle.stands


def test_a_silent_companion_ends_idle_and_begins_none() -> None:
    idle, away = Idle(600), _at(0)
    assert not idle.step(away, _at(5))
    idle.tell(700, _at(10))
    assert idle.step(away, _at(10))
    assert not idle.step(away, _at(10 + SILENT_S))
    assert idle.step(away, _at(11 + SILENT_S))
    assert not idle.stands
    assert idle.age_s is None


class _Interrupted(float):
    """A moment; somebody speaks just as another is compared with it."""

    speak: Callable[[], None]

    def __rsub__(self, later: float) -> float:
        self.speak()
        return later - float(self)


def test_what_the_companion_says_during_a_step_is_not_lost() -> None:
    idle, away, now = Idle(600), _at(0), _at(20 + SILENT_S)
    old = _Interrupted(_at(10).mono)
    old.speak = lambda: idle.tell(700, now)
    idle.tell(5, replace(_at(10), mono=old))
    for _ in range(2):
        idle.step(away, now)
    assert idle.stands

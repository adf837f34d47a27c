"""A break in the loop's eyes: all that was open closes, and nothing from before opens anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.clock import Instant
from cleandesk.contract.commands import Outcome, SpotCheckResponse
from cleandesk.contract.messages import BreakReason, CloseReason, Phase
from cleandesk.contract.worker_messages import Idle as IdleMessage
from cleandesk.evidence import Taking
from cleandesk.policy import Change
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.break_mode import By
from cleandesk.worker.drawings import Drawings
from cleandesk.worker.idle import Idle
from cleandesk.worker.presence import Presence
from cleandesk.worker.shift import Onlookers, Shift
from cleandesk.worker.sight import Sight
from cleandesk.worker.spot_check import SpotChecks
from tests.unit.policy.traces import (
    BOOT,
    LOOK_S,
    NAMES,
    PHONE_AT,
    PHONE_RULE,
    SEARCH,
    THRESHOLD,
    ZONES,
    frame,
    policy,
)
from tests.unit.worker.make import Process, SetClock

PHONE = ("phone", 0.9, PHONE_AT)
PERSON = ("person", 0.9, (0.4, 0.1, 0.6, 0.9))


class Forgetful:
    """Stands for the looker, of which a break asks only to begin anew."""

    forgot = 0

    def forget(self) -> None:
        self.forgot += 1


class Album:
    """Stands for the thread that makes stills: keeps what it is given until it is to forget."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.dropped = 0

    def take(self, job: Any) -> bool:
        self.violations.append(job.violation_id)
        return True

    def drop(self, violation_id: str, why: str) -> None:
        assert violation_id
        assert why
        self.dropped += 1

    def forget(self) -> None:
        self.dropped += len(self.violations)
        self.violations.clear()


class Loop:
    """The part of the frame loop that a break is about, on a real policy."""

    def __init__(self, folder: Path, *, presence: bool = True) -> None:
        self.clock = SetClock()
        self.process = Process(folder, clock=self.clock, boot=BOOT)
        self.mode = self.process.mode
        self.policy = policy(PHONE_RULE)
        self.spots = SpotChecks(["phone"], per_hour=100)
        self.aiming = Aiming(self.clock, lambda _what, _text: None)
        self.idle = Idle(60)
        self.idles: list[IdleMessage] = []
        looker: Any = Forgetful()
        self.album = Album()
        album: Any = self.album
        self.stills = Taking(album, lambda: self.mode.begun)
        sight = Sight([PHONE_RULE], NAMES, lambda _: THRESHOLD, presence=presence)
        self.shift = Shift(
            self.mode,
            self.policy,
            looker,
            onlookers=Onlookers(
                sight=sight,
                spots=self.spots,
                aiming=self.aiming,
                drawings=Drawings(sight, None, ZONES),
                presence=Presence(ZONES["room"], 30) if presence else None,
                idle=self.idle,
                say_idle=self.idles.append,
                stills=self.stills,
            ),
            timeout_s=5,
        )
        self.changes: list[Change] = []
        self.rested_until: Instant | None = None

    def turn(self, *found: tuple[str, float, tuple[float, float, float, float]]) -> None:
        """One turn of the loop, with a frame that shows this if the sensor runs."""
        self.clock.move(LOOK_S)
        now = self.clock.now()
        self.changes += self.shift.follow(now, now)
        if self.shift.resting:
            self.rested_until = now
            return
        assert self.process.camera.running
        self.clock.move(0.01)
        at = self.clock.now()
        seen = frame(*found)
        picture = np.zeros((4, 4, 3), np.uint8) if self.stills.wanted else None
        if not self.shift.unwanted():
            changes = self.policy.step(seen, at)
            self.changes += changes
            self.shift.changed(changes)
            self.shift.look(seen, at, picture)

    def turns(self, seconds: float, *found: Any) -> None:
        for _ in range(round(seconds / LOOK_S)):
            self.turn(*found)


def _phases(changes: Sequence[Change]) -> list[tuple[Phase, CloseReason | None]]:
    return [(change.phase, change.reason) for change in changes]


def test_a_break_closes_what_is_open_and_its_end_begins_anew(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(8, PHONE)
    assert _phases(loop.changes) == [(Phase.OPEN, None)]
    loop.mode.start(BreakReason.REST, By.PAGE)
    loop.turn(PHONE)
    assert _phases(loop.changes)[1:] == [(Phase.CLOSE, CloseReason.BREAK)]
    loop.turns(30, PHONE)
    loop.mode.end(By.PAGE)
    loop.turns(PHONE_RULE.dwell_s - 1, PHONE)
    assert len(loop.changes) == 2, "the time before the break does not count"
    loop.turns(3, PHONE)
    assert _phases(loop.changes)[2:] == [(Phase.OPEN, None)]


def test_a_short_break_between_two_turns_counts_too(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(8, PHONE)
    loop.mode.start(BreakReason.REST, By.PAGE)
    loop.mode.end(By.PAGE)
    loop.turn(PHONE)
    assert _phases(loop.changes)[1:] == [(Phase.CLOSE, CloseReason.BREAK)]
    assert loop.process.camera.running


def test_a_restart_in_a_break_closes_what_the_last_process_left_open(tmp_path: Path) -> None:
    before = Loop(tmp_path)
    before.turns(8, PHONE)
    state = before.policy.snapshot()
    before.mode.start(BreakReason.REST, By.PAGE)
    after = Loop(tmp_path)
    after.policy.restore(state, after.clock.now())
    after.turn(PHONE)
    assert _phases(after.changes) == [(Phase.CLOSE, CloseReason.BREAK)]
    assert after.process.camera.starts == 0


STEPS = st.lists(
    st.sampled_from(["look", "look", "look", "blank", "start", "end", "start and end"]), max_size=40
)


@SEARCH
@given(STEPS)
def test_no_violation_opens_by_what_was_seen_before_the_end_of_a_break(
    tmp_path_factory: Any, steps: list[str]
) -> None:
    loop = Loop(tmp_path_factory.mktemp("loop"))
    for step in steps:
        if "start" in step:
            loop.mode.start(BreakReason.OTHER, By.BUTTON)
        if "end" in step:
            loop.mode.end(By.BUTTON)
        known = len(loop.changes)
        rested = loop.rested_until
        loop.turns(2, *([PHONE] if step == "look" else []))
        for change in loop.changes[known:]:
            if change.phase is Phase.OPEN and rested is not None:
                assert change.at.mono - rested.mono >= PHONE_RULE.dwell_s
        if loop.mode.present is not None:
            assert not loop.process.camera.running
            assert loop.policy.open_count == 0


def test_a_spot_check_says_what_was_seen_and_what_the_rules_say(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(8, PHONE)
    answers: list[SpotCheckResponse] = []
    assert loop.spots.begin(2, answers.append, loop.clock.now())
    assert not loop.spots.begin(2, answers.append, loop.clock.now()), "one at a time"
    loop.turns(1, PHONE, ("phone", 0.3, (0.7, 0.6, 0.8, 0.7)))
    moved = (0.31, 0.6, 0.39, 0.72)
    loop.turns(2, ("phone", 0.95, moved), PERSON)
    (answer,) = answers
    assert answer.outcome is Outcome.DONE
    things = {finding.class_name: finding for finding in answer.findings}
    assert set(things) == {"phone", "person"}, "what is not believed is not told"
    assert (things["phone"].score, things["phone"].place) == (0.95, moved)
    assert things["phone"].looks == answer.looks
    (verdict,) = answer.verdicts
    assert (verdict.rule, verdict.violated) == ("phone", True)
    assert verdict.violation_id == loop.changes[0].violation_id


def test_a_spot_check_tells_of_nobody_where_the_site_is_not_told_of_people(tmp_path: Path) -> None:
    loop = Loop(tmp_path, presence=False)
    answers: list[SpotCheckResponse] = []
    loop.spots.begin(2, answers.append, loop.clock.now())
    loop.turns(3, PHONE, PERSON)
    (answer,) = answers
    assert [finding.class_name for finding in answer.findings] == ["phone"]


def test_a_break_ends_a_spot_check_and_tells_nothing_of_it(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    answers: list[SpotCheckResponse] = []
    loop.spots.begin(30, answers.append, loop.clock.now())
    loop.turns(2, PHONE)
    loop.mode.start(BreakReason.REST, By.PAGE)
    loop.turn()
    (answer,) = answers
    assert (answer.outcome, answer.findings, answer.looks) == (Outcome.ON_BREAK, [], None)
    assert not loop.spots.running


def test_a_spot_check_without_a_picture_is_off_and_no_clean_desk(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    answers: list[SpotCheckResponse] = []
    loop.spots.begin(1, answers.append, loop.clock.now())
    loop.clock.move(2)
    now = loop.clock.now()
    loop.shift.follow(now, now)
    assert answers[0].outcome is Outcome.OFF


def test_spot_checks_are_bounded_in_any_hour() -> None:
    clock = SetClock()
    spots = SpotChecks(["phone"], per_hour=2)
    answers: list[SpotCheckResponse] = []
    for _ in range(2):
        assert spots.begin(1, answers.append, clock.now())
        spots.break_began(clock.now())
    assert not spots.begin(1, answers.append, clock.now())
    clock.move(3600)
    assert spots.begin(1, answers.append, clock.now())


def test_a_break_ends_the_idle_marker_and_nobody_is_absent_in_it(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(40)
    since = loop.shift.absent_since
    assert since is not None
    loop.idle.tell(120, loop.clock.now())
    loop.turn()
    assert [one.idle for one in loop.idles] == [True]
    assert loop.idles[0].since == since.utc
    loop.mode.start(BreakReason.REST, By.PAGE)
    loop.turn()
    assert loop.shift.absent_since is None
    assert [one.idle for one in loop.idles] == [True, False]


def test_a_camera_that_does_not_let_go_in_a_break_ends_the_process(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(1)
    loop.process.camera.hangs = True
    loop.mode.start(BreakReason.REST, By.PAGE)
    loop.turns(5)
    assert not loop.shift.stuck
    loop.turns(10)
    assert loop.shift.stuck


def test_what_opens_is_looked_at_once_more_for_its_still(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    while not loop.changes:
        assert not loop.shift.attentive
        loop.turn(PHONE)
    assert loop.shift.attentive
    assert loop.album.violations == []
    loop.turn(PHONE)
    assert loop.album.violations == [loop.changes[0].violation_id]
    assert not loop.shift.attentive


def test_a_break_lets_go_of_every_frame_and_none_is_taken_in_it(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(8, PHONE)
    assert len(loop.album.violations) == 1
    loop.mode.start(BreakReason.REST, By.PAGE)
    loop.turns(5, PHONE)
    assert (loop.album.violations, loop.album.dropped) == ([], 1)
    loop.mode.end(By.PAGE)
    loop.turns(8, PHONE)
    assert len(loop.album.violations) == 1


def test_a_spot_check_wants_stills_of_what_it_found_and_of_nothing_else(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.turns(8, PHONE)
    (id_,) = loop.album.violations
    answers: list[SpotCheckResponse] = []
    loop.spots.begin(2, answers.append, loop.clock.now())
    loop.turns(3, PHONE)
    assert loop.album.violations == [id_, id_]
    loop.spots.begin(2, answers.append, loop.clock.now())
    loop.turns(3)
    assert [answer.verdicts[0].violated for answer in answers] == [True, True]
    assert loop.album.violations == [id_, id_], "it is open, and was not seen in this check"

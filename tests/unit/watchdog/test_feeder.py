"""When the watchdog is fed, through hours of an injected clock."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.watchdog import Feeder, Heartbeat, Sensing, Standing
from tests.unit.watchdog.make import Hand, ServiceManager

WATCHDOG_S = 90.0
HOUR_S = 3600.0


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[ServiceManager]:
    with ServiceManager(tmp_path / "notify", WATCHDOG_S) as systemd:
        yield systemd


class Day:
    """A loop of turns of a second each, its threads, and when the watchdog was fed."""

    def __init__(self, systemd: ServiceManager) -> None:
        self.clock = Hand()
        self.link, self.capture = Heartbeat("link", self.clock), Heartbeat("capture", self.clock)
        self.sensing: Sensing | None = None
        self.sensor_runs = False
        self.fed = [0.0]
        self._systemd = systemd
        self._feeder = Feeder(systemd.manager)

    def _standing(self) -> Standing:
        heartbeats = (self.link, self.capture)
        return Standing(self.clock.mono, self.sensor_runs, self.sensing, heartbeats)

    def turn(self) -> None:
        """Have a second pass; the link turns in it."""
        self.clock.mono += 1
        self.link.beat(60)
        self._feeder.turn(self.clock.mono, self._standing)
        if "WATCHDOG=1" in self._systemd.heard():
            self.fed.append(self.clock.mono)

    def survives(self) -> bool:
        """Say whether systemd would never have ended it up to now."""
        moments = [*self.fed, self.clock.mono]
        return all(b - a <= WATCHDOG_S for a, b in itertools.pairwise(moments))


def test_an_hour_of_a_break_is_no_reason_to_restart(systemd: ServiceManager) -> None:
    day = Day(systemd)
    while day.clock.mono < HOUR_S:
        day.turn()
    assert day.survives()
    assert len(day.fed) > HOUR_S / WATCHDOG_S


def test_an_hour_without_a_camera_is_none_as_long_as_the_ladder_is_climbed(
    systemd: ServiceManager,
) -> None:
    day = Day(systemd)
    day.sensor_runs = True
    day.sensing = Sensing(fault=True, delivered=None, looked=0, look_s=0.2)
    while day.clock.mono < HOUR_S:
        if day.clock.mono % 60 == 0:
            day.capture.beat(60)  # the longest pause between two tries, and the try
        day.turn()
    assert day.survives()


def test_a_recovery_that_stands_still_is(systemd: ServiceManager) -> None:
    day = Day(systemd)
    day.sensor_runs = True
    day.sensing = Sensing(fault=True, delivered=None, looked=0, look_s=0.2)
    day.capture.beat(90)
    while day.clock.mono < HOUR_S:
        day.turn()
    assert not day.survives()
    assert day.fed[-1] <= 100


def test_a_sensor_that_runs_in_a_break_is(systemd: ServiceManager) -> None:
    day = Day(systemd)
    day.sensor_runs = True
    while day.clock.mono < HOUR_S:
        day.turn()
    assert day.fed == [0.0]


def test_what_is_held_against_it_is_logged_once_and_told(
    systemd: ServiceManager, caplog: pytest.LogCaptureFixture
) -> None:
    feeder, clock = Feeder(systemd.manager), Hand()
    bad = Standing(0.0, True, None, ())
    with caplog.at_level(logging.ERROR):
        for second in range(60):
            clock.mono = second
            feeder.turn(clock.mono, lambda: bad)
    assert [record.message for record in caplog.records] == [
        "the watchdog is not fed: it will restart the box"
    ]
    assert "STATUS=not fed: the sensor was told to stop and runs" in systemd.heard()
    feeder.turn(61, lambda: Standing(61, False, None, ()))
    assert systemd.heard() == ["WATCHDOG=1", "STATUS="]


def test_it_is_ready_with_the_first_turn_and_leaves_with_the_last(systemd: ServiceManager) -> None:
    feeder = Feeder(systemd.manager)
    assert systemd.heard() == []
    feeder.turn(0, lambda: Standing(0, False, None, ()))
    assert systemd.heard() == ["READY=1", "WATCHDOG=1"]
    feeder.turn(1, lambda: Standing(1, False, None, ()))
    feeder.leave()
    assert systemd.heard() == ["STOPPING=1"]


def test_a_loop_waits_no_longer_than_the_watchdog_can(tmp_path: Path) -> None:
    with ServiceManager(tmp_path / "hasty", 2) as hasty:
        assert Feeder(hasty.manager).within(1) == 0.5
    with ServiceManager(tmp_path / "no watchdog") as none:
        assert Feeder(none.manager).within(1) == 1


@given(turns=st.lists(st.floats(0, WATCHDOG_S * 2 / 3), min_size=1, max_size=200))
def test_turns_that_are_late_but_come_keep_it_alive(
    tmp_path_factory: pytest.TempPathFactory, turns: list[float]
) -> None:
    with ServiceManager(tmp_path_factory.mktemp("notify") / "socket", WATCHDOG_S) as systemd:
        feeder, now, last = Feeder(systemd.manager), 0.0, 0.0
        for turn_s in turns:
            now += turn_s
            feeder.turn(now, lambda: Standing(0.0, False, None, ()))
            assert now - last <= WATCHDOG_S
            if "WATCHDOG=1" in systemd.heard():
                last = now

"""Breaks are counted in the worker's favour: nothing goes beyond a limit that nobody is sure of."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cleandesk import durable
from cleandesk.contract.messages import BreakLimit, BreakReason
from cleandesk.settings_worker import BreakSettings
from cleandesk.worker import keeping
from cleandesk.worker.breaks import Break, Kept, Rules
from tests.unit.worker.make import BOOT, OTHER_BOOT, START, SetClock

LIMITS = BreakSettings(length_s=600, count_per_day=2, timezone="Europe/Berlin")
RULES = Rules(LIMITS, BOOT)


def _begun(clock: SetClock, kept: Kept | None = None) -> tuple[Kept, Break]:
    return RULES.begun(kept or Kept(), BreakReason.REST, clock.now())


def _again(clock: SetClock, kept: Kept) -> tuple[Kept, Break]:
    return _begun(clock, kept.model_copy(update={"present": None}))


def test_a_long_break_goes_beyond_its_length_and_not_before() -> None:
    clock = SetClock()
    _, present = _begun(clock)
    clock.move(600)
    assert RULES.privacy(present, clock.now()).beyond is None
    clock.move(1)
    privacy = RULES.privacy(present, clock.now())
    assert privacy.beyond == [BreakLimit.LENGTH]
    assert (privacy.since, privacy.until) == (START, START + timedelta(seconds=600))


def test_a_clock_that_jumps_makes_no_break_longer() -> None:
    clock = SetClock()
    _, present = _begun(clock)
    clock.utc += timedelta(days=1)
    assert RULES.privacy(present, clock.now()).beyond is None


@pytest.mark.parametrize(
    ("synced_then", "synced_now", "uptime_s", "length_s"),
    [(True, True, 100.0, 3600.0), (False, True, 100.0, 100.0), (True, False, 100.0, 100.0)],
)
def test_over_a_power_cut_only_a_trusted_clock_tells(
    *, synced_then: bool, synced_now: bool, uptime_s: float, length_s: float
) -> None:
    _, present = _begun(SetClock(synced=synced_then))
    after = SetClock(mono=uptime_s, utc=START + timedelta(hours=1), synced=synced_now)
    assert present.length_s(OTHER_BOOT, after.now()) == length_s


def test_the_third_break_of_a_day_is_one_too_many_and_midnight_is_where_the_site_is() -> None:
    clock = SetClock(utc=START.replace(hour=21))  # 22:00 in Berlin
    kept, present = _begun(clock)
    kept, present = _again(clock, kept)
    assert (RULES.privacy(present, clock.now()).beyond, RULES.today(kept, clock.now())) == (None, 2)
    kept, present = _again(clock, kept)
    assert RULES.privacy(present, clock.now()).beyond == [BreakLimit.COUNT]
    clock.move(2 * 3600 + 1)
    assert RULES.today(kept, clock.now()) == 0
    _, present = _again(clock, kept)
    assert RULES.privacy(present, clock.now()).beyond is None


def test_without_a_trusted_clock_no_day_is_full() -> None:
    clock = SetClock(synced=False)
    kept = Kept()
    for _ in range(4):
        kept, present = _again(clock, kept)
    assert RULES.privacy(present, clock.now()).beyond is None


def test_a_beginning_is_dated_anew_once_the_clock_is_trusted() -> None:
    clock = SetClock(synced=False)
    _, present = _begun(clock)
    clock.move(30)
    clock.utc, clock.synced = START + timedelta(days=400), True
    dated = present.dated(BOOT, clock.now())
    assert (dated.since, dated.synced) == (clock.utc - timedelta(seconds=30), True)
    assert dated.dated(BOOT, clock.now()) is dated


def test_without_limits_nothing_is_beyond() -> None:
    clock = SetClock()
    free = Rules(BreakSettings(), BOOT)
    _, present = _begun(clock)
    clock.move(86_400)
    privacy = free.privacy(present, clock.now())
    assert (privacy.until, privacy.beyond) == (None, None)


def test_a_break_that_newer_software_wrote_down_goes_on_in_an_older_one(tmp_path: Path) -> None:
    kept, _ = _begun(SetClock())
    path = tmp_path / "outbox.db.worker"
    data = kept.model_dump(mode="json") | {"hour": 3}
    data["present"] |= {"asked_by": "button"}
    durable.write(path, json.dumps(data).encode())
    assert keeping.read(path) == kept

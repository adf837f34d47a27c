"""The box's time: never backwards on one clock, aware on the other."""

import re
from datetime import UTC, datetime, timedelta

from cleandesk.clock import SystemClock, boot_id
from cleandesk.contract.topics import ID_PATTERN


def test_monotonic_time_does_not_go_back() -> None:
    clock = SystemClock()
    moments = [clock.now().mono for _ in range(100)]
    assert moments == sorted(moments)


def test_utc_is_aware_and_present() -> None:
    utc = SystemClock().now().utc
    assert utc.utcoffset() == timedelta(0)
    assert abs(utc - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_boot_id_stays_and_fits_the_contract() -> None:
    assert re.fullmatch(ID_PATTERN, boot_id())
    assert boot_id() == boot_id()

from datetime import UTC, datetime, timedelta

import pytest

from cleandesk_fleet.subscriber.moments import parse_time, system_clock

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        (" 3d ", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-05-01T10:00:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("2026-05-01T10:00:00.250+02:00", datetime(2026, 5, 1, 8, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_reads_times_of_people(text: str, moment: datetime) -> None:
    assert parse_time(text, NOW) == moment


def test_takes_a_time_without_zone_as_local() -> None:
    local = datetime(2026, 5, 1).astimezone()
    assert parse_time("2026-05-01", NOW) == local


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2x", "-1h", "999999w", "0001-01-01T00:00+14:00"]
)
def test_says_how_to_write_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="write 2h, 3d, 2026"):
        parse_time(text, NOW)


def test_the_system_clock_gives_utc() -> None:
    moment = system_clock()
    assert moment.utc.tzinfo is UTC
    assert moment.mono > 0

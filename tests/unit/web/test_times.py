from datetime import UTC, datetime, timedelta, timezone

import pytest

from cleandesk_fleet.web.times import ago, shown, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (12.4, "12 s"),
        (95, "1 min 35 s"),
        (3600, "1 h"),
        (7320, "2 h 2 min"),
        (200_000, "2 d 7 h"),
        (-3, "0 s"),
    ],
)
def test_a_span_is_told_by_its_two_largest_units(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_moment_is_utc_and_says_so() -> None:
    berlin = timezone(timedelta(hours=2))
    markup = shown(datetime(2026, 5, 4, 10, 30, 5, tzinfo=berlin))
    assert 'datetime="2026-05-04T08:30:05.000Z"' in markup
    assert "2026-05-04 08:30:05" in markup
    assert "UTC" in markup


def test_what_lies_ahead_is_now() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    assert ago(now + timedelta(minutes=5), now) == "now"
    assert ago(now - timedelta(minutes=5), now) == "5 min ago"

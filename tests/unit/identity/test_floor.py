"""The clock's floor, and when a certificate is renewed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleandesk.identity.floor import Floor
from cleandesk.identity.renewal import due_at
from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.pki import Span
from tests.box_clock import BoxClock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.tuples(moments, st.booleans()), max_size=8), past=moments)
def test_time_goes_back_only_where_the_network_says_so(
    tmp_path: Path, runs: list[tuple[datetime, bool]], past: datetime
) -> None:
    path, before = tmp_path / "clock", EPOCH
    path.unlink(missing_ok=True)
    for utc, synced in runs:
        floor = Floor(path, BoxClock(utc, synced))
        now = floor.now(past)
        if synced:
            assert now == utc
        else:
            assert now >= max(utc, past, before)
        floor.keep(past)
        before = now.replace(microsecond=0)
    assert Floor(path, BoxClock(EPOCH, synced=False)).now() >= before


def test_a_damaged_file_leaves_when_the_software_came_here(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    for content in (b"", b"\0" * 26, b"soon", b"\xff\xfe"):
        path.write_bytes(content)
        now = Floor(path, BoxClock(EPOCH, synced=False)).now()
        assert EPOCH + timedelta(days=365 * 50) < now <= datetime.now(UTC)


@given(days=st.integers(1, 1000), begins=moments)
def test_a_renewal_is_due_early_in_the_last_third(days: int, begins: datetime) -> None:
    span = Span(begins.replace(microsecond=0), begins.replace(microsecond=0) + timedelta(days=days))
    key = pki.new_key()
    shown = pki.self_signed(key, "x", span, ["localhost"])
    due = due_at(shown)
    part = (due - shown.not_valid_before_utc) / timedelta(days=days)
    assert 2 / 3 - 1e-9 <= part <= 3 / 4 + 1e-9
    assert due_at(shown) == due


def test_boxes_are_not_due_at_the_same_moment() -> None:
    span = Span(EPOCH, EPOCH + timedelta(days=90))
    key = pki.new_key()
    dues = {due_at(pki.self_signed(key, "x", span, ["localhost"])) for _ in range(20)}
    assert len(dues) == 20

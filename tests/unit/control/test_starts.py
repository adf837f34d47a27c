"""Starts that crash are counted; what lasts, ends in order or was a power cut is not."""

from pathlib import Path

import pytest

from cleandesk.clock import Instant
from cleandesk.control import Starts, starts
from cleandesk.settings_worker import SafeModeSettings
from tests.unit.worker.make import BOOT, OTHER_BOOT, START

SETTINGS = SafeModeSettings()


def at(mono: float) -> Instant:
    return Instant(mono, START, synced=True)


def begin(folder: Path, boot: str = BOOT) -> tuple[Starts, str | None]:
    subject = Starts(starts.path_of(folder / "outbox.db"), SETTINGS, boot)
    return subject, subject.begin(at(100))


def test_the_fourth_start_after_three_crashes_is_one_in_safe_mode(tmp_path: Path) -> None:
    assert [begin(tmp_path)[1] for _ in range(3)] == [None] * 3
    assert begin(tmp_path)[1] == "3 starts in a row crashed; the last: without a word"
    assert begin(tmp_path)[1] is not None, "until somebody leads it out"


def test_a_start_that_lasted_or_ended_in_order_begins_anew(tmp_path: Path) -> None:
    for _ in range(2):
        begin(tmp_path)
    lasting, _ = begin(tmp_path)
    lasting.follow(at(159))
    assert begin(tmp_path)[1] is not None
    lasting.follow(at(160))
    assert [begin(tmp_path)[1] for _ in range(3)] == [None] * 3
    ended, _ = begin(tmp_path)
    ended.ended()
    assert begin(tmp_path)[1] is None


def test_a_power_cut_is_no_crash(tmp_path: Path) -> None:
    for _ in range(3):
        begin(tmp_path)
    assert begin(tmp_path, OTHER_BOOT)[1] is None


def test_the_last_word_is_told(tmp_path: Path) -> None:
    for _ in range(3):
        last, _ = begin(tmp_path)
    last.failed(MemoryError("x" * 1000))
    why = begin(tmp_path)[1]
    assert why is not None
    assert why.startswith("3 starts in a row crashed; the last: MemoryError: xxx")
    assert len(why) <= 200


def test_what_safe_mode_could_not_mend_is_not_counted(tmp_path: Path) -> None:
    for _ in range(5):
        subject, why = begin(tmp_path)
        assert why is None
        subject.withdraw()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"0" * 64 + b"\n{}"])
def test_a_damaged_count_counts_anew(tmp_path: Path, damage: bytes) -> None:
    for _ in range(3):
        begin(tmp_path)
    starts.path_of(tmp_path / "outbox.db").write_bytes(damage)
    assert begin(tmp_path)[1] is None


def test_a_disk_that_takes_nothing_keeps_no_box_from_looking(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    for _ in range(5):
        subject, why = begin(gone)
        assert why is None
        subject.ended()

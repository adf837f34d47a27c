"""Stills at the site: checked, kept once and privately, deleted after their time, with proof."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from cleandesk.contract.messages import AckStatus
from cleandesk.contract.mqtt import Received
from cleandesk.contract.stills import MAX_STILL, StillHeaders
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.subscriber import queries
from cleandesk_fleet.subscriber.database import open_writer
from cleandesk_fleet.subscriber.intake import Rejected, StillReading, read
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.queries import Filter
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.transaction import Terms
from tests.unit.subscriber.make import BOX, OTHER, START, HandClock, event, hex_id, log_of

KEEP = timedelta(hours=72)
HOUR_S = 3600.0


def jpeg(number: int = 1, size: int = 400) -> bytes:
    return b"\xff\xd8\xff" + number.to_bytes(8, "big") + b"\x07" * (size - 13) + b"\xff\xd9"


def headers(payload: bytes, number: int = 1) -> dict[str, str]:
    made = StillHeaders.of(payload, still_id=hex_id("still", number), at=START, clock_synced=True)
    return dict(made.to_user())


def received(
    payload: bytes,
    user: dict[str, str],
    *,
    box: Address = BOX,
    violation: str = "violation",
    retain: bool = False,
) -> Received:
    topic = box.topic(Channel.STILL, hex_id(violation))
    return Received(topic=topic, payload=payload, user=tuple(user.items()), retain=retain, mid=1)


def still(number: int = 1, *, picture: int | None = None, **more: Any) -> Any:
    """Return a reading of one still; `picture` gives it the bytes of another one."""
    payload = jpeg(number if picture is None else picture)
    return read(received(payload, headers(payload, number), **more), None)


class Site:
    """A log with a folder for stills, and what both hold."""

    def __init__(self, folder: Path, *, keep: timedelta = KEEP) -> None:
        self.clock, self.folder = HandClock(), folder / "log.db.stills"
        self.engine: Engine = open_writer(folder / "log.db")
        self.log: Log = log_of(self.engine, folder=self.folder, keep=keep).begin(self.clock())

    def take(self, *readings: Any) -> list[AckStatus | None]:
        answers = self.log.commit(readings, self.clock())
        return [answer[1].result if answer else None for answer in answers]

    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir()) if self.folder.is_dir() else []

    def pass_by(self, hours: float) -> None:
        self.log.look_around(self.clock.sleep(hours * HOUR_S))

    def rows(self, find: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return list(find(connection, Filter()))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def name_of(number: int) -> str:
    return f"{hashlib.sha256(jpeg(number)).hexdigest()}.jpg"


def test_it_is_kept_once_in_a_file_that_nobody_else_may_read(site: Site) -> None:
    site.take(event(1))
    assert site.take(still()) == [AckStatus.COMMITTED]
    assert site.take(still(), still()) == [AckStatus.DUPLICATE] * 2
    assert site.files() == [name_of(1)]
    file = site.folder / name_of(1)
    assert file.read_bytes() == jpeg(1)
    assert (file.stat().st_mode & 0o777, site.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    (row,) = site.rows(queries.find_stills)
    assert (row["rule"], row["class"], row["size"]) == ("no-phone", "phone", 400)
    assert row["delete_at"] - row["received_at"] == KEEP
    (violation,) = site.rows(queries.find_violations)
    assert violation["still"] == "until 2026-05-07T08:00:00.000Z"


def test_two_of_one_batch_are_one(site: Site) -> None:
    assert site.take(still(), still()) == [AckStatus.COMMITTED, AckStatus.DUPLICATE]
    assert len(site.rows(queries.find_stills)) == 1


def test_one_whose_violation_is_not_here_yet_is_kept_as_long(site: Site) -> None:
    assert site.take(still()) == [AckStatus.COMMITTED]
    assert site.rows(queries.find_stills)[0]["rule"] is None
    site.take(event(1))
    assert site.rows(queries.find_stills)[0]["rule"] == "no-phone"
    site.pass_by(72)
    assert site.files() == []


def test_after_its_time_file_and_row_are_gone_and_the_log_shows_it(site: Site) -> None:
    site.take(event(1), still())
    site.pass_by(71.9)
    assert site.files() == [name_of(1)]
    site.pass_by(0.1)
    assert site.files() == []
    assert site.rows(queries.find_stills) == []
    (proof,) = site.rows(queries.find_deleted_stills)
    assert proof["sha256"] == hashlib.sha256(jpeg(1)).hexdigest()
    assert (proof["file_gone"], proof["still_id"]) == (True, hex_id("still", 1))
    assert proof["deleted_at"] - proof["received_at"] == KEEP
    (violation,) = site.rows(queries.find_violations)
    assert violation["still"] == "deleted 2026-05-07T08:00:00.000Z"


def test_one_that_comes_again_after_its_time_is_not_kept_again(site: Site) -> None:
    site.take(still())
    site.pass_by(72)
    assert site.take(still()) == [AckStatus.DUPLICATE]
    assert site.files() == []


def test_a_shorter_time_holds_for_what_is_there_and_a_longer_one_does_not(tmp_path: Path) -> None:
    first = Site(tmp_path)
    first.take(still(1))
    first.log = log_of(first.engine, folder=first.folder, keep=timedelta(hours=400))
    first.take(still(2))
    first.pass_by(72)
    assert first.files() == [name_of(2)], "the promise at its arrival holds"
    first.log = log_of(first.engine, folder=first.folder, keep=timedelta(hours=80))
    first.pass_by(8)
    assert first.files() == []


def test_two_stills_with_the_same_bytes_share_a_file_until_the_last(site: Site) -> None:
    site.take(still(1))
    site.pass_by(1)
    site.take(still(2, picture=1))
    site.pass_by(71)
    assert site.files() == [name_of(1)]
    assert [proof["file_gone"] for proof in site.rows(queries.find_deleted_stills)] == [False]
    site.pass_by(1)
    assert site.files() == []
    gone = [proof["file_gone"] for proof in site.rows(queries.find_deleted_stills)]
    assert gone == [False, True]


@pytest.mark.parametrize(
    ("change", "retain", "why"),
    [
        ({"sha256": "0" * 64}, False, "its sha256 is"),
        ({"media_type": "application/pkcs7-mime"}, False, "it is no application/pkcs7-mime"),
        ({"media_type": "image/png"}, False, "user properties: media_type"),
        ({"still_id": "x"}, False, "user properties: still_id"),
        ({"at": "0001-01-01T00:00:00+14:00"}, False, "out of range"),
        ({"schema": "2147483648"}, False, "out of range"),
        ({}, True, "never retained"),
    ],
)
def test_what_is_not_what_it_says_is_not_kept_not_even_its_beginning(
    site: Site,
    change: dict[str, str],
    retain: bool,  # noqa: FBT001
    why: str,
) -> None:
    payload = jpeg()
    reading = read(received(payload, headers(payload) | change, retain=retain), None)
    assert isinstance(reading, Rejected)
    assert why in reading.reason
    assert site.take(reading) == [AckStatus.QUARANTINED]
    assert site.files() == []
    (row,) = site.rows(queries.find_quarantined)
    assert (row["payload"], row["size"]) == ("", len(payload))


def test_what_is_too_large_or_no_picture_is_refused() -> None:
    large = jpeg(1, MAX_STILL + 1)
    user = headers(jpeg()) | {"sha256": hashlib.sha256(large).hexdigest()}
    reading = read(received(large, user), None)
    assert isinstance(reading, Rejected)
    assert reading.reason == f"{MAX_STILL + 1} bytes; a still has at most {MAX_STILL}"
    text = b'{"not": "a picture"}'
    user = headers(jpeg()) | {"sha256": hashlib.sha256(text).hexdigest()}
    reading = read(received(text, user), None)
    assert isinstance(reading, Rejected)
    assert reading.reason == "it is no image/jpeg"


def test_an_id_of_anothers_still_is_turned_away(site: Site) -> None:
    site.take(still(1))
    assert site.take(still(1, box=OTHER)) == [AckStatus.QUARANTINED]
    assert site.take(still(1, violation="other")) == [AckStatus.QUARANTINED]
    assert site.take(still(1, picture=2)) == [AckStatus.QUARANTINED]
    assert site.files() == [name_of(1)]


def test_the_sites_that_are_not_ours_leave_nothing(site: Site) -> None:
    payload = jpeg()
    reading = read(received(payload, headers(payload)), {"elsewhere"})
    assert site.take(reading) == [AckStatus.REFUSED]
    assert (site.files(), site.rows(queries.find_quarantined)) == ([], [])


def test_no_box_fills_the_disk(site: Site) -> None:
    album = Album(Pictures(site.folder), KEEP, of_a_box=3)
    site.log = Log(site.engine, silent_after_s=180, terms=Terms(album, 50)).begin(site.clock())
    first = [still(number) for number in range(1, 5)]
    assert site.take(*first) == [AckStatus.COMMITTED] * 3 + [AckStatus.QUARANTINED]
    assert site.take(still(1), still(5)) == [AckStatus.DUPLICATE, AckStatus.QUARANTINED]
    assert site.take(still(6, box=OTHER)) == [AckStatus.COMMITTED]
    assert len(site.files()) == 4
    site.pass_by(72)
    assert site.take(still(7)) == [AckStatus.COMMITTED]


def test_a_full_disk_is_no_answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            site.take(still(), event(1))
    assert site.rows(queries.find_events) == []
    assert site.take(still(), event(1)) == [AckStatus.COMMITTED] * 2
    assert site.files() == [name_of(1)]


def test_files_that_no_row_knows_of_go(site: Site, tmp_path: Path) -> None:
    site.take(still())
    for name in (".draft-77", f"{'0' * 64}.jpg"):
        (site.folder / name).write_bytes(b"left by a killed subscriber")
    site.log.look_around(site.clock.sleep(1))
    assert site.files() == [name_of(1)]
    with sqlite3.connect(tmp_path / "log.db") as log:
        assert log.execute("SELECT count(*) FROM stills").fetchone() == (1,)
    log.close()


#: Writes a picture as PID 1, as in a container, and is killed before it is whole.
_KILLED_AS_PID_1 = """
import os, sys
from pathlib import Path
from cleandesk_fleet.subscriber.pictures import Pictures
os.getpid, os.fsync = lambda: 1, lambda handle: os._exit(9)
Pictures(Path(sys.argv[1])).put("0" * 64, "image/jpeg", b"half")
"""


def test_two_machines_that_write_a_picture_at_once_do_not_get_at_each_others_half(
    site: Site,
) -> None:
    site.take(still())
    for _ in range(2):
        command = [sys.executable, "-c", _KILLED_AS_PID_1, str(site.folder)]
        assert subprocess.run(command, check=False).returncode == 9
    drafts = [name for name in site.files() if name.startswith(".draft-")]
    assert len(drafts) == 2
    site.log.look_around(site.clock.sleep(1))
    assert site.files() == [name_of(1)]


def test_files_that_are_none_of_ours_stay_in_a_folder_that_was_badly_chosen(site: Site) -> None:
    site.take(still())
    (site.folder / "subscriber.key").write_bytes(b"a key")
    (site.folder / "more").mkdir()
    site.log.look_around(site.clock.sleep(1))
    assert site.files() == sorted([name_of(1), "more", "subscriber.key"])


def test_a_file_that_is_gone_already_is_no_obstacle(site: Site) -> None:
    site.take(still())
    (site.folder / name_of(1)).unlink()  # as by a kill between the file and its row
    site.pass_by(72)
    assert [proof["file_gone"] for proof in site.rows(queries.find_deleted_stills)] == [True]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["take", "pass"]), st.integers(1, 5), st.integers(1, 30)),
        max_size=20,
    )
)
def test_files_are_those_of_the_rows_and_none_is_older_than_its_time(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    site = Site(tmp_path_factory.mktemp("site"), keep=timedelta(hours=48))
    for step, number, hours in steps:
        if step == "take":
            site.take(still(number, picture=number % 3))
        else:
            site.pass_by(hours)
        rows = site.rows(queries.find_stills)
        assert site.files() == sorted({f"{row['sha256']}.jpg" for row in rows})
        if step == "pass":
            now = site.clock().utc
            assert all(now - row["received_at"] < timedelta(hours=48) for row in rows)
    site.engine.dispose()


def test_one_is_a_sign_of_life(site: Site) -> None:
    assert isinstance(still(), StillReading)
    site.take(still())
    assert [row["box"] for row in site.rows(queries.find_boxes)] == [BOX.box]

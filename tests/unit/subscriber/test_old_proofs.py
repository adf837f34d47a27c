"""What is left of a still or a loss goes in its time, too; neither comes back by that."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber.database import Place
from cleandesk_fleet.subscriber.intake import Reading, read
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.subscriber.stills import Album
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import (
    alarms,
    deleted_stills,
    deletions,
    gaps,
    losses,
    quarantine,
    stills,
)
from cleandesk_fleet.subscriber.transaction import Terms
from tests.unit.subscriber.ageing import DAY_S, KEEP, look
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import EPOCH, HandClock, event, health
from tests.unit.subscriber.test_stills import headers, jpeg, received, still


@pytest.fixture
def log(engine: Engine, clock: HandClock, tmp_path: Path) -> Log:
    album = Album(Pictures(tmp_path / "stills"), timedelta(hours=72), made_within=KEEP)
    return Log(engine, silent_after_s=10**9, terms=Terms(album, 50, keep=KEEP)).begin(clock())


@pytest.fixture
def seen(log: Log, place: Place) -> Kept:
    assert log
    return Kept(place)


def lost(first: int, last: int, *, next_seq: int, depth: int = 1) -> Reading:
    ranges = [{"epoch": EPOCH, "first": first, "last": last, "reason": "full"}]
    said = {"lost": 1, "lost_ranges": ranges, "next_seq": next_seq, "depth": depth}
    return health(outbox=said)


def test_the_proof_of_a_still_goes_and_the_still_does_not_come_back(
    log: Log, clock: HandClock, seen: Kept
) -> None:
    log.commit([still()], clock())
    look(log, clock, 72 * 3600)
    look(log, clock, 29.9 * DAY_S)
    assert len(seen.rows(deleted_stills)) == 1
    look(log, clock, 0.2 * DAY_S)
    assert seen.rows(deleted_stills) == []
    (proof,) = seen.rows(deletions)
    assert (proof["what"], proof["rows"], proof["left"]) == ("deleted_stills", 1, 0)
    (answer,) = log.commit([still()], clock())
    assert answer is not None
    assert answer[1].result is AckStatus.QUARANTINED
    assert seen.rows(stills) == []
    (row,) = seen.rows(quarantine)
    assert row["payload"] == b""
    assert "longer ago than store.keep_days" in row["reason"]


def test_a_still_of_a_box_that_has_no_clock_is_kept(log: Log, clock: HandClock, seen: Kept) -> None:
    user = headers(jpeg()) | {"at": "1970-01-01T00:00:09Z", "clock_synced": "false"}
    log.commit([read(received(jpeg(), user), None)], clock())
    assert len(seen.rows(stills)) == 1


def test_a_loss_goes_and_is_neither_a_gap_nor_an_alarm_again(
    log: Log, clock: HandClock, seen: Kept
) -> None:
    log.commit([event(1), lost(2, 4, next_seq=6), event(5)], clock())
    look(log, clock, 2 * DAY_S)
    assert [row["closed_at"] is None for row in seen.rows(alarms)] == [False]
    look(log, clock, 31 * DAY_S)
    assert seen.rows(losses) == seen.rows(alarms) == []
    proofs = {row["what"]: (row["rows"], row["left"]) for row in seen.rows(deletions)}
    assert proofs["losses"] == (1, 0)
    log.commit([lost(2, 4, next_seq=7, depth=0), event(6)], clock())
    assert seen.rows(losses) == seen.rows(gaps) == seen.rows(alarms) == []


def test_a_loss_that_alone_knows_of_its_numbers_stays_until_the_box_is_past_them(
    log: Log, clock: HandClock, seen: Kept
) -> None:
    log.commit([event(1), lost(2, 4, next_seq=6)], clock())
    look(log, clock, 40 * DAY_S)
    assert [(row["first"], row["last"]) for row in seen.rows(losses)] == [(2, 4)]
    assert "losses" not in {row["what"] for row in seen.rows(deletions)}
    log.commit([lost(2, 4, next_seq=6), event(5)], clock())
    look(log, clock, 60)
    assert seen.rows(losses) == seen.rows(gaps) == []

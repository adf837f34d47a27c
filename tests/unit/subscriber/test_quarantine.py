import hashlib
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import event as sql_event

from cleandesk.contract.messages import AckStatus
from cleandesk.contract.mqtt import Received
from cleandesk_fleet.subscriber.database import open_writer
from cleandesk_fleet.subscriber.intake import Rejected, read
from cleandesk_fleet.subscriber.quarantine import MAX_KEPT_BYTES
from cleandesk_fleet.subscriber.store import Log
from cleandesk_fleet.subscriber.tables import alarms, meta, quarantine
from tests.unit.subscriber.conftest import Kept
from tests.unit.subscriber.make import OTHER, HandClock, event, log_of, received
from tests.unit.subscriber.test_intake import json_values, topics, twisted_events


def test_keeps_what_could_not_be_read_with_the_reason(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    payload = b"\xffnonsense\0"
    journal.commit([read(received("violation", payload), None)], clock())
    (row,) = kept.rows(quarantine)
    assert (row["site"], row["box"], row["payload"]) == ("s1", "b1", payload)
    assert row["digest"] == hashlib.sha256(payload).hexdigest()
    assert row["reason"].startswith("not UTF-8")
    assert row["result"] == "quarantined"


def test_the_same_again_is_counted_not_kept_twice(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    nonsense = read(received("violation", b"nonsense"), None)
    first, second = journal.commit([nonsense, nonsense], clock())
    assert first == second
    assert [first] == journal.commit([nonsense], clock.sleep(60))
    (row,) = kept.rows(quarantine)
    assert row["deliveries"] == 3
    assert row["last_at"] > row["received_at"]


def test_whoever_sends_much_that_cannot_be_read_holds_up_nobody(
    journal: Log, clock: HandClock, kept: Kept, engine: Engine
) -> None:
    journal.commit([read(received("violation", b"the first"), None)], clock())
    said: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        said.append(statement)

    sql_event.listen(engine, "before_cursor_execute", note)
    nonsense = [read(received("violation", b"%d" % (number % 40)), None) for number in range(200)]
    answers = journal.commit(nonsense, clock.sleep(1))
    sql_event.remove(engine, "before_cursor_execute", note)
    assert len(answers) == 200
    assert len(said) < 20, said
    assert [row["deliveries"] for row in kept.rows(quarantine)] == [1, *[5] * 40]
    (alarm,) = kept.rows(alarms)
    assert (alarm["times"], alarm["last_at"]) == (201, clock().utc)


def test_only_the_beginning_of_a_large_payload_is_kept(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([read(received("violation", b"x" * 100_000), None)], clock())
    (row,) = kept.rows(quarantine)
    assert len(row["payload"]) == MAX_KEPT_BYTES
    assert row["size"] == 100_000


def test_the_oldest_go_first_and_are_counted(journal: Log, clock: HandClock, kept: Kept) -> None:
    for number in range(60):
        journal.commit([read(received("violation", b"%d" % number), None)], clock())
    rows = kept.rows(quarantine)
    assert [row["payload"] for row in rows] == [b"%d" % number for number in range(10, 60)]
    counts = {row["name"]: row["value"] for row in kept.rows(meta)}
    assert counts["quarantine_dropped"] == "10"


def test_a_topic_that_no_database_takes_is_kept_in_other_words(
    journal: Log, clock: HandClock, kept: Kept
) -> None:
    journal.commit([read(Received("bad\0\udc00topic", b"{}"), None)], clock())
    (row,) = kept.rows(quarantine)
    assert row["topic"] == "bad\\x00\\udc00topic"
    assert row["box"] is None


payloads = st.binary() | json_values.map(lambda v: str(v).encode("utf-8", "replace"))
deliveries = st.lists(
    st.tuples(topics | st.text(st.characters()), payloads | twisted_events), min_size=1, max_size=8
)


numbers = itertools.count(1)


@pytest.fixture(scope="module")
def long_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    engine = open_writer(tmp_path_factory.mktemp("log") / "log.db")
    yield log_of(engine, silent_after_s=180, max_quarantined=50).begin(HandClock()())
    engine.dispose()


@settings(deadline=None)
@given(batch=deliveries)
def test_whatever_comes_is_answered_and_holds_up_nothing(
    batch: list[tuple[str, bytes]], long_lived: Log
) -> None:
    readings = [read(Received(topic, payload), None) for topic, payload in batch]
    good = event(next(numbers), box=OTHER)
    *answers, last = long_lived.commit([*readings, good], HandClock()())
    assert last is not None
    assert last[1].result is AckStatus.COMMITTED
    for reading, answer in zip(readings, answers, strict=True):
        if isinstance(reading, Rejected) and reading.address is not None:
            assert answer is not None
            assert answer[0] == reading.address
            assert answer[1].reason

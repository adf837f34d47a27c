import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.contract.health import Health
from cleandesk.contract.messages import (
    AckStatus,
    Message,
    Privacy,
    PrivacyState,
    Status,
    ViolationEvent,
)
from cleandesk.contract.mqtt import Received
from cleandesk_fleet.subscriber.intake import (
    MAX_PAYLOAD,
    Cleared,
    Event,
    Rejected,
    Report,
    read,
    spoke,
)
from tests.unit.subscriber.make import (
    BOX,
    EPOCH,
    START,
    event_fields,
    health_fields,
    hex_id,
    received,
    status_fields,
)


def test_reads_an_event_and_keeps_its_bytes() -> None:
    delivery = received("violation", event_fields(7))
    reading = read(delivery, None)
    assert isinstance(reading, Event)
    assert reading.address == BOX
    assert reading.message.seq == 7
    assert reading.payload == delivery.payload
    assert not reading.replayed


def test_an_event_sent_late_is_marked() -> None:
    reading = read(received("violation", event_fields(), replayed=True), None)
    assert isinstance(reading, Event)
    assert reading.replayed


@pytest.mark.parametrize(
    ("channel", "fields", "model"),
    [
        ("status", status_fields(), Status),
        ("health", health_fields(), Health),
        ("privacy", {"state": "working", "since": START.isoformat()}, Privacy),
    ],
)
def test_reads_reports(channel: str, fields: object, model: type) -> None:
    reading = read(received(channel, fields, retain=True), None)
    assert isinstance(reading, Report)
    assert isinstance(reading.message, model)
    assert reading.stored


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("violation", ViolationEvent.model_validate(event_fields(1))),
        ("violation", ViolationEvent.model_validate(event_fields(2, phase="close"))),
        ("status", Status.model_validate(status_fields())),
        ("health", Health.model_validate(health_fields(camera={"fault": "black"}))),
        ("privacy", Privacy(state=PrivacyState.WORKING, since=START)),
    ],
)
def test_reads_messages_as_the_contract_writes_them(channel: str, message: Message) -> None:
    reading = read(received(channel, message.to_json()), None)
    assert isinstance(reading, Event | Report)
    assert reading.message == message


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seq": "1"}, "seq: Input should be a valid integer"),
        ({"seq": -1}, "seq"),
        ({"seq": 0}, "seq: 0, but events count from 1"),
        ({"score": 1.5}, "score"),
        ({"at": 1_777_000_000}, "at"),
        ({"schema": 0}, "schema"),
        ({"at": "2026-05-04T08:00:00"}, "timezone"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at: .* out of range"),
        ({"phase": "close"}, "reason None does not go with phase close"),
        ({"phase": "gone"}, "phase"),
        ({"event_id": "short"}, "event_id"),
        ({"place": [0, 0, 1]}, "place"),
    ],
)
def test_quarantines_an_event_that_does_not_fit(changes: dict[str, Any], reason: str) -> None:
    reading = read(received("violation", event_fields(3) | changes), None)
    assert isinstance(reading, Rejected)
    assert reading.status is AckStatus.QUARANTINED
    assert reading.address == BOX
    assert re.search(reason, reading.reason)


def test_answers_by_the_event_id_where_it_can_be_read() -> None:
    reading = read(received("violation", event_fields(3, score=2)), None)
    assert isinstance(reading, Rejected)
    assert reading.answer_id == hex_id("event", 3)
    assert reading.number == (EPOCH, 3)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b"nonsense", b'{"event_id": 5}', b"null"])
def test_answers_by_the_digest_where_there_is_no_id(payload: bytes) -> None:
    reading = read(received("violation", payload), None)
    assert isinstance(reading, Rejected)
    assert reading.answer_id == f"sha256:{hashlib.sha256(payload).hexdigest()}"
    assert reading.number is None


def test_a_payload_of_another_channel_does_not_fit() -> None:
    reading = read(received("violation", health_fields()), None)
    assert isinstance(reading, Rejected)
    assert "violation_id" in reading.reason


def test_too_large_a_payload_is_not_parsed() -> None:
    reading = read(received("violation", b" " * (MAX_PAYLOAD + 1)), None)
    assert isinstance(reading, Rejected)
    assert f"at most {MAX_PAYLOAD}" in reading.reason


def test_a_newer_schema_is_read_if_it_can_be() -> None:
    fields = event_fields(schema=2, invented_later={"x": 1})
    assert isinstance(read(received("violation", fields), None), Event)


def test_a_newer_schema_that_cannot_be_read_is_refused() -> None:
    reading = read(received("violation", event_fields(schema=2, phase="merged")), None)
    assert isinstance(reading, Rejected)
    assert reading.status is AckStatus.REFUSED
    assert "schema 2" in reading.reason
    assert "upgrade" in reading.reason
    assert reading.keep


def test_a_schema_that_no_database_holds_is_refused() -> None:
    reading = read(received("violation", event_fields(schema=2**31)), None)
    assert isinstance(reading, Rejected)
    assert reading.status is AckStatus.REFUSED
    assert reading.reason.endswith("schema: 2147483648 is out of range")


def test_another_site_is_refused_and_its_payload_not_kept() -> None:
    reading = read(received("violation", event_fields()), ["s2", "s3"])
    assert isinstance(reading, Rejected)
    assert reading.status is AckStatus.REFUSED
    assert not reading.keep
    assert spoke(reading) is None


@pytest.mark.parametrize(
    "topic", ["", "cleandesk/v1/s1/b1", "cleandesk/v1/S1/b1/violation", "cleandesk/v2/s1/b1/status"]
)
def test_a_topic_that_names_no_box_has_nobody_to_answer(topic: str) -> None:
    reading = read(Received(topic, b"{}"), None)
    assert isinstance(reading, Rejected)
    assert reading.address is None


def test_an_emptied_status_is_not_an_error() -> None:
    assert isinstance(read(received("status", b"", retain=True), None), Cleared)


@pytest.mark.parametrize(
    ("delivery", "speaks"),
    [
        (received("violation", event_fields()), True),
        (received("violation", b"nonsense"), True),
        (received("health", health_fields()), True),
        (received("health", health_fields(), retain=True), False),
        (received("health", b"nonsense", retain=True), False),
        (received("status", status_fields("online")), True),
        (received("status", status_fields("stopped")), True),
        (received("status", status_fields("offline")), False),
        (received("status", b""), False),
    ],
)
def test_only_the_box_itself_proves_that_it_lives(delivery: Received, *, speaks: bool) -> None:
    assert (spoke(read(delivery, None)) is not None) is speaks


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
twisted_events = st.dictionaries(
    st.sampled_from(sorted(event_fields())), json_values, max_size=4
).map(lambda changes: json.dumps(event_fields() | changes).encode())
topics = st.text(max_size=80) | st.sampled_from(
    [f"cleandesk/v1/s1/b1/{name}" for name in ("status", "health", "privacy", "violation", "ack")]
)


@settings(deadline=None)
@given(topics, st.binary() | json_values.map(lambda v: json.dumps(v).encode()) | twisted_events)
def test_never_raises(topic: str, payload: bytes) -> None:
    reading = read(Received(topic, payload), ["s1"])
    if isinstance(reading, Rejected):
        assert 0 < len(reading.reason) <= 500

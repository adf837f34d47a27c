"""The link's events and answers, against a real broker."""

import json
import logging
import socket
import threading
from pathlib import Path

import pytest

from cleandesk.link import Outbox
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.unit.link.listener import Listener
from tests.unit.link.make import LinkMaker, commit_many, everything, new_link, outbox

pytestmark = needs_mosquitto


def test_events_arrive_in_order_and_leave_when_answered(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    with Listener(broker.port) as listener:
        link = linked(box)
        eventually(lambda: link.connected)
        commit_many(box, 250)
        assert link.wait_drained(30)
        assert [event["seq"] for event in listener.events()] == list(range(1, 251))


def test_only_what_waited_before_the_connection_is_marked_replayed(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    commit_many(box, 3)
    early = [one.payload for one in everything(box)]
    with Listener(broker.port) as listener:
        link = linked(box)
        assert link.wait_drained(30)
        commit_many(box, 2)
        assert link.wait_drained(30)
        heard = listener.of("violation")
        assert [one.replayed for one in heard] == [True] * 3 + [False] * 2
        assert [one.payload for one in heard[:3]] == early
        assert not any(one.retain for one in heard)


def test_what_is_not_answered_is_sent_again_byte_for_byte(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    with Listener(broker.port, answers=False) as listener:
        link = linked(box, ack_timeout_s=0.2)
        eventually(lambda: link.connected)
        commit_many(box, 1)
        eventually(lambda: len(listener.of("violation")) >= 3)
        heard = listener.of("violation")
        assert len({one.payload for one in heard}) == 1
        assert [one.replayed for one in heard[:3]] == [False, True, True]
        assert box.health().depth == 1
        listener.answers = True
        assert link.wait_drained(30)


def test_a_connection_on_which_nobody_answers_is_begun_anew(
    broker: Mosquitto, box: Outbox, linked: LinkMaker, caplog: pytest.LogCaptureFixture
) -> None:
    def connections() -> int:
        return [one.getMessage() for one in caplog.records].count("connected to the broker")

    caplog.set_level(logging.INFO)
    with Listener(broker.port, answers=False) as listener:
        link = linked(box, ack_timeout_s=0.2)
        commit_many(box, 1)
        eventually(lambda: connections() >= 2, "another connection")
        listener.answers = True
        assert link.wait_drained(30)
    assert any("nobody answers" in one.getMessage() for one in caplog.records)


def test_an_event_that_nobody_hears_is_kept_and_tried_again(
    broker: Mosquitto, box: Outbox, linked: LinkMaker, caplog: pytest.LogCaptureFixture
) -> None:
    # Long: a late answer doubles an event, and a connection begun anew repeats the alarm.
    link = linked(box, ack_timeout_s=5)
    commit_many(box, 5)

    def told() -> list[logging.LogRecord]:
        return [one for one in caplog.records if one.__dict__.get("code") == 16]

    eventually(told)
    with Listener(broker.port) as listener:
        assert link.wait_drained(30)
        assert [event["seq"] for event in listener.events()] == [1, 2, 3, 4, 5]
    assert len(told()) == 1
    assert "start the subscriber" in told()[0].__dict__["fix"]


def test_events_of_a_broker_that_died_come_when_it_is_back(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    link = linked(box, ack_timeout_s=0.5)
    eventually(lambda: link.connected)
    broker.kill()
    eventually(lambda: not link.connected)
    commit_many(box, 4)
    waiting = [one.payload for one in everything(box)]
    broker.start()
    with Listener(broker.port) as listener:
        assert link.wait_drained(30)
        heard = listener.of("violation")
        # The box may be back before anybody listens: what it sent then comes once more, and later.
        came = {one.payload for one in heard}
        assert sorted(came, key=waiting.index) == waiting
        assert all(one.replayed for one in heard)


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"null",
    b"{}",
    b"[1, 2]",
    b'[{"id": "x", "result": "committed"}]',
    b'[{"id": "' + b"0" * 32 + b'", "result": "stolen"}]',
    b'[{"id": "' + b"0" * 32 + b'"}]',
    b"[" * 100_000,
    b'[{"id": null, "result": null}]',
    json.dumps([{"id": "0" * 32, "result": "committed"}] * 1001).encode(),
    json.dumps([{"id": "0" * 32, "result": "committed", "reason": "x" * 501}]).encode(),
]


def test_hostile_answers_release_nothing_and_harm_nothing(
    broker: Mosquitto, box: Outbox, linked: LinkMaker, caplog: pytest.LogCaptureFixture
) -> None:
    with Listener(broker.port, answers=False) as listener:
        link = linked(box)
        commit_many(box, 1)
        eventually(lambda: listener.of("violation"))
        for payload in HOSTILE:
            listener.answer(payload)
        eventually(lambda: caplog.messages.count("an ack that is none is ignored") == len(HOSTILE))
        assert box.health().depth == 1
        event_id = listener.events()[0]["event_id"]
        listener.answer(json.dumps([{"id": event_id, "result": "duplicate"}]).encode())
        assert link.wait_drained(30)


def test_a_retained_answer_is_ignored(
    broker: Mosquitto, box: Outbox, linked: LinkMaker, caplog: pytest.LogCaptureFixture
) -> None:
    commit_many(box, 1)
    answer = [{"id": everything(box)[0].event_id, "result": "committed"}]
    with Listener(broker.port, answers=False) as listener:
        listener.answer(json.dumps(answer).encode(), retain=True)
        eventually(lambda: listener.of("ack"))
        linked(box)
        eventually(lambda: any("retained ack" in text for text in caplog.messages))
    assert box.health().depth == 1


def test_what_the_access_rules_refuse_is_an_alarm_and_is_kept(
    tmp_path: Path, box: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite cleandesk/v1/site/box/status\ntopic read cleandesk/#\n")
    acl.chmod(0o600)
    with Mosquitto(tmp_path, options=[f"acl_file {acl}"]) as strict:
        link = new_link(box, strict.port)
        link.start()
        commit_many(box, 2)
        eventually(lambda: [one for one in caplog.records if one.__dict__.get("code") == 135])
        link.stop()
    alarm = next(one for one in caplog.records if one.__dict__.get("code") == 135)
    assert alarm.levelno == logging.ERROR
    assert "ACL" in alarm.__dict__["fix"]
    assert box.health().depth == 2


def test_two_boxes_with_one_name_are_told_so(
    tmp_path: Path, box: Outbox, linked: LinkMaker, caplog: pytest.LogCaptureFixture
) -> None:
    linked(box, retry_max_s=0.1)
    linked(outbox(tmp_path / "twin.db"), retry_max_s=0.1)
    eventually(
        lambda: [one for one in caplog.records if "two boxes with one address" in one.getMessage()]
    )


def test_it_goes_on_when_the_first_broker_is_not_there_yet(tmp_path: Path, box: Outbox) -> None:
    broker = Mosquitto(tmp_path)
    # The link may be there before the one who listens: then it sends again, after so long.
    link = new_link(box, broker.port, ack_timeout_s=0.5)
    link.start()
    commit_many(box, 1)
    try:
        with broker, Listener(broker.port):
            assert link.wait_drained(30)
    finally:
        link.stop()


def test_stopping_does_not_wait_for_a_broker_that_says_nothing(box: Outbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        link = new_link(box, mute.getsockname()[1])
        link.start()
        peer, _ = mute.accept()
        with peer:
            done = threading.Thread(target=link.stop)
            done.start()
            done.join(20)
            assert not done.is_alive()

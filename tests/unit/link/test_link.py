"""The link against a real broker."""

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cleandesk.clock import SystemClock
from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.messages import (
    CameraHealth,
    Health,
    Privacy,
    PrivacyState,
    Status,
)
from cleandesk.contract.topics import Channel
from cleandesk.link import Link, Outbox
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.unit.link.listener import Listener, eventually
from tests.unit.link.make import (
    ADDRESS,
    BOOT,
    START,
    change,
    closed,
    commit,
    commit_many,
    everything,
    new_id,
    outbox,
)

pytestmark = needs_mosquitto
ROOT = Path(__file__).parents[3]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def box(tmp_path: Path) -> Outbox:
    return outbox(tmp_path / "outbox.db")


LinkMaker = Callable[..., Link]


@pytest.fixture
def linked(broker: Mosquitto) -> Iterator[LinkMaker]:
    """Start a link that is stopped at the end."""
    made: list[Link] = []

    def make(box: Outbox, **settings: float) -> Link:
        link = new_link(box, broker.port, **settings)
        made.append(link)
        link.start()
        return link

    yield make
    for link in made:
        link.stop()


def new_link(box: Outbox, port: int, **settings: float) -> Link:
    patience = {"retry_min_s": 0.05, "retry_max_s": 0.3, "ack_timeout_s": 60.0, **settings}
    broker = BrokerSettings.model_validate({"host": "127.0.0.1", "port": port, **patience})
    return Link(
        broker, ADDRESS, box, clock=SystemClock(), boot=BOOT, version="1.2.3", model="desk 1"
    )


def health(box: Outbox) -> Health:
    return Health(
        at=START,
        boot=BOOT,
        uptime_s=1,
        clock_synced=True,
        scheduled_rules_active=True,
        camera=CameraHealth(fps=5, frames=10, dropped=0),
        stages={},
        outbox=box.health(),
        memory_mb=100,
    )


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


def test_an_event_that_nobody_hears_is_kept_and_tried_again(
    broker: Mosquitto, box: Outbox, linked: LinkMaker, caplog: pytest.LogCaptureFixture
) -> None:
    link = linked(box, ack_timeout_s=0.2)
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
        assert list(dict.fromkeys(one.payload for one in heard)) == waiting
        assert all(one.replayed for one in heard)


def test_status_privacy_and_health_are_there_for_late_subscribers(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    link = linked(box)
    link.set_privacy(Privacy(state=PrivacyState.WORKING, since=START))
    link.set_health(health(box))
    eventually(lambda: link.connected)
    with Listener(broker.port) as listener:
        eventually(lambda: listener.of("health") and listener.of("privacy"))
        assert listener.last("status")["state"] == "online"
        assert listener.last("status")["boot"] == BOOT
        assert listener.last("privacy")["state"] == "working"
        assert listener.last("health")["outbox"]["epoch"] == box.epoch
        link.stop()
        eventually(lambda: listener.last("status")["state"] == "stopped")


def test_retained_messages_come_back_to_a_broker_that_lost_them(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    link = linked(box)
    link.set_privacy(Privacy(state=PrivacyState.WORKING, since=START))
    commit(box, change(id_ := new_id()))
    eventually(lambda: link.connected)
    with Listener(broker.port) as listener:
        eventually(lambda: listener.of("active"))
    broker.kill()
    (broker.log.parent / "mosquitto.db").unlink(missing_ok=True)
    broker.start()
    with Listener(broker.port) as listener:
        eventually(lambda: listener.of("active") and listener.of("privacy"))
        assert listener.last("status")["state"] == "online"
        assert listener.last("active")["violation_id"] == id_


def test_what_is_open_is_retained_for_a_day_and_emptied_when_closed(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    link = linked(box)
    stays, goes = new_id(), new_id()
    commit(box, change(stays), change(goes))
    eventually(lambda: link.connected)
    with Listener(broker.port) as listener:
        eventually(lambda: len(listener.of("active")) >= 2)
        assert all(0 < (one.expiry_s or 0) <= 24 * 3600 for one in listener.of("active"))
        commit(box, closed(goes))
        eventually(lambda: listener.of("active")[-1].payload == b"")
        assert listener.of("active")[-1].topic.endswith(goes)
    eventually(lambda: list(box.active()) == [stays])
    with Listener(broker.port) as late:
        eventually(lambda: late.of("active"))
        assert [one.topic.rsplit("/", 1)[-1] for one in late.of("active")] == [stays]


def test_a_topic_that_closed_while_the_link_was_away_is_emptied_after_a_restart(
    broker: Mosquitto, tmp_path: Path, linked: LinkMaker
) -> None:
    path = tmp_path / "restarted.db"
    first = outbox(path)
    link = linked(first)
    commit(first, change(id_ := new_id()))
    with Listener(broker.port) as listener:
        eventually(lambda: listener.of("active"))
    link.stop()
    commit(first, closed(id_))
    first.close()

    second = outbox(path)
    linked(second)
    eventually(lambda: not second.active())
    with Listener(broker.port) as late:
        eventually(lambda: late.of("status"))
        late.client.publish("cleandesk/v1/site/box/privacy", b"end-of-retained", qos=1)
        eventually(lambda: late.of("privacy"))
        assert late.of("active") == []


def test_a_loss_is_told_by_health_without_waiting_for_the_next_one(
    broker: Mosquitto, tmp_path: Path, linked: LinkMaker
) -> None:
    small = outbox(tmp_path / "small.db", max_events=10)
    with Listener(broker.port, answers=False) as listener:
        link = linked(small)
        link.set_health(health(small))
        eventually(lambda: listener.of("health"))
        commit_many(small, 15)
        eventually(lambda: listener.last("health")["outbox"]["lost"] == 5)


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


def test_a_killed_box_is_offline_by_its_last_will(broker: Mosquitto, tmp_path: Path) -> None:
    with Listener(broker.port) as listener:
        program = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from tests.unit.link.make import outbox\n"
            "from tests.unit.link.test_link import new_link\n"
            "new_link(outbox(Path(sys.argv[1])), int(sys.argv[2])).start()\n"
            "time.sleep(600)\n"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "other.db"), str(broker.port)],
            cwd=ROOT,
        )
        try:
            eventually(lambda: listener.last("status").get("state") == "online")
        finally:
            child.kill()
            child.wait()
        eventually(lambda: listener.last("status")["state"] == "offline")
        Status.model_validate_json(listener.of("status")[-1].payload)


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
    link = new_link(box, broker.port)
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


def test_topics_written_are_those_a_box_may_write(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    with Listener(broker.port) as listener:
        link = linked(box)
        link.set_health(health(box))
        link.set_privacy(Privacy(state=PrivacyState.WORKING, since=START))
        commit_many(box, 1)
        assert link.wait_drained(30)
        eventually(lambda: {one.channel for one in listener.heard} >= set(Channel))
        assert {one.channel for one in listener.heard} == set(Channel)

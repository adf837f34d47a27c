"""What the link keeps retained at a real broker."""

import subprocess
import sys
from pathlib import Path

from cleandesk.contract.config_messages import ConfigOutcome, ReportedConfig
from cleandesk.contract.messages import Privacy, PrivacyState, Status
from cleandesk.contract.topics import Channel
from cleandesk.link import Outbox
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.unit.link.listener import Listener
from tests.unit.link.make import (
    BOOT,
    START,
    LinkMaker,
    change,
    closed,
    commit,
    commit_many,
    health,
    new_id,
    outbox,
    papers,
    still,
)

pytestmark = needs_mosquitto
ROOT = Path(__file__).parents[3]


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


def test_the_last_health_says_what_waits_at_the_end(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    link = linked(box)
    link.set_health(health(box))
    eventually(lambda: link.connected)
    with Listener(broker.port) as listener:
        eventually(lambda: listener.of("health"))
        commit_many(box, 3)
        link.stop()
        eventually(lambda: listener.last("status")["state"] == "stopped")
        told = listener.last("health")["outbox"]
    assert (told["depth"], told["next_seq"]) == (box.health().depth, box.health().next_seq)


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
        eventually(lambda: all(map(listener.of, ("status", "active", "privacy"))))
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


def test_a_killed_box_is_offline_by_its_last_will(broker: Mosquitto, tmp_path: Path) -> None:
    with Listener(broker.port) as listener:
        program = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from tests.unit.link.make import new_link, outbox\n"
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


def test_topics_written_are_those_a_box_may_write(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    with Listener(broker.port) as listener:
        link = linked(box)
        link.set_health(health(box))
        link.set_privacy(Privacy(state=PrivacyState.WORKING, since=START))
        commit_many(box, 1)
        link.set_reported(ReportedConfig(outcome=ConfigOutcome.OWN, at=START, clock_synced=True))
        for paper in [*papers(new_id()), still()]:
            box.say(paper)
        assert link.wait_drained(30)
        written = set(Channel) - {Channel.DESIRED}
        eventually(lambda: {one.channel for one in listener.heard} >= written)
        assert {one.channel for one in listener.heard} == written

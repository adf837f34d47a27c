"""What the link does with papers, and with what the ledger does not have, at a real broker."""

import json
from dataclasses import replace
from pathlib import Path

from cleandesk.contract.messages import Privacy, PrivacyState
from cleandesk.link import Outbox
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.unit.link.listener import Listener
from tests.unit.link.make import (
    START,
    LinkMaker,
    appeal,
    change,
    commit,
    health,
    idle,
    new_id,
    outbox,
    privacy,
    response,
)

pytestmark = needs_mosquitto


def sent(box: Outbox) -> list[bool]:
    return [bool(entry.sent_at) for entry in box.ledger()[::-1]]


def test_an_appeal_is_sent_until_the_subscriber_answers(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    said = appeal(new_id())
    with Listener(broker.port, answers=False) as listener:
        link = linked(box, ack_timeout_s=0.2)
        eventually(lambda: link.connected)
        box.say(said)
        eventually(lambda: len(listener.of("appeal")) >= 2)
        assert {one.payload for one in listener.of("appeal")} == {said.payload}
        assert [one.replayed for one in listener.of("appeal")[:2]] == [False, True]
        assert not link.wait_drained(0.1)
        listener.answer(json.dumps([{"id": said.message_id, "result": "duplicate"}]).encode())
        eventually(lambda: not box.waiting)
    (entry,) = box.ledger()
    assert (entry.answer, entry.sent_at is not None) == ("duplicate", True)


def test_an_appeal_that_nobody_answers_holds_up_nothing_else(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    with Listener(broker.port, answers=False) as listener:
        linked(box, ack_timeout_s=0.1)
        for _ in range(5):
            box.say(appeal(new_id()))
        eventually(lambda: len(listener.of("appeal")) >= 8)
        box.say(response())
        commit(box, change())
        eventually(lambda: listener.of("cmd") and listener.of("violation"))


def test_an_idle_marker_and_an_answer_are_settled_by_the_broker(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    box.say(idle())
    box.say(response(b"\x00\xff"))
    box.say(replace(response(), message_id=""))
    with Listener(broker.port, answers=False) as listener:
        linked(box)
        eventually(lambda: not box.waiting)
        # The broker may have confirmed what it has not passed on yet.
        eventually(lambda: len(listener.of("cmd")) > 1 and listener.of("idle"))
        assert [one.correlation for one in listener.of("cmd")] == [b"\x00\xff", None]
        assert [one.retain for one in listener.of("idle")] == [False]
    eventually(lambda: sent(box) == [True] * 3)


def test_papers_that_wait_follow_after_a_restart_of_box_and_broker(
    broker: Mosquitto, tmp_path: Path, linked: LinkMaker
) -> None:
    path = tmp_path / "restarted.db"
    broker.stop()
    first = outbox(path)
    link = linked(first)
    said = [appeal(new_id()), idle(), response()]
    for paper in said:
        first.say(paper)
    link.stop()
    first.close()
    broker.start()
    second = outbox(path)
    with Listener(broker.port) as listener:
        linked(second)
        eventually(lambda: not second.waiting)
        payloads = {paper.payload for paper in said}
        eventually(lambda: payloads <= {one.payload for one in list(listener.heard)})


def test_what_was_given_up_on_its_way_does_not_hold_up_the_rest(
    broker: Mosquitto, tmp_path: Path, linked: LinkMaker
) -> None:
    small = outbox(tmp_path / "small.db", max_events=10)
    with Listener(broker.port, answers=False) as listener:
        linked(small, ack_timeout_s=0.02, retry_max_s=0.05)
        for count in (4, 16):  # the first ones are tried until they are given up
            for _ in range(count):
                commit(small, change())
            eventually(lambda: len(listener.of("violation")) > 40)
        listener.answers = True
        eventually(lambda: not small.waiting)


def test_a_state_that_the_disk_did_not_take_is_not_published(
    broker: Mosquitto, box: Outbox, linked: LinkMaker
) -> None:
    link = linked(box)
    link.set_privacy(Privacy(state=PrivacyState.WORKING, since=START))
    with Listener(broker.port) as listener:
        eventually(lambda: listener.of("privacy"))
        assert box._store is not None
        (pages,) = box._store._db.execute("PRAGMA page_count").fetchone()
        box._store._db.execute(f"PRAGMA max_page_count = {pages}")
        while box.health().storage == "ok":
            box.note("filler", "x" * 500)
        link.set_privacy(Privacy(state=PrivacyState.BREAK, since=START))
        commit(box, change())
        link.set_health(health(box))
        eventually(lambda: listener.of("health"))  # and by then the others would be here
        assert {json.loads(one.payload)["state"] for one in listener.of("privacy")} == {"working"}
        box._store._db.execute("PRAGMA max_page_count = 1000000")
        eventually(lambda: listener.last("privacy")["state"] == "break")
        eventually(lambda: listener.of("violation"))
    assert box.verify().good


def test_what_may_have_arrived_is_sent_again_before_what_is_new(
    broker: Mosquitto, tmp_path: Path, linked: LinkMaker
) -> None:
    path = tmp_path / "killed.db"
    first = outbox(path)
    first.say(privacy(0))
    newest = first.privacy()
    assert newest is not None
    first.note_trying([newest.number])  # and then its process is killed
    first.close()
    second = outbox(path)
    second.say(privacy(1))
    with Listener(broker.port) as listener:
        linked(second)
        eventually(lambda: len(listener.of("privacy")) >= 2)
        assert [one.payload for one in listener.of("privacy")] == [
            privacy(0).payload,
            privacy(1).payload,
        ]
    eventually(lambda: sent(second) == [True, True])


def test_the_last_state_is_noted_as_sent(broker: Mosquitto, box: Outbox, linked: LinkMaker) -> None:
    link = linked(box)
    with Listener(broker.port) as listener:
        eventually(lambda: link.connected)
        link.set_privacy(Privacy(state=PrivacyState.OFF, since=START))
        link.stop()
        eventually(lambda: listener.of("privacy"))
    box.tick()
    assert sent(box) == [True]

"""What a broker has heard about a worker is what the ledger says was sent, word for word.

EVENTS=1000 for a long run.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cleandesk.contract.topics import Channel, parse
from cleandesk.link.chain import NOTE
from cleandesk.link.ledger_file import read_only
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.unit.link.listener import Heard, Listener

ROOT = Path(__file__).parents[2]
EVENTS = int(os.environ.get("EVENTS") or 80)
A_LIFE = 40  # things said, at most, between two kills
#: These are about the box, not about the worker: they are listed by kind, and not entered.
ABOUT_THE_BOX = frozenset(
    {Channel.STATUS, Channel.HEALTH, Channel.ACK, Channel.DESIRED, Channel.REPORTED}
)

Message = tuple[str, str, bytes]

pytestmark = [needs_mosquitto, pytest.mark.timeout(1800)]


def identity(heard: Heard) -> str:
    """Return the id that a message has by the contract, as the ledger's documentation says."""
    topic = parse(heard.topic)
    if topic.channel is Channel.STILL:
        return heard.user["still_id"]
    fields = json.loads(heard.payload) if heard.payload else {}
    match topic.channel:
        case Channel.VIOLATION:
            return str(fields["event_id"])
        case Channel.ACTIVE:
            event = fields.get("since_event")
            return f"{topic.violation_id}:{event}" if event else str(topic.violation_id)
        case Channel.APPEAL:
            return str(fields["appeal_id"])
        case Channel.COMMAND:
            return (heard.correlation or b"").hex()
        case _:
            return ""


def about_the_worker(observer: Listener) -> set[Message]:
    return {
        (one.topic, identity(one), one.payload)
        for one in list(observer.heard)
        if parse(one.topic).channel not in ABOUT_THE_BOX
    }


def start(path: Path, port: int, seed: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.privacy.talker", *map(str, (path, port, seed, count))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_a_broker_heard_is_what_the_ledger_says_was_sent(tmp_path: Path) -> None:
    path, rng = tmp_path / "outbox.db", random.Random(EVENTS)
    said, lives = 0, 0
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as observer:
        while said < EVENTS:
            life, lives = rng.randrange(A_LIFE // 4, A_LIFE), lives + 1
            child = start(path, broker.port, lives, 10_000)
            assert child.stdout is not None
            with child.stdout:
                for _ in range(life):
                    assert child.stdout.readline()
                if lives % 3 == 1:
                    with read_only(path) as running:  # while the box writes
                        assert running.verify().good
                child.kill()
                said += life
            child.wait()
        last = start(path, broker.port, 0, A_LIFE // 4)
        words, _ = last.communicate(timeout=120)
        assert last.returncode == 0
        assert words.splitlines()[-1] == "settled"
        # What was handed over last is on its way to the observer, too.
        eventually(lambda: observer.last("status").get("state") == "stopped")
        heard = about_the_worker(observer)

    with read_only(path) as ledger:
        entries = [one for one in ledger.entries() if one.kind != NOTE]
        assert ledger.verify().good
    sent = {(one.topic, one.message_id, one.payload) for one in entries if one.sent_at}
    assert sent == heard
    assert {parse(topic).channel for topic, _, _ in sent} == set(Channel) - ABOUT_THE_BOX
    # Only what was overtaken while the box was away, or not connected yet, was never sent.
    assert {one.kind for one in entries if not one.sent_at} <= {"active", "privacy"}
    print(f"\n{len(sent)} messages in {len(entries)} entries, {lives + 1} lives")  # noqa: T201

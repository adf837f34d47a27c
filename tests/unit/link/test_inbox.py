"""What a broker floods the box with is bounded, and an ack is not lost by requests."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.clock import Instant, SystemClock
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Channel, Command, Side
from cleandesk.link import Link
from cleandesk.link.inbox import Inbox
from tests.unit.link.make import (
    ADDRESS,
    BOOT,
    START,
    broker_settings,
    commit_many,
    everything,
    outbox,
)

NOW = Instant(1.0, START, synced=True)
REQUEST = ADDRESS.command(Command.BREAK, Side.REQUEST)


@given(st.lists(st.integers(0, 60)))
def test_it_is_bounded_and_keeps_the_newest(sizes: list[int]) -> None:
    inbox = Inbox(5, 100, 50)
    for size in sizes:
        inbox.put(Received("", bytes(size)), NOW)
    taken = [len(one.payload) for one, _ in inbox.take()]
    fitting = [size for size in sizes if size <= 50]
    assert taken == fitting[len(fitting) - len(taken) :]
    assert len(taken) <= 5
    assert sum(taken) <= 100
    assert inbox.dropped == len(sizes) - len(taken)
    left_out = fitting[: len(fitting) - len(taken)]
    assert not left_out or len(taken) == 5 or sum(taken) + left_out[-1] > 100


def test_only_the_first_that_waits_is_told_of() -> None:
    inbox = Inbox(5, 100, 50)
    told = [inbox.put(Received("", b"x"), NOW) for _ in range(3)]
    inbox.take()
    told.append(inbox.put(Received("", b"x"), NOW))
    assert told == [True, False, False, True]


def test_all_of_a_message_counts() -> None:
    inbox = Inbox(5, 100, 50)
    for large in (
        Received("t" * 60, b""),
        Received("", b"", response_topic="t" * 60),
        Received("", b"", correlation=b"c" * 60),
        Received("", b"", user=(("k" * 30, "v" * 30),)),
    ):
        inbox.put(large, NOW)
    assert (inbox.take(), inbox.dropped) == ([], 4)


def test_a_flood_of_requests_takes_little_room_and_no_ack_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box, asked = outbox(tmp_path / "outbox.db"), list[bytes]()
    link = Link(
        broker_settings(1),
        ADDRESS,
        box,
        clock=SystemClock(),
        boot=BOOT,
        version="1.2.3",
        model="desk 1",
        on_request=lambda received, _: asked.append(received.payload),
    )
    commit_many(box, 1)
    ack = json.dumps([{"id": everything(box)[0].event_id, "result": "committed"}]).encode()
    link._on_message(Received(ADDRESS.topic(Channel.ACK), ack))
    for number in range(10_000):
        link._on_message(Received(REQUEST, b"%d" % number))
    assert link._inbox.qsize() == 2
    link._take_notices()
    with caplog.at_level(logging.WARNING):
        link._step(1.0)
        link._step(3.0)
    assert everything(box) == []
    assert asked == [b"%d" % number for number in range(10_000 - len(asked), 10_000)]
    assert 0 < len(asked) < 100
    said = [one.__dict__["requests"] for one in caplog.records if "given up" in one.message]
    assert said == [10_000 - len(asked)]


def test_a_request_that_fails_takes_no_other_one_with_it(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def take(received: Received, _: Instant) -> None:
        asked.append(received.payload)
        if received.payload == b"bad":
            raise ValueError("a mistake of ours")

    link = Link(
        broker_settings(1),
        ADDRESS,
        outbox(tmp_path / "outbox.db"),
        clock=SystemClock(),
        boot=BOOT,
        version="1.2.3",
        model="desk 1",
        on_request=take,
    )
    for payload in (b"bad", b"good"):
        link._on_message(Received(REQUEST, payload))
    link._take_notices()
    assert asked == [b"bad", b"good"]

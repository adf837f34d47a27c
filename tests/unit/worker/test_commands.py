"""Requests are done once, answered with the same bytes, and refused with a reason."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cleandesk.clock import Instant
from cleandesk.contract.commands import BreakRequest, BreakResponse, Outcome
from cleandesk.contract.messages import timestamp
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Command, Side
from cleandesk.link import Entry, Paper
from cleandesk.worker.commands import MOST_REMEMBERED, Commands, Reply
from tests.unit.worker.make import START, SetClock

ADDRESS = Address("site", "box")
REQUEST = ADDRESS.command(Command.BREAK, Side.REQUEST)
RESPONSE = ADDRESS.command(Command.BREAK, Side.RESPONSE)


class Desk:
    """A registry with one command, and what it did."""

    def __init__(self, *, per_hour: int = 10, later: bool = False) -> None:
        self.clock = SetClock()
        self.said: list[Paper] = []
        self.done: list[BreakRequest] = []
        self.replies: list[Reply] = []
        self.later = later
        self.commands = Commands(ADDRESS, self.clock, self.said.append)
        self.commands.add(
            Command.BREAK, BreakRequest, BreakResponse, self._handle, per_hour=per_hour
        )

    def _handle(self, request: BreakRequest, reply: Reply) -> None:
        self.done.append(request)
        if self.later:
            self.replies.append(reply)
        else:
            reply(self.response())

    def response(self) -> BreakResponse:
        now = self.clock.now()
        return BreakResponse(outcome=Outcome.DONE, at=now.utc, clock_synced=now.synced)

    def ask(
        self, correlation: bytes | None = b"1", *, arrived: Instant | None = None, **changes: Any
    ) -> None:
        body = changes.pop("body", {"reason": "rest"})
        given: dict[str, Any] = {
            "topic": REQUEST,
            "payload": json.dumps(body).encode(),
            "correlation": correlation,
            "response_topic": RESPONSE,
        }
        self.commands.take(Received(**given | changes), arrived or self.clock.now())

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(paper.payload) for paper in self.said]

    @property
    def last(self) -> dict[str, Any]:
        return self.answers[-1]


def test_a_request_is_done_and_answered_with_its_correlation() -> None:
    desk = Desk()
    desk.ask(b"\x00\xff")
    assert desk.last["outcome"] == "done"
    assert (desk.said[0].topic, desk.said[0].correlation) == (RESPONSE, b"\x00\xff")


def test_the_same_request_twice_is_done_once_and_answered_with_the_same_bytes() -> None:
    desk = Desk()
    desk.ask()
    desk.clock.move(5)
    desk.ask()
    assert len(desk.done) == 1
    assert desk.said[0] == desk.said[1]


def test_one_that_is_being_done_is_not_done_again() -> None:
    desk = Desk(later=True)
    desk.ask()
    desk.ask()
    assert (len(desk.done), desk.said) == (1, [])
    desk.replies[0](desk.response())
    desk.ask()
    assert len(desk.done) == 1
    assert desk.said[0] == desk.said[1]


def test_answers_of_an_earlier_process_are_known_from_the_ledger() -> None:
    before, after = Desk(), Desk()
    before.ask(b"old")
    (paper,) = before.said
    after.commands.load(
        [
            Entry(1, timestamp(START), True, "cmd", paper.topic, b"old".hex(), paper.payload, b""),
            Entry(2, timestamp(START), True, "note", "", "pin_reset", b"", b""),
        ]
    )
    after.ask(b"old")
    assert (after.done, after.said) == ([], [paper])


def test_what_is_remembered_is_bounded() -> None:
    desk = Desk()
    for number in range(MOST_REMEMBERED + 200):
        desk.commands._remember((Command.BREAK, b"%d" % number), None)
    assert len(desk.commands._answers) == MOST_REMEMBERED


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\x00", "JSON"),
        (b'{"reason":"tired"}', "reason"),
        (b"{}", "reason"),
        (b'{"reason":"rest","expires_at":"yesterday"}', "expires_at"),
        (b"[" * 5000, "JSON"),
    ],
)
def test_what_is_no_request_is_invalid_and_said_why(payload: bytes, reason: str) -> None:
    desk = Desk()
    desk.ask(payload=payload)
    assert desk.last["outcome"] == "invalid"
    assert reason in desk.last["detail"]
    assert desk.done == []


@pytest.mark.parametrize(
    "changes",
    [
        {"correlation": None},
        {"correlation": b""},
        {"correlation": b"x" * 65},
        {"retain": True},
        {"topic": ADDRESS.command(Command.SPOT_CHECK, Side.REQUEST)},
        {"topic": "cleandesk/v1/site/box/cmd/reboot/request"},
    ],
)
def test_what_cannot_be_answered_or_is_old_or_unknown_is_ignored(changes: dict[str, Any]) -> None:
    desk = Desk()
    desk.ask(**changes)
    assert (desk.done, desk.said) == ([], [])


def test_too_late_is_expired_by_either_clock() -> None:
    desk = Desk()
    gone = START - timedelta(seconds=1)
    desk.ask(b"1", body={"reason": "rest", "expires_at": gone.isoformat()})
    early = desk.clock.now()
    desk.clock.move(11)
    desk.ask(b"2", arrived=early, expiry_s=10)
    assert [answer["outcome"] for answer in desk.answers] == ["expired", "expired"]
    desk.clock.synced = False
    desk.ask(b"3", body={"reason": "rest", "expires_at": gone.isoformat()})
    assert desk.last["outcome"] == "done", "a clock that is not trusted makes nothing too late"


def test_too_many_are_busy_and_far_too_many_are_not_even_answered() -> None:
    desk = Desk(per_hour=2)
    for number in range(200):
        desk.ask(b"%d" % number)
    assert len(desk.done) == 2
    assert [answer["outcome"] for answer in desk.answers[:4]] == ["done", "done", "busy", "busy"]
    assert len(desk.answers) < 100
    desk.clock.move(3600)
    desk.ask(b"later")
    assert desk.last["outcome"] == "done"


@pytest.mark.parametrize(
    ("wanted", "used"),
    [
        (None, RESPONSE),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}/app-1", f"{RESPONSE}/app-1"),
    ],
)
def test_the_answer_goes_below_the_boxs_own_topic(wanted: str | None, used: str) -> None:
    desk = Desk()
    desk.ask(response_topic=wanted)
    assert (desk.said[0].topic, "detail" in desk.last) == (used, False)
    assert desk.said[0].correlation == b"1"


@pytest.mark.parametrize(
    "wanted",
    [
        "cleandesk/v1/site/box/violation",
        "cleandesk/v1/site/other/cmd/break/response",
        "cleandesk/v1/site/box/cmd/spot-check/response",
        f"{RESPONSE}x",
        f"{RESPONSE}/#",
        f"{RESPONSE}/+/a",
        "elsewhere",
        "",
    ],
)
def test_any_other_topic_is_not_written_to_and_the_answer_says_so(wanted: str) -> None:
    desk = Desk()
    desk.ask(response_topic=wanted)
    assert desk.said[0].topic == RESPONSE
    assert "answered here" in desk.last["detail"]


def test_a_handler_that_fails_may_be_asked_again() -> None:
    desk = Desk()
    desk.done = None  # type: ignore[assignment] # makes the handler raise
    with pytest.raises(AttributeError):
        desk.ask()
    desk.done = []
    desk.ask()
    assert desk.last["outcome"] == "done"

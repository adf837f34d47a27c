"""Requests are done once, answered with the same bytes, and refused with a reason."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cleandesk.clock import Instant
from cleandesk.contract.commands import (
    BreakRequest,
    BreakResponse,
    Outcome,
    SpotCheckRequest,
    SpotCheckResponse,
)
from cleandesk.contract.messages import timestamp
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Command, Side
from cleandesk.link import Entry, Paper
from cleandesk.link.ledger import OVERHEAD
from cleandesk.settings import LedgerSettings
from cleandesk.worker.answers import MOST_REMEMBERED, REFUSALS_AN_HOUR, REPEATS_A_MINUTE, room_a_day
from cleandesk.worker.commands import Commands, Reply
from tests.unit.worker.make import START, SetClock

ADDRESS = Address("site", "box")
REQUEST = ADDRESS.command(Command.BREAK, Side.REQUEST)
SPOT_CHECK = ADDRESS.command(Command.SPOT_CHECK, Side.REQUEST)
RESPONSE = ADDRESS.command(Command.BREAK, Side.RESPONSE)


class Desk:
    """A registry with one command, and what it did."""

    def __init__(
        self, *, per_hour: int = 10, later: bool = False, always: bool = False, room: float = 1e6
    ) -> None:
        self.clock = SetClock()
        self.said: list[Paper] = []
        self.done: list[BreakRequest] = []
        self.replies: list[Reply] = []
        self.later = later
        self.commands = Commands(ADDRESS, self.clock, self.said.append, room=room)
        self.commands.add(
            Command.BREAK,
            BreakRequest,
            BreakResponse,
            self._handle,
            per_hour=per_hour,
            always=always,
        )
        self.commands.add(
            Command.SPOT_CHECK, SpotCheckRequest, SpotCheckResponse, self._check, per_hour=100
        )

    def _handle(self, request: BreakRequest, reply: Reply) -> None:
        self.done.append(request)
        if self.later:
            self.replies.append(reply)
        else:
            reply(self.response())

    def _check(self, _: SpotCheckRequest, reply: Reply) -> None:
        now = self.clock.now()
        reply(SpotCheckResponse(outcome=Outcome.OFF, at=now.utc, clock_synced=now.synced))

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


def test_an_answer_that_an_earlier_process_owed_is_given_once() -> None:
    desk = Desk()
    topic = f"{RESPONSE}/who-asked"
    asker = desk.commands.again(Command.BREAK, b"old", topic)
    assert asker is not None
    desk.ask(b"old")
    assert desk.done == [], "it is being done"
    asker(desk.response())
    assert [(paper.topic, paper.correlation) for paper in desk.said] == [(topic, b"old")]
    assert desk.commands.again(Command.BREAK, b"old", topic) is None


def test_what_is_remembered_is_bounded_and_a_flood_forgets_no_answer() -> None:
    desk = Desk(per_hour=1, always=True)
    desk.ask(b"first")
    for number in range(MOST_REMEMBERED + 200):
        desk.ask(b"%d" % number)
    desk.ask(b"first")
    assert desk.said[0] == desk.said[-1]
    assert len(desk.done) == MOST_REMEMBERED + 201


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
        {"retain": True},
        {"topic": "cleandesk/v1/site/box/cmd/reboot/request"},
    ],
)
def test_what_is_old_or_unknown_is_ignored(changes: dict[str, Any]) -> None:
    desk = Desk()
    desk.ask(**changes)
    assert (desk.done, desk.said) == ([], [])


@pytest.mark.parametrize("correlation", [None, b"", b"x" * 65])
def test_without_usable_correlation_data_it_is_invalid_and_said_on_the_boxs_own_topic(
    correlation: bytes | None,
) -> None:
    desk = Desk()
    desk.ask(correlation, response_topic=f"{RESPONSE}/app-1")
    desk.clock.move(1)
    desk.ask(correlation)
    assert desk.done == []
    assert desk.last["outcome"] == "invalid"
    assert "1 to 64 bytes of correlation data" in desk.last["detail"]
    assert [(one.topic, one.correlation) for one in desk.said] == [(RESPONSE, None)] * 2
    for _ in range(100):
        desk.ask(correlation)
    assert len(desk.said) == REFUSALS_AN_HOUR


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
    assert [answer["outcome"] for answer in desk.answers] == ["done"] * 2 + [
        "busy"
    ] * REFUSALS_AN_HOUR
    desk.clock.move(3600)
    desk.ask(b"later")
    assert desk.last["outcome"] == "done"


@pytest.mark.parametrize("flood", [b'{"reason":"rest"}', b"no request", b'{"look_s":1}'])
def test_a_flood_fills_no_more_of_the_ledger_than_the_share_of_answers(flood: bytes) -> None:
    ledger, days = LedgerSettings(keep_days=30, max_mb=1), 3
    desk = Desk(per_hour=60, always=True, room=room_a_day(ledger))
    for hour in range(24 * days):
        for number in range(40):
            for command in Command:
                topic = ADDRESS.command(command, Side.REQUEST)
                desk.ask(b"%d %d" % (hour, number), topic=topic, payload=flood)
        desk.clock.move(3600)
    taken = sum(len(paper.payload) + OVERHEAD for paper in desk.said)
    share = ledger.max_mb * 1e6 / 4 * days / ledger.keep_days
    one_more = 500 * days * len(Command)
    assert 0 < taken < share + one_more


def test_no_more_may_be_answered_on_the_day_of_a_restart() -> None:
    before, after = Desk(room=1500), Desk(room=1500)
    for number in range(10):
        before.ask(b"%d" % number)
    assert 0 < len(before.said) < 10
    after.commands.load(
        Entry(n, timestamp(START), True, "cmd", one.topic, one.message_id, one.payload, b"")
        for n, one in enumerate(before.said)
    )
    after.ask(b"new")
    assert after.said == []
    after.clock.move(86_400)
    after.ask(b"newer")
    assert after.last["outcome"] == "done"


@pytest.mark.parametrize("flood", [{"body": {}}, {"topic": SPOT_CHECK, "body": {}}, {}])
def test_no_flood_keeps_a_break_from_being_done(flood: dict[str, Any]) -> None:
    desk = Desk(per_hour=5, always=True, room=3000)
    for number in range(300):
        desk.ask(b"%d" % number, **flood)
    before = len(desk.done)
    desk.ask(b"rest")
    desk.ask(b"rest")
    assert len(desk.done) == before + 1


def test_a_flood_of_one_command_takes_no_answer_from_another() -> None:
    desk = Desk()
    for number in range(300):
        desk.ask(b"%d" % number, topic=SPOT_CHECK, body={})
    desk.ask(b"rest")
    assert (desk.said[-1].topic, desk.last["outcome"]) == (RESPONSE, "done")


def test_one_request_again_and_again_is_not_answered_each_time() -> None:
    desk = Desk()
    for _ in range(300):
        desk.ask()
    assert len(desk.said) == 1 + REPEATS_A_MINUTE
    desk.clock.move(60)
    desk.ask()
    assert len(desk.said) == 2 + REPEATS_A_MINUTE


def test_a_flood_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(per_hour=1)
    for number in range(300):
        desk.ask(b"%d" % number)
        desk.ask(None)
        desk.ask(retain=True)
    assert len(caplog.records) == 10


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
        f"{RESPONSE}/{'a' * 300}",
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

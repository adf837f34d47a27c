"""People are told of severe violations by a real subscriber: once, through kills and outages."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.topics import Address
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.postgresql import PostgreSQL, needs_postgresql, words_of
from tests.receivers import KEY, MailReceiver, WebReceiver, secret_file
from tests.system.subscriber_rig import PROGRAM, Box, Subscriber
from tests.unit.subscriber.make import event_fields, hex_id

pytestmark = [pytest.mark.system, needs_mosquitto]

DESK = Address("s1", "b1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture
def box(broker: Mosquitto) -> Iterator[Box]:
    with Box(broker.port, DESK) as client:
        yield client


def settings(
    folder: Path, receiver: WebReceiver, *, timeout_s: float = 10, **more: object
) -> dict[str, object]:
    """Return the settings of notices.

    Of a receiver that stands still for longer than `timeout_s` nobody knows what it took: it is
    told twice. A subscriber that is killed in the midst of telling is waited for six times as long.
    """
    hook = {"url": receiver.url, "secret_file": str(secret_file(folder)), "timeout_s": timeout_s}
    return {"every_s": 1, "webhook": hook} | more


def violation(number: int, severity: str = "high") -> bytes:
    """Return the one event of a violation of its own."""
    fields = event_fields(number, severity=severity, violation_id=hex_id("v", number))
    return json.dumps(fields).encode()


def name(number: int) -> str:
    return hex_id("v", number)


def send(box: Box, *numbers: int, severity: str = "high") -> None:
    """Send events and wait until they are logged."""
    for number in numbers:
        box.send(violation(number, severity))
    for number in numbers:
        box.wait_for(hex_id("event", number))


def refuse(handler: BaseHTTPRequestHandler) -> None:
    handler.send_error(503)


def told(receiver: WebReceiver, *numbers: int) -> None:
    """Wait until a receiver was told of all these."""
    wanted = {name(number) for number in numbers}
    eventually(lambda: wanted <= set(receiver.told), "the notices", within_s=120)


def test_of_each_severe_violation_one_notice_by_each_way(
    tmp_path: Path, broker: Mosquitto, box: Box
) -> None:
    with WebReceiver() as web, MailReceiver() as mail:
        by_mail = {
            "host": "localhost",
            "port": mail.port,
            "encryption": "none",
            "from": "log@example.org",
            "to": ["ops@example.org"],
        }
        notices = settings(tmp_path, web, mail=by_mail)
        with Subscriber(tmp_path, broker.port, notices=notices) as subscriber:
            subscriber.started()
            send(box, 1)
            send(box, 2, severity="medium")
            told(web, 1)
            send(box, 3, 4)
            told(web, 1, 3, 4)
            eventually(lambda: "3" in mail_numbers(mail), "the e-mail")
            assert subscriber.stop() == 0
            rows = subscriber.ask("notices")
    assert Counter(web.told) == {name(1): 1, name(3): 1, name(4): 1}
    assert all(post.signed_by(KEY) for post in web.posted)
    assert len(rows) == 6
    assert all(row["sent_at"] for row in rows)
    assert {row["way"] for row in rows} == {"webhook", "mail"}


def mail_numbers(mail: MailReceiver) -> str:
    """Return how many violations all e-mails together told of."""
    lines = [line for one in list(mail.mails) for line in one.get_content().splitlines()]
    return str(sum("no-phone" in line for line in lines))


def test_a_receiver_that_is_away_is_told_later(tmp_path: Path, broker: Mosquitto, box: Box) -> None:
    receiver = WebReceiver()
    notices = settings(tmp_path, receiver)
    with Subscriber(tmp_path, broker.port, notices=notices) as subscriber:
        subscriber.started()
        send(box, 1)
        eventually(lambda: "it is tried again" in subscriber.words, "the word of it")
        send(box, 2)
        with receiver:
            told(receiver, 1, 2)
        assert Counter(receiver.told) == {name(1): 1, name(2): 1}


def test_killed_between_commit_and_notice_it_tells_after_its_start(
    tmp_path: Path, broker: Mosquitto, box: Box
) -> None:
    """The receiver refuses until the kill, so that whatever is told was in the log all the time."""
    with WebReceiver(answer=refuse) as receiver:
        notices = settings(tmp_path, receiver)
        with Subscriber(tmp_path, broker.port, notices=notices) as subscriber:
            subscriber.started()
            send(box, *range(1, 21))
            subscriber.kill()
            assert subscriber.ask("notices", "--untold")
            before = {post.name for post in receiver.posted}
            receiver.posted.clear()
            receiver.answer = None
            subscriber.started()
            told(receiver, *range(1, 21))
            assert before <= {post.name for post in receiver.posted}, "under the same name again"
            assert set(Counter(receiver.told).values()) == {1}
            assert subscriber.ask("notices", "--untold") == []


def test_killed_in_the_midst_of_telling_it_tells_again_under_the_same_name(
    tmp_path: Path, broker: Mosquitto, box: Box
) -> None:
    held: list[BaseHTTPRequestHandler] = []

    def hold(handler: BaseHTTPRequestHandler) -> None:
        held.append(handler)
        time.sleep(5)

    with WebReceiver(answer=hold) as receiver:
        notices = settings(tmp_path, receiver, timeout_s=1)
        with Subscriber(tmp_path, broker.port, notices=notices) as subscriber:
            subscriber.started()
            send(box, 1)
            eventually(lambda: held, "the first try")
            subscriber.kill()
            receiver.answer = None
            subscriber.started()
            told(receiver, 1)
            eventually(lambda: not subscriber.ask("notices", "--untold"), "that it is told")
    assert len({post.name for post in receiver.posted}) == 1
    assert len({post.body for post in receiver.posted}) == 1


@needs_postgresql
def test_of_two_subscribers_one_tells_also_when_that_one_is_killed(
    tmp_path: Path, broker: Mosquitto, box: Box
) -> None:
    server = PostgreSQL().start()
    try:
        with WebReceiver() as receiver:
            shared: dict[str, Any] = {
                "store": {"url": words_of(server.empty())},
                "redundancy": {"group": "a-secret-of-the-two"},
                "notices": settings(tmp_path, receiver, timeout_s=5),
            }
            with (
                Subscriber(tmp_path, broker.port, "one", client_id="one", **shared) as one,
                Subscriber(tmp_path, broker.port, "two", client_id="two", **shared) as two,
            ):
                for each in (one, two):
                    each.started()
                send(box, *range(1, 31))
                told(receiver, *range(1, 31))
                assert set(Counter(receiver.told).values()) == {1}
                judge, other = (one, two) if "judges for all" in one.words else (two, one)
                judge.kill()
                eventually(lambda: "judges for all" in other.words, "a new judge")
                box.send(violation(31))
                eventually(lambda: _again(box, 31), "the answer")
                told(receiver, 31)
    finally:
        server.close()
    # Under one name a message may come twice, when who told was killed before it wrote that down.
    for number in range(1, 32):
        posts = {post.name for post in receiver.posted if name(number) in str(post.violations)}
        assert len(posts) == 1


def _again(box: Box, number: int) -> bool:
    """Send an event again until it is answered: the killed one may have had it."""
    if not box.results(hex_id("event", number)):
        box.send(violation(number))
        time.sleep(0.2)
    return bool(box.results(hex_id("event", number)))


def test_a_trial_says_whether_people_can_be_told(tmp_path: Path) -> None:
    with WebReceiver() as receiver:
        subscriber = Subscriber(tmp_path, 1, notices=settings(tmp_path, receiver))
        command = [str(PROGRAM), "try-notices", "--config", str(subscriber.config)]
        well = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (well.returncode, well.stdout) == (0, "webhook: taken\n")
        receiver.answer = refuse
        badly = subprocess.run(command, capture_output=True, text=True, check=False)
    assert badly.returncode == 1
    assert "HTTP 503" in badly.stderr
    assert [one["site"] for one in receiver.posted[0].violations] == ["trial"]

"""The MQTT session against a real broker."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from tests.contract.recorder import Recorder, settings
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto

pytestmark = needs_mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


def test_a_message_arrives_with_its_properties(broker: Mosquitto) -> None:
    with (
        Recorder(settings(broker.port), "in", subscriptions=["t/#"]) as there,
        Recorder(settings(broker.port), "out") as here,
    ):
        there.connected()
        here.connected()
        user = (("replayed", "1"), ("replayed", "twice"))
        mid = here.session.publish(Publication("t/1", b"\x00\xff", user=user, expiry_s=60))
        eventually(lambda: there.received and mid in here.pubacks)
        (received,) = there.received
        assert (received.topic, received.payload, received.qos) == ("t/1", b"\x00\xff", 1)
        assert (received.user, received.retain) == (user, False)
        assert here.pubacks[mid] == 0


def test_a_request_says_where_its_answer_goes_and_what_it_carries(broker: Mosquitto) -> None:
    with (
        Recorder(settings(broker.port), "in", subscriptions=["cmd/+/request"]) as there,
        Recorder(settings(broker.port), "out", subscriptions=["cmd/+/response"]) as here,
    ):
        there.connected()
        here.connected()
        correlation = bytes(range(64))
        here.session.publish(
            Publication(
                "cmd/break/request",
                b"?",
                response_topic="cmd/break/response",
                correlation=correlation,
                expiry_s=60,
            )
        )
        eventually(lambda: there.received)
        (asked,) = there.received
        assert (asked.response_topic, asked.correlation) == ("cmd/break/response", correlation)
        assert asked.expiry_s is not None
        assert 0 < asked.expiry_s <= 60
        there.session.publish(
            Publication(asked.response_topic or "", b"!", correlation=asked.correlation)
        )
        eventually(lambda: here.received)
        (answer,) = here.received
        assert (answer.payload, answer.correlation) == (b"!", correlation)
        assert (answer.response_topic, answer.expiry_s) == (None, None)


def test_a_puback_tells_that_nobody_listened(broker: Mosquitto) -> None:
    with Recorder(settings(broker.port), "out") as here:
        here.connected()
        mid = here.session.publish(Publication("nobody/here", b""))
        eventually(lambda: mid in here.pubacks)
        assert here.pubacks[mid] == 16


def test_many_messages_at_once_keep_their_order(broker: Mosquitto) -> None:
    with (
        Recorder(settings(broker.port), "in", subscriptions=["t"]) as there,
        Recorder(settings(broker.port), "out") as here,
    ):
        there.connected()
        here.connected()
        for number in range(500):
            here.session.publish(Publication("t", b"%d" % number))
        eventually(lambda: len(there.received) >= 500 and len(here.pubacks) >= 500)
        assert [int(one.payload) for one in there.received] == list(range(500))


def test_what_nobody_answers_is_told_together_and_is_no_open_question(broker: Mosquitto) -> None:
    with (
        Recorder(settings(broker.port), "in", subscriptions=["t/+"]) as there,
        Recorder(settings(broker.port), "out") as here,
    ):
        there.connected()
        here.connected()
        some = [Publication(f"t/{number}", b"x" * number) for number in range(300)]
        here.session.tell(some)
        last = here.session.publish(Publication("t/last", b"!", user=(("a", "b"),)))
        eventually(lambda: len(there.received) > 300 and last in here.pubacks)
        assert [(one.topic, one.payload, one.qos) for one in there.received[:-1]] == [
            (one.topic, one.payload, 0) for one in some
        ]
        assert there.received[-1].qos == 1
        # Of these an answer would be waited for, or one too many be counted.
        assert here.pubacks == {last: 0}


def test_told_at_no_connection_nothing_is_kept() -> None:
    with (
        Recorder(settings(1), "out") as here,
        pytest.raises(NotConnectedError, match="after the next connect"),
    ):
        here.session.tell([Publication("t", b"x")])


def test_large_and_small_messages_come_whole_however_they_are_cut(broker: Mosquitto) -> None:
    with (
        Recorder(settings(broker.port), "in", subscriptions=["t"], manual_ack=True) as there,
        Recorder(settings(broker.port), "out") as here,
    ):
        there.connected()
        here.connected()
        sizes = [0, 1, 127, 128, 16_383, 65_536, 65_537, 200_000, 3, 700_000, 5] * 3
        for number, size in enumerate(sizes):
            here.session.publish(Publication("t", bytes([number]) * size))
        # More than the broker hands out unanswered: it goes on as these are acknowledged.
        acknowledged = 0
        while acknowledged < len(sizes):
            eventually(lambda done=acknowledged: len(there.received) > done)  # type: ignore[misc]
            some = there.received[acknowledged:]
            there.session.acknowledge(*some)
            acknowledged += len(some)
        assert [one.payload for one in there.received] == [
            bytes([number]) * size for number, size in enumerate(sizes)
        ]


def test_it_keeps_to_the_brokers_limit_of_unanswered_messages(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path, options=["max_inflight_messages 3"]) as narrow,
        Recorder(settings(narrow.port), "out") as here,
    ):
        here.connected()
        for _ in range(200):
            here.session.publish(Publication("t", b"x"))
        eventually(lambda: len(here.pubacks) >= 200)
        assert here.disconnects == 0


def test_it_comes_back_after_the_broker_was_killed(broker: Mosquitto) -> None:
    with Recorder(settings(broker.port), "c", subscriptions=["t"]) as here:
        here.connected()
        first = here.session.publish(Publication("t", b"1"))
        eventually(lambda: first in here.pubacks)
        broker.kill()
        eventually(lambda: here.disconnects)
        with pytest.raises(NotConnectedError, match="after the next connect"):
            here.session.publish(Publication("t", b"lost"))
        broker.start()
        here.connected()
        second = here.session.publish(Publication("t", b"2"))
        assert second != first
        eventually(lambda: len(here.received) >= 2)
        assert [one.payload for one in here.received] == [b"1", b"2"]
        assert (here.connects, here.disconnects) == (2, 1)


def test_connecting_anew_is_not_heard_of_and_does_not_wait(broker: Mosquitto) -> None:
    slow = settings(broker.port).model_copy(update={"retry_min_s": 600.0, "retry_max_s": 600.0})
    will = Publication("t/will", b"gone")
    with (
        Recorder(settings(broker.port), "in", subscriptions=["t/#"]) as there,
        Recorder(slow, "c", will=will) as here,
    ):
        there.connected()
        here.connected()
        old = here.session._connection  # the new one may be there before the next line is reached
        assert old is not None
        here.session.reconnect()
        with pytest.raises(NotConnectedError):
            old.publish(Publication("t", b"too late for the old connection"))
        eventually(lambda: here.connects == 2, "the new connection")
        mid = here.session.publish(Publication("t", b"new"))
        eventually(lambda: mid in here.pubacks and there.received)
        assert [one.payload for one in there.received] == [b"new"]
        assert here.disconnects == 1


@pytest.mark.parametrize("qos", [0, 1])
def test_a_text_that_paho_does_not_read_ends_no_connection(broker: Mosquitto, qos: int) -> None:
    last = Publication("t/last", b"last", user=(("name", "value"),))
    with (
        Recorder(settings(broker.port), "in", subscriptions=["t/#"], manual_ack=True) as there,
        Recorder(settings(broker.port), "c") as here,
    ):
        there.connected()
        here.connected()
        odd = Publication("t/odd", b"odd", qos=qos, user=(("name", "\ufeffvalue"), ("a", "b")))
        here.session.tell([odd]) if qos == 0 else here.session.publish(odd)
        here.session.publish(last)
        eventually(lambda: len(there.received) == 2)
        came = [(one.topic, one.payload, one.user) for one in there.received]
        assert came == [("t/odd", b"odd", ()), ("t/last", b"last", last.user)]
        assert there.connects == 1


def test_a_session_that_is_stopped_does_not_come_back(broker: Mosquitto) -> None:
    class Late(threading.Event):
        """Set once the connection is gone, as on a busy machine."""

        def set(self) -> None:
            eventually(lambda: here.disconnects, "the end of the connection")
            super().set()

    will = Publication("t/will", b"gone")
    with Recorder(settings(broker.port), "in", subscriptions=["t/#"]) as there:
        there.connected()
        here = Recorder(settings(broker.port), "c", will=will)
        here.session._stopping = Late()
        with here:
            here.connected()
        mid = there.session.publish(Publication("t/end", b"end"))
        eventually(lambda: mid in there.pubacks and there.received)
    assert here.connects == 1
    assert [one.payload for one in there.received] == [b"end"]


def test_a_lasting_session_gets_what_it_did_not_acknowledge_again(broker: Mosquitto) -> None:
    lasting: dict[str, Any] = {
        "subscriptions": ["t"],
        "session_expiry_s": 600,
        "manual_ack": True,
    }
    with Recorder(settings(broker.port), "out") as out:
        out.connected()
        with Recorder(settings(broker.port), "in", **lasting) as first:
            first.connected()
            for payload in (b"1", b"2"):
                out.session.publish(Publication("t", payload))
            eventually(lambda: len(first.received) >= 2)
            first.session.acknowledge(first.received[0])
        mid = out.session.publish(Publication("t", b"3"))
        eventually(lambda: mid in out.pubacks)
    with Recorder(settings(broker.port), "in", **lasting) as second:
        second.connected()
        eventually(lambda: len(second.received) >= 2)
        assert [one.payload for one in second.received] == [b"2", b"3"]


def test_an_acknowledgement_of_an_earlier_connection_is_worth_nothing(broker: Mosquitto) -> None:
    lasting: dict[str, Any] = {
        "subscriptions": ["t"],
        "session_expiry_s": 600,
        "manual_ack": True,
    }
    with Recorder(settings(broker.port), "in", **lasting) as here:
        here.connected()
        here.session.publish(Publication("t", b"1"))
        eventually(lambda: here.received)
        (old,) = here.received
        broker.restart()
        eventually(lambda: len(here.received) >= 2)
        here.session.acknowledge(old)
        broker.restart()
        eventually(lambda: len(here.received) >= 3)
        here.session.acknowledge(here.received[-1])
        assert {one.payload for one in here.received} == {b"1"}


def test_a_callback_that_fails_is_counted_and_stops_nothing(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Received) -> None:
        raise RuntimeError("a fault of ours")

    session = Session(settings(broker.port), "c", subscriptions=["t"], on_message=broken)
    session.start()
    eventually(lambda: session.connected)
    for _ in range(2):
        session.publish(Publication("t", b"x"))
    eventually(lambda: session.callback_errors == 2)
    assert session.connected
    session.stop()
    assert "a fault of ours" in caplog.text


def test_leaving_sends_the_last_message_and_no_will(broker: Mosquitto) -> None:
    with Recorder(settings(broker.port), "in", subscriptions=["t/#"]) as there:
        there.connected()
        leaver = Recorder(settings(broker.port), "out", will=Publication("t/will", b"gone"))
        with leaver:
            leaver.connected()
            leaver.session.stop(Publication("t/last", b"bye"))
        other = Recorder(settings(broker.port), "other")
        with other:
            other.connected()
            other.session.publish(Publication("t/after", b""))
            eventually(lambda: len(there.received) >= 2)
        assert [one.topic for one in there.received] == ["t/last", "t/after"]


def test_the_last_answers_age_tells_a_broker_that_is_gone(broker: Mosquitto) -> None:
    with Recorder(settings(broker.port), "c") as here:
        here.connected()
        broker.kill()
        eventually(lambda: here.disconnects)
        age = here.session.last_answer_age_s
        eventually(lambda: here.session.last_answer_age_s > age + 0.2)


def test_a_look_beyond_ones_subscriptions_ends_with_it(broker: Mosquitto) -> None:
    with (
        Recorder(settings(broker.port), "looks", subscriptions=["own/#"]) as here,
        Recorder(settings(broker.port), "says") as there,
    ):
        here.connected()
        there.connected()
        there.session.publish(Publication("other/1", b"kept", retain=True))
        eventually(lambda: there.pubacks)
        here.session.look("other/+")
        eventually(lambda: [one.payload for one in here.received] == [b"kept"])
        here.session.look_away("other/+")
        # Whatever was asked for before it is answered before it.
        mid = here.session.publish(Publication("own/1", b"mark"))
        eventually(lambda: mid in here.pubacks)
        there.session.publish(Publication("other/1", b"not heard"))
        there.session.publish(Publication("own/1", b"heard"))
        eventually(lambda: b"heard" in [one.payload for one in here.received])
        assert b"not heard" not in [one.payload for one in here.received]
        assert here.disconnects == 0


def test_without_a_connection_nothing_is_looked_at() -> None:
    session = Session(settings(1), "looks")
    session.look_away("other/+")
    with pytest.raises(NotConnectedError):
        session.look("other/+")

import threading
import time

from cleandesk.contract.mqtt import Received
from cleandesk_fleet.subscriber.inbox import Inbox


def delivery(number: int, *, qos: int = 1, connection: int = 1) -> Received:
    return Received("t", b"%d" % number, qos=qos, mid=number, connection=connection)


def take(inbox: Inbox, most: int = 10) -> list[int]:
    return [int(r.payload) for r in inbox.take(most, first_s=0, more_s=0)]


def test_batches_keep_the_order_and_the_limit() -> None:
    inbox = Inbox(100)
    for number in range(5):
        inbox.put(delivery(number))
    assert take(inbox, 3) == [0, 1, 2]
    assert take(inbox, 3) == [3, 4]
    assert take(inbox, 3) == []


def test_waits_for_more_after_the_first() -> None:
    inbox = Inbox(100)
    inbox.put(delivery(1))
    threading.Timer(0.05, inbox.put, [delivery(2)]).start()
    batch = inbox.take(2, first_s=0, more_s=30)
    assert [r.mid for r in batch] == [1, 2]


def test_closing_wakes_the_one_who_waits() -> None:
    inbox = Inbox(100)
    threading.Timer(0.05, inbox.close).start()
    began = time.monotonic()
    assert inbox.take(2, first_s=60, more_s=60) == []
    assert time.monotonic() - began < 50


def test_unrepeated_deliveries_are_dropped_and_counted_when_too_many() -> None:
    inbox = Inbox(3)
    for number in range(5):
        inbox.put(delivery(number, qos=0))
    inbox.put(delivery(9, qos=1))
    assert inbox.dropped == 2
    assert take(inbox) == [0, 1, 2, 9]


def test_what_the_broker_sends_again_is_let_go() -> None:
    inbox = Inbox(100)
    inbox.put(delivery(1, connection=1))
    inbox.put(delivery(2, connection=1, qos=0))
    inbox.put(delivery(3, connection=2))
    inbox.discard_stale()
    inbox.discard_stale()
    inbox.put(delivery(4, connection=2))
    assert take(inbox) == [2, 3, 4]

import threading
from collections.abc import Callable

from cleandesk.camera.mailbox import Mailbox


def in_thread(target: Callable[..., object], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args)
    thread.start()
    return thread


def test_the_newest_wins_and_what_it_replaced_is_counted() -> None:
    box: Mailbox[int] = Mailbox()
    for number in range(5):
        box.put(number)

    assert box.take(0) == 4
    assert box.dropped == 4
    assert box.take(0) is None


def test_nothing_is_lost_when_the_sender_waits() -> None:
    box: Mailbox[int] = Mailbox()
    sender = in_thread(lambda: [box.put_wait(number) for number in range(200)])

    assert [box.take(5) for _ in range(200)] == list(range(200))
    sender.join(5)
    assert box.dropped == 0


def test_a_waiting_sender_learns_that_its_item_was_taken_or_not() -> None:
    box: Mailbox[str] = Mailbox()
    answers: list[bool] = []
    stop = threading.Event()
    sender = in_thread(lambda: answers.append(box.put_wait("a", unless=stop)))
    assert box.take(5) == "a"
    sender.join(5)

    sender = in_thread(lambda: answers.append(box.put_wait("b", unless=stop)))
    stop.set()
    box.clear()
    sender.join(5)

    assert not sender.is_alive()
    assert answers[0] is True
    assert box.take(0) is None, "what was cleared must not be seen later"


def test_a_sender_that_should_stop_leaves_nothing() -> None:
    box: Mailbox[str] = Mailbox()
    stop = threading.Event()
    stop.set()

    assert box.put_wait("late", unless=stop) is False
    assert box.take(0) is None


def test_closing_wakes_everybody_and_takes_no_more() -> None:
    box: Mailbox[int] = Mailbox()
    taken: list[int | None] = []
    receiver = in_thread(lambda: taken.append(box.take(60)))
    box.close()
    receiver.join(5)
    assert taken == [None]

    box.put(1)
    assert box.put_wait(2) is False
    assert box.take(0) is None
    assert box.dropped == 0


def test_closing_frees_a_waiting_sender_and_keeps_its_item() -> None:
    box: Mailbox[int] = Mailbox()
    box.put(1)
    sender = in_thread(box.put_wait, 2)
    box.close()
    sender.join(5)

    assert not sender.is_alive()
    assert box.take(0) == 1

"""One item is ready at most, and its place is never written while somebody works on it."""

import threading
from collections.abc import Callable

from cleandesk.loop import Tray


def in_thread(target: Callable[..., object], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args)
    thread.start()
    return thread


def test_a_newer_item_replaces_one_that_was_not_taken() -> None:
    tray: Tray[int] = Tray()
    for number in range(4):
        tray.put(tray.begin(), number)
    assert tray.take(0) == 3
    assert tray.dropped == 3
    assert tray.take(0) is None


def test_the_place_that_was_taken_is_not_filled_until_the_next_is_taken() -> None:
    tray: Tray[str] = Tray()
    used = tray.begin()
    tray.put(used, "in the works")
    assert tray.take(0) == "in the works"
    for _ in range(3):
        place = tray.begin()
        assert place != used
        tray.put(place, "next")
    assert tray.take(0) == "next"
    assert tray.begin() == used


def test_an_item_that_is_being_replaced_cannot_be_taken() -> None:
    tray: Tray[str] = Tray()
    tray.put(tray.begin(), "old")
    place = tray.begin()
    assert not tray.waiting
    taken: list[str | None] = []
    receiver = in_thread(lambda: taken.append(tray.take(20)))
    tray.put(place, "new")
    receiver.join(20)
    assert taken == ["new"]


def test_nothing_is_lost_and_the_order_is_kept_when_the_sender_waits() -> None:
    tray: Tray[tuple[int, int]] = Tray()
    never = threading.Event()
    written = [-1, -1]

    def send() -> None:
        for number in range(500):
            place = tray.begin_after(unless=never)
            assert place is not None
            written[place] = number
            tray.put(place, (place, number))

    sender = in_thread(send)
    for number in range(500):
        item = tray.take(20)
        assert item is not None
        assert item[1] == number
        assert written[item[0]] == number, "its place was filled anew while it was looked at"
    sender.join(20)
    assert tray.dropped == 0


def test_a_sender_that_waits_gives_up_when_it_should() -> None:
    tray: Tray[str] = Tray()
    tray.put(tray.begin(), "never taken")
    stop = threading.Event()
    given: list[int | None] = []
    sender = in_thread(lambda: given.append(tray.begin_after(unless=stop)))
    stop.set()
    tray.clear()
    sender.join(20)
    assert given == [None]
    assert tray.take(0) is None


def test_a_receiver_that_waits_can_be_woken_for_something_else() -> None:
    tray: Tray[str] = Tray()
    taken: list[str | None] = ["not yet"]
    receiver = in_thread(lambda: taken.append(tray.take(3600)))
    tray.wake()
    receiver.join(20)
    assert taken == ["not yet", None]
    tray.put(tray.begin(), "next")
    assert tray.take(0) == "next"

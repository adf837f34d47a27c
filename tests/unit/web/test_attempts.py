from hypothesis import given
from hypothesis import strategies as st

from cleandesk_fleet.web.attempts import LONGEST_S, Attempts, wait_s
from tests.unit.subscriber.make import HandClock

ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"]


def test_the_wait_grows_and_is_bounded() -> None:
    waits = [wait_s(failures) for failures in range(40)]
    assert waits[:5] == [0.0] * 5
    assert waits == sorted(waits)
    assert waits[5] == 5.0
    assert waits[-1] == LONGEST_S


@given(
    st.lists(st.sampled_from(ADDRESSES[:3]), max_size=60),
    st.sampled_from(["ann", "bob"]),
)
def test_whatever_others_do_another_network_does_not_wait(tried: list[str], account: str) -> None:
    clock = HandClock()
    attempts = Attempts(lambda: clock().mono)
    for address in tried:
        attempts.begin(account, address)
    assert attempts.left_s(account, ADDRESSES[3]) == 0.0
    assert attempts.left_s(account, ADDRESSES[0], device="known") == 0.0


def test_a_success_forgets_and_time_passes() -> None:
    clock = HandClock()
    attempts = Attempts(lambda: clock().mono)
    for _ in range(6):
        attempts.begin("ann", ADDRESSES[0])
    assert attempts.left_s("ann", ADDRESSES[0]) == 10.0
    clock.sleep(4)
    assert attempts.left_s("ann", ADDRESSES[0]) == 6.0
    attempts.succeeded("ann", ADDRESSES[0])
    assert attempts.left_s("ann", ADDRESSES[0]) == 0.0

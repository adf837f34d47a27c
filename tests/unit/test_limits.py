"""How often one address may ask."""

from hypothesis import given
from hypothesis import strategies as st

from cleandesk_fleet.limits import Limiter


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_is_told_to_wait_and_then_let_in_again() -> None:
    time = Time()
    limiter = Limiter(per_s=0.5, burst=3, clock=time)
    assert [limiter.take("a") for _ in range(4)] == [True, True, True, False]
    assert limiter.wait_s("a") == 2
    assert limiter.take("b")
    time.now += 2
    assert [limiter.take("a"), limiter.take("a")] == [True, False]


def test_a_network_of_version_6_is_one_asker() -> None:
    limiter = Limiter(per_s=1, burst=1, clock=Time())
    assert limiter.take("2001:db8::1")
    assert not limiter.take("2001:db8::2")
    assert limiter.take("2001:db8:0:1::1")


def test_so_many_are_remembered_and_no_more() -> None:
    limiter = Limiter(per_s=1, burst=1, clock=Time())
    for number in range(20_000):
        limiter.take(str(number))
    assert len(limiter._buckets) == 10_000


@given(st.lists(st.floats(0, 10), max_size=60))
def test_no_span_lets_more_in_than_burst_and_rate(pauses: list[float]) -> None:
    time = Time()
    limiter = Limiter(per_s=0.5, burst=3, clock=time)
    taken = 0
    for pause in pauses:
        time.now += pause
        taken += limiter.take("a")
    assert taken <= 3 + 0.5 * time.now + 1e-6

"""When a connection that nobody answers on is begun anew."""

import itertools

from cleandesk.link.deafness import Deafness

FIRST_S = 120


def suspected_at(
    deafness: Deafness, until_s: int, *, answered_at: float | None = None
) -> list[int]:
    """Return the seconds at which a silent connection is suspected."""
    return [
        second
        for second in range(until_s)
        if deafness.suspected(flowing=False, answered_at=answered_at, now=second)
    ]


def test_what_flows_is_never_suspected() -> None:
    deafness = Deafness(15)
    assert not any(
        deafness.suspected(flowing=True, answered_at=None, now=second) for second in range(10_000)
    )


def test_silence_is_suspected_ever_more_rarely() -> None:
    times = suspected_at(Deafness(15), 20_000)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert times[0] == FIRST_S
    assert gaps[:3] == [241, 481, 961]
    assert max(gaps) == 3601


def test_an_answer_brings_the_first_patience_back() -> None:
    deafness = Deafness(15)
    suspected_at(deafness, 2000)
    assert suspected_at(deafness, FIRST_S + 1, answered_at=2000.0) == [FIRST_S]


def test_a_late_answer_begins_the_wait_anew() -> None:
    deafness = Deafness(15)
    assert suspected_at(deafness, FIRST_S) == []
    assert not deafness.suspected(flowing=False, answered_at=119.0, now=FIRST_S)
    assert not deafness.suspected(flowing=False, answered_at=119.0, now=2 * FIRST_S - 1)
    assert deafness.suspected(flowing=False, answered_at=119.0, now=2 * FIRST_S)

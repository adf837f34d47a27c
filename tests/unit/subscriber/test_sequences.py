"""The account of numbers against a plain model of sets: any order, doubling and loss."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select

from cleandesk_fleet.subscriber.ranges import describe, subtract
from cleandesk_fleet.subscriber.sequences import Numbered, Sequence, Sequences
from cleandesk_fleet.subscriber.tables import losses, metadata
from tests.unit.subscriber.make import BOX, EPOCH, OTHER, START

number = st.integers(1, 25)
#: Also such as end before they begin, as a hostile box may say.
ranges = st.tuples(number, number)
steps = st.one_of(
    st.tuples(st.just("arrive"), number),
    st.tuples(st.just("lose"), ranges),
    st.tuples(st.just("expect"), number),
)


@dataclass
class Model:
    """What should be so, in sets."""

    top: int = 0
    logged: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)

    @property
    def missing(self) -> set[int]:
        return set(range(1, self.top + 1)) - self.logged - self.lost

    def arrive(self, seq: int) -> bool:
        new = seq not in self.logged
        self.logged.add(seq)
        self.lost.discard(seq)
        self.top = max(self.top, seq)
        return new

    def lose(self, first: int, last: int) -> int:
        new = set(range(first, last + 1)) - self.logged - self.lost
        self.lost |= new
        return len(new)


def begun(connection: Connection, foreseen: list[int]) -> tuple[Sequences, Sequence]:
    """Begin a transaction which foresees some numbers."""
    sequences = Sequences(connection, START, {Numbered(BOX, EPOCH): foreseen} if foreseen else {})
    return sequences, sequences.of(BOX, EPOCH)


def numbers(pairs: list[tuple[int, int]]) -> list[int]:
    return [n for first, last in pairs for n in range(first, last + 1)]


def lost_numbers(connection: Connection) -> list[int]:
    rows = connection.execute(select(losses).order_by(losses.c.first))
    return numbers([(row.first, row.last) for row in rows])


@settings(deadline=None)
@given(st.lists(steps, max_size=40), st.data())
def test_knows_exactly_what_is_missing(
    steps_taken: list[tuple[str, object]], data: st.DataObject
) -> None:
    model = Model()
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        sequences, sequence = begun(connection, data.draw(st.lists(number, max_size=3)))
        for what, value in steps_taken:
            match what, value:
                case "arrive", int(seq):
                    assert sequence.arrive(seq) is model.arrive(seq)
                case "lose", (int(first), int(last)):
                    assert sequence.lose(first, last, "full") == model.lose(first, last)
                case "expect", int(last):
                    sequence.expect(last)
                    model.top = max(model.top, last)
            if data.draw(st.booleans()):
                sequences.save()
                sequences, sequence = begun(connection, data.draw(st.lists(number, max_size=3)))
            assert sequence.missing == len(model.missing)
        sequences.save()
        # Sorted lists, not sets: no number may be in two ranges.
        assert numbers(sequence.gaps(100)) == sorted(model.missing)
        assert lost_numbers(connection) == sorted(model.lost)
    engine.dispose()


@settings(deadline=None)
@given(st.integers(1, 30).flatmap(lambda n: st.permutations(range(1, n + 1))), st.data())
def test_nothing_is_missing_once_all_came(order: list[int], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(order)))
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        sequences, sequence = begun(connection, order)
        assert [sequence.arrive(seq) for seq in order] == [True] * len(order)
        assert not any(sequence.arrive(seq) for seq in again)
        assert sequence.missing == 0
        sequences.save()
        assert sequence.gaps(1) == []
    engine.dispose()


def test_huge_numbers_cost_no_more_than_small_ones() -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        sequences, sequence = begun(connection, [])
        assert sequence.arrive(2**52)
        assert sequence.arrive(5)
        sequences.save()
        sequences, sequence = begun(connection, [])
        assert sequence.gaps(9) == [(1, 4), (6, 2**52 - 1)]
        assert sequence.lose(1, 2**53 - 1, "corrupt") == 2**53 - 3
        assert sequence.missing == 0
    engine.dispose()


def test_boxes_and_epochs_are_told_apart() -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        sequences, mine = begun(connection, [])
        others, later = sequences.of(OTHER, EPOCH), sequences.of(BOX, "f" * 32)
        assert mine.arrive(3)
        assert others.arrive(2)
        assert later.arrive(1)
        assert [s.missing for s in (mine, others, later)] == [2, 1, 0]
        assert not mine.arrive(3)
        assert mine.arrive(1)
        sequences.save()
        assert others.gaps(9) == [(1, 1)]
    engine.dispose()


@pytest.mark.parametrize(
    ("whole", "parts", "left"),
    [
        ((1, 9), [], [(1, 9)]),
        ((1, 9), [(1, 9)], []),
        ((1, 9), [(0, 20)], []),
        ((1, 9), [(3, 4), (7, 7)], [(1, 2), (5, 6), (8, 9)]),
        ((1, 9), [(0, 1), (9, 12)], [(2, 8)]),
        ((5, 5), [(5, 5)], []),
    ],
)
def test_subtract(
    whole: tuple[int, int], parts: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    assert subtract(whole, parts) == left


def test_ranges_are_written_for_people() -> None:
    assert describe([(4, 7), (9, 9)]) == "4-7, 9"

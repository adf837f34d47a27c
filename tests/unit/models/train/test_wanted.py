"""What lies on composed desks varies, and what lies alone is large."""

import numpy as np

from models.train import things
from models.train.wanted import LARGE, LENGTHS, LONE, clutter, lone


def test_desks_vary_and_some_hold_only_lookalikes() -> None:
    desks = [[n for n, _ in clutter(np.random.default_rng(s), {})] for s in range(150)]
    assert {name for desk in desks for name in desk} == set(LENGTHS)
    bare = [desk for desk in desks if desk and set(desk) <= set(things.LOOKALIKES)]
    assert 1 < len(bare) < 40
    assert 0.6 < np.mean(["paper" in desk for desk in desks]) < 0.85


def test_photographed_cards_stand_in_for_drawn_ones() -> None:
    mark = np.full((20, 32, 4), 77, np.uint8)
    cards = [
        cut
        for seed in range(80)
        for name, cut in clutter(np.random.default_rng(seed), {"card": [mark]})
        if name == "card"
    ]
    real = [cut is mark for cut in cards]
    assert any(real)
    assert not all(real)


def test_what_lies_alone_is_large_and_mostly_a_sheet() -> None:
    names = [lone(np.random.default_rng(seed))[0] for seed in range(150)]
    assert all(LENGTHS[name][0] > LARGE for name in names)
    assert {name for name in LONE if name} < set(names)
    assert set(names) & set(things.LOOKALIKES)
    assert 0.4 < np.mean([name == "paper" for name in names]) < 0.7

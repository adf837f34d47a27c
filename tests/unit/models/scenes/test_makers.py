"""Each maker's things stand on the ground, under their class, within their footprint."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from models.scenes import (
    bags,
    books,
    computers,
    doubles,
    gadgets,
    lookalikes,
    optics,
    sheets,
    smallware,
    sticky,
    themes,
    uprights,
)
from models.scenes.gestures import resting_hand
from models.scenes.layout import Layout
from models.scenes.thing import Placed, Thing

MAKERS: tuple[tuple[Callable[[np.random.Generator], Thing], str], ...] = (
    (themes.phone, "phone"),
    (sheets.paper, "paper"),
    (sheets.flat, "paper"),
    (books.notebook, "notebook"),
    (books.standing, "notebook"),
    (sticky.sticky, "sticky_note"),
    (gadgets.tablet, "tablet"),
    (gadgets.remote, "remote"),
    (smallware.card, "card"),
    (smallware.usb_stick, "usb_stick"),
    (optics.camera, "camera"),
    (optics.headphones, "headphones"),
    (bags.bag, "bag"),
    (themes.lookalike, ""),
    (doubles.diary, "notebook"),
    (doubles.power_bank, ""),
)


@pytest.mark.parametrize(("maker", "label"), MAKERS)
def test_a_thing_stands_on_the_ground_under_its_class(
    maker: Callable[[np.random.Generator], Thing], label: str
) -> None:
    for seed in range(12):
        thing = maker(np.random.default_rng(seed))
        counted = [part for part in thing.parts if part.counts]
        points = np.concatenate([part.mesh.vertices for part in counted])
        assert thing.label == label
        assert -0.006 < points[:, 2].min() < 0.006, thing.name
        assert (np.ptp(points[:, :2], axis=0) <= np.array(thing.footprint) + 0.05).all(), thing.name
        assert len(points) > 2


def test_a_remote_is_no_look_alike_any_more() -> None:
    assert all("remote" not in maker.__name__ for maker in (*lookalikes.ALL, *uprights.ALL))


def test_a_note_sticks_before_the_screens_glass() -> None:
    rng = np.random.default_rng(4)
    screen = Placed(computers.monitor(rng), 0.1, 0.2, 0.0, 5.0)
    note = sticky.on_screen(rng, screen)
    glass = screen.mesh(screen.thing.parts[1]).vertices
    normal = np.linalg.svd(glass - glass.mean(axis=0))[2][2]
    normal *= -np.sign(normal[1])
    away = (note.points() - glass.mean(axis=0)) @ normal
    assert (away > 0).all()
    assert (away < 0.06).all()
    spread = np.ptp(glass, axis=0)
    assert (np.abs(note.points() - glass.mean(axis=0)) < spread / 2 + 0.05)[:, [0, 2]].all()


def test_a_hand_rests_just_above_what_it_holds() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        phone = Placed(gadgets.phone_on_its_face(rng), 0.1, 0.05, 0.0, 20.0)
        hand = resting_hand(rng, [phone])
        assert hand is not None
        assert not hand.thing.label
        fingers = hand.mesh(hand.thing.parts[0]).vertices
        assert np.hypot(*(fingers[:, :2] - (phone.x, phone.y)).T).min() < 0.05
        assert -0.01 < fingers[:, 2].min() < 0.05


def test_no_hand_comes_where_nothing_is_to_hold() -> None:
    rng = np.random.default_rng(1)
    assert resting_hand(rng, [Placed(lookalikes.plant(rng), 0, 0)]) is None


def test_a_pile_of_books_rises_and_narrows() -> None:
    rng = np.random.default_rng(3)
    piled = themes._stack(rng, Layout((1.6, 0.8)))
    assert len(piled) >= 2
    assert all(upper.z > lower.z for lower, upper in pairwise(piled))

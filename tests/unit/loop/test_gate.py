"""No change goes unseen for longer than the deadline, and a still scene costs next to nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.loop import Gate, Needs
from cleandesk.loop.scene import Plane
from tests.unit.loop.scenes import SIDE, Pictures
from tests.unit.loop.search import SEARCH
from tests.unit.policy.traces import Thing

LOOK_S, DEADLINE_S, SETTLE = 0.2, 2.0, 10
NEEDS = Needs(deadline_s=DEADLINE_S, least_looks_per_s=1.25, settle_looks=SETTLE)
PATIENT = Needs(deadline_s=1e9, least_looks_per_s=1.25, settle_looks=SETTLE)

seeds = st.integers(0, 2**32 - 1)


def pictures(noise: float = 0.5, seed: int = 0, *things: Thing, contrast: float = 40) -> Pictures:
    return Pictures(things, dict.fromkeys(range(len(things)), contrast), noise=noise, seed=seed)


class Run:
    """A gate that is given a frame every `LOOK_S`; keeps when it wanted a look."""

    def __init__(self, needs: Needs = NEEDS) -> None:
        self.gate = Gate(needs, LOOK_S)
        self.looks: list[float] = []
        self.t = 0.0

    def show(self, plane: Plane, *, unsettled: bool = False, after_s: float = LOOK_S) -> bool:
        """Show one frame; returns whether it was looked at."""
        self.t = round(self.t + after_s, 6)
        looked = not self.gate.skips(plane, self.t, unsettled=unsettled)
        if looked:
            self.looks.append(self.t)
        return looked

    def settle(self, shown: Pictures) -> None:
        """Show a still scene until frames are left out."""
        begin = self.t
        while self.show(shown.plane(0)):
            assert self.t < begin + 60, "a still scene never settles"


@st.composite
def planes(draw: st.DrawFn) -> list[Plane]:
    """Any pictures: still, noisy, drifting, changing at once."""
    random = np.random.default_rng(draw(seeds))
    level: Plane = random.integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    found = []
    for kind in draw(st.lists(st.sampled_from("ssssnnddc"), min_size=1, max_size=80)):
        if kind == "n":
            level = np.clip(level + random.normal(0, 2, level.shape), 0, 255).astype(np.uint8)
        elif kind == "d":
            level = np.clip(level.astype(int) + 1, 0, 255).astype(np.uint8)
        elif kind == "c":
            level = random.integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
        found.append(level)
    return found


@SEARCH
@given(planes(), st.lists(st.booleans(), min_size=80, max_size=80), st.floats(0.2, 5))
def test_whatever_is_shown_the_next_look_comes_within_the_deadline(
    shown: list[Plane], unsettled: list[bool], deadline_s: float
) -> None:
    run = Run(Needs(deadline_s, 1.25, SETTLE))
    for plane, busy in zip(shown, unsettled, strict=False):
        run.show(plane, unsettled=busy)
    assert run.looks[0] == LOOK_S, "the first frame is looked at"
    gaps = np.diff([*run.looks, run.t])
    assert (gaps <= deadline_s + 1e-6).all()


@SEARCH
@given(planes(), st.lists(st.floats(0.01, 6), min_size=80, max_size=80))
def test_the_first_frame_after_the_deadline_is_looked_at_however_irregular(
    shown: list[Plane], intervals: list[float]
) -> None:
    run = Run()
    for plane, after_s in zip(shown, intervals, strict=False):
        last = run.looks[-1] if run.looks else 0.0
        looked = run.show(plane, after_s=after_s)
        assert looked or run.t - last <= DEADLINE_S + 1e-5


@SEARCH
@given(planes())
def test_what_is_on_its_way_is_looked_at_in_each_frame(shown: list[Plane]) -> None:
    run = Run()
    assert all(run.show(plane, unsettled=True) for plane in shown)


@st.composite
def phones(draw: st.DrawFn) -> Thing:
    """Something of any size and place, down to a part of one cell."""
    x, y, side = draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9)), draw(st.floats(0.02, 0.4))
    return Thing("phone", (x, y, min(x + side, 1.0), min(y + side, 1.0)), 1, 100)


@SEARCH
@given(phones(), st.floats(0, 1.5), seeds, st.sampled_from([-1, 1]))
def test_a_change_beyond_the_noise_is_looked_at_at_once_and_for_a_while(
    phone: Thing, noise: float, seed: int, sign: int
) -> None:
    """Even if it is one cell; its contrast is above the threshold by the noise of one frame."""
    contrast = max(4.0, 6 * noise * 2**0.5) * 1.5 + 4 * noise + 1
    shown = pictures(noise, seed, phone, contrast=sign * contrast)
    run = Run(PATIENT)
    run.settle(shown)
    assert all(run.show(shown.plane(1)) for _ in range(SETTLE))


def test_a_slow_change_adds_up() -> None:
    """Each frame differs from the one before by less than anything could notice."""
    shown = pictures(noise=0.0)
    run = Run(PATIENT)
    run.settle(shown)
    levels = np.full((SIDE, SIDE), 100.0)
    run = Run(PATIENT)
    for step in range(400):
        levels[5:8, 5:8] = 100 + step * 0.1
        run.show(shown.shown(levels))
    after_start = [look for look in run.looks if look > (SETTLE + 1) * LOOK_S]
    assert after_start, "40 levels went by unseen"
    # From one look to the next change that can be seen, at most some levels pass.
    assert max(np.diff(after_start)) <= 7 / 0.1 * LOOK_S


@pytest.mark.parametrize("noise", [0.0, 0.4, 1.0, 1.6])
def test_a_still_scene_is_looked_at_by_the_deadline_alone_whatever_the_sensors_noise(
    noise: float,
) -> None:
    shown = pictures(noise)
    run = Run()
    run.settle(shown)
    run.looks.clear()
    begin = run.t
    while run.t < begin + 200:
        run.show(shown.plane(0))
    assert len(run.looks) <= 200 / DEADLINE_S


def test_more_noise_than_it_can_bear_makes_it_look_always() -> None:
    shown = pictures(noise=12)
    run = Run(PATIENT)
    assert all(run.show(shown.plane(0)) for _ in range(100))


def test_the_noise_of_a_dark_room_is_learned() -> None:
    run = Run(PATIENT)
    run.settle(pictures(noise=0.2, seed=1))
    noisy = pictures(noise=1.5, seed=1)
    looked = [run.show(noisy.plane(0)) for _ in range(200)]
    assert any(looked), "at first it takes the noise for a change"
    assert not any(looked[-50:])


def test_a_movement_is_not_learned_as_noise() -> None:
    """A worker moves over a third of the picture for a minute, then leaves a small thing there."""
    random = np.random.default_rng(3)
    still = pictures(noise=0.5, seed=3)
    run = Run(PATIENT)
    run.settle(still)
    for _ in range(300):
        plane = still.plane(0)
        plane[: SIDE // 3] = random.integers(0, 256, (SIDE // 3, SIDE))
        run.show(plane)
    run.settle(still)
    plane = still.plane(0)
    plane[2, 2] -= 12
    assert run.show(plane)


def settled(shown: Pictures, *sighted: int) -> Run:
    """Return a run whose looks gave the same until it settled."""
    run = Run(PATIENT)
    while run.show(shown.plane(0)):
        run.gate.saw(sighted)
    return run


def test_one_thing_more_than_before_is_followed_up() -> None:
    shown = pictures()
    run = settled(shown, 0, 2)
    run.gate.saw((1, 0))
    assert [run.show(shown.plane(0)) for _ in range(SETTLE + 1)] == [True] * SETTLE + [False]


def test_what_comes_and_goes_at_the_edge_of_detection_is_no_news() -> None:
    shown = pictures()
    run = settled(shown, 0, 2)
    for sighted in [(0, 1), (0, 2), (0, 0), (0, 2)]:
        run.gate.saw(sighted)
        assert not run.show(shown.plane(0))


def test_after_a_change_all_that_a_look_finds_is_news_again() -> None:
    phone = Thing("phone", (0.4, 0.4, 0.6, 0.6), 1, 100)
    shown = pictures(0.5, 0, phone)
    run = settled(shown, 3)
    assert all(run.show(shown.plane(1)) for _ in range(SETTLE))
    assert not run.show(shown.plane(1))
    run.gate.saw((1,))
    assert run.show(shown.plane(1))


def test_after_a_fault_of_the_camera_the_next_frame_is_looked_at() -> None:
    shown = pictures()
    run = Run(PATIENT)
    run.settle(shown)
    run.gate.forget()
    assert run.show(shown.plane(0))

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.camera import Area, Frame
from cleandesk.camera.watch import Sight, Watch, is_dark
from cleandesk.clock import Instant
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import Zone

SIZE = (120, 160, 3)


def at(mono: float) -> Instant:
    return Instant(mono, datetime(2026, 1, 1, tzinfo=UTC), True)


def noisy(seed: int, mean: int = 120, spread: int = 6) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    return np.clip(random.normal(mean, spread, SIZE), 0, 255).astype(np.uint8)


def run(watch: Watch, frames: list[tuple[float, NDArray[np.uint8]]]) -> list[Sight]:
    return [watch.look(Frame(image, at(seconds), 1)) for seconds, image in frames]


def test_dark_frames_are_never_used_and_a_fault_in_time() -> None:
    dark = np.zeros(SIZE, np.uint8)
    sights = run(Watch(5, None), [(float(second), dark) for second in range(8)])

    assert not any(sight.usable for sight in sights)
    assert [sight.fault for sight in sights] == [None] * 5 + [CameraFault.BLACK] * 3
    assert sights[-1].since == at(0)


def test_light_ends_the_fault_and_starts_its_time_again() -> None:
    dark = np.zeros(SIZE, np.uint8)
    sights = run(Watch(5, None), [(0, dark), (6, dark), (7, noisy(1)), (8, dark), (12, dark)])

    assert [sight.fault for sight in sights] == [None, CameraFault.BLACK, None, None, None]
    assert sights[2].usable


@pytest.mark.parametrize(
    ("image", "dark"),
    [
        (noisy(1, mean=8, spread=3), True),  # a sensor's noise behind a cap
        (np.full(SIZE, 16, np.uint8), True),  # video black
        (noisy(1, mean=45, spread=4), False),  # a dim room
        (np.full(SIZE, 255, np.uint8), False),
    ],
)
def test_what_counts_as_dark(image: NDArray[np.uint8], *, dark: bool) -> None:
    assert is_dark(image) is dark


def test_a_standby_light_does_not_make_a_dark_room_visible() -> None:
    image = np.zeros(SIZE, np.uint8)
    image[50:56, 50:56] = 255
    assert is_dark(image)


def test_a_lit_screen_in_a_dark_room_is_not_black() -> None:
    image = np.zeros(SIZE, np.uint8)
    image[20:60, 20:80] = 180
    assert not is_dark(image)


def test_the_same_picture_to_the_last_bit_is_a_fault_in_time() -> None:
    still = noisy(1)
    sights = run(Watch(5, 30), [(0, noisy(2)), (1, still), (30, still), (31, still), (40, still)])

    faults = [None, None, None, CameraFault.FROZEN, CameraFault.FROZEN]
    assert [sight.fault for sight in sights] == faults
    assert [sight.usable for sight in sights] == [True, True, True, False, False]
    assert sights[-1].since == at(1)


def test_a_still_desk_seen_by_a_real_sensor_is_not_frozen() -> None:
    sights = run(Watch(5, 30), [(float(second), noisy(second)) for second in range(100)])
    assert all(sight.fault is None and sight.usable for sight in sights)


def test_frozen_ends_with_the_first_other_picture() -> None:
    still = noisy(1)
    sights = run(Watch(5, 10), [(0, still), (10, still), (11, noisy(2)), (12, still)])
    assert [sight.fault for sight in sights] == [None, CameraFault.FROZEN, None, None]


def test_a_new_size_is_a_new_picture() -> None:
    big, small = np.full((120, 160, 3), 90, np.uint8), np.full((60, 80, 3), 90, np.uint8)
    sights = run(Watch(5, 10), [(0, big), (9, small), (12, small)])
    assert all(sight.fault is None for sight in sights)


def test_black_goes_before_frozen() -> None:
    dark = np.zeros(SIZE, np.uint8)
    sights = run(Watch(5, 10), [(float(second), dark) for second in range(40)])
    assert sights[-1].fault is CameraFault.BLACK


def test_recordings_may_stand_still() -> None:
    still = noisy(1)
    sights = run(Watch(5, None), [(0, still), (10_000, still)])
    assert all(sight.fault is None and sight.usable for sight in sights)


def test_a_frame_that_its_owner_changes_later_is_still_remembered() -> None:
    watch = Watch(5, 10)
    image = noisy(1)
    watch.look(Frame(image, at(0), 1))
    image[:] = 0
    assert watch.look(Frame(noisy(1), at(10), 2)).fault is CameraFault.FROZEN


BAND = Zone(polygon=[(0, 0), (0.1, 0), (1, 0.9), (1, 1), (0.9, 1), (0, 0.1)])
DESK = Zone(polygon=[(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)])


@pytest.mark.parametrize("zone", [BAND, DESK])
def test_only_what_may_be_looked_at_is_judged(zone: Zone) -> None:
    area, watch = Area(zone), Watch(5, 10)

    def sights(*frames: tuple[float, NDArray[np.uint8]]) -> list[Sight]:
        return [watch.look(area.blank(Frame(image, at(s), 1))) for s, image in frames]

    lit = sights((0, noisy(1)), (6, noisy(2)), (12, noisy(3)))
    assert all(sight.usable for sight in lit), "what was blanked is no dark picture"

    dark = noisy(4)
    dark[Area(zone).blank(Frame(dark.copy(), at(0), 1)).image > 0] = 0
    assert [sight.usable for sight in sights((13, dark))] == [False], "a lit room, a dark desk"

    still, moved = noisy(5), noisy(6)
    inside = Area(zone).blank(Frame(still.copy(), at(0), 1)).image > 0
    moved[inside] = still[inside]
    assert sights((20, still), (31, moved))[-1].fault is CameraFault.FROZEN

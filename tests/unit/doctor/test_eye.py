"""The eye on a running camera: it measures for those who ask, and is closed otherwise."""

import threading

import numpy as np

from cleandesk.camera import Frame
from cleandesk.doctor.eye import Eye
from cleandesk.doctor.picture import Glimpse
from tests.eventually import eventually
from tests.unit.worker.make import SetClock


def frame(level: int) -> Frame:
    return Frame(np.full((90, 160, 3), level, np.uint8), SetClock().now(), 0)


def test_without_a_frame_there_is_nothing_and_an_old_one_does_not_count() -> None:
    eye = Eye()
    eye.offer(frame(40))
    assert eye.look(0.01) is None


def test_all_who_ask_get_the_next_frame() -> None:
    eye, seen = Eye(), list[Glimpse | None]()
    askers = [threading.Thread(target=lambda: seen.append(eye.look(30))) for _ in range(3)]
    for one in askers:
        one.start()

    def offered() -> bool:
        eye.offer(frame(40))
        return len(seen) == len(askers)

    eventually(offered, "three answers")
    assert {one.brightness for one in seen if one is not None} == {40}
    for one in askers:
        one.join()
    assert eye.look(0.01) is None


def test_nothing_of_a_picture_is_left_but_numbers_and_signs() -> None:
    seen = Glimpse.of(frame(40))
    kept = {name: getattr(seen, name) for name in Glimpse.__slots__}
    assert {type(value) for value in kept.values()} <= {bool, float, str}
    assert len(seen.aim) == 195

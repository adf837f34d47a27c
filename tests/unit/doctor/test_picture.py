"""What is told of a camera by its pictures: rendered desks, blurred, dark, covered and moved."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.camera import Area, Frame
from cleandesk.contract.doctor_messages import CheckResult, DoctorCode
from cleandesk.doctor.picture import PICTURE_CODES, Glimpse, judge
from cleandesk.settings import Zone
from tests.rig import CLIP
from tests.unit.worker.make import SetClock

Picture = NDArray[np.uint8]
RANDOM = np.random.default_rng(6)


@pytest.fixture(scope="module")
def desk() -> Picture:
    reader = cv2.VideoCapture(str(CLIP))
    reader.set(cv2.CAP_PROP_POS_MSEC, 5000)
    found, image = reader.read()
    reader.release()
    assert found
    return np.asarray(image, np.uint8)


def frame(image: Picture) -> Frame:
    return Frame(image.copy(), SetClock().now(), 0)


def failed(image: Picture, remembered: str | None = None) -> set[str]:
    return {
        str(check.code)
        for check in judge(Glimpse.of(frame(image)), remembered)
        if check.result is CheckResult.FAILED
    }


def noisy(image: Picture, spread: float = 3) -> Picture:
    noise = RANDOM.normal(0, spread, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def blurred(image: Picture, pixels: float) -> Picture:
    """Blur by so many pixels of the width at which pictures are measured."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), pixels * image.shape[1] / 640), np.uint8)


def shifted(image: Picture, share: float) -> Picture:
    height, width = image.shape[:2]
    move = np.array([[1, 0, share * width], [0, 1, share * height]], np.float32)
    made = cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(made, np.uint8)


def test_a_good_picture_passes_all_and_each_code_is_said_once(desk: Picture) -> None:
    seen = Glimpse.of(frame(desk))
    checks = judge(seen, seen.aim)
    assert [check.code for check in checks] == list(PICTURE_CODES)
    assert {check.result for check in checks} == {CheckResult.PASSED}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda desk: desk // 40, DoctorCode.CAMERA_DARK),
        (lambda desk: noisy(np.full_like(desk, 3)), DoctorCode.CAMERA_DARK),
        (lambda desk: np.maximum(desk, 180) + 75, DoctorCode.CAMERA_OVEREXPOSED),
        (lambda desk: noisy(np.full_like(desk, 70)), DoctorCode.CAMERA_COVERED),
        (lambda desk: noisy(blurred(desk, 60)), DoctorCode.CAMERA_COVERED),
        (lambda desk: blurred(desk, 4), DoctorCode.CAMERA_OUT_OF_FOCUS),
        (lambda desk: noisy(blurred(desk, 6)), DoctorCode.CAMERA_OUT_OF_FOCUS),
        (lambda desk: blurred(desk // 3, 5), DoctorCode.CAMERA_OUT_OF_FOCUS),
    ],
    ids=["dim", "black", "white", "cap", "film", "blurred", "blurred and noisy", "blurred and dim"],
)
def test_each_fault_is_the_one_that_is_told(
    desk: Picture, make: Callable[[Picture], Picture], code: DoctorCode
) -> None:
    checks = judge(Glimpse.of(frame(make(desk))), None)
    assert [check.code for check in checks] == list(PICTURE_CODES)
    assert {check.code for check in checks if check.result is CheckResult.FAILED} == {code}


@pytest.mark.parametrize(
    "make",
    [noisy, lambda desk: desk // 3, lambda desk: blurred(desk, 1), lambda desk: desk // 2 + 120],
    ids=["noisy", "dim", "a little soft", "pale"],
)
def test_what_can_be_looked_at_is_no_fault(
    desk: Picture, make: Callable[[Picture], Picture]
) -> None:
    assert failed(make(desk)) == set()


@pytest.mark.parametrize("pixels", [3.5, 5, 8])
def test_the_blur_that_is_told_is_the_one_that_was_made(desk: Picture, pixels: float) -> None:
    own = Glimpse.of(frame(desk)).blur_px
    told = Glimpse.of(frame(blurred(desk, pixels))).blur_px
    assert told == pytest.approx(np.hypot(own, pixels), rel=0.15)


def test_only_what_may_be_looked_at_is_measured(desk: Picture) -> None:
    """The corners of a diamond are blanked: their black and their edges tell of no fault."""
    diamond = Zone(polygon=[(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)])
    for make, fault in ((desk, set()), (blurred(desk, 6), {"camera_out_of_focus"})):
        seen = Glimpse.of(Area(diamond).blank(frame(make)))
        wrong = {c.code for c in judge(seen, None) if c.result is CheckResult.FAILED}
        assert wrong == fault
    whole = Glimpse.of(frame(desk))
    assert Glimpse.of(Area(diamond).blank(frame(desk))).brightness > whole.brightness / 1.5


@pytest.mark.parametrize(
    "make",
    [noisy, lambda desk: desk // 2 + 30, lambda desk: np.minimum(desk, 140)],
    ids=["noise", "other light", "a bright lamp gone"],
)
def test_light_does_not_move_a_camera(desk: Picture, make: Callable[[Picture], Picture]) -> None:
    assert failed(make(desk), Glimpse.of(frame(desk)).aim) == set()


def test_somebody_in_the_picture_does_not_move_a_camera(desk: Picture) -> None:
    height, width = desk.shape[:2]
    person = desk.copy()
    person[height // 5 :, width * 3 // 10 : width * 6 // 10] = (60, 50, 90)
    assert failed(person, Glimpse.of(frame(desk)).aim) == set()


@pytest.mark.parametrize("share", [0.12, 0.2, -0.15])
def test_a_camera_that_was_moved_is_told(desk: Picture, share: float) -> None:
    assert failed(shifted(desk, share), Glimpse.of(frame(desk)).aim) == {"camera_moved"}


def test_a_camera_that_hangs_upside_down_is_told(desk: Picture) -> None:
    turned = np.ascontiguousarray(desk[::-1, ::-1])
    assert failed(turned, Glimpse.of(frame(desk)).aim) == {"camera_moved"}


def test_what_is_written_on_the_desk_leaves_the_aim_as_it_is(desk: Picture) -> None:
    height, width = desk.shape[:2]
    page = desk.copy()
    at = (width // 2 - 40, height // 2)
    cv2.putText(page, "a secret", at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20))
    assert not np.array_equal(page, desk)
    seen = [Glimpse.of(frame(one)).aim for one in (desk, page)]
    assert sum(was != now for was, now in zip(*seen, strict=True)) <= 3

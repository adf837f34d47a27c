"""What lies outside the area is in no array past the source, whatever the kind of source."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cleandesk.camera import Area, Capture, Frame, make_camera
from cleandesk.clock import SystemClock
from cleandesk.detector import Detector
from cleandesk.loop import Preparer, Ready, Tray
from cleandesk.settings import CameraSettings, Zone
from cleandesk.vitals import StageTimer
from tests.privacy import canary
from tests.privacy.canary import AREA, KINDS, PICTURES, SIZE

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Passed:
    """What came past the source: a frame, and all that was made of it."""

    frame: Frame
    small: Image
    tensor: NDArray[np.float32]
    plane: Image

    @property
    def arrays(self) -> list[bytes]:
        return [a.tobytes() for a in (self.frame.image, self.small, self.tensor, self.plane)]


class Watching:
    """The box's preparer, with a copy kept of everything that reaches it or that it makes."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._tray: Tray[Ready] = Tray()
        self._preparer = Preparer(detector, self._tray, StageTimer(), looks_per_s=1000)
        self.passed: list[Passed] = []
        self.enough = threading.Event()

    dropped = 0

    def put(self, frame: Frame) -> None:
        came = Frame(frame.image.copy(), frame.at, frame.number, frame.part)
        self._preparer.put(frame)
        ready = self._tray.take(0)
        assert ready is not None
        assert ready.plane is not None
        tensor = self._detector._session.inputs[ready.prepared.place].copy()
        self.passed.append(Passed(came, ready.prepared.small.copy(), tensor, ready.plane))
        if len(self.passed) == PICTURES:
            self.enough.set()

    def put_wait(self, frame: Frame, *, unless: threading.Event) -> bool:
        del unless
        self.put(frame)
        return True

    def clear(self) -> None:
        self._preparer.clear()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(threads=1)


def look(detector: Detector, source: str, area: Zone | None) -> list[Passed]:
    """Have the real capture thread read a source's first pictures."""
    settings = CameraSettings(source=source, realtime=False)
    sink, clock = Watching(detector), SystemClock()
    capture = Capture(
        lambda: make_camera(settings, clock, base=Path("/")),
        sink,
        settings,
        clock,
        area=Area(area),
    )
    capture.start()
    assert sink.enough.wait(60)
    assert capture.stop(30)
    return sink.passed[:PICTURES]


@pytest.fixture(params=KINDS)
def sources(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """Return a maker of sources of one kind: the same desk, with another pattern around it."""
    with ExitStack() as open_ones:
        yield lambda seed: open_ones.enter_context(canary.source(request.param, tmp_path, seed))


def test_no_array_past_the_source_holds_the_canary(
    detector: Detector, sources: Callable[[int], str]
) -> None:
    source = sources(1)
    marks = canary.marks(canary.first_picture(source))
    passed = look(detector, source, AREA)

    assert len(passed) == PICTURES
    outside = ~canary.inside(AREA, SIZE)
    for one in passed:
        assert not one.frame.image[outside].any()
        assert one.frame.view.any(), "the desk is there"
        assert not [mark for mark in marks for array in one.arrays if mark in array]


def test_the_canary_is_there_to_be_found(detector: Detector, sources: Callable[[int], str]) -> None:
    source = sources(1)
    marks = canary.marks(canary.first_picture(source))
    for one in look(detector, source, None):
        assert all(mark in one.arrays[0] for mark in marks)


def test_nothing_past_the_source_depends_on_what_lies_outside(
    detector: Detector, sources: Callable[[int], str]
) -> None:
    one, other = (look(detector, sources(seed), AREA) for seed in (1, 2))
    assert len(one) == len(other) == PICTURES
    assert [a.arrays for a in one] == [b.arrays for b in other]
    assert one[0].arrays != one[-1].arrays, "what moves on the desk is seen"


FRACTIONS = st.floats(0, 1, width=16)
POLYGONS = st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=3, max_size=8)


@given(polygon=POLYGONS, seed=st.integers(0, 2**32 - 1))
def test_of_any_area_nothing_depends_on_what_lies_outside(
    detector: Detector, polygon: list[tuple[float, float]], seed: int
) -> None:
    zone = Zone(polygon=polygon)
    random = np.random.default_rng(seed)
    desk, around = (random.integers(1, 256, (90, 160, 3), np.uint8) for _ in range(2))
    keep = canary.inside(zone, (160, 90))
    at = SystemClock().now()
    arrays = []
    for image in (desk, np.where(keep[:, :, None], desk, around)):
        sink = Watching(detector)
        sink.put(Area(zone).blank(Frame(image, at, 1)))
        assert not image[~keep].any()
        np.testing.assert_array_equal(image[keep], desk[keep])
        arrays.append(sink.passed[0].arrays)
    assert arrays[0] == arrays[1]

"""The page's process holds no picture but the aiming view's, and of that only what lies inside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx2
import numpy as np
import pytest

from cleandesk.settings import Zone
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.privacy import canary, memory
from tests.privacy.canary import AREA, SIZE
from tests.rig import presence, wait_for_health
from tests.system.conftest import MakeRig
from tests.system.page_rig import LABEL, OWN, PageRig
from tests.unit.page.conftest import send

pytestmark = [pytest.mark.system, needs_mosquitto]

#: How a JPEG as OpenCV makes it begins.
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
QUALITY = 70
#: So far from the area's edge JPEG's blocks carry something across, pixels.
BLOCK = 16


def in_a_picture() -> list[bytes]:
    """Return the canary as it would stand in a picture of the view: JPEG's first bytes of it.

    The first rows of a picture are far outside the area, and JPEG writes row after row.
    """
    done, jpeg = cv2.imencode(".jpg", canary.picture(0, 1), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    assert done
    whole = jpeg.tobytes()
    scan = whole.index(b"\xff\xda") + 20
    return [whole[scan + at : scan + at + 24] for at in (0, 500, 1000)]


def in_words(marks: list[bytes]) -> list[bytes]:
    return [words for mark in marks for words in canary.in_other_words(mark)]


class Worker:
    """Somebody who has paired, and looks at the page."""

    def __init__(self, web: httpx2.Client, pid: int) -> None:
        self._web, self.pid = web, pid
        assert send(web, "/sign-in", pin=LABEL).headers["location"] == "/pair"
        assert send(web, "/pair", new=OWN, again=OWN).status_code == 303

    def look_around(self) -> None:
        for path in ("/", "/violations", "/sent", "/privacy", "/settings", "/aim"):
            assert self._web.get(path).status_code == 200, path
        with self._web.stream("GET", "/live") as live:
            assert any("event: drawing" in line for line in live.iter_lines())

    def start_aiming(self) -> None:
        """Start the view, once more where the camera was too slow to give a picture."""

        def started() -> bool:
            answer = send(self._web, "/aim/start", page="/aim")
            return bool(answer.headers.get("location") == "/aim")

        eventually(started, "the view")

    def picture(self) -> bytes:
        """Return one picture; asks again as above."""

        def came() -> bytes | None:
            answer = self._web.get("/aim/picture.jpg")
            return bytes(answer.content) if answer.status_code == 200 else None

        return eventually(came, "a picture")

    def holds(self, words: list[bytes]) -> Callable[[], bool]:
        """Return a condition: while pictures pass, the page's process holds some of these."""

        def held() -> bool:
            self.picture()
            return memory.copies(self.pid, *words) > 0

        return held


@contextmanager
def worker_at(make_rig: MakeRig, tmp_path: Path, area: Zone | None) -> Iterator[Worker]:
    with canary.source("folder", tmp_path) as source:
        rig = make_rig(
            camera={"source": source, "repeat": True, "picture_s": 0.2},
            rules=[presence("phone")],
            area=area and area.model_dump(mode="json"),
        )
        rig.start_box()
        wait_for_health(rig.broker.port, lambda health: health.camera.frames >= 1)
        page = PageRig(tmp_path, tmp_path / "page.sock").start()
        try:
            with httpx2.Client(base_url=page.address, verify=False, timeout=20) as web:
                yield Worker(web, page.pid)
        finally:
            page.stop()


def test_without_the_view_there_is_no_picture_and_in_the_view_nothing_from_outside(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    anything = [*in_words(canary.marks(canary.picture(0, 1))), *in_words(in_a_picture())]
    with worker_at(make_rig, tmp_path, AREA) as worker:
        worker.look_around()
        assert memory.find(worker.pid, JPEG, *canary.in_other_words(JPEG), *anything) == []
        worker.start_aiming()
        eventually(worker.holds([JPEG]), "a picture in the page's memory")
        for _ in range(3):
            shown = worker.picture()
            assert memory.find(worker.pid, *anything) == []
    _shows_only_the_area(shown)


def _shows_only_the_area(jpeg: bytes) -> None:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert (image.shape[1], image.shape[0]) == SIZE
    assert image[~canary.inside(AREA, SIZE, BLOCK)].max() < 8
    assert image[canary.inside(AREA, SIZE)].mean() > 80


def test_without_an_area_the_search_finds_the_canary_in_the_view(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    with worker_at(make_rig, tmp_path, None) as worker:
        worker.start_aiming()
        eventually(worker.holds(in_a_picture()), "the canary in the page's memory")

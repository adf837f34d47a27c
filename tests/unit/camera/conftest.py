"""Fixtures of the camera tests."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.camera import Camera, CameraFactory, make_camera
from cleandesk.clock import Clock
from cleandesk.settings import CameraSettings
from tests.unit.camera.rigs import MakeRig, Rig
from tests.unit.camera.sources import FakeClock, HttpCamera, picture, write_clip


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """30 frames at 10 a second, each brighter than the one before."""
    return write_clip(tmp_path / "clip.mp4", [picture(40 + 5 * i) for i in range(30)])


@pytest.fixture
def http_camera() -> Iterator[HttpCamera]:
    camera = HttpCamera()
    yield camera
    camera.close()


@pytest.fixture
def rig(clock: FakeClock) -> Iterator[MakeRig]:
    """Makes rigs, and shows at the end that no thread of theirs is left."""
    rigs: list[Rig] = []

    def build(
        source: CameraFactory | Path | str, *, on: Clock | None = None, **options: object
    ) -> Rig:
        keys = {key: options.pop(key) for key in [*options] if key in CameraSettings.model_fields}
        time_source = on or clock
        path = "/dev/video0" if callable(source) else str(source)
        settings = CameraSettings.model_validate({"source": path, **keys})

        def real() -> Camera:
            return make_camera(settings, time_source, base=Path("/"))

        rigs.append(Rig(source if callable(source) else real, settings, time_source, **options))
        rigs[-1].capture.start()
        return rigs[-1]

    yield build
    assert all(made.capture.stop(30) for made in rigs)
    assert not [t for t in threading.enumerate() if t.name == "capture"]

from pathlib import Path

import pytest

from cleandesk.camera import make_camera
from cleandesk.camera.picamera import Picamera
from cleandesk.camera.recording import Recording
from cleandesk.camera.stream import StreamCamera
from cleandesk.camera.v4l2 import V4l2Camera
from cleandesk.settings import CameraSettings
from tests.unit.camera.sources import FakeClock


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("picamera2", Picamera),
        ("/dev/video3", V4l2Camera),
        ("rtsp://host/main", StreamCamera),
        ("desk.mp4", Recording),
        (".", Recording),
    ],
)
def test_each_source_gets_its_camera_and_nothing_is_opened(
    source: str, kind: type, tmp_path: Path, clock: FakeClock
) -> None:
    assert type(make_camera(CameraSettings(source=source), clock, base=tmp_path)) is kind


@pytest.mark.parametrize("realtime", [True, False])
def test_a_paced_recording_behaves_as_a_camera(
    tmp_path: Path, clock: FakeClock, *, realtime: bool
) -> None:
    settings = CameraSettings(source="desk.mp4", realtime=realtime)
    assert make_camera(settings, clock, base=tmp_path).live is realtime


@pytest.mark.parametrize(
    ("source", "default"), [("picamera2", 30), ("/dev/video0", 30), ("http://h/", 30), ("x", None)]
)
def test_only_cameras_and_streams_can_freeze_unless_asked(
    source: str, default: float | None, tmp_path: Path, clock: FakeClock
) -> None:
    settings = CameraSettings(source=source)
    assert make_camera(settings, clock, base=tmp_path).frozen_after_s == default
    settings = CameraSettings(source=source, frozen_after_s=7)
    assert make_camera(settings, clock, base=tmp_path).frozen_after_s == 7


def test_paths_are_relative_to_the_configuration(tmp_path: Path, clock: FakeClock) -> None:
    camera = make_camera(CameraSettings(source="clips/desk.mp4"), clock, base=tmp_path)
    assert camera.name == str(tmp_path / "clips" / "desk.mp4")

"""What can be shown without a camera: that each way of not having one gets its own words.

Pictures from a device need a kernel with one; a machine that runs these tests has none.
"""

import errno
import os
from pathlib import Path

import pytest

from cleandesk.camera import CameraError, make_camera
from cleandesk.camera.v4l2 import V4l2Camera, device_problem
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from tests.unit.camera.sources import FakeClock


def test_a_missing_device_is_named_with_a_fix(clock: FakeClock) -> None:
    camera = make_camera(CameraSettings(source="/dev/video987"), clock, base=Path())
    assert isinstance(camera, V4l2Camera)
    with pytest.raises(CameraError, match="plug the camera in") as caught:
        camera.open()
    assert caught.value.fault is CameraFault.UNAVAILABLE
    assert caught.value.detail.startswith("/dev/video987: no such device")


def test_a_device_that_is_no_camera_is_refused(clock: FakeClock) -> None:
    camera = V4l2Camera(CameraSettings(source="/dev/null"), clock)
    with pytest.raises(CameraError, match="busy, or no camera") as caught:
        camera.open()
    assert caught.value.fault is CameraFault.UNAVAILABLE
    camera.close()


def test_a_file_is_no_device(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.touch()
    assert "no device" in (device_problem(path) or "")


def test_a_device_that_opens_is_no_problem() -> None:
    assert device_problem(Path("/dev/null")) is None


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        (errno.EACCES, "add this user to group video"),
        (errno.EBUSY, "end the program that uses it"),
        (errno.ENODEV, "plug it in again"),
        (errno.EIO, "input/output error; check the camera"),
    ],
)
def test_each_reason_of_the_kernel_has_its_fix(
    code: int, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)  # root is never refused for real
    assert fix in (device_problem(Path("/dev/video0")) or "")


def test_reading_before_opening_is_a_named_fault(clock: FakeClock) -> None:
    with pytest.raises(CameraError, match="open it first"):
        V4l2Camera(CameraSettings(source="/dev/video0"), clock).read(1)

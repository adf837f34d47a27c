import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from cleandesk.camera import Camera, CameraError, make_camera
from cleandesk.clock import SystemClock
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from tests.unit.camera.sources import HttpCamera

TIMEOUT_S = 10.0
#: Where nothing has to come within it.
SHORT_S = 0.5
#: Where pictures have to, and then none does: they come from a thread of this process.
STALL_S = 3.0
Open = Callable[..., Camera]


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Open:
    """Opens streams, and closes them before the server goes."""

    def build(source: str, timeout_s: float = TIMEOUT_S) -> Camera:
        settings = CameraSettings(source=source, timeout_s=timeout_s)
        camera = make_camera(settings, SystemClock(), base=Path())
        request.addfinalizer(camera.close)
        camera.open()
        return camera

    return build


def failure(call: Callable[[], object]) -> CameraError:
    with pytest.raises(CameraError) as caught:
        call()
    return caught.value


def test_frames_of_an_http_camera_come_as_they_are_sent(
    http_camera: HttpCamera, opened: Open
) -> None:
    camera = opened(http_camera.url("moving"))
    frames = [camera.read(TIMEOUT_S) for _ in range(20)]

    assert camera.live
    assert [frame.number for frame in frames] == list(range(1, 21))
    assert frames[0].size == (160, 120)
    assert len({round(float(frame.image.mean())) for frame in frames}) == 20
    assert all(a.at.mono <= b.at.mono for a, b in pairwise(frames))


def test_a_camera_that_falls_silent_is_stalled(http_camera: HttpCamera, opened: Open) -> None:
    camera = opened(http_camera.url("stalls"), STALL_S)
    for _ in range(5):
        camera.read(STALL_S)

    error = failure(lambda: camera.read(STALL_S))
    assert error.fault is CameraFault.STALLED
    assert "no frame for 3 s" in error.detail


def test_a_stream_that_the_other_side_ends_has_ended(http_camera: HttpCamera, opened: Open) -> None:
    camera = opened(http_camera.url("ends"))
    for _ in range(5):
        camera.read(TIMEOUT_S)
    assert failure(lambda: camera.read(TIMEOUT_S)).fault is CameraFault.ENDED


def test_it_can_be_opened_again_and_goes_on_counting(http_camera: HttpCamera, opened: Open) -> None:
    camera = opened(http_camera.url("moving"))
    camera.read(TIMEOUT_S)
    camera.close()
    camera.close()
    camera.open()
    assert camera.read(TIMEOUT_S).number == 2


def test_a_host_that_never_answers_is_given_up_after_the_time_out(
    http_camera: HttpCamera, opened: Open
) -> None:
    error = failure(lambda: opened(http_camera.url("mute"), SHORT_S))
    assert error.fault is CameraFault.UNAVAILABLE
    assert "answers but sends no stream within 0.5 s" in error.detail


@pytest.mark.parametrize("path", ["private", "moving"])
def test_credentials_never_show(path: str, http_camera: HttpCamera, opened: Open) -> None:
    url = http_camera.url(path + "?token=s3cret", user="admin:s3cret@")
    try:
        text = opened(url).name
    except CameraError as error:
        assert path == "private"
        text = str(error)
        assert "user and password" in text
    assert "s3cret" not in text
    assert text.startswith(("unavailable: http://127.0.0.1:", "http://127.0.0.1:"))


def test_a_closed_port_is_told_from_a_silent_host(opened: Open) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        error = failure(lambda: opened(f"rtsp://127.0.0.1:{held.getsockname()[1]}/main"))
    assert error.fault is CameraFault.UNAVAILABLE
    assert "connection refused" in error.detail


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("ftp://host/x", "'ftp' is not supported; write one of rtsp://"),
        ("file:///srv/clip.mp4", "or a path"),
        ("rtsp://user:p@ss:word@host:x/", "no valid address"),
        ("rtsp:///main", "no valid address"),
    ],
)
def test_addresses_that_cannot_be_are_refused_with_a_fix(
    source: str, text: str, opened: Open
) -> None:
    error = failure(lambda: opened(source))
    assert error.fault is CameraFault.UNAVAILABLE
    assert text in error.detail
    assert "p@ss" not in error.detail


def test_reading_before_opening_is_a_named_fault(http_camera: HttpCamera) -> None:
    settings = CameraSettings(source=http_camera.url("moving"))
    camera = make_camera(settings, SystemClock(), base=Path())
    assert failure(lambda: camera.read(1)).fault is CameraFault.UNAVAILABLE


def test_only_cameras_have_a_default_for_frozen(http_camera: HttpCamera, opened: Open) -> None:
    assert opened(http_camera.url("moving")).frozen_after_s == 30

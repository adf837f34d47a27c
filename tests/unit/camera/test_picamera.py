"""The adapter against a stand-in for picamera2 with the signatures of picamera2 0.3.

It shows how our code uses that interface: sizes, padded rows, time-outs, buffers given back, one
object per process. It cannot show what libcamera does: whether a sensor takes the configuration,
whether memory is mapped without a copy, whether a stalled driver comes back.
"""

import sys
import types

import cv2
import numpy as np
import pytest

from cleandesk.camera import CameraError
from cleandesk.camera.picamera import Picamera, _Sensor
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from tests.unit.camera.picamera2_standin import PAD, Device, MappedArray
from tests.unit.camera.sources import FakeClock, picture


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("picamera2")
    vars(module).update(Picamera2=Device, MappedArray=MappedArray)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    for name, value in [("device", None), ("size", None), ("user", None)]:
        monkeypatch.setattr(_Sensor, name, value)
    monkeypatch.setattr(Device, "made", 0)
    monkeypatch.setattr(Device, "failure", None)


def camera(clock: FakeClock, width: int = 320, height: int = 240) -> Picamera:
    return Picamera(CameraSettings(source="picamera2", width=width, height=height), clock)


def device() -> Device:
    assert isinstance(_Sensor.device, Device)
    return _Sensor.device


@pytest.mark.usefixtures("picamera2")
def test_pictures_have_the_size_asked_for_and_no_padding(clock: FakeClock) -> None:
    source = camera(clock, 322, 241)
    source.open()
    frame = source.read(1)

    assert frame.size == (322, 240)
    expected = picture(90, (322, 240)).astype(int)
    assert np.abs(frame.image.astype(int) - expected).max() <= 3
    assert frame.at == clock.now()
    assert frame.number == 1


@pytest.mark.usefixtures("picamera2")
def test_colours_come_out_of_nv12_too(clock: FakeClock) -> None:
    source = camera(clock)
    source.open()
    colours = np.full((240, 320, 3), (40, 90, 200), np.uint8)
    planes = cv2.cvtColor(colours, cv2.COLOR_BGR2YUV_I420)
    blue, red = planes[240:].reshape(2, -1)
    chroma = np.stack([blue, red], axis=1).reshape(120, 320)
    device().config["lores"]["format"] = "NV12"
    device().buffer = np.pad(np.vstack([planes[:240], chroma]), ((0, 0), (0, PAD)))

    assert np.abs(source.read(1).image.astype(int) - colours).max() <= 3


@pytest.mark.usefixtures("picamera2")
def test_every_buffer_is_given_back(clock: FakeClock) -> None:
    source = camera(clock)
    source.open()
    for _ in range(10):
        source.read(1)
    assert device().out == 0


@pytest.mark.usefixtures("picamera2")
def test_a_buffer_is_given_back_even_if_its_picture_is_broken(clock: FakeClock) -> None:
    source = camera(clock)
    source.open()
    device().config["lores"]["format"] = "MJPEG"
    with pytest.raises(CameraError, match="sends MJPEG") as caught:
        source.read(1)
    assert caught.value.fault is CameraFault.BROKEN
    assert device().out == 0


@pytest.mark.usefixtures("picamera2")
def test_a_time_out_is_a_stall_and_leaves_no_job_behind(clock: FakeClock) -> None:
    source = camera(clock)
    source.open()
    device().stalled = True
    with pytest.raises(CameraError) as caught:
        source.read(1)
    assert caught.value.fault is CameraFault.STALLED
    assert device().jobs == []

    device().stalled = False
    assert source.read(1).number == 1


@pytest.mark.usefixtures("picamera2")
def test_a_frame_that_comes_just_too_late_is_given_back(clock: FakeClock) -> None:
    source = camera(clock)
    source.open()
    device().stalled = device().late = True
    with pytest.raises(CameraError):
        source.read(1)
    assert device().out == 0


@pytest.mark.usefixtures("picamera2")
def test_opening_again_stops_and_starts_the_one_object(clock: FakeClock) -> None:
    for _ in range(3):
        source = camera(clock)
        source.open()
        source.read(1)
        source.close()
        source.close()

    assert Device.made == 1
    assert device().calls.count("configure") == 1
    assert device().calls.count("start") == 3
    assert device().calls[-1] == "stop", "the sensor rests when nobody looks"


@pytest.mark.usefixtures("picamera2")
def test_the_sensor_is_stopped_whatever_becomes_of_the_queue(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise RuntimeError("no queue")

    source = camera(clock)
    source.open()
    monkeypatch.setattr(device(), "cancel_all_and_flush", fails)
    with pytest.raises(RuntimeError):
        source.close()
    assert device().calls[-1] == "stop"


@pytest.mark.usefixtures("picamera2")
def test_a_sensor_that_does_not_stop_stays_its_users_to_stop(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise RuntimeError("it runs on")

    source, other = camera(clock), camera(clock)
    source.open()
    with monkeypatch.context() as broken:
        broken.setattr(device(), "stop", fails)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="it runs on"):
                source.close()
        with pytest.raises(CameraError, match="could not stop it"):
            other.open()
    source.close()
    assert device().calls[-1] == "stop"
    other.open()
    assert other.read(1).number == 1


@pytest.mark.usefixtures("picamera2")
def test_a_sensor_that_started_by_half_is_stopped(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_half(device: Device) -> None:
        device.calls.append("start")
        raise RuntimeError("no buffers")

    monkeypatch.setattr(Device, "start", by_half)
    source = camera(clock)
    with pytest.raises(CameraError, match="no buffers"):
        source.open()
    assert device().calls[-1] == "start"
    source.close()
    assert device().calls[-1] == "stop"


@pytest.mark.usefixtures("picamera2")
def test_another_size_is_configured_on_the_same_object(clock: FakeClock) -> None:
    for width in (320, 640):
        source = camera(clock, width)
        source.open()
        assert source.read(1).size[0] == width
        source.close()
    assert Device.made == 1


@pytest.mark.usefixtures("picamera2")
def test_two_users_at_once_are_refused(clock: FakeClock) -> None:
    camera(clock).open()
    second = camera(clock)
    with pytest.raises(CameraError, match="another part of this process"):
        second.open()
    second.close()
    assert device().calls[-1] == "start", "a stranger must not stop the sensor"
    with pytest.raises(CameraError, match="open it first"):
        second.read(1)


@pytest.mark.usefixtures("picamera2")
def test_no_camera_says_what_to_check_and_is_tried_anew(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "failure", IndexError("list index out of range"))
    source = camera(clock)
    with pytest.raises(CameraError, match="check the ribbon cable") as caught:
        source.open()
    assert caught.value.fault is CameraFault.UNAVAILABLE
    source.close()

    monkeypatch.setattr(Device, "failure", None)
    source.open()
    assert source.read(1).number == 1


def test_without_picamera2_the_package_to_install_is_named(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="apt install python3-picamera2") as caught:
        camera(clock).open()
    assert caught.value.fault is CameraFault.UNAVAILABLE

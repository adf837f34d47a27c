"""The libraries that a running box has mapped: none that could reach a microphone."""

import _ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.mosquitto import needs_mosquitto
from tests.privacy.memory import mapped_files
from tests.rig import CLIP, ROOT, presence, wait_for_health
from tests.system.conftest import MakeRig

#: Sound servers, sound devices, sound files, and the parts of FFmpeg that open devices and mix.
SOUND = re.compile(
    r"lib(asound|avdevice|avfilter|canberra|gst|jack|mp3lame|openal|pipewire|portaudio|pulse|roc|"
    r"SDL|sndfile|sndio|sox)"
)
FFMPEG = re.compile(r"lib(av(?:codec|device|filter|format|resample|util)|sw[a-z]+|postproc)[-.]")
#: What OpenCV's wheel is linked with, for video files and network cameras. It is mapped whenever
#: OpenCV is, whatever the camera. The part of FFmpeg that opens devices is not among it.
OF_OPENCV = {"avcodec", "avformat", "avutil", "swresample", "swscale"}

#: picamera2 as it was before 0.3.34: it imports PyAV when it is loaded.
PICAMERA2 = """
import threading
import av
from tests.unit.camera.picamera2_standin import Device, MappedArray

class Picamera2(Device):
    def capture_request(self, wait=None, signal_function=None, flush=None):
        threading.Event().wait(1 / 15)
        return super().capture_request(wait, signal_function, flush)
"""
#: PyAV brings FFmpeg with all its parts.
PYAV = """
import ctypes, pathlib
ctypes.CDLL(str(pathlib.Path(__file__).with_name("libavdevice.so.61")))
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give processes that are started a picamera2 and the PyAV that it drags in."""
    folder = tmp_path / "packages"
    for name, code in (("picamera2", PICAMERA2), ("av", PYAV)):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(code, encoding="utf-8")
    shutil.copy(_ctypes.__file__, folder / "av" / "libavdevice.so.61")
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT}")
    return folder


def _check(pid: int) -> None:
    files = mapped_files(pid)
    assert any(path.name.startswith("cv2") for path in files), "it is a box"
    assert sorted(path for path in files if SOUND.match(path.name)) == []
    found = {path: match[1] for path in files if (match := FFMPEG.match(path.name))}
    wheel = Path(cv2.__file__).parents[1] / "opencv_python_headless.libs"
    assert {path.parent for path in found} <= {wheel}
    assert set(found.values()) <= OF_OPENCV
    assert not [path for path in files if "/snd/" in str(path)]


@pytest.mark.system
@needs_mosquitto
@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("source", ["picamera2", str(CLIP)])
def test_a_running_box_has_no_library_for_sound(make_rig: MakeRig, source: str) -> None:
    rig = make_rig(camera={"source": source, "repeat": True}, rules=[presence("phone")])
    rig.start_box()
    wait_for_health(rig.broker.port, lambda health: health.camera.fps > 0)
    _check(rig.pid("box"))


LOADED = "print('libavdevice' in open('/proc/self/maps').read())"


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(
    ("code", "mapped"),
    [
        ("import picamera2", "True"),
        ("from cleandesk.camera.picamera import _load; _load()", "False"),
    ],
)
def test_pyav_stays_out_though_picamera2_asks_for_it(code: str, mapped: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], check=True, capture_output=True, text=True
    )
    assert said.stdout.strip() == mapped


def test_opencv_itself_has_no_sound_device() -> None:
    built = cv2.getBuildInformation()
    assert re.search(r"GStreamer: +NO", built)
    assert "avdevice" not in built

"""The Raspberry Pi's own camera, by picamera2."""

import contextlib
import sys
import threading
from concurrent.futures import CancelledError
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.camera.frame import Frame
from cleandesk.camera.live import LiveCamera
from cleandesk.camera.protocol import CameraError
from cleandesk.clock import Clock
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings

_STREAM = "lores"
_TO_BGR = {
    "YUV420": cv2.COLOR_YUV2BGR_I420,
    "YVU420": cv2.COLOR_YUV2BGR_YV12,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
}
#: 10 to 15 pictures a second: enough for any look at a desk, and each costs a conversion.
_FRAME_US = (66_667, 100_000)
_LATE_S = 0.1
_INSTALL = (
    "picamera2 is not installed for this Python; on Raspberry Pi OS `sudo apt install "
    "python3-picamera2`, on Debian `sudo apt install python3-libcamera` and pip's picamera2, in a "
    "virtual environment made with --system-site-packages"
)


class _Sensor:
    """The process's one Picamera2 object: opening a second one leaks contiguous memory (CMA).

    Attributes:
        user: Whose it is to stop the sensor: from before it is started until it has stopped.
    """

    lock = threading.Lock()
    device: Any = None
    size: tuple[int, int] | None = None
    user: object = None


class Picamera(LiveCamera):
    """A CSI camera's low-resolution stream, sized to the settings by the sensor's own pipeline.

    The object behind it is made once per process and kept; `close` stops it and `open` starts it
    again.
    """

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        super().__init__(settings, clock, "picamera2")
        self._mapped_array: Any = None

    def open(self) -> None:
        """Start the sensor; one that starts by half is stopped by `close`.

        Raises:
            CameraError: `UNAVAILABLE`: picamera2 missing, no camera, in use, or it will not start.
        """
        try:
            mapped_array, picamera2 = _load()
        except ImportError as error:
            raise CameraError(CameraFault.UNAVAILABLE, f"{self.name}: {_INSTALL}") from error
        self._mapped_array = mapped_array
        with _Sensor.lock:
            if _Sensor.user not in (None, self):
                raise CameraError(
                    CameraFault.UNAVAILABLE,
                    f"{self.name}: another part of this process has it open, or could not stop it; "
                    "close it there first, or restart the process",
                )
            try:
                self._start(picamera2)
            except CameraError:
                raise
            except Exception as error:
                # picamera2 raises RuntimeError, IndexError, KeyError or OSError, by its version.
                raise CameraError(
                    CameraFault.UNAVAILABLE,
                    f"{self.name}: {error}; check the ribbon cable, `rpicam-hello --list-cameras` "
                    "and that no other program uses the camera",
                ) from error

    def _start(self, factory: Any) -> None:
        if _Sensor.device is None:
            _Sensor.device = factory()
        device = _Sensor.device
        _Sensor.user = self  # whatever of the start fails now, the sensor may run
        device.stop()
        size = (self._settings.width // 2 * 2, self._settings.height // 2 * 2)
        if _Sensor.size != size:
            _Sensor.size = None
            device.configure(
                device.create_video_configuration(
                    # The low-resolution stream may not be larger than the main one.
                    main={"size": size, "format": "YUV420"},
                    lores={"size": size, "format": "YUV420"},
                    raw=None,
                    buffer_count=4,
                    controls={"FrameDurationLimits": _FRAME_US},
                    display=None,
                    encode=None,
                )
            )
            _Sensor.size = size
        device.start()

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: `STALLED` after the time-out; what was queued is then dropped, so that the
                next read starts afresh. `BROKEN` if the pictures are not YUV 4:2:0.
        """
        if _Sensor.user is not self:
            raise CameraError(CameraFault.UNAVAILABLE, f"{self.name}: not open; open it first")
        request = self._request(timeout_s)
        now = self._clock.now()
        try:
            image = self._image(request)
        finally:
            request.release()
        return self._frame(image, now)

    def _request(self, timeout_s: float) -> Any:
        """Return the next completed request.

        `capture_request(wait=seconds)` would leave its job queued after a time-out: it would later
        take a buffer that nobody gives back. So the job is kept, and cancelled.
        """
        device = _Sensor.device
        job = device.capture_request(wait=False)
        try:
            return job.get_result(timeout=timeout_s)
        except TimeoutError:
            device.cancel_all_and_flush()
        with contextlib.suppress(TimeoutError, CancelledError):
            job.get_result(timeout=_LATE_S).release()  # it was done just before it was cancelled
        raise CameraError(
            CameraFault.STALLED,
            f"{self.name}: no frame for {timeout_s:g} s; check the ribbon cable",
        )

    def _image(self, request: Any) -> NDArray[np.uint8]:
        """Return a request's picture, BGR; rows are padded to the stride and cut after."""
        stream = _Sensor.device.camera_configuration()[_STREAM]
        code = _TO_BGR.get(stream["format"])
        if code is None:
            raise CameraError(
                CameraFault.BROKEN,
                f"{self.name}: sends {stream['format']}, not {' or '.join(_TO_BGR)}; use a camera "
                "of the CSI port, or /dev/videoN for a USB camera",
            )
        width, height = stream["size"]
        with self._mapped_array(request, _STREAM, write=False) as mapped:
            planes = mapped.array.reshape(height * 3 // 2, stream["stride"])
            return np.asarray(cv2.cvtColor(planes, code)[:, :width], np.uint8)

    def close(self) -> None:
        """Stop the sensor; the object is kept for the next start.

        Raises:
            Exception: picamera2's own. Unless the sensor has stopped, the next call tries again.
        """
        with _Sensor.lock:
            if _Sensor.user is not self:
                return
            try:
                _Sensor.device.cancel_all_and_flush()
            finally:
                _Sensor.device.stop()
                _Sensor.user = None


def _load() -> tuple[Any, Any]:
    """Return picamera2's `MappedArray` and `Picamera2`, without PyAV.

    Releases before 0.3.34 import PyAV, FFmpeg with everything for sound, when they are loaded; all
    use it only to record, which we never do. An empty module in its place keeps its libraries out
    of this process.

    Raises:
        ImportError: If picamera2 is not installed.
    """
    sys.modules.setdefault("av", ModuleType("av", "Kept out of a box that records nothing."))
    from picamera2 import MappedArray, Picamera2  # noqa: PLC0415 - only on a Pi

    return MappedArray, Picamera2

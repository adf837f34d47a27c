"""A USB camera, or anything else that Linux shows as /dev/videoN."""

import errno
import math
import os
import stat
from pathlib import Path

import cv2

from cleandesk.camera.frame import Frame
from cleandesk.camera.live import LiveCamera
from cleandesk.camera.opencv import next_image, open_video
from cleandesk.camera.protocol import CameraError
from cleandesk.clock import Clock
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings

_REASONS = {
    errno.ENOENT: "no such device; plug the camera in, and see `v4l2-ctl --list-devices`",
    errno.ENODEV: "the camera behind it is gone; plug it in again",
    errno.ENXIO: "the camera behind it is gone; plug it in again",
    errno.EACCES: "permission denied; add this user to group video (`usermod -aG video USER`)",
    errno.EPERM: "permission denied; let the service use it (systemd DeviceAllow=)",
    errno.EBUSY: "busy; end the program that uses it, see `fuser -v`",
}


class V4l2Camera(LiveCamera):
    """A camera by Video4Linux, one frame buffered so that the newest is read."""

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        super().__init__(settings, clock, settings.source)
        self._path = Path(settings.source)
        self._video: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Start the camera.

        Raises:
            CameraError: `UNAVAILABLE`: no such device, no permission, busy, or no camera.
        """
        self.close()
        problem = device_problem(self._path)
        if problem is not None:
            raise CameraError(CameraFault.UNAVAILABLE, f"{self.name}: {problem}")
        # OpenCV reads it once per process, at the first camera; whole seconds.
        os.environ.setdefault(
            "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(1, math.ceil(self._settings.timeout_s)))
        )
        self._video = open_video(
            str(self._path),
            cv2.CAP_V4L2,
            [
                cv2.CAP_PROP_FRAME_WIDTH,
                self._settings.width,
                cv2.CAP_PROP_FRAME_HEIGHT,
                self._settings.height,
            ],
        )
        if self._video is None:
            raise CameraError(
                CameraFault.UNAVAILABLE,
                f"{self.name}: busy, or no camera; end the program that uses it (`fuser -v "
                f"{self.name}`) or take another number (`v4l2-ctl --list-devices`)",
            )
        self._video.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame. The time-out is rounded up to whole seconds by OpenCV.

        Raises:
            CameraError: `STALLED` after the time-out, `UNAVAILABLE` if the camera was unplugged,
                `BROKEN` if what it sent is no picture.
        """
        if self._video is None:
            raise CameraError(CameraFault.UNAVAILABLE, f"{self.name}: not open; open it first")
        began = self._clock.now().mono
        image = next_image(self._video, self.name)
        now = self._clock.now()
        if image is not None:
            return self._frame(image, now)
        if not self._path.exists():
            raise CameraError(
                CameraFault.UNAVAILABLE, f"{self.name}: unplugged; check plug, cable and power"
            )
        if now.mono - began >= 0.9 * timeout_s:
            raise CameraError(
                CameraFault.STALLED, f"{self.name}: no frame for {timeout_s:g} s; check the cable"
            )
        raise CameraError(
            CameraFault.BROKEN, f"{self.name}: sent no picture; check cable and power supply"
        )

    def close(self) -> None:
        """Stop the camera."""
        if self._video is not None:
            self._video.release()
            self._video = None


def device_problem(path: Path) -> str | None:
    """Say why a device cannot be opened and what to do; None if it can.

    OpenCV says only that it failed.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        known = _REASONS.get(error.errno or 0)
        return known or f"{(error.strerror or str(error)).lower()}; check the camera"
    try:
        if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
            return "no device; write the path of a camera such as /dev/video0"
    finally:
        os.close(descriptor)
    return None

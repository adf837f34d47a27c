"""A network camera: RTSP, or MJPEG and video over HTTP."""

import socket
from urllib.parse import urlsplit

import cv2

from cleandesk.camera.frame import Frame
from cleandesk.camera.live import LiveCamera
from cleandesk.camera.opencv import next_image, open_video
from cleandesk.camera.protocol import CameraError
from cleandesk.camera.source import public_name
from cleandesk.clock import Clock
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


class StreamCamera(LiveCamera):
    """A stream by FFmpeg, with time-outs for opening and for each frame.

    After a time-out FFmpeg's connection is dead: nothing but opening it again helps.
    """

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        super().__init__(settings, clock, public_name(settings.source))
        self._video: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Connect.

        Raises:
            CameraError: `UNAVAILABLE`, with what is known of the reason.
        """
        self.close()
        host, port = self._address()
        milliseconds = max(1, round(self._settings.timeout_s * 1000))
        self._video = open_video(
            self._settings.source,
            cv2.CAP_FFMPEG,
            [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                milliseconds,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                milliseconds,
            ],
        )
        if self._video is None:
            raise CameraError(CameraFault.UNAVAILABLE, f"{self._name}: {self._why(host, port)}")

    def _address(self) -> tuple[str, int]:
        try:
            parts = urlsplit(self._settings.source)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        else:
            if parts.scheme not in _PORTS:
                raise CameraError(
                    CameraFault.UNAVAILABLE,
                    f"{self._name}: '{parts.scheme}' is not supported; write one of "
                    f"{', '.join(f'{scheme}://' for scheme in _PORTS)} or a path",
                )
            port = port or _PORTS[parts.scheme]
        if not host or port is None:
            raise CameraError(
                CameraFault.UNAVAILABLE,
                f"{self._name}: no valid address; write rtsp://user:password@host:port/path, with "
                "special characters percent-encoded",
            )
        return host, port

    def _why(self, host: str, port: int) -> str:
        """Say why it could not be opened, which OpenCV never does."""
        try:
            socket.create_connection((host, port), timeout=self._settings.timeout_s).close()
        except OSError as error:
            reason = (error.strerror or str(error) or type(error).__name__).lower()
            return f"{reason}; check that the camera is on, its address, and the network"
        return (
            f"the host answers but sends no stream within {self._settings.timeout_s:g} s; check "
            "path, user and password, and that the camera takes another viewer"
        )

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame. The time-out is the one that the stream was opened with.

        Raises:
            CameraError: `STALLED` after the time-out, `ENDED` if the other side closed the stream.
        """
        if self._video is None:
            raise CameraError(CameraFault.UNAVAILABLE, f"{self._name}: not open; open it first")
        began = self._clock.now().mono
        image = next_image(self._video, self._name)
        now = self._clock.now()
        if image is None:
            limit_s = min(timeout_s, self._settings.timeout_s)
            if now.mono - began >= 0.9 * limit_s:
                raise CameraError(
                    CameraFault.STALLED,
                    f"{self._name}: no frame for {limit_s:g} s; check network and camera",
                )
            raise CameraError(
                CameraFault.ENDED,
                f"{self._name}: the other side ended the stream; check the camera",
            )
        return self._frame(image, now)

    def close(self) -> None:
        """Hang up."""
        if self._video is not None:
            self._video.release()
            self._video = None

"""A video file's pictures with their own times."""

import math
from pathlib import Path

import cv2

from cleandesk.camera.opencv import next_image, open_video
from cleandesk.camera.protocol import CameraError
from cleandesk.camera.recording import Picture
from cleandesk.contract.messages import CameraFault

_FALLBACK_FPS = 25.0
#: Containers without an index only estimate their length, so an end counts as early only when this
#: share and this many seconds of it are missing.
_MISSING_SHARE = 0.1
_MISSING_S = 0.5


class VideoReader:
    """Reads a video file by FFmpeg, picture by picture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._video: cv2.VideoCapture | None = None
        self._step_s = 1 / _FALLBACK_FPS
        self._length_s = 0.0
        self._read = 0
        self._pts_s = 0.0

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._path)

    def open(self) -> None:
        """Go to the first picture.

        Raises:
            CameraError: `UNAVAILABLE` if there is no such file or it may not be read, `BROKEN` if
                it is no video.
        """
        self.close()
        self._check()
        video = open_video(str(self._path), cv2.CAP_FFMPEG)
        if video is None:
            raise CameraError(
                CameraFault.BROKEN,
                f"{self.name}: no video that can be read, or cut off before its index; "
                "copy it again, or check it with ffprobe",
            )
        fps = video.get(cv2.CAP_PROP_FPS)
        self._step_s = 1 / fps if math.isfinite(fps) and fps > 0 else 1 / _FALLBACK_FPS
        self._length_s = max(0.0, video.get(cv2.CAP_PROP_FRAME_COUNT)) * self._step_s
        self._video, self._read, self._pts_s = video, 0, 0.0

    @property
    def length_s(self) -> float:
        """How long the open video is, seconds; an estimate where the container has no index."""
        return self._length_s

    def _check(self) -> None:
        try:
            with self._path.open("rb") as file:
                empty = not file.read(1)
        except OSError as error:
            raise CameraError(
                CameraFault.UNAVAILABLE,
                f"{self.name}: {(error.strerror or 'unreadable').lower()}; correct camera.source, "
                "a path relative to the configuration file",
            ) from error
        if empty:
            raise CameraError(CameraFault.BROKEN, f"{self.name}: the file is empty; copy it again")

    def next(self) -> Picture | None:
        """Return the next picture; None after the last.

        Raises:
            CameraError: `BROKEN` if the file ends long before the length that it names.
        """
        if self._video is None:
            return None
        image = next_image(self._video, self.name)
        if image is None:
            self._check_end()
            return None
        pts_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._read and not pts_s > self._pts_s:  # no or wrong time stamps: count instead
            pts_s = self._pts_s + self._step_s
        self._pts_s = max(0.0, pts_s)
        self._read += 1
        return Picture(image, self._pts_s, self._step_s)

    def _check_end(self) -> None:
        read_s = self._pts_s + self._step_s if self._read else 0.0
        missing_s = self._length_s - read_s
        if missing_s > max(_MISSING_S, _MISSING_SHARE * self._length_s):
            raise CameraError(
                CameraFault.BROKEN,
                f"{self.name}: ends {missing_s:.1f} s early, after {self._read} frames "
                f"({read_s:.1f} of {self._length_s:.1f} s); it was cut off: copy it again",
            )

    def close(self) -> None:
        """Close the file."""
        if self._video is not None:
            self._video.release()
            self._video = None

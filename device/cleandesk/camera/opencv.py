"""OpenCV's video reader, opened quietly and with its errors made ours."""

import os
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.camera.protocol import CameraError
from cleandesk.contract.messages import CameraFault

#: Of a network camera only the picture is asked for: its microphone is not even subscribed to.
_ONLY_PICTURES = "rtsp_transport;tcp|allowed_media_types;video"


def prepare() -> None:
    """Have FFmpeg take pictures only, and keep its and OpenCV's own messages off stderr.

    Each failure is reported by us in words that name a fix, and FFmpeg's messages can hold
    addresses with credentials; its variables may still ask for them.
    """
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _ONLY_PICTURES
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def open_video(
    source: str, backend: int, parameters: Sequence[int] = ()
) -> cv2.VideoCapture | None:
    """Open a device, address or file; None if OpenCV cannot, which never says why.

    Args:
        source: As OpenCV takes it, with credentials.
        backend: One of `cv2.CAP_*`.
        parameters: `cv2.CAP_PROP_*` and value, in turn; applied while opening.
    """
    prepare()
    try:
        video = cv2.VideoCapture(source, backend, list(parameters))
    except cv2.error:
        return None
    if video.isOpened():
        return video
    video.release()
    return None


def next_image(video: cv2.VideoCapture, name: str) -> NDArray[np.uint8] | None:
    """Return the next picture, uint8 [height, width, 3] BGR; None if there is none.

    Raises:
        CameraError: `BROKEN`, if what came is no picture.
    """
    try:
        ok, image = video.read()
    except cv2.error as error:
        raise CameraError(
            CameraFault.BROKEN,
            f"{name}: OpenCV error {error.code} while decoding; check the source with another "
            "player",
        ) from None
    if not ok:
        return None
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:  # noqa: PLR2004 - BGR
        raise CameraError(
            CameraFault.BROKEN,
            f"{name}: sent {image.dtype} {image.shape}, not 8-bit colour; choose another format",
        )
    return np.asarray(image, np.uint8)

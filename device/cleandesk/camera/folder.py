"""A folder of pictures as a recording."""

from pathlib import Path

import cv2
import numpy as np

from cleandesk.camera.opencv import prepare
from cleandesk.camera.protocol import CameraError
from cleandesk.camera.recording import Picture
from cleandesk.contract.messages import CameraFault

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


class FolderReader:
    """Reads a folder's pictures in the order of their names.

    Args:
        path: The folder; folders inside it are not looked into.
        picture_s: Seconds from one picture to the next.
    """

    def __init__(self, path: Path, picture_s: float) -> None:
        self._path = path
        self._picture_s = picture_s
        self._files: list[Path] = []
        self._read = 0

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self._path)

    def open(self) -> None:
        """Go to the first picture.

        Raises:
            CameraError: `UNAVAILABLE` if the folder cannot be listed or holds no picture.
        """
        try:
            files = sorted(f for f in self._path.iterdir() if f.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise CameraError(
                CameraFault.UNAVAILABLE,
                f"{self.name}: {(error.strerror or 'unreadable').lower()}; correct camera.source",
            ) from error
        if not files:
            raise CameraError(
                CameraFault.UNAVAILABLE,
                f"{self.name}: no picture in this folder; put {', '.join(SUFFIXES)} files in it",
            )
        self._files, self._read = files, 0

    def next(self) -> Picture | None:
        """Return the next picture; None after the last.

        Raises:
            CameraError: `BROKEN`, naming the file, if one cannot be read.
        """
        if self._read == len(self._files):
            return None
        file = self._files[self._read]
        self._read += 1
        prepare()
        try:
            data = np.frombuffer(file.read_bytes(), np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        except OSError as error:
            raise CameraError(
                CameraFault.BROKEN,
                f"{file}: {(error.strerror or 'unreadable').lower()}; make it readable or take it "
                "away",
            ) from error
        except cv2.error:
            image = None
        if image is None:
            raise CameraError(
                CameraFault.BROKEN,
                f"{file}: no picture that can be read; replace it or take it away",
            )
        pts_s = (self._read - 1) * self._picture_s
        return Picture(np.asarray(image, np.uint8), pts_s, self._picture_s)

    def close(self) -> None:
        """Forget the list of files."""
        self._files, self._read = [], 0

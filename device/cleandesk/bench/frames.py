"""Recordings for a measurement: scaled to one size, from the file or from memory, and counted."""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.bench.errors import BenchError
from cleandesk.bench.meter import Window
from cleandesk.camera import CameraError
from cleandesk.camera.recording import Picture, Reader
from cleandesk.camera.video import VideoReader

Pixels = NDArray[np.uint8]

SIZE = (1280, 720)


class SizedVideo:
    """A video file whose pictures have the size that is measured at.

    Args:
        path: The file.
        lasts_s: Seconds from one picture to the next, whatever the file says.
    """

    def __init__(self, path: Path, lasts_s: float) -> None:
        self._reader = VideoReader(path)
        self._lasts_s = lasts_s
        self._read = 0
        self.name = str(path)

    def open(self) -> None:
        """Go to the first picture.

        Raises:
            CameraError: If there is none.
        """
        self._reader.open()
        self._read = 0

    def next(self) -> Picture | None:
        """Return the next picture; None after the last."""
        picture = self._reader.next()
        if picture is None:
            return None
        self._read += 1
        return Picture(sized(picture.image), (self._read - 1) * self._lasts_s, self._lasts_s)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class Memory:
    """Pictures in memory, shown in a given order again and again; nothing is decoded or copied.

    Args:
        images: uint8 [height, width, 3] each.
        order: Indices into them, in the order of showing.
        lasts_s: Seconds from one picture to the next.
    """

    def __init__(self, images: Sequence[Pixels], order: Sequence[int], lasts_s: float) -> None:
        self._images = images
        self._order = order
        self._lasts_s = lasts_s
        self._shown = 0
        self.name = "memory"

    def open(self) -> None:
        """Begin at the first picture."""
        self._shown = 0

    def next(self) -> Picture | None:
        """Return the next picture; there is always one."""
        image = self._images[self._order[self._shown % len(self._order)]]
        self._shown += 1
        return Picture(image, (self._shown - 1) * self._lasts_s, self._lasts_s)

    def close(self) -> None:
        """Nothing to close."""


class Counted:
    """Another reader whose pictures are counted by a window as they are handed over."""

    def __init__(self, reader: Reader, window: Window) -> None:
        self._reader = reader
        self._window = window
        self.name = reader.name

    def open(self) -> None:
        """Go to the first picture."""
        self._reader.open()

    def next(self) -> Picture | None:
        """Return the next picture; None after the last."""
        picture = self._reader.next()
        if picture is not None:
            self._window.frame()
        return picture

    def close(self) -> None:
        """Close it."""
        self._reader.close()


class Feed:
    """A reader in the form of OpenCV's `VideoCapture`, for loops written against that.

    Args:
        reader: Begins again at its end.
        window: Counts; when it is over, there are no more pictures.
        paced: Each picture comes when it is due, as from a camera.
    """

    def __init__(self, reader: Reader, window: Window, *, paced: bool) -> None:
        self._reader, self._window, self._paced = reader, window, paced
        self._due: float | None = None
        reader.open()

    def read(self) -> tuple[bool, Pixels | None]:
        """Return whether there is a picture, and the picture."""
        picture = self._reader.next()
        if picture is None:
            self._reader.open()
            picture = self._reader.next()
        if picture is None or not self._window.frame():
            self._reader.close()
            return False, None
        if self._paced:
            now = time.monotonic()
            self._due = max(now, (self._due or now) + picture.lasts_s)
            time.sleep(self._due - now)
        return True, picture.image


def sized(image: Pixels) -> Pixels:
    """Return a picture in the size that is measured at."""
    if (image.shape[1], image.shape[0]) == SIZE:
        return image
    return np.asarray(cv2.resize(image, SIZE), np.uint8)


def count(path: Path, most: int = 3000) -> int:
    """Return how many pictures a clip has, at most so many.

    Raises:
        BenchError: If it cannot be read, or has none.
    """
    video = cv2.VideoCapture(str(path))
    found = 0
    while found < most and video.grab():
        found += 1
    video.release()
    if not found:
        raise BenchError(f"{path}: no video that can be read; name another one by --source")
    return found


def pictures(path: Path, numbers: Sequence[int]) -> list[Pixels]:
    """Return some of a clip's pictures in the size that is measured at.

    Args:
        path: The clip.
        numbers: Which, counted from 0, in rising order.

    Raises:
        BenchError: If it cannot be read so far.
    """
    reader = SizedVideo(path, 1.0)
    found: list[Pixels] = []
    wanted = set(numbers)
    try:
        reader.open()
        for number in range(max(numbers) + 1):
            picture = reader.next()
            if picture is None:
                raise BenchError(f"{path}: has only {number} pictures; copy it again")
            if number in wanted:
                found.append(picture.image)
    except CameraError as error:
        raise BenchError(error.detail) from error
    finally:
        reader.close()
    return found


def noisy(image: Pixels, copies: int, *, seed: int, spread: float = 2.0) -> list[Pixels]:
    """Return a still picture as a sensor gives it: other noise in each copy, and a breath of light.

    Args:
        image: uint8 [height, width, 3].
        copies: How many.
        seed: Of the noise.
        spread: Standard deviation of the noise, in steps of 255.
    """
    random = np.random.default_rng(seed)
    made = []
    for number in range(copies):
        light = 1 + 0.005 * np.sin(2 * np.pi * number / copies)
        noise = random.standard_normal(image.shape, np.float32) * spread
        made.append(np.clip(image * np.float32(light) + noise, 0, 255).astype(np.uint8))
    return made

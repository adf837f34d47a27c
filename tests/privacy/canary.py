"""Pictures with a pattern outside the area, and each kind of source that can show them here."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.settings import Zone
from tests.unit.camera.sources import HttpCamera

Image = NDArray[np.uint8]

SIZE = (640, 360)
AREA = Zone(polygon=[(0.3, 0.25), (0.75, 0.3), (0.7, 0.75), (0.25, 0.7)])
KINDS = ("folder", "video", "stream")
PICTURES = 5
#: Of the video, which goes on for a minute: paced, a box rests most of the time.
FPS, VIDEO_PICTURES = 1, 60
#: So far from the area the pattern begins, pixels: JPEG's blocks must not carry it inside.
_MARGIN = 32
#: Rows and columns, fractions of the picture, from which bytes are taken; all outside.
_PLACES = ((0.02, 0.05), (0.04, 0.9), (0.5, 0.02), (0.5, 0.93), (0.9, 0.1), (0.96, 0.85))
_PIXELS = 24


def corners(zone: Zone, size: tuple[int, int]) -> NDArray[np.int32]:
    """Return a zone's corners in pixels, int32 [n, 2]."""
    width, height = size
    points = [(round(x * (width - 1)), round(y * (height - 1))) for x, y in zone.polygon]
    return np.array(points, np.int32)


def inside(zone: Zone, size: tuple[int, int], margin: int = 0) -> NDArray[np.bool_]:
    """Return which pixels lie in a zone or at most so many pixels from it, bool [height, width]."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [corners(zone, size)], 1)
    if margin:
        mask = np.asarray(cv2.dilate(mask, np.ones((2 * margin + 1,) * 2, np.uint8)), np.uint8)
    return mask > 0


def with_canary(desk: Image, zone: Zone, seed: int) -> Image:
    """Return a picture with a pattern in place of all that lies clearly outside the zone."""
    height, width = desk.shape[:2]
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    pattern = np.asarray(cv2.resize(noise, (width, height)), np.uint8)
    keep = inside(zone, (width, height), _MARGIN)
    return np.where(keep[:, :, None], desk, pattern)


def picture(number: int, seed: int) -> Image:
    """Return a lit desk on which something moves, with a pattern around it."""
    width, height = SIZE
    desk = np.full((height, width, 3), 120, np.uint8)
    x, y = width // 2 + number * 4, height // 2
    desk[y : y + 40, x : x + 40] = 30
    return with_canary(desk, AREA, seed)


def marks(shown: Image) -> list[bytes]:
    """Return bytes of a picture as a source shows it, each from one row outside the area."""
    height, width = shown.shape[:2]
    places = [(round(y * height), round(x * width)) for y, x in _PLACES]
    return [shown[y, x : x + _PIXELS].tobytes() for y, x in places]


def in_other_words(mark: bytes) -> list[bytes]:
    """Return a mark as itself, in hexadecimal, and in base64 wherever it begins in a text."""
    coded = [base64.b64encode(mark[skip:])[:-4] for skip in range(3)]
    return [mark, mark.hex().encode(), *coded]


class CanaryCamera(HttpCamera):
    """A network camera that shows the canary."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        super().__init__()

    def shown(self, path: str, number: int) -> Image:
        """Return the picture to show."""
        del path
        return picture(number, self._seed)


@contextmanager
def source(kind: str, folder: Path, seed: int = 1, *, silent: bool = False) -> Iterator[str]:
    """Make a source of a kind that shows the canary; yields what `camera.source` says then.

    Args:
        kind: One of `KINDS`.
        folder: For its files.
        seed: Of the pattern.
        silent: Whether a stream falls silent after `PICTURES`.
    """
    place = folder / f"{kind}-{seed}"
    if kind == "stream":
        camera = CanaryCamera(seed)
        try:
            yield camera.url("stalls" if silent else "moving")
        finally:
            camera.close()
    elif kind == "video":
        path = place.with_suffix(".avi")
        write_video(path, [picture(n, seed) for n in range(VIDEO_PICTURES)], fps=FPS)
        yield str(path)
    else:
        place.mkdir()
        for number in range(PICTURES):
            cv2.imwrite(str(place / f"{number}.png"), picture(number, seed))
        yield str(place)


def write_video(path: Path, images: list[Image], fps: float) -> None:
    """Write Motion JPEG of one quality: what stands still has the same bytes in each picture."""
    height, width = images[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, code, fps, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()


def first_picture(source: str) -> Image:
    """Return a source's first picture as OpenCV alone reads it."""
    path = Path(source)
    if path.is_dir():
        image = cv2.imread(str(min(path.iterdir())))
    else:
        video = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        _, image = video.read()
        video.release()
    assert image is not None, source
    return np.asarray(image, np.uint8)

"""Picture files that a person names: found in folders, and read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

#: Ends the names of the pictures that we drew into ourselves; folders are walked without them.
DRAWN = ".detected.jpg"
SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class PictureError(Exception):
    """A picture that cannot be had: the place, the reason and the fix."""


def find(paths: Iterable[Path]) -> Iterator[Path | PictureError]:
    """Yield every picture: files as they are named, folders with all below them, sorted.

    A path without a picture yields an error in its place.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = False
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if Path(name).suffix.lower() in SUFFIXES and not name.endswith(DRAWN):
                    found = True
                    yield Path(folder, name)
        if not found:
            listed = " ".join(sorted(SUFFIXES))
            yield PictureError(f"{path}: no picture in this folder; pictures end in {listed}")


def read(path: Path) -> NDArray[np.uint8]:
    """Read a picture, turned upright as its EXIF data says.

    Returns:
        uint8 [height, width, 3], blue-green-red; grey pictures in three equal channels, deeper ones
        cut to 8 bits, transparency left out.

    Raises:
        PictureError: If it cannot be read or is no picture.
    """
    try:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{path}: cannot be read ({reason}); check the path") from error
    try:
        image = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
    except cv2.error as error:
        raise PictureError(f"{path}: OpenCV refuses it ({error.err}); is it too large?") from error
    if image is None:
        raise PictureError(f"{path}: not a picture that can be read; save it as JPEG or PNG")
    return np.asarray(image, np.uint8)

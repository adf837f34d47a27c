"""The same pictures in worse light, out of a worse camera."""

from typing import Final

import cv2
import numpy as np

from models.evaluation.looking import Alter, Image

_BLUR: Final = 11  # pixels of a 640-pixel picture: a hand's pace across a desk at 1/30 s
_JPEG: Final = 20


def gain(factor: float) -> Alter:
    """Pixel values times a factor, cut at 255: darker or overexposed."""

    def alter(image: Image) -> Image:
        return np.asarray(np.clip(np.rint(image * np.float32(factor)), 0, 255), np.uint8)

    return alter


def cast(blue: float, green: float, red: float) -> Alter:
    """Channels times a factor each: light of another colour, not balanced."""

    def alter(image: Image) -> Image:
        factors = np.array([blue, green, red], np.float32)
        return np.asarray(np.clip(np.rint(image * factors), 0, 255), np.uint8)

    return alter


def motion_blur(image: Image) -> Image:
    """Smear sideways."""
    length = max(3, round(_BLUR * max(image.shape[:2]) / 640))
    kernel = np.full((1, length), 1 / length, np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


def jpeg(image: Image) -> Image:
    """Compress hard."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


ALTERED: Final[dict[str, Alter | None]] = {
    "as it is": None,
    "gain .15": gain(0.15),
    "gain .35": gain(0.35),
    "gain .6": gain(0.6),
    "gain 1.5": gain(1.5),
    "warm cast": cast(0.6, 0.9, 1.15),
    "cold cast": cast(1.2, 0.95, 0.7),
    "motion blur": motion_blur,
    "JPEG 20": jpeg,
}

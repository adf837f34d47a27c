"""Small types and helpers for pictures."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]  # [h, w, 3], BGR
Cutout = npt.NDArray[np.uint8]  # [h, w, 4], BGR and opacity
Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

LONG: Final = 320  # longest side of a cut-out, pixels


def smooth_noise(rng: Rng, h: int, w: int, cells: int) -> Floats:
    """Noise of about -1..1 that changes slowly: `cells` knots along each side."""
    knots = rng.normal(0, 0.5, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(knots, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)


def solid(alpha: npt.NDArray[np.uint8], picture: Picture) -> Cutout:
    """Join a picture and its opacity [h, w]."""
    return np.asarray(cv2.merge([*cv2.split(picture), alpha]), np.uint8)


def filled(h: int, w: int, colour: npt.ArrayLike) -> Picture:
    """A picture of one BGR colour."""
    out = np.empty((h, w, 3), np.uint8)
    b, g, r = (int(v) for v in np.clip(np.broadcast_to(np.asarray(colour), 3), 0, 255))
    cv2.rectangle(out, (0, 0), (w, h), (b, g, r), -1)  # several times faster than broadcasting
    return out

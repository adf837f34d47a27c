"""The tone of a person's skin in a photograph, as far as light lets one say.

The individual typology angle (A. Chardon, 1991), arctan((L* - 50) / b*), of the pixels around the
head whose colour may be skin: the larger, the lighter.
"""

import math
from typing import Final

import cv2
import numpy as np

from models.evaluation.looking import Image
from models.evaluation.sets import Floats

_LEAST_HEIGHT: Final = 64  # pixels; of smaller persons no skin can be told
_UPPER, _MIDDLE = 0.3, 0.6  # share of the box's height and width that is searched
_LEAST_PIXELS, _LEAST_SHARE = 60, 0.08  # of one patch of skin
_CR, _CB, _LUMA = (138, 175), (88, 125), (40, 240)


def tone(image: Image, box: Floats) -> float | None:
    """Estimate the typology angle of a person.

    Args:
        image: uint8 [height, width, 3], blue-green-red.
        box: float32 [4], x1, y1, x2, y2.

    Returns:
        Degrees, or None if too little skin is seen.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    inset = (x2 - x1) * (1 - _MIDDLE) / 2
    part = image[int(y1) : int(y1 + (y2 - y1) * _UPPER), int(x1 + inset) : int(x2 - inset)]
    if y2 - y1 < _LEAST_HEIGHT or part.size == 0:
        return None
    ycc = cv2.cvtColor(part, cv2.COLOR_BGR2YCrCb)
    low, high = np.array([_LUMA, _CR, _CB]).T
    may_be = ((ycc >= low) & (ycc <= high)).all(axis=2).astype(np.uint8)
    count, patches, stats, _ = cv2.connectedComponentsWithStats(may_be)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    skin = patches == largest
    if skin.sum() < max(_LEAST_PIXELS, _LEAST_SHARE * skin.size):
        return None
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[skin]
    lightness, _, yellow = np.median(lab, axis=0)
    return math.degrees(math.atan2(float(lightness) - 50, max(float(yellow), 1e-3)))

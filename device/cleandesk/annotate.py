"""Draws what was found into a copy of a picture and writes it to disk.

For people who ask for it on their own pictures. Nothing on the way of a camera's frame may import
this: it is the only module of the box that can write a picture, and the import rules keep it so.
"""

import colorsys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.detector.detections import Detections

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_DUPLEX
_DARK, _LIGHT = (20, 20, 20), (255, 255, 255)
_GOLDEN = 0.618033988749895  # of the colour circle: neighbours differ most
_BRIGHT = 140


def draw(image: Picture, detections: Detections) -> Picture:
    """Return a copy of a picture with a box and a label for each detection, the best on top.

    Args:
        image: uint8 [height, width, 3], blue-green-red.
        detections: In pixels of `image`.
    """
    canvas = image.copy()
    unit = max(1.0, min(image.shape[:2]) / 400)
    for name, score, box in reversed(list(detections)):
        colour = _colour(detections.names.index(name))
        x1, y1, x2, y2 = (round(v) for v in box)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, round(2 * unit), cv2.LINE_AA)
        _label(canvas, f"{name} {score:.2f}", (x1, y1), colour, unit)
    return canvas


def write(image: Picture, path: Path) -> None:
    """Write a picture: as PNG where its name says so, else as JPEG.

    Raises:
        OSError: If it cannot be written.
    """
    _, encoded = cv2.imencode(".png" if path.suffix.lower() == ".png" else ".jpg", image)
    path.write_bytes(encoded.tobytes())


def _label(canvas: Picture, text: str, at: tuple[int, int], colour: Colour, unit: float) -> None:
    scale, pad = 0.45 * unit, round(3 * unit)
    (width, height), below = cv2.getTextSize(text, _FONT, scale, 1)
    height += below
    x = max(0, min(at[0], canvas.shape[1] - width - 2 * pad))
    y = at[1] - height - 2 * pad
    if y < 0:  # no room above the box: inside it
        y = max(0, at[1])
    corner = (x + width + 2 * pad, y + height + 2 * pad)
    cv2.rectangle(canvas, (x, y), corner, colour, cv2.FILLED)
    blue, green, red = colour
    ink = _DARK if 0.114 * blue + 0.587 * green + 0.299 * red > _BRIGHT else _LIGHT
    base = (x + pad, y + pad + height - below)
    cv2.putText(canvas, text, base, _FONT, scale, ink, max(1, round(unit)), cv2.LINE_AA)


def _colour(number: int) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1, 0.75, 0.95)
    return round(blue * 255), round(green * 255), round(red * 255)

"""Composes the clip's frames: patches of moving hands on still renders, and a sensor's noise."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from models.scenes.scene import Scene
from models.scenes.thing import Picture, Placed, Region

_MARGIN: Final = 18
_FEATHER: Final = 8


def touched(moving: tuple[Placed, ...], scene: Scene, size: tuple[int, int]) -> Region | None:
    """Return the pixels that moving things and their shadows on the desk can change.

    Args:
        moving: what moves, all of it below the lights.
        scene: whose camera and lights count.
        size: the picture's (width, height).

    Returns:
        A region with a margin, or None if next to nothing of it is in the picture.
    """
    points = np.concatenate([placed.points() for placed in moving])
    reach = [points]
    for light in scene.lights:
        away = points - np.array(light.eye)
        reach.append(points + away * (points[:, 2] / -away[:, 2])[:, None])
    pixels, depth = scene.camera.project(np.concatenate(reach), size)
    seen = pixels[depth > 0.05]
    low = np.clip(np.floor(seen.min(axis=0)) - _MARGIN, 0, size).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + _MARGIN, 0, size).astype(int)
    if (high - low).min() < 2 * _FEATHER:
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def pasted(still: Picture, patch: Picture, region: Region) -> Picture:
    """Return a picture with a region replaced, its rim blended except at the picture's edge."""
    x1, y1, x2, y2 = region
    height, width = still.shape[:2]
    inner = np.zeros((y2 - y1 + 2, x2 - x1 + 2), np.uint8)
    inner[1:-1, 1:-1] = 1
    for at_edge, rim in (
        (x1 == 0, np.s_[:, 0]),
        (x2 == width, np.s_[:, -1]),
        (y1 == 0, np.s_[0, :]),
        (y2 == height, np.s_[-1, :]),
    ):
        if at_edge:
            inner[rim] = 1
    distance = cv2.distanceTransform(inner, cv2.DIST_C, 3)[1:-1, 1:-1]
    share = np.clip(distance / _FEATHER, 0, 1)[..., None]
    out = still.copy()
    below = still[y1:y2, x1:x2]
    out[y1:y2, x1:x2] = np.round(patch * share + below * (1 - share)).astype(np.uint8)
    return out


def sensed(picture: Picture, frame: int) -> Picture:
    """Return a frame with the noise of a camera's sensor: never twice the same."""
    rng = np.random.default_rng([2024, frame])
    light = picture.astype(np.float32) * float(rng.normal(1, 0.003))
    coarse = rng.normal(0, 1.3, (picture.shape[0] // 2, picture.shape[1] // 2, 3))
    size = (picture.shape[1], picture.shape[0])
    light += cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    light += rng.normal(0, 1.0, picture.shape).astype(np.float32)
    return np.clip(np.round(light), 0, 255).astype(np.uint8)

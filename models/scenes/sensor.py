"""What a cheap camera adds to a picture: noise, a colour cast, softness."""

from __future__ import annotations

import cv2
import numpy as np

from models.scenes.thing import Picture


def roughen(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return a BGR picture as a random cheap camera would have taken it."""
    light = picture.astype(np.float32)
    light *= rng.normal(1.0, 0.035, 3).astype(np.float32)
    if rng.random() < 0.35:
        light = cv2.GaussianBlur(light, (0, 0), float(rng.uniform(0.4, 0.9))).astype(np.float32)
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1 - float(rng.uniform(0, 0.22)) * (x**2 + y**2) / 2
    light *= fall[..., None].astype(np.float32)
    light += rng.normal(0, float(rng.uniform(0.5, 5.0)), picture.shape).astype(np.float32)
    return np.clip(light, 0, 255).astype(np.uint8)

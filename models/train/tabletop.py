"""What composed desks lie on: bare table tops, and the sunlight on them."""

from typing import Final

import cv2
import numpy as np

from models.train.picture import Floats, Picture, Rng, filled, smooth_noise
from models.train.things.shapes import lit

CANVAS: Final = (640, 480)


def texture(rng: Rng) -> Picture:
    """A bare table top: wood, plain or speckled, with a wall behind it now and then."""
    w, h = CANVAS
    base = np.array(rng.uniform(25, 235)) * rng.uniform(0.7, 1.0, 3)
    if rng.random() < 0.5:
        base = np.array([0.35, 0.6, 1.0]) * rng.uniform(60, 210)
    kind = rng.random()
    light: Floats = 1 + np.float32(0.08) * smooth_noise(rng, h, w, 3)
    if kind < 0.5:
        knots = rng.normal(0, 1, (int(rng.integers(30, 160)), 6)).astype(np.float32)
        grain = cv2.resize(knots, (w, h), interpolation=cv2.INTER_CUBIC)
        light = light + np.float32(rng.uniform(0.03, 0.12)) * np.asarray(grain, np.float32)
    elif kind < 0.7:
        specks = rng.standard_normal((h // 2, w // 2), np.float32)
        light = light + np.float32(0.1) * np.asarray(cv2.resize(specks, (w, h)), np.float32)
    table = lit(filled(h, w, base), light)
    if rng.random() < 0.35:
        edge = int(rng.uniform(0.08, 0.4) * h)
        wall = filled(edge, w, rng.uniform(60, 235) * rng.uniform(0.85, 1.0, 3))
        table[:edge] = lit(wall, 1 + np.float32(0.05) * smooth_noise(rng, edge, w, 3))
    return table


def sunlight(canvas: Picture, rng: Rng) -> Picture:
    """A patch of light from a window: four-sided as a sheet, but soft and see-through."""
    w, h = CANVAS[0] // 4, CANVAS[1] // 4
    patch = np.zeros((h, w), np.uint8)
    corner, along = rng.uniform(0, 0.8, 2) * (w, h), rng.uniform(-0.5, 0.5, 2) * (w, h)
    across = np.array([-along[1], along[0]]) * rng.uniform(0.2, 1.2) + rng.normal(0, 6, 2)
    panes = int(rng.choice([1, 2, 6], p=[0.6, 0.25, 0.15]))
    for n in range(panes):
        start = corner + across * n * 1.1 / panes
        end = start + across / panes * 0.9
        pane = np.stack([start, start + along, end + along, end])
        cv2.fillPoly(patch, [pane.astype(np.int32)], 255, cv2.LINE_AA)
    soft = cv2.GaussianBlur(patch, (0, 0), rng.uniform(1.2, 4.0)).astype(np.float32)
    strength = np.float32(rng.uniform(0.2, 1.3) / 255)
    return lit(canvas, np.asarray(1 + strength * cv2.resize(soft, CANVAS), np.float32))

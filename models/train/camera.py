"""What a cheap camera does to a picture: light, colour, blur, noise, compression."""

import cv2
import numpy as np

from models.train.picture import Floats, Picture, Rng, smooth_noise


def _light(x: Floats, rng: Rng) -> Floats:
    h, w = x.shape[:2]
    x = np.asarray(255 * (x / 255) ** np.exp(rng.uniform(-0.35, 0.35)), np.float32)
    gain = np.float32(np.exp(rng.uniform(-0.9, 0.3))) if rng.random() < 0.5 else np.float32(1)
    x = x * gain
    if rng.random() < 0.3:
        x = x * (1 + np.float32(0.35) * smooth_noise(rng, h, w, 3))[..., None]
    middle = x.mean()
    return np.asarray((x - middle) * np.float32(rng.uniform(0.75, 1.2)) + middle, np.float32)


def _colour(x: Floats, rng: Rng) -> Floats:
    x = x * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    grey = x.mean(-1, keepdims=True)
    strength = 0.0 if rng.random() < 0.05 else rng.uniform(0.5, 1.4)
    return np.asarray(grey + (x - grey) * np.float32(strength), np.float32)


def _blur(x: Floats, rng: Rng) -> Floats:
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 1.6)), np.float32)
    n = int(rng.integers(3, 8))
    kernel = np.zeros((n, n), np.float32)
    angle = rng.uniform(0, np.pi)
    dx, dy = np.cos(angle) * n / 2, np.sin(angle) * n / 2
    middle = (n - 1) / 2
    start, end = (int(middle - dx), int(middle - dy)), (int(middle + dx), int(middle + dy))
    cv2.line(kernel, start, end, 1.0, 1)
    return np.asarray(cv2.filter2D(x, -1, kernel / kernel.sum()), np.float32)


def degrade(picture: Picture, rng: Rng) -> Picture:
    """Return the picture as a worse camera in other light might have taken it."""
    x = picture.astype(np.float32)
    if rng.random() < 0.85:
        x = _colour(_light(x, rng), rng)
    if rng.random() < 0.3:
        x = _blur(x, rng)
    if rng.random() < 0.35:
        x = x + rng.normal(0, rng.uniform(2, 12), x.shape).astype(np.float32)
    out = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(25, 80))
        ok, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if ok:
            out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return out

"""The camera of a scene, and where it sees a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.scenes.geometry import Array


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        eye, target: metres; the desk's top is z = 0.
        fov: horizontal field of view in degrees.
        roll: degrees about the line of sight.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float
    roll: float = 0.0

    def axes(self) -> Array:
        """Return right, up and backward as rows of a 3x3 matrix."""
        back = np.subtract(self.eye, self.target).astype(np.float64)
        back /= np.linalg.norm(back)
        hint = np.array([0.0, 0.0, 1.0]) if abs(back[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
        right = np.cross(hint, back)
        right /= np.linalg.norm(right)
        up = np.cross(back, right)
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        return np.array([c * right + s * up, c * up - s * right, back])

    def project(self, points: Array, size: tuple[int, int]) -> tuple[Array, Array]:
        """Return pixels (n, 2) and depths (n,) in metres of points (n, 3); size is (w, h).

        A depth of 0 or less lies behind the camera; its pixel means nothing.
        """
        width, height = size
        local = (points - np.array(self.eye)) @ self.axes().T
        depth = -local[:, 2]
        focal = width / 2 / np.tan(np.radians(self.fov) / 2)
        safe = np.where(depth > 1e-6, depth, 1e-6)
        x = width / 2 + focal * local[:, 0] / safe
        y = height / 2 - focal * local[:, 1] / safe
        return np.column_stack([x, y]), depth

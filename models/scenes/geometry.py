"""Meshes as arrays: slabs, lathes, tubes and sheets, built without a renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Face = tuple[int, ...]


@dataclass(frozen=True)
class Mesh:
    """Polygons in metres.

    Attributes:
        vertices: shape (n, 3).
        faces: vertex numbers, counter-clockwise seen from outside.
        uv: shape (n, 2), texture coordinates of each vertex.
    """

    vertices: Array
    faces: tuple[Face, ...]
    uv: Array

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """Return the mesh shifted by metres along each axis."""
        return Mesh(self.vertices + np.array([x, y, z]), self.faces, self.uv)

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Return the mesh rotated about the axis "x", "y" or "z" through the origin."""
        return Mesh(self.vertices @ rotation(axis, degrees).T, self.faces, self.uv)

    def scaled(self, x: float, y: float, z: float) -> Mesh:
        """Return the mesh stretched along each axis (factors above 0)."""
        return Mesh(self.vertices * np.array([x, y, z]), self.faces, self.uv)


def rotation(axis: str, degrees: float) -> Array:
    """Return the 3x3 matrix that rotates about a named axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]
    return np.array(rows, dtype=np.float64)


def joined(meshes: Iterable[Mesh]) -> Mesh:
    """Return one mesh made of several; they share one material."""
    vertices, uvs = [], []
    faces: list[Face] = []
    start = 0
    for mesh in meshes:
        vertices.append(mesh.vertices)
        uvs.append(mesh.uv)
        faces.extend(tuple(v + start for v in face) for face in mesh.faces)
        start += len(mesh.vertices)
    return Mesh(np.concatenate(vertices), tuple(faces), np.concatenate(uvs))


def _ring_faces(rings: int, n: int, *, closed: bool) -> list[Face]:
    steps = n if closed else n - 1
    return [
        (
            ring * n + i,
            ring * n + (i + 1) % n,
            (ring + 1) * n + (i + 1) % n,
            (ring + 1) * n + i,
        )
        for ring in range(rings - 1)
        for i in range(steps)
    ]


def rounded_outline(width: float, length: float, radius: float, steps: int = 5) -> Array:
    """Return the corners of a rounded rectangle about the origin, counter-clockwise, (n, 2)."""
    radius = max(1e-5, min(radius, width / 2 - 1e-5, length / 2 - 1e-5))
    points = []
    corners = ((1, 1, 0), (-1, 1, 90), (-1, -1, 180), (1, -1, 270))
    for sx, sy, start in corners:
        cx, cy = sx * (width / 2 - radius), sy * (length / 2 - radius)
        angles = np.radians(np.linspace(start, start + 90, steps))
        points.append(np.column_stack([cx + radius * np.cos(angles), cy + radius * np.sin(angles)]))
    return np.concatenate(points)


def slab(
    width: float, length: float, height: float, radius: float = 0.002, bevel: float = 0.0006
) -> Mesh:
    """Return a lying slab with rounded corners and softened edges, its underside on z = 0.

    The texture lies flat over the top: u along x, v along y, whole at 0..1.
    """
    bevel = min(bevel, height / 2.01, width / 4, length / 4)
    layers = [(bevel, 0.0), (bevel * 0.3, bevel * 0.3), (0.0, bevel)]
    layers += [(inset, height - z) for inset, z in reversed(layers)]
    rings = []
    for inset, z in layers:
        ring = rounded_outline(width - 2 * inset, length - 2 * inset, radius - inset)
        rings.append(np.column_stack([ring, np.full(len(ring), z)]))
    n = len(rings[0])
    vertices = np.concatenate(rings)
    faces = _ring_faces(len(rings), n, closed=True)
    faces.append(tuple(range(n - 1, -1, -1)))
    faces.append(tuple((len(rings) - 1) * n + i for i in range(n)))
    uv = vertices[:, :2] / np.array([width, length]) + 0.5
    return Mesh(vertices, tuple(faces), uv)


def lathe(profile: Sequence[tuple[float, float]], n: int = 32) -> Mesh:
    """Return the solid of a profile of (radius, z) turned about the z axis.

    The texture wraps once around (u) and runs along the profile's z (v).
    """
    points = np.array(profile)
    angles = np.linspace(0, 2 * np.pi, n + 1)
    low, high = points[:, 1].min(), points[:, 1].max()
    rings, uvs = [], []
    for radius, z in points:
        ring = [np.cos(angles) * radius, np.sin(angles) * radius, np.full(n + 1, z)]
        rings.append(np.column_stack(ring))
        v = np.full(n + 1, (z - low) / max(high - low, 1e-9))
        uvs.append(np.column_stack([angles / (2 * np.pi), v]))
    faces = _ring_faces(len(points), n + 1, closed=False)
    return Mesh(np.concatenate(rings), tuple(faces), np.concatenate(uvs))


def tube(path: Array, radius: float, n: int = 8) -> Mesh:
    """Return a round tube along a path of points, shape (k, 3), open at its ends."""
    path = np.asarray(path, dtype=np.float64)
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True) + 1e-12
    reference = np.array([0.0, 0.0, 1.0])
    if np.abs(tangents @ reference).max() > 0.95:
        spread = np.abs(tangents).max(axis=0)
        reference = np.eye(3)[int(np.argmin(spread))]
    sides = np.cross(tangents, reference)
    sides /= np.linalg.norm(sides, axis=1, keepdims=True) + 1e-12
    ups = np.cross(sides, tangents)
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    rings = [
        centre + radius * (np.outer(np.cos(angles), side) + np.outer(np.sin(angles), up))
        for centre, side, up in zip(path, sides, ups, strict=True)
    ]
    faces = _ring_faces(len(path), n, closed=True)
    vertices = np.concatenate(rings)
    return Mesh(vertices, tuple(faces), np.zeros((len(vertices), 2)))


def sheet(
    width: float,
    length: float,
    height: Callable[[Array, Array], Array],
    columns: int = 20,
    rows: int = 28,
) -> Mesh:
    """Return a thin sheet about the origin; `height(u, v)` gives z in metres, u and v in 0..1."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    z = np.asarray(height(u, v)) + np.zeros_like(u)
    vertices = np.stack([(u - 0.5) * width, (v - 0.5) * length, z], axis=-1).reshape(-1, 3)
    faces = _ring_faces(rows, columns, closed=False)
    return Mesh(vertices, tuple(faces), np.stack([u, v], axis=-1).reshape(-1, 2))


def dome(width: float, length: float, height: float, power: float = 2.4, n: int = 24) -> Mesh:
    """Return a low dome (a mouse's shell): a superellipsoid's upper half, flat below."""
    rings = []
    for level in np.linspace(0, 1, 9):
        scale = max(1e-3, (1 - level**power) ** (1 / power))
        angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
        x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.8 * width / 2 * scale
        y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.8 * length / 2 * scale
        shift = 0.08 * length * level
        rings.append(np.column_stack([x, y - shift, np.full(n, level * height)]))
    faces = _ring_faces(len(rings), n, closed=True)
    faces.append(tuple((len(rings) - 1) * n + i for i in range(n)))
    vertices = np.concatenate(rings)
    uv = vertices[:, :2] / np.array([width, length]) + 0.5
    return Mesh(vertices, tuple(faces), uv)

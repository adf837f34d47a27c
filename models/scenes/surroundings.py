"""Desks, walls, floors and furniture around the desk."""

from __future__ import annotations

import numpy as np

from models.scenes import textures
from models.scenes.bags import bag
from models.scenes.camera import Camera
from models.scenes.geometry import joined, slab
from models.scenes.scene import FLOOR_Z, Room
from models.scenes.shelves import bookcase
from models.scenes.thing import (
    BRIGHTS,
    DARKS,
    LIGHTS,
    Color,
    Part,
    Placed,
    Surface,
    Thing,
    pick,
)

Rng = np.random.Generator
_WOODS: tuple[tuple[Color, Color], ...] = (
    ((0.72, 0.52, 0.33), (0.55, 0.36, 0.2)),
    ((0.8, 0.66, 0.48), (0.7, 0.54, 0.36)),
    ((0.45, 0.28, 0.16), (0.3, 0.17, 0.09)),
    ((0.3, 0.2, 0.14), (0.2, 0.13, 0.09)),
    ((0.86, 0.78, 0.66), (0.78, 0.68, 0.54)),
    ((0.6, 0.56, 0.5), (0.48, 0.44, 0.38)),
)


def wood(rng: Rng) -> Surface:
    """Return a wooden surface of one of several species and finishes."""
    first, second = _WOODS[int(rng.integers(len(_WOODS)))]
    return Surface(
        first,
        float(rng.uniform(0.25, 0.7)),
        pattern="wood",
        second=second,
        scale=float(rng.uniform(0.7, 1.8)),
    )


def _desk_surface(rng: Rng) -> Surface:
    kind = rng.random()
    if kind < 0.4:
        return wood(rng)
    if kind < 0.58:
        return Surface(pick(rng, LIGHTS), float(rng.uniform(0.2, 0.7)))
    if kind < 0.7:
        return Surface(pick(rng, DARKS), float(rng.uniform(0.2, 0.7)))
    if kind < 0.82:
        pattern, scale = ("marble", 3.0) if rng.random() < 0.5 else ("speckle", 120.0)
        first, second = pick(rng, LIGHTS, DARKS), pick(rng, LIGHTS, DARKS)
        return Surface(first, 0.35, pattern=pattern, second=second, scale=scale)
    if kind < 0.86:
        return Surface(pick(rng, BRIGHTS), float(rng.uniform(0.3, 0.8)))
    return Surface(roughness=0.95, picture=textures.cloth(rng), scale=float(rng.integers(3, 16)))


def chair(rng: Rng) -> Thing:
    """Return an office chair on the floor, its back toward -y."""
    look = Surface(pick(rng, DARKS, DARKS, BRIGHTS, LIGHTS), 0.85)
    seat = slab(0.48, 0.46, 0.08, 0.08, 0.03).moved(z=0.42)
    back = slab(0.46, 0.55, 0.07, 0.1, 0.03).turned("x", 82).moved(y=-0.27, z=0.85)
    post = slab(0.07, 0.07, 0.42, 0.02)
    legs = [slab(0.05, 0.62, 0.05, 0.02).turned("z", a) for a in (0, 60, 120)]
    arms = [slab(0.05, 0.28, 0.03, 0.015).moved(x, -0.05, 0.62) for x in (-0.27, 0.27)]
    steel = Surface((0.12, 0.12, 0.13), 0.4)
    parts = (Part(joined([seat, back]), look), Part(joined([post, *legs, *arms]), steel))
    return Thing("chair", "", parts, (0.6, 0.6))


def _poster(rng: Rng) -> Thing:
    width = float(rng.uniform(0.25, 0.7))
    frame = slab(width + 0.03, width * 1.4 + 0.03, 0.02, 0.002).turned("x", 90)
    art = slab(width, width * 1.4, 0.004, 0.001).moved(z=0.02).turned("x", 90)
    parts = (
        Part(frame, Surface(pick(rng, DARKS, LIGHTS), 0.5)),
        Part(art, Surface(roughness=0.6, picture=textures.cover(rng))),
    )
    return Thing("poster", "", parts, (width, 0.03))


def _seat(rng: Rng, half_y: float) -> Placed:
    y = -half_y - float(rng.uniform(0.15, 0.7))
    return Placed(chair(rng), float(rng.normal(0, 0.2)), y, FLOOR_Z, float(rng.normal(0, 25)))


def _far(placed: Placed, camera: Camera) -> bool:
    return bool(np.hypot(placed.x - camera.eye[0], placed.y - camera.eye[1]) > 0.5)


def _beside(rng: Rng, half: tuple[float, float], seat: Placed | None) -> Placed:
    """Return a bag on the chair, or on the floor beside or behind the desk."""
    thing = bag(rng)
    yaw = float(rng.uniform(0, 360))
    if seat is not None and rng.random() < 0.5:
        return Placed(thing, seat.x, seat.y, FLOOR_Z + 0.502, yaw)
    side = float(rng.choice([-1, 1]))
    x = side * (half[0] + float(rng.uniform(0.2, 0.5)))
    return Placed(thing, x, float(rng.uniform(-0.6, 0.4)), FLOOR_Z, yaw)


def _floor(rng: Rng) -> Surface:
    return wood(rng) if rng.random() < 0.6 else Surface(pick(rng, DARKS, LIGHTS), 0.9)


def draw_room(
    rng: Rng, size: tuple[float, float], camera: Camera, *, labelled: bool = True
) -> tuple[Room, tuple[Placed, ...]]:
    """Return a desk in a room whose walls stand clear of the camera, and things that stand there.

    Args:
        rng: the dice.
        size: the desk's width and depth in metres.
        camera: what no wall may hide.
        labelled: whether bags and books may stand about the desk.
    """
    half_x, half_y = size[0] / 2, size[1] / 2
    near = [half_x, half_x, half_y, half_y]
    walls = [side + float(rng.choice([0.03, 0.4, 1.2, 2.0])) for side in near[:3]]
    walls.append(half_y + float(rng.uniform(1.0, 2.5)))
    seen = (camera.eye[0], -camera.eye[0], camera.eye[1], -camera.eye[1])
    clear = [max(wall, eye + 0.25) for wall, eye in zip(walls, seen, strict=True)]
    furniture, things = [], []
    seat = _seat(rng, half_y) if rng.random() < 0.6 else None
    if seat is not None and _far(seat, camera):
        furniture.append(seat)
    if labelled and rng.random() < 0.2:
        beside = _beside(rng, (half_x, half_y), seat if seat in furniture else None)
        things += [beside] if _far(beside, camera) else []
    if labelled and rng.random() < 0.3:
        front = rng.random() < 0.5 and clear[3] > half_y + 1.0
        y, yaw = (-clear[3] + 0.16, 180.0) if front else (clear[2] - 0.16, 0.0)
        if front or clear[2] > half_y + 0.3:
            case, inside = bookcase(rng, float(rng.uniform(-0.8, 0.8)), y, yaw, wood(rng))
            furniture.append(case)
            things += inside
    for _ in range(int(rng.choice([0, 0, 1, 2]))):
        x, z = float(rng.uniform(-0.8, 0.8)), float(rng.uniform(0.35, 0.9))
        furniture.append(Placed(_poster(rng), x, clear[2] - 0.015, z))
    wall_color = pick(rng, LIGHTS, LIGHTS, ((0.6, 0.68, 0.7), (0.75, 0.65, 0.55), (0.4, 0.45, 0.4)))
    room = Room(
        size,
        _desk_surface(rng),
        Surface(wall_color, 0.9),
        _floor(rng),
        (clear[0], clear[1], clear[2], clear[3]),
        tuple(furniture),
    )
    return room, tuple(things)

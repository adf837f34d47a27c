"""The demo clip's desk: an oak desk in a home office, seen from a monitor's upper edge."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from models.scenes import computers, handheld, lookalikes, paperware, surroundings, vessels
from models.scenes.camera import Camera
from models.scenes.geometry import slab
from models.scenes.scene import FLOOR_Z, Light, Room, Scene
from models.scenes.thing import Part, Placed, Surface, Thing

SIZE: Final = (640, 480)
CAMERA: Final = Camera((0.1, 0.53, 0.82), (0.0, 0.025, 0.0), 51.0, 0.6)
_OAK: Final = Surface((0.78, 0.66, 0.51), 0.5, pattern="wood", second=(0.64, 0.5, 0.36), scale=1.3)
WINDOW: Final = Light((1.7, 0.5, 1.1), (0.0, 0.0, 0.0), 1.3, 46.0, (0.85, 0.92, 1.0))
LAMP: Final = Light((-0.5, 0.5, 1.15), (-0.05, 0.0, 0.0), 0.5, 30.0, (1.0, 0.91, 0.78))
_AMBIENT: Final = ((0.95, 0.97, 1.0), 0.3)


def _rng(name: str) -> np.random.Generator:
    """Return a thing's own dice, so that changing one thing leaves the others as they are."""
    return np.random.default_rng([2024, *name.encode()])


def fixtures() -> tuple[Placed, ...]:
    """Return what is always there: keyboard, mouse and pad, plant, coaster."""
    rug = slab(0.25, 0.21, 0.003, 0.012)
    pad = Thing("mouse pad", "", (Part(rug, Surface((0.16, 0.2, 0.24), 0.9)),), (0.25, 0.21))
    return (
        Placed(computers.keyboard(_rng("keyboard a")), -0.02, -0.2, 0.0, 2.0),
        Placed(pad, 0.3, -0.17, 0.0, -4.0),
        Placed(computers.mouse(_rng("mouse b")), 0.295, -0.18, 0.003, 4.0),
        Placed(lookalikes.plant(_rng("plant")), -0.37, 0.215, 0.0, 50.0),
        Placed(lookalikes.earphones(_rng("earphones")), -0.34, -0.2, 0.0, 70.0),
    )


def _furniture() -> tuple[Placed, ...]:
    chair = surroundings.chair(_rng("chair 3"))
    return (Placed(chair, 0.06, -0.72, FLOOR_Z, 190.0),)


def visitor(name: str) -> Thing:
    """Return one of the things that come and go, about the origin.

    Raises:
        KeyError: if there is none of that name.
    """
    makers = {
        "phone": lambda: handheld.phone(_rng("phone"), screen="on"),
        "paper": lambda: paperware.plain_sheet(_rng("paper 3")),
        "notebook": lambda: paperware.closed(_rng("notebook 2")),
        "cup": lambda: vessels.mug(_rng("mug"), (0.75, 0.16, 0.13)),
        "pen": lambda: handheld.ballpoint(_rng("pen"), (0.08, 0.2, 0.62)),
    }
    return makers[name]()


def scene(visitors: tuple[Placed, ...], *, lamp: bool) -> Scene:
    """Return the desk with the given visitors; without the lamp it is about half as bright."""
    room = Room(
        (1.5, 0.78),
        _OAK,
        Surface((0.86, 0.85, 0.82), 0.9),
        Surface((0.55, 0.5, 0.45), 0.8, pattern="wood", second=(0.45, 0.4, 0.35)),
        (1.5, 1.5, 0.95, 2.2),
        _furniture(),
    )
    lit = Scene(room, (WINDOW, LAMP), _AMBIENT, CAMERA, (*fixtures(), *visitors), 1.3)
    if lamp:
        return lit
    dark = replace(lit, lights=(WINDOW,))
    return replace(dark, level=lit.level * lit.gain() / dark.gain())

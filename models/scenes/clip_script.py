"""The demo clip's script: what lies on the desk at each frame, and what a hand moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.scenes import clip_set
from models.scenes.hand import hand
from models.scenes.thing import Placed

FPS: Final = 10
DURATION_S: Final = 70.0
CARRY: Final = 8
WITHDRAW: Final = 5
#: When the desk lamp goes off and on again, in seconds, and over how many frames.
LAMP_OFF_S, LAMP_ON_S, LAMP_FADE = 28.5, 38.5, 3
_FINGERTIPS = (0.078, 0.034)


@dataclass(frozen=True)
class Stay:
    """A thing's stay: where (metres, degrees), from and to when (seconds).

    Attributes:
        grip: metres from the thing's centre toward the worker at which the hand holds it.
        under: height in metres of what it lies on.
    """

    id: str
    name: str
    x: float
    y: float
    yaw: float
    from_s: float
    to_s: float
    comment: str
    grip: float = 0.0
    under: float = 0.0

    def placed(self) -> Placed:
        """Return it in place."""
        return Placed(clip_set.visitor(self.name), self.x, self.y, self.under, self.yaw)


STAYS: Final = (
    Stay("phone-1", "phone", 0.2, 0.1, 8, 6.0, 21.0, "its screen on, beside the mouse pad"),
    Stay("paper-1", "paper", 0.0, 0.08, 6, 10.0, 47.0, "a printed sheet, A4", 0.12),
    Stay("notebook-1", "notebook", -0.24, 0.06, -10, 14.0, 41.0, "a closed notebook", 0.05),
    Stay("cup-1", "cup", -0.34, -0.06, 150, 24.5, 56.0, "a red mug"),
    Stay("pen-1", "pen", 0.01, 0.1, 62, 33.5, 45.5, "a blue ballpoint, on the sheet", 0.0, 0.0009),
    Stay("phone-2", "phone", -0.08, 0.1, -24, 49.5, 63.5, "the same phone again, elsewhere"),
)


@dataclass(frozen=True)
class Moment:
    """One frame's contents.

    Attributes:
        resting: the stays that lie still.
        moving: what the hand carries and the hand itself, or nothing.
        lamp: share of the desk lamp's light, 0..1.
    """

    resting: tuple[Stay, ...]
    moving: tuple[Placed, ...]
    lamp: float


def _frame(seconds: float) -> int:
    return round(seconds * FPS)


def _carried(stay: Stay, share: float, *, held: bool) -> tuple[Placed, ...]:
    """Return hand and thing on their way; at a share of 1 they have arrived."""
    ease = share * share * (3 - 2 * share)
    away = 1 - ease
    placed = stay.placed()
    side = np.sign(stay.x or 1.0) * 0.06 * away
    x, y = stay.x + side, stay.y - 0.62 * away
    lift = 0.11 * away**0.7 + stay.under
    top = float(placed.points()[:, 2].max()) - stay.under
    reach, drop = _FINGERTIPS
    arm = Placed(hand(), x, y - stay.grip - reach, lift + top + drop, -6.0 if stay.x < 0 else 4.0)
    return (placed.at(x, y, lift), arm) if held else (arm,)


def _phase(stay: Stay, frame: int) -> tuple[bool, tuple[Placed, ...]]:
    """Return whether a stay's thing lies still at a frame, and what moves because of it."""
    arrives, leaves = _frame(stay.from_s), _frame(stay.to_s)
    resting = arrives <= frame < leaves
    if arrives - CARRY <= frame < arrives:
        return False, _carried(stay, (frame - arrives + CARRY) / CARRY, held=True)
    if leaves <= frame < leaves + CARRY:
        return False, _carried(stay, 1 - (frame - leaves) / CARRY, held=True)
    if arrives <= frame < arrives + WITHDRAW:
        return resting, _carried(stay, 1 - (frame - arrives) / WITHDRAW, held=False)
    if leaves - WITHDRAW <= frame < leaves:
        return resting, _carried(stay, 1 - (leaves - frame) / WITHDRAW, held=False)
    return resting, ()


def lamp_at(frame: int) -> float:
    """Return the share of the desk lamp's light at a frame, 0..1."""
    off, on = _frame(LAMP_OFF_S), _frame(LAMP_ON_S)
    fading = np.clip((frame - off) / LAMP_FADE, 0, 1) - np.clip((frame - on) / LAMP_FADE, 0, 1)
    return float(1 - fading)


def moment(frame: int) -> Moment:
    """Return what a frame shows."""
    resting: list[Stay] = []
    moving: tuple[Placed, ...] = ()
    for stay in STAYS:
        still, on_its_way = _phase(stay, frame)
        if still:
            resting.append(stay)
        moving += on_its_way
    return Moment(tuple(resting), moving, lamp_at(frame))


def moments() -> Iterator[Moment]:
    """Yield every frame's contents, first to last."""
    for frame in range(_frame(DURATION_S)):
        yield moment(frame)

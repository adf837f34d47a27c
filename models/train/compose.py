"""Desks put together in two dimensions: cut-outs lie, tilted and shaded, on a real picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.train.labels import LEARNT, NUM_LEARNT, Known
from models.train.picture import Cutout, Floats, Picture, Rng, filled
from models.train.sample import Ints, Sample, unsure
from models.train.tabletop import CANVAS, sunlight, texture
from models.train.wanted import LARGE, LENGTHS, clutter, lone

# Height in metres of what shows a side to a camera that looks at a slant.
HEIGHTS: Final = {
    "notebook": 0.015,
    "phone": 0.008,
    "tablet": 0.007,
    "usb_stick": 0.008,
    "camera": 0.03,
    "headphones": 0.02,
    "remote": 0.018,
    "wallet": 0.014,
    "calculator": 0.012,
    "coaster": 0.005,
    "tissue_box": 0.06,
    "chocolate": 0.009,
    "earphone_case": 0.022,
    "plate": 0.012,
    "slab": 0.022,
    "carton": 0.06,
}
LEAST_SEEN: Final = 0.25
MOST_COVERED: Final = 0.1  # share of a photograph's own thing that may be hidden unnoticed


@dataclass(frozen=True)
class Distance:
    """How near the camera is.

    Attributes:
        share: Of all desks.
        reach: An A4 sheet's length as a share of the canvas's width, least and most.
        margin: Of a large thing's middle from the picture's edge, as a share of its sides.
        left_out: Share of the things that do not lie there where little is in view.
        lone: Whether one large thing is what it is about.
    """

    share: float
    reach: tuple[float, float]
    margin: float = 0.02
    left_out: float = 0.0
    lone: bool = False


DISTANCES: Final = (
    Distance(0.5, (0.16, 0.55)),
    Distance(0.3, (0.5, 1.0), margin=0.25, left_out=0.4),
    Distance(0.2, (0.7, 1.4), margin=0.38, left_out=0.85, lone=True),
)


@dataclass(frozen=True)
class Desk:
    """How the camera sees the desk: pixels a metre, and height over width of what lies there."""

    scale: float
    flat: float
    keystone: float


@dataclass(frozen=True)
class Place:
    """Where a thing's middle lies on the canvas, and how it is turned (radians)."""

    x: float
    y: float
    angle: float


def _place(rng: Rng, near: Place | None, reach: float, margin: float = 0.02) -> Place:
    """Anywhere on the desk, half of the time square to it; or `reach` pixels from another thing.

    `margin` is how far from the picture's edge, as a share of its sides.
    """
    if near is not None:
        x, y = rng.normal(0, reach, 2)
        return Place(near.x + x, near.y + y, near.angle + rng.normal(0, 0.25))
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.5:
        angle = int(rng.integers(4)) * np.pi / 2 + rng.normal(0, 0.15)
    low, high = max(margin, 0.15), 1 - margin
    return Place(
        rng.uniform(margin, high) * CANVAS[0], rng.uniform(low, high) * CANVAS[1], float(angle)
    )


def _quad(size: tuple[int, int], length: float, desk: Desk, place: Place) -> Floats:
    """Corners in the picture of a thing (w, h) lying on the desk, longest side `length` metres."""
    w, h = size
    half = np.array([w, h]) / max(w, h) * length * desk.scale / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * half
    cos, sin = np.cos(place.angle), np.sin(place.angle)
    corners = corners @ np.array([[cos, -sin], [sin, cos]]).T * np.array([1.0, desk.flat])
    far = 1 + desk.keystone * corners[:, 1:] / CANVAS[1]
    return np.asarray(corners * far + np.array([place.x, place.y]), np.float32)


def _near_size(thing: Cutout, quad: Floats) -> Cutout:
    """Shrink a cut-out to about the size that it will have, so that the warp does not alias."""
    longest = float(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])))
    factor = longest / max(thing.shape[:2])
    if factor > 0.8:
        return thing
    size = (max(3, round(thing.shape[1] * factor)), max(3, round(thing.shape[0] * factor)))
    return np.asarray(cv2.resize(thing, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shadow(under: Floats, rng: Rng) -> Floats:
    """Light [h, w] round a thing of this opacity: less of it where its shadow falls."""
    h, w = under.shape
    small = (max(1, w // 4), max(1, h // 4))
    low = cv2.resize(under, small, interpolation=cv2.INTER_AREA)
    shift = np.array([[1, 0, rng.uniform(-2, 2)], [0, 1, rng.uniform(0, 2)]], np.float32)
    dark = cv2.GaussianBlur(cv2.warpAffine(low, shift, small), (0, 0), rng.uniform(0.4, 2))
    return np.asarray(1 - rng.uniform(0.1, 0.5) * cv2.resize(dark, (w, h)), np.float32)


def _times(picture: Picture, share: Floats) -> Floats:
    whole = cv2.merge([share, share, share])
    return np.asarray(cv2.multiply(picture, whole, dtype=cv2.CV_32F), np.float32)


def _lay(
    canvas: Picture, thing: Cutout, quad: Floats, rng: Rng, *, light: Floats, rise: int
) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    """Put one cut-out on the canvas, in place, with its shadow and a side `rise` pixels high.

    Returns the part of the canvas that was drawn on, and what the thing hides there.
    """
    margin = 14
    low = np.maximum(np.floor(quad.min(0)) - margin, 0).astype(int)
    high = np.minimum(np.ceil(quad.max(0)) + np.array([margin, margin + rise]), CANVAS).astype(int)
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    if (high - low).min() < 2:
        return part, np.zeros(canvas[part].shape[:2], np.bool_)
    thing = _near_size(thing, quad)
    h, w = thing.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, quad - low.astype(np.float32))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    colour = cv2.cvtColor(thing, cv2.COLOR_BGRA2BGR)
    over = cv2.warpPerspective(colour, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.warpPerspective(cv2.extractChannel(thing, 3), matrix, size)
    opacity = cv2.GaussianBlur(opacity, (0, 0), 0.6)
    alpha = np.asarray(opacity, np.float32) * np.float32(1 / 255)
    body = alpha
    if rise:
        swept = cv2.dilate(opacity, np.ones((rise + 1, 1), np.uint8), anchor=(0, rise))
        body = np.asarray(swept, np.float32) * np.float32(1 / 255)
    under = np.ascontiguousarray(canvas[part])
    bright = np.asarray(light[part] * np.float32(rng.uniform(0.85, 1.2)), np.float32)
    mixed = _times(under, _shadow(body, rng) * (1 - body)) + _times(
        np.asarray(over, np.uint8), alpha * bright
    )
    if rise:
        tone = np.array(cv2.mean(colour)[:3]) * rng.uniform(0.35, 0.75)
        mixed += _times(filled(size[1], size[0], tone), (body - alpha) * bright)
    canvas[part] = np.clip(mixed, 0, 255).astype(np.uint8)
    return part, body > 0.5


def _light_on(canvas: Picture) -> Floats:
    """How bright a white thing would be at each place of the desk [h, w], 1 = as drawn."""
    gray = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)
    tiny = cv2.resize(gray, (8, 6), interpolation=cv2.INTER_AREA).astype(np.float32)
    local = np.clip(tiny / max(float(tiny.mean()), 1.0), 0.6, 1.1)
    bright = min(1.0, (float(tiny.max()) + 90) / 255)
    local = np.asarray(local * bright, np.float32)
    return np.asarray(cv2.resize(local, CANVAS, interpolation=cv2.INTER_CUBIC), np.float32)


def compose(
    rng: Rng,
    background: Sample | None,
    phones: Sequence[Cutout],
    pens: Sequence[Cutout],
    *,
    cards: Sequence[Cutout] = (),
) -> Sample:
    """A desk with things of our classes, drawn or cut from photographs, and things of no class.

    Args:
        rng: Source of chance.
        background: A real picture, or None for a bare table.
        phones: Cut-outs of real phones.
        pens: Cut-outs of real pens.
        cards: Cut-outs of real payment and ID cards.
    """
    canvas = texture(rng) if background is None else background.picture
    shrink = np.tile(np.array(CANVAS) / canvas.shape[1::-1], 2).astype(np.float32)
    canvas = np.asarray(cv2.resize(canvas, CANVAS, interpolation=cv2.INTER_AREA), np.uint8)
    camera = DISTANCES[int(rng.choice(len(DISTANCES), p=[one.share for one in DISTANCES]))]
    desk = Desk(
        rng.uniform(*camera.reach) * CANVAS[0] / 0.297, rng.uniform(0.4, 1.0), rng.uniform(0, 0.5)
    )
    light, sun = _light_on(canvas), rng.random()
    if sun < 0.08:
        canvas = sunlight(canvas, rng)
    owner = np.full(CANVAS[::-1], -1, np.int16)
    names, sizes = list[str](), list[int]()
    sheet: Place | None = None
    there = clutter(rng, {"phone": phones, "pen": pens, "card": cards})
    there = [one for one in there if rng.random() >= camera.left_out]
    for name, thing in [lone(rng), *there] if camera.lone else there:
        mean, spread = LENGTHS[name]
        length = mean * np.exp(rng.uniform(-spread, spread))
        fanned = name == "paper" and rng.random() < 0.35
        margin = camera.margin if LENGTHS[name][0] > LARGE else 0.02
        place = _place(rng, sheet if fanned else None, 0.3 * length * desk.scale, margin)
        sheet = place if name == "paper" else sheet
        quad = _quad(thing.shape[1::-1], length, desk, place)
        high = HEIGHTS.get(name, 0.0) * rng.uniform(0.5, 1.5) * desk.scale
        rise = min(60, int(high * np.sqrt(1 - desk.flat**2)))
        part, hidden = _lay(canvas, thing, quad, rng, light=light, rise=rise)
        owner[part][hidden] = len(names)
        names.append(name)
        sizes.append(int(np.count_nonzero(hidden)))
    if sun > 0.94:
        canvas = sunlight(canvas, rng)
    boxes, labels = _seen(owner, names, sizes)
    if background is None:
        return Sample(canvas, boxes, labels, np.full(NUM_LEARNT, Known.LABELLED, np.uint8))
    below = background.boxes * shrink
    return Sample(
        canvas,
        np.concatenate([boxes, below]),
        np.concatenate([labels, _uncovered(owner, below, background.labels)]),
        background.known,
    )


def _uncovered(owner: npt.NDArray[np.int16], boxes: Floats, labels: Ints) -> Ints:
    """Labels of what was there before; of what is covered in part nothing is sure."""
    out = labels.copy()
    for i, (x0, y0, x1, y1) in enumerate(boxes.astype(int)):
        part = owner[max(y0, 0) : max(y1, y0 + 1), max(x0, 0) : max(x1, x0 + 1)]
        if (part >= 0).mean() > MOST_COVERED:
            out[i] = unsure(out[i])
    return out


def _seen(
    owner: npt.NDArray[np.int16], names: list[str], sizes: list[int]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Boxes around what is still visible of each thing; an unsure label where too little is."""
    boxes, labels = [], []
    for number, (name, size) in enumerate(zip(names, sizes, strict=True)):
        mask = (owner == number).view(np.uint8)
        visible = cv2.countNonZero(mask)
        if name not in LEARNT or visible < 20:
            continue
        x, y, w, h = cv2.boundingRect(mask)
        boxes.append([x, y, x + w, y + h])
        label = LEARNT.index(name)
        labels.append(label if visible >= LEAST_SEEN * size else unsure(label))
    return (
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int64).reshape(-1),
    )

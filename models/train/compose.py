"""Desks put together in two dimensions: cut-outs lie, tilted and shaded, on a real picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.scenes.classes import CLASSES
from models.train import things
from models.train.labels import Known
from models.train.picture import Cutout, Floats, Picture, Rng, filled, shaded, smooth_noise
from models.train.sample import Sample

CANVAS: Final = (640, 480)
# Longest side in metres, and how much it varies.
LENGTHS: Final = {
    "paper": (0.297, 0.15),
    "notebook": (0.24, 0.25),
    "pen": (0.145, 0.1),
    "phone": (0.155, 0.1),
    "other": (0.2, 0.5),
}
LEAST_SEEN: Final = 0.25


@dataclass(frozen=True)
class Desk:
    """How the camera sees the desk: pixels a metre, and height over width of what lies there."""

    scale: float
    flat: float
    keystone: float


def texture(rng: Rng) -> Picture:
    """A bare table top: wood, plain or speckled, with a wall behind it now and then."""
    w, h = CANVAS
    base = np.array(rng.uniform(25, 235)) * rng.uniform(0.7, 1.0, 3)
    if rng.random() < 0.5:
        base = np.array([0.35, 0.6, 1.0]) * rng.uniform(60, 210)
    table = filled(h, w, base)
    kind = rng.random()
    light: Floats = 1 + np.float32(0.08) * smooth_noise(rng, h, w, 3)
    if kind < 0.5:
        grain = np.asarray(
            cv2.resize(
                rng.normal(0, 1, (int(rng.integers(30, 160)), 6)).astype(np.float32),
                (w, h),
                interpolation=cv2.INTER_CUBIC,
            ),
            np.float32,
        )
        light = light + np.float32(rng.uniform(0.03, 0.12)) * grain
    elif kind < 0.7:
        light = light + rng.normal(0, 0.08, (h, w)).astype(np.float32)
    table = shaded(table, light)
    if rng.random() < 0.35:
        edge = int(rng.uniform(0.08, 0.4) * h)
        table[:edge] = shaded(
            filled(edge, w, rng.uniform(60, 235) * rng.uniform(0.85, 1.0, 3)),
            1 + np.float32(0.05) * smooth_noise(rng, edge, w, 3),
        )
    return table


def _quad(rng: Rng, size: tuple[int, int], length: float, desk: Desk) -> Floats:
    """Corners in the picture of a thing (w, h) lying on the desk, longest side `length` metres."""
    w, h = size
    half = np.array([w, h]) / max(w, h) * length * desk.scale / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * half
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T * np.array([1.0, desk.flat])
    far = 1 + desk.keystone * corners[:, 1:] / CANVAS[1]
    where = np.array([rng.uniform(0.02, 0.98) * CANVAS[0], rng.uniform(0.15, 0.98) * CANVAS[1]])
    return np.asarray(corners * far + where, np.float32)


def _near_size(thing: Cutout, quad: Floats) -> Cutout:
    """Shrink a cut-out to about the size that it will have, so that the warp does not alias."""
    longest = float(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])))
    factor = longest / max(thing.shape[:2])
    if factor > 0.8:
        return thing
    size = (max(3, round(thing.shape[1] * factor)), max(3, round(thing.shape[0] * factor)))
    return np.asarray(cv2.resize(thing, size, interpolation=cv2.INTER_AREA), np.uint8)


def _lay(canvas: Picture, thing: Cutout, quad: Floats, rng: Rng) -> tuple[Picture, Floats]:
    """Put one cut-out on the canvas with its shadow; also returns its opacity [h, w] of 0..1."""
    thing = _near_size(thing, quad)
    h, w = thing.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, quad)
    laid = cv2.warpPerspective(thing, matrix, CANVAS, flags=cv2.INTER_LINEAR)
    alpha = np.asarray(cv2.GaussianBlur(laid[..., 3], (0, 0), 0.6), np.float32) / np.float32(255)
    small = (CANVAS[0] // 4, CANVAS[1] // 4)
    low = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    shift = np.array([[1, 0, rng.uniform(-2, 2)], [0, 1, rng.uniform(0, 2)]], np.float32)
    dark = cv2.GaussianBlur(cv2.warpAffine(low, shift, small), (0, 0), rng.uniform(0.4, 2))
    shadow = 1 - rng.uniform(0.1, 0.5) * cv2.resize(dark, CANVAS)
    under = shaded(canvas, np.asarray(shadow, np.float32)).astype(np.float32)
    tiny = cv2.resize(
        cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), (8, 6), interpolation=cv2.INTER_AREA
    )
    local = cv2.resize(tiny.astype(np.float32), CANVAS, interpolation=cv2.INTER_CUBIC)
    light = np.clip(local / max(float(tiny.mean()), 1.0), 0.6, 1.25)
    bright = min(1.0, (float(tiny.max()) + 90) / 255 * rng.uniform(0.85, 1.2))
    over = laid[..., :3].astype(np.float32) * (light * bright)[..., None]
    mixed = under * (1 - alpha[..., None]) + over * alpha[..., None]
    return np.asarray(np.clip(mixed, 0, 255), np.uint8), alpha


def _wanted(rng: Rng, phones: Sequence[Cutout], pens: Sequence[Cutout]) -> list[tuple[str, Cutout]]:
    """What lies on this desk, the lowest first."""
    out = [("other", things.other(rng)) for _ in range(int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])))]
    flat = [
        ("paper", things.paper(rng)) for _ in range(int(rng.choice(4, p=[0.3, 0.35, 0.2, 0.15])))
    ]
    flat += [
        ("notebook", things.notebook(rng)) for _ in range(int(rng.choice(3, p=[0.3, 0.45, 0.25])))
    ]
    order = rng.permutation(len(flat))
    out += [flat[int(i)] for i in order]
    if phones and rng.random() < 0.3:
        out.append(("phone", phones[int(rng.integers(len(phones)))]))
    for _ in range(int(rng.choice(4, p=[0.35, 0.35, 0.2, 0.1]))):
        real = pens and rng.random() < 0.4
        out.append(("pen", pens[int(rng.integers(len(pens)))] if real else things.pen(rng)))
    return out


def compose(
    rng: Rng, background: Sample | None, phones: Sequence[Cutout], pens: Sequence[Cutout]
) -> Sample:
    """A desk with drawn paper, notebooks, pens and things of no class.

    Args:
        rng: Source of chance.
        background: A real picture without labels of its own, or None for a bare table.
        phones: Cut-outs of real phones.
        pens: Cut-outs of real pens.
    """
    canvas = texture(rng) if background is None else background.picture
    canvas = np.asarray(cv2.resize(canvas, CANVAS, interpolation=cv2.INTER_AREA), np.uint8)
    desk = Desk(
        rng.uniform(0.16, 0.55) * CANVAS[0] / 0.297, rng.uniform(0.4, 1.0), rng.uniform(0, 0.5)
    )
    owner = np.full(CANVAS[::-1], -1, np.int16)
    names: list[str] = []
    sizes: list[int] = []
    for name, thing in _wanted(rng, phones, pens):
        mean, spread = LENGTHS[name]
        length = mean * np.exp(rng.uniform(-spread, spread))
        canvas, alpha = _lay(canvas, thing, _quad(rng, thing.shape[1::-1], length, desk), rng)
        mask = alpha > 0.5
        owner[mask] = len(names)
        names.append(name)
        sizes.append(int(mask.sum()))
    boxes, labels = _seen(owner, names, sizes)
    known = np.full(len(CLASSES), Known.LABELLED, np.uint8)
    known[CLASSES.index("person")] = Known.TEACHER
    if background is not None:
        known = background.known
    return Sample(canvas, boxes, labels, known)


def _seen(
    owner: np.ndarray[tuple[int, ...], np.dtype[np.int16]], names: list[str], sizes: list[int]
) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Boxes around what is still visible of each thing; -1 where too little is."""
    boxes, labels = [], []
    for number, (name, size) in enumerate(zip(names, sizes, strict=True)):
        y, x = np.nonzero(owner == number)
        if name == "other" or len(x) < 20:
            continue
        boxes.append([x.min(), y.min(), x.max() + 1, y.max() + 1])
        labels.append(CLASSES.index(name) if len(x) >= LEAST_SEEN * size else -1)
    return (
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int64).reshape(-1),
    )

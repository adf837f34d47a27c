"""A picture with what is known about it, and how it is warped together with its labels."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.train.labels import LEARNT, NUM_LEARNT, SHARED, Known, mask_of
from models.train.picture import Floats, Picture, Rng

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

LEAST_VISIBLE = 0.3  # a box cut down to less of itself is neither learnt nor denied
LEAST_SIDE = 4.0  # output pixels
TURN = 4.0  # degrees; a box round a turned box is looser than the thing
TILT = 0.00025  # of perspective, a pixel
# From where a pixel's edges are counted to where OpenCV counts its middle, and back.
TO_EDGES = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
TO_MIDDLES = np.linalg.inv(TO_EDGES)


@dataclass(frozen=True)
class Sample:
    """One picture.

    Attributes:
        picture: [h, w, 3] BGR.
        boxes: [n, 4] corners in pixels.
        labels: [n] indices of learnt classes; `unsure` ones mark a region where that class is
            neither learnt nor denied.
        known: [C] of `Known`: what is known of each learnt class anywhere in this picture.
    """

    picture: Picture
    boxes: Floats
    labels: Ints
    known: Codes


def unsure(label: int) -> int:
    """The label of a region where a class may be or not: its complement, which is negative."""
    return ~label if label >= 0 else label


def codes(
    labelled: tuple[str, ...] = (), weak: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> Codes:
    """What a set knows of every learnt class; one in none of the lists follows the teacher."""
    out = np.full(NUM_LEARNT, Known.TEACHER, np.uint8)
    for names, code in ((weak, Known.WEAK), (ignore, Known.IGNORE), (labelled, Known.LABELLED)):
        out[np.array(mask_of(names))] = code
    unknown = [
        c for c, code in zip(LEARNT, out, strict=True) if code == Known.TEACHER and c not in SHARED
    ]
    if unknown:
        raise ValueError(f"the starting model knows no {unknown}: say what to do with it")
    return out


def _matrix(
    rng: Rng, size: tuple[int, int], out: tuple[int, int], zoom: tuple[float, float]
) -> Floats:
    """Random view of a picture of `size` (w, h) in one of `out` (w, h): a 3x3 matrix of edges."""
    w, h = size
    centre = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1]], np.float64)
    fit = np.diag([out[0] / w, out[1] / h, 1.0])
    scale, aspect = rng.uniform(*zoom), np.exp(rng.uniform(-0.18, 0.18))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    stretch = np.diag([flip * scale * aspect, scale / aspect, 1.0])
    angle = np.radians(rng.uniform(-TURN, TURN))
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    tilt = np.eye(3)
    tilt[2, :2] = rng.uniform(-TILT, TILT, 2)
    room = abs(scale - 1) * 0.5 + 0.08
    shift = np.eye(3)
    shift[:2, 2] = (
        out[0] * (0.5 + rng.uniform(-room, room)),
        out[1] * (0.5 + rng.uniform(-room, room)),
    )
    return np.asarray(shift @ tilt @ turn @ stretch @ fit @ centre, np.float32)


def move_boxes(boxes: Floats, matrix: Floats) -> Floats:
    """Boxes [n, 4] around the moved corners of each box."""
    x0, y0, x1, y1 = boxes.T
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], -1).reshape(-1, 4, 2)
    moved = cv2.perspectiveTransform(corners.reshape(1, -1, 2).astype(np.float32), matrix)
    moved = np.asarray(moved, np.float32).reshape(-1, 4, 2)
    return np.concatenate([moved.min(1), moved.max(1)], -1)


def clip_boxes(boxes: Floats, labels: Ints, w: int, h: int) -> tuple[Floats, Ints]:
    """Cut boxes at the picture's edge; of mostly hidden ones nothing is sure."""
    inside = np.stack(
        [
            boxes[:, 0].clip(0, w),
            boxes[:, 1].clip(0, h),
            boxes[:, 2].clip(0, w),
            boxes[:, 3].clip(0, h),
        ],
        -1,
    )
    sides = inside[:, 2:] - inside[:, :2]
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(-1).clip(min=1e-3)
    hidden = (sides.prod(-1) / whole < LEAST_VISIBLE) | (sides.min(-1, initial=1e9) < LEAST_SIDE)
    keep = sides.min(-1, initial=1e9) > 1.0
    return inside[keep], np.where(hidden & (labels >= 0), ~labels, labels)[keep]


def turned(sample: Sample, quarters: int) -> Sample:
    """A picture and its boxes, turned to the left by so many quarters."""
    picture, boxes = sample.picture, sample.boxes
    for _ in range(quarters % 4):
        w = picture.shape[1]
        x0, y0, x1, y1 = boxes.T
        picture = np.ascontiguousarray(np.rot90(picture))
        boxes = np.stack([y0, w - x1, y1, w - x0], -1)
    return replace(sample, picture=picture, boxes=boxes)


def view(sample: Sample, rng: Rng, out: tuple[int, int], zoom: tuple[float, float]) -> Sample:
    """A random view of `out` (w, h) pixels: flip, zoom, aspect, slight turn and tilt."""
    h, w = sample.picture.shape[:2]
    matrix = _matrix(rng, (w, h), out, zoom)
    fill = tuple(int(v) for v in rng.integers(0, 200) + rng.integers(-15, 16, 3))
    of_middles = TO_MIDDLES @ matrix @ TO_EDGES
    picture = cv2.warpPerspective(sample.picture, of_middles, out, borderValue=fill)
    if len(sample.boxes) == 0:
        return replace(sample, picture=np.asarray(picture, np.uint8))
    boxes, labels = clip_boxes(move_boxes(sample.boxes, matrix), sample.labels, *out)
    return Sample(np.asarray(picture, np.uint8), boxes, labels, sample.known)

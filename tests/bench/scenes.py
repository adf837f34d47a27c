"""Generated scenes: an empty desk, a thing comes, stays and leaves, in noise and moving light.

Every scene follows from its number alone, so that two runs see the same. Desks and things are cut
from the demo's clip by its truth; where `make scenes SET=val` rendered desks, each second scene is
one of those, with one of its things painted over while the desk is empty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cleandesk.camera.recording import Picture
from models.scenes.truth import Truth, Visit, load_truth
from tests.rig import CLIP, ROOT, TRUTH

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]

SIZE = (640, 480)
STEP_S = 0.2
RENDERED = ROOT / "build" / "scenes" / "val"
#: Between two scenes a bare wall, for so long that all that was open closes.
_GAP_S = 3.6
_BEFORE_S, _STAY_S, _AFTER_S = (1.4, 2.4), (4.0, 6.0), 4.4
#: How long a thing takes to be there: put down, moved in slowly, or faded in as no hand does it.
_ARRIVALS = ((0.0, 0.6), (0.8, 0.2), (4.0, 0.2))
_NOISES = 8
_MARGIN, _SOFT = 6, 9
_EMPTY_S = 2.0
#: Of rendered desks: a thing of this many pixels at least, and mostly in sight.
_LEAST_AREA, _LEAST_VISIBLE = 900, 0.7


@dataclass(frozen=True)
class Desk:
    """The two pictures that a scene is made of, uint8 [480, 640, 3]."""

    empty: Image
    full: Image


@dataclass(frozen=True)
class Script:
    """When what happens in one scene, seconds from its begin, and how it looks."""

    comes: float
    arrival: float
    leaves: float
    ends: float
    noise: float
    drift: float
    wave: float
    step_at: float | None


class SceneReader:
    """A recording of so many scenes, one after the other, each after a gap."""

    def __init__(self, count: int, *, seed: int) -> None:
        self.name = f"{count} generated scenes"
        self._desks = Desks()
        self._scripts = [_script(np.random.default_rng([seed, i])) for i in range(count)]
        self._seed = seed
        self.starts: list[float] = []
        at = 0.0
        for script in self._scripts:
            self.starts.append(at)
            at += _GAP_S + script.ends
        self.length_s = at + _GAP_S
        self._pictures: Iterator[Picture] = iter(())

    @property
    def frames(self) -> int:
        """How many pictures it has, nearly."""
        return round(self.length_s / STEP_S)

    def scene_at(self, seconds: float) -> int:
        """Return the number of the scene that a moment belongs to."""
        return int(np.searchsorted(self.starts, seconds, side="right")) - 1

    def open(self) -> None:
        """Go to the first picture."""
        self._pictures = self._play()

    def next(self) -> Picture | None:
        """Return the next picture; None after the last."""
        return next(self._pictures, None)

    def close(self) -> None:
        """Nothing to close."""

    def _play(self) -> Iterator[Picture]:
        number = 0
        for index, script in enumerate(self._scripts):
            random = np.random.default_rng([self._seed, index, 1])
            noises = _noises(random, script.noise)
            wall = np.full((SIZE[1], SIZE[0], 3), (150, 165, 175), np.uint8)
            desk = self._desks.desk(index, random)
            for image in [*_gap(wall), *_images(desk, script)]:
                noisy = cv2.add(image, noises[number % _NOISES], dtype=cv2.CV_8U)
                yield Picture(np.asarray(noisy, np.uint8), number * STEP_S, STEP_S)
                number += 1


class Desks:
    """Where the two pictures of a scene come from."""

    def __init__(self) -> None:
        self._truth: Truth = load_truth(TRUTH)
        self._clip = _read_clip(self._truth)
        self._rendered = _rendered()

    def desk(self, index: int, random: np.random.Generator) -> Desk:
        """Return the desk of a scene."""
        if self._rendered and index % 2:
            path, box = self._rendered[(index // 2) % len(self._rendered)]
            return _painted_over(path, box)
        return self._composed(random)

    def _composed(self, random: np.random.Generator) -> Desk:
        """Lay one of the clip's things somewhere on its empty desk."""
        visits = self._truth.visits
        visit = visits[int(random.integers(len(visits)))]
        x1, y1, x2, y2 = _grown(visit.box)
        piece = self._clip[_middle(visit)][y1:y2, x1:x2]
        scale = random.uniform(0.85, 1.2)
        piece = np.asarray(cv2.resize(piece, None, fx=scale, fy=scale), np.uint8)
        if random.random() < 0.5:
            piece = np.asarray(cv2.flip(piece, 1), np.uint8)
        height, width = piece.shape[:2]
        left = int(random.integers(40, max(41, SIZE[0] - width - 40)))
        top = int(random.integers(140, max(141, SIZE[1] - height - 10)))
        piece = piece[: SIZE[1] - top, : SIZE[0] - left]
        empty = self._clip[_EMPTY_S]
        full = empty.copy()
        region = full[top : top + piece.shape[0], left : left + piece.shape[1]]
        alpha = _soft(piece.shape[:2])
        region[:] = (alpha * piece + (1 - alpha) * region).astype(np.uint8)
        return Desk(empty, full)


def _script(random: np.random.Generator) -> Script:
    comes = random.uniform(*_BEFORE_S)
    arrival = float(random.choice([a for a, _ in _ARRIVALS], p=[p for _, p in _ARRIVALS]))
    leaves = comes + arrival + random.uniform(*_STAY_S)
    ends = leaves + arrival + _AFTER_S
    return Script(
        comes=comes,
        arrival=arrival,
        leaves=leaves,
        ends=ends,
        noise=random.uniform(0.5, 4.0),
        drift=random.uniform(-0.05, 0.05),
        wave=random.uniform(0.0, 0.015),
        step_at=random.uniform(0, ends) if random.random() < 0.1 else None,
    )


def _images(desk: Desk, script: Script) -> Iterator[Image]:
    for step in range(round(script.ends / STEP_S)):
        at = step * STEP_S
        there = _ramp(at, script.comes, script.arrival)
        there -= _ramp(at, script.leaves, script.arrival)
        light = 1 + script.drift * at / script.ends + script.wave * np.sin(at)
        if script.step_at is not None and at >= script.step_at:
            light *= 0.8
        mixed = cv2.addWeighted(desk.full, there * light, desk.empty, (1 - there) * light, 0)
        yield np.asarray(mixed, np.uint8)


def _ramp(at: float, begin: float, takes: float) -> float:
    if takes == 0:
        return float(at >= begin)
    return float(np.clip((at - begin) / takes, 0, 1))


def _gap(wall: Image) -> list[Image]:
    return [wall] * round(_GAP_S / STEP_S)


def _noises(random: np.random.Generator, spread: float) -> list[NDArray[np.int16]]:
    shape = (SIZE[1], SIZE[0], 3)
    return [
        np.rint(random.standard_normal(shape, np.float32) * spread).astype(np.int16)
        for _ in range(_NOISES)
    ]


def _middle(visit: Visit) -> float:
    return round((visit.from_s + visit.to_s) / 2, 1)


def _read_clip(truth: Truth) -> dict[float, Image]:
    """Return the pictures of the moments that matter."""
    found = {}
    video = cv2.VideoCapture(str(CLIP))
    for at in sorted({_EMPTY_S, *(_middle(visit) for visit in truth.visits)}):
        video.set(cv2.CAP_PROP_POS_MSEC, at * 1000)
        ok, image = video.read()
        if not ok:
            raise OSError(f"{CLIP}: no picture at {at:.1f} s; build the clip anew: make clip")
        found[at] = np.asarray(image, np.uint8)
    video.release()
    return found


class _Image(BaseModel):
    id: int
    file_name: str
    width: int
    height: int


class _Thing(BaseModel):
    image_id: int
    bbox: tuple[float, float, float, float]
    area: float
    visible: float = 1.0


class _Labels(BaseModel):
    images: list[_Image]
    annotations: list[_Thing]


def _rendered() -> Sequence[tuple[Path, Box]]:
    """Return pictures of rendered desks, each with the box of one thing; none if there are none."""
    file = RENDERED / "instances.json"
    if not file.is_file():
        return []
    labels = _Labels.model_validate_json(file.read_text(encoding="utf-8"))
    things: dict[int, _Thing] = {}
    for one in labels.annotations:
        if one.area >= _LEAST_AREA and one.visible >= _LEAST_VISIBLE:
            things.setdefault(one.image_id, one)
    found = []
    for image in labels.images:
        path = RENDERED / "images" / image.file_name
        if image.id in things and path.is_file():
            x, y, width, height = things[image.id].bbox
            across, down = SIZE[0] / image.width, SIZE[1] / image.height
            corners = (x * across, y * down, (x + width) * across, (y + height) * down)
            x1, y1, x2, y2 = (round(value) for value in corners)
            found.append((path, _grown((x1, y1, x2, y2))))
    return found


def _painted_over(path: Path, box: Box) -> Desk:
    image = cv2.imread(str(path))
    if image is None:
        raise OSError(f"{path}: no picture that can be read; render it anew: make scenes SET=val")
    full = np.asarray(cv2.resize(image, SIZE), np.uint8)
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 255
    return Desk(np.asarray(cv2.inpaint(full, mask, 5, cv2.INPAINT_TELEA), np.uint8), full)


def _grown(box: Box) -> Box:
    x1, y1, x2, y2 = box
    left, top = max(0, x1 - _MARGIN), max(0, y1 - _MARGIN)
    return left, top, min(SIZE[0], x2 + _MARGIN), min(SIZE[1], y2 + _MARGIN)


def _soft(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a mask that fades at the edges, float32 [height, width, 1]."""
    mask = np.zeros(shape, np.float32)
    mask[4:-4, 4:-4] = 1
    return np.asarray(cv2.GaussianBlur(mask, (_SOFT, _SOFT), 0), np.float32)[..., np.newaxis]

"""Renders what the clip's script asks for, once each, and composes its frames."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.scenes import clip_set, stage
from models.scenes.clip_script import Moment, Stay
from models.scenes.labels import visible_box
from models.scenes.quiet import quiet
from models.scenes.scene import Light, Scene
from models.scenes.stage import Region
from models.scenes.thing import Picture, Placed
from models.scenes.truth import Box

_MARGIN: Final = 18
_FEATHER: Final = 8


class Film:
    """The clip's renders, kept in a folder under the hash of all that they show."""

    def __init__(self, folder: Path, samples: int, moving_samples: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._samples, self._moving_samples = samples, moving_samples

    def _render(self, scene: Scene, samples: int, region: Region | None) -> Picture:
        key = hashlib.sha256(pickle.dumps((scene, clip_set.SIZE, samples, region))).hexdigest()
        path = self._folder / f"{key[:20]}.png"
        if path.exists():
            return np.asarray(cv2.imread(str(path)), dtype=np.uint8)
        with quiet():
            stage.build(scene)
            picture = stage.photograph(clip_set.SIZE, samples, region=region)
        draft = path.with_suffix(".part.png")
        cv2.imwrite(str(draft), picture)
        draft.replace(path)
        return picture

    def _still(self, resting: tuple[Stay, ...], *, lamp: bool) -> Picture:
        scene = clip_set.scene(tuple(stay.placed() for stay in resting), lamp=lamp)
        return self._render(scene, self._samples, None)

    def frame(self, moment: Moment) -> Picture:
        """Return a frame as a perfect camera would see it, BGR."""
        if 0 < moment.lamp < 1:
            on, off = (self._still(moment.resting, lamp=lamp) for lamp in (True, False))
            return np.asarray(cv2.addWeighted(on, moment.lamp, off, 1 - moment.lamp, 0), np.uint8)
        lit = moment.lamp == 1
        still = self._still(moment.resting, lamp=lit)
        if not moment.moving:
            return still
        resting = tuple(stay.placed() for stay in moment.resting)
        scene = clip_set.scene(resting + moment.moving, lamp=lit)
        region = touched(moment.moving, scene.lights)
        if region is None:
            return still
        return pasted(still, self._render(scene, self._moving_samples, region), region)

    def box(self, stay: Stay, resting: tuple[Stay, ...]) -> Box:
        """Return the visible box of a stay's thing among those that lie there."""
        scene = clip_set.scene(tuple(other.placed() for other in resting), lamp=True)
        return self._boxes(scene)[len(clip_set.fixtures()) + resting.index(stay)]

    def fixtures(self) -> list[tuple[str, Box]]:
        """Return class and box of each labelled thing that is always there."""
        scene = clip_set.scene((), lamp=True)
        boxes = self._boxes(scene)
        labels = [placed.thing.label for placed in scene.things]
        return [(label, box) for label, box in zip(labels, boxes, strict=True) if label]

    def _boxes(self, scene: Scene) -> list[Box]:
        with quiet():
            stage.build(scene)
            ids = stage.identify(clip_set.SIZE)
        boxes = [visible_box(ids == number) for number in range(1, len(scene.things) + 1)]
        return [box or (0, 0, 0, 0) for box in boxes]


def touched(moving: tuple[Placed, ...], lights: tuple[Light, ...]) -> Region | None:
    """Return the pixels that moving things and their shadows on the desk can change."""
    points = np.concatenate([placed.points() for placed in moving])
    reach = [points]
    for light in lights:
        away = points - np.array(light.eye)
        reach.append(points + away * (points[:, 2] / -away[:, 2])[:, None])
    pixels, depth = clip_set.CAMERA.project(np.concatenate(reach), clip_set.SIZE)
    seen = pixels[depth > 0.05]
    low = np.clip(np.floor(seen.min(axis=0)) - _MARGIN, 0, clip_set.SIZE).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + _MARGIN, 0, clip_set.SIZE).astype(int)
    if (high - low).min() < 2 * _FEATHER:
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def pasted(still: Picture, patch: Picture, region: Region) -> Picture:
    """Return a picture with a region replaced, its rim blended except at the picture's edge."""
    x1, y1, x2, y2 = region
    height, width = still.shape[:2]
    inner = np.zeros((y2 - y1 + 2, x2 - x1 + 2), np.uint8)
    inner[1:-1, 1:-1] = 1
    for at_edge, rim in (
        (x1 == 0, np.s_[:, 0]),
        (x2 == width, np.s_[:, -1]),
        (y1 == 0, np.s_[0, :]),
        (y2 == height, np.s_[-1, :]),
    ):
        if at_edge:
            inner[rim] = 1
    distance = cv2.distanceTransform(inner, cv2.DIST_C, 3)[1:-1, 1:-1]
    share = np.clip(distance / _FEATHER, 0, 1)[..., None]
    out = still.copy()
    below = still[y1:y2, x1:x2]
    out[y1:y2, x1:x2] = np.round(patch * share + below * (1 - share)).astype(np.uint8)
    return out


def sensed(picture: Picture, frame: int) -> Picture:
    """Return a frame with the noise of a camera's sensor: never twice the same."""
    rng = np.random.default_rng([2024, frame])
    light = picture.astype(np.float32) * float(rng.normal(1, 0.003))
    coarse = rng.normal(0, 1.3, (picture.shape[0] // 2, picture.shape[1] // 2, 3))
    size = (picture.shape[1], picture.shape[0])
    light += cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    light += rng.normal(0, 1.0, picture.shape).astype(np.float32)
    return np.clip(np.round(light), 0, 255).astype(np.uint8)

"""Renders what the clip's script asks for, once each, and composes its frames."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import cv2
import numpy as np

from models.scenes import clip_set, stage
from models.scenes.clip_script import Moment, Stay
from models.scenes.compose import pasted, touched
from models.scenes.labels import visible_box
from models.scenes.quiet import quiet
from models.scenes.scene import Scene
from models.scenes.thing import Picture, Region
from models.scenes.truth import Box


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
        region = touched(moment.moving, scene, clip_set.SIZE)
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

"""Boxes from an identity picture, and the COCO file that collects them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from models.scenes.camera import Camera
from models.scenes.classes import CATEGORY_IDS, CLASSES
from models.scenes.thing import Placed

MIN_VISIBLE: Final = 0.25
MIN_INSIDE: Final = 0.12
MIN_LENGTH: Final = 12
MIN_WIDTH: Final = 4
SPECK: Final = 0.1
Box = tuple[int, int, int, int]


def visible_box(mask: npt.NDArray[np.bool_]) -> Box | None:
    """Return [x1, y1, x2, y2) of a mask's pixels, or None if it has none."""
    ys, xs = np.nonzero(mask)
    if len(xs) == 0:
        return None
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def without_specks(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return a mask's pieces of a tenth of the largest or more; far edges leave stray pixels."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA]
    large = areas >= SPECK * areas[1:].max()
    large[0] = False
    return np.asarray(large[pieces], np.bool_)


def silhouette_areas(placed: Placed, camera: Camera, size: tuple[int, int]) -> tuple[int, int]:
    """Return how many pixels a thing would cover with nothing before it.

    Counts at half the scale, so the answer is exact to a few percent.

    Returns:
        The pixels within the picture, and all of them, those beyond its edges too.
    """
    shrink, margin = 0.5, max(size)
    width, height = (int(side * shrink) for side in size)
    canvas = np.zeros((height + 2 * margin, width + 2 * margin), np.uint8)
    for part in filter(lambda part: part.counts, placed.thing.parts):
        mesh = placed.mesh(part)
        pixels, depth = camera.project(mesh.vertices, (width, height))
        corners = np.clip(np.round((pixels + margin) * 16), -(2**20), 2**20).astype(np.int32)
        for face in mesh.faces:
            if (depth[list(face)] > 0.01).all():
                cv2.fillConvexPoly(canvas, corners[list(face)], (1,), cv2.LINE_8, 4)
    inside = canvas[margin : margin + height, margin : margin + width]
    return (
        int(np.count_nonzero(inside) / shrink**2),
        int(np.count_nonzero(canvas) / shrink**2),
    )


def annotate(
    ids: npt.NDArray[np.uint8], things: Sequence[Placed], camera: Camera
) -> list[dict[str, Any]]:
    """Return COCO annotations (without ids) of an identity picture.

    What is mostly hidden by others, mostly outside the picture, or tiny is a region to ignore
    (`iscrowd`): neither to find it nor to miss it counts.

    Args:
        ids: shape (h, w): 0 for background, else 1 + the thing's place in `things`.
        things: what stands in the scene; those without a label are skipped.
        camera: what the picture was taken with.
    """
    size = (ids.shape[1], ids.shape[0])
    found = []
    for number, placed in enumerate(things, start=1):
        mask = without_specks(ids == number)
        box = visible_box(mask) if placed.thing.label else None
        if box is None:
            continue
        sides = (box[2] - box[0], box[3] - box[1])
        area = int(np.count_nonzero(mask))
        inside, whole = silhouette_areas(placed, camera, size)
        hidden = area < MIN_VISIBLE * inside or area < MIN_INSIDE * whole
        tiny = max(sides) < MIN_LENGTH or min(sides) < MIN_WIDTH
        found.append(
            {
                "category_id": CATEGORY_IDS[placed.thing.label],
                "bbox": [box[0], box[1], *sides],
                "area": area,
                "iscrowd": int(hidden or tiny),
                "visible": round(min(1.0, area / max(1, whole)), 3),
            }
        )
    return found


def unlabelled(ids: npt.NDArray[np.uint8], things: Sequence[Placed]) -> list[dict[str, Any]]:
    """Return name and box [x, y, w, h] of what can be seen of the things without a class."""
    found = []
    for number, placed in enumerate(things, start=1):
        box = None if placed.thing.label else visible_box(without_specks(ids == number))
        if box is not None and min(box[2] - box[0], box[3] - box[1]) >= MIN_WIDTH:
            sides = [box[2] - box[0], box[3] - box[1]]
            found.append({"name": placed.thing.name, "bbox": [box[0], box[1], *sides]})
    return found


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never half of it.

    Processes that write the same file at once don't meet: each has a draft of its own.
    """
    draft = path.with_suffix(f"{path.suffix}.{os.getpid()}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def merge(folder: Path) -> int:
    """Write `instances.json` from the per-picture files in `labels/`; return the picture count."""
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for path in sorted((folder / "labels").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        number = len(images) + 1
        images.append({**record["image"], "id": number})
        for box in record["annotations"]:
            boxes.append({**box, "id": len(boxes) + 1, "image_id": number})
    categories = [{"id": CATEGORY_IDS[name], "name": name} for name in CLASSES]
    merged = {"images": images, "annotations": boxes, "categories": categories}
    write_atomically(folder / "instances.json", json.dumps(merged))
    return len(images)

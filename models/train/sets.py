"""The training sets: where they lie, what each of them labels, and what is cut from them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.train.labels import LEARNT, NUM_LEARNT, class_index
from models.train.own import NONE, SOUGHT, OwnLabels, file_of, read_own_labels
from models.train.picture import LONG, Cutout, Picture
from models.train.sample import Codes, Sample, codes, unsure

RARE: Final = ("tablet", "card", "usb_stick", "camera", "headphones")
FLAT: Final = ("paper", "sticky_note")
# Set -> what it knows.
KNOWN: Final[dict[str, Codes]] = {
    "scenes": codes(labelled=LEARNT),
    "phone": codes(
        labelled=("phone", *SOUGHT["phone"]), weak=("pen", *RARE[1:]), ignore=("tablet",)
    ),
    "office_cctv_train": codes(labelled=("phone",), weak=RARE[1:], ignore=(*FLAT, "pen", "tablet")),
    "pen": codes(labelled=("pen", *SOUGHT["pen"]), weak=RARE),
    "mouse": codes(labelled=SOUGHT["mouse"], weak=("pen", *RARE)),
    "webcam_phone_wallet_airpods": codes(
        labelled=("phone", "paper", "notebook", "pen", "sticky_note", *RARE[:-1]),
        weak=("headphones",),
    ),
    # A book that we overlooked is not denied: the starting model knows books.
    "coco_unlabelled": codes(labelled=tuple(c for c in LEARNT if c != "notebook")),
    "idcard": codes(labelled=("card",), weak=("pen", *RARE), ignore=FLAT),
}
# Whole sources that are kept from training: one office camera, and the bench of `pen_overhead`.
HELD_OUT: Final = {"office_cctv_train": "192-168-1-19_01"}
UNLISTED: Final = ("coco_unlabelled",)  # pictures without a list of labels


class DataError(RuntimeError):
    """A training set is missing or unreadable."""


@dataclass(frozen=True)
class Item:
    """One picture of a set, still on disk: path, corners and classes of its labels."""

    path: Path
    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[int, ...]
    known: Codes

    def read(self) -> Sample:
        """Decode it. Raises `DataError` if it is no picture."""
        picture = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if picture is None:
            raise DataError(f"{self.path}: not a picture; remove it from the set or copy it again")
        return Sample(
            np.asarray(picture, np.uint8),
            np.array(self.boxes, np.float32).reshape(-1, 4),
            np.array(self.labels, np.int64),
            self.known,
        )


def read_set(folder: Path, known: Codes, *, listed: bool = True) -> list[Item]:
    """Read a folder of `images/` and, if it is `listed`, COCO-style `instances.json`.

    A set that is still being made is read as far as it is whole: pictures that are named but not
    there are left out, and a set that ought to have labels counts for nothing before it has.
    """
    images = folder / "images"
    listing = folder / "instances.json"
    if not listing.is_file():
        if listed:
            return []
        paths = sorted(p for p in images.glob("*") if p.suffix in {".jpg", ".png"})
        return [Item(p, (), (), known) for p in paths]
    data = json.loads(listing.read_text(encoding="utf-8"))
    ours = {c["id"]: class_index(c["name"]) for c in data["categories"]}
    found: dict[int, list[tuple[tuple[float, float, float, float], int]]] = {}
    for note in data["annotations"]:
        x, y, w, h = note["bbox"]
        label = ours.get(note["category_id"])
        if label is not None and label < NUM_LEARNT:
            said = unsure(label) if note.get("iscrowd") else label
            found.setdefault(note["image_id"], []).append(((x, y, x + w, y + h), said))
    items = []
    for image in data["images"]:
        path = images / image["file_name"]
        notes = found.get(image["id"], [])
        if path.is_file():
            items.append(Item(path, tuple(b for b, _ in notes), tuple(c for _, c in notes), known))
    return items


def with_own_labels(items: list[Item], ours: dict[str, OwnLabels]) -> list[Item]:
    """Items with our labels beside their set's.

    Raises:
        DataError: If there is no such picture as our labels name.
    """
    lost = sorted(ours.keys() - {item.path.name for item in items})
    if lost:
        raise DataError(f"our labels name {lost[0]}, which is not in its set: copy the set again")
    return [
        replace(item, boxes=item.boxes + mine.boxes, labels=item.labels + mine.labels)
        for item, mine in ((item, ours.get(item.path.name, NONE)) for item in items)
    ]


def read_all(shared: Path, scenes: Path) -> dict[str, list[Item]]:
    """All training sets, by name. Raises `DataError` if the shared ones are not there."""
    sets = {}
    for name, known in KNOWN.items():
        folder = scenes if name == "scenes" else shared / name
        items = read_set(folder, known, listed=name not in UNLISTED) if folder.is_dir() else []
        if not items and name != "scenes":
            raise DataError(f"{folder}: no pictures; see models/README.md for where the data lie")
        held_out = HELD_OUT.get(name)
        items = [i for i in items if held_out is None or held_out not in i.path.name]
        ours = read_own_labels(file_of(name)) if name in SOUGHT else {}
        sets[name] = with_own_labels(items, ours)
    return sets


def cut_out(picture: Picture, box: tuple[float, float, float, float]) -> Cutout | None:
    """Cut a thing from a white ground, or None where the ground is not white."""
    x0, y0, x1, y1 = (round(v) for v in box)
    crop = picture[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2]
    if min(crop.shape[:2]) < 24:
        return None
    crop = np.ascontiguousarray(
        cv2.copyMakeBorder(crop, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    )
    outside = np.zeros((crop.shape[0] + 2, crop.shape[1] + 2), np.uint8)
    near = (9, 9, 9)
    cv2.floodFill(
        crop.copy(),
        outside,
        (0, 0),
        255,
        near,
        near,
        4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8) | cv2.FLOODFILL_FIXED_RANGE,
    )
    solid = 255 - outside[1:-1, 1:-1]
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    biggest = max(outlines, key=cv2.contourArea)
    alpha = np.zeros_like(solid)
    cv2.drawContours(alpha, [biggest], -1, 255, -1)
    alpha = np.asarray(cv2.erode(alpha, np.ones((3, 3), np.uint8)), np.uint8)
    return np.dstack([crop, alpha])


def cut_outs(items: list[Item], label: int, share: tuple[float, float], most: int) -> list[Cutout]:
    """Cut-outs of one class from pictures that hold one of it on a white ground.

    Args:
        items: Pictures.
        label: Class index.
        share: Least and most of its box that a credible cut-out covers.
        most: How many are enough.
    """
    out: list[Cutout] = []
    for item in items:
        if len(out) >= most:
            break
        if [sure for sure in item.labels if sure >= 0] != [label]:
            continue
        picture = item.read().picture
        edge = np.concatenate([picture[2], picture[-3], picture[:, 2], picture[:, -3]])
        if np.percentile(edge, 10) < 246:
            continue
        cut = cut_out(picture, item.boxes[item.labels.index(label)])
        if cut is None or not share[0] <= float((cut[..., 3] > 0).mean()) <= share[1]:
            continue
        factor = min(1.0, LONG / max(cut.shape[:2]))
        size = (max(8, round(cut.shape[1] * factor)), max(8, round(cut.shape[0] * factor)))
        out.append(np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8))
    return out


def card_cut_outs(items: list[Item], most: int) -> list[Cutout]:
    """Cards cut from photographs along their boxes, where a box has about a card's shape."""
    label, out = LEARNT.index("card"), list[Cutout]()
    for item in items:
        if len(out) >= most:
            break
        picture = item.read().picture
        for (x0, y0, x1, y1), found in zip(item.boxes, item.labels, strict=True):
            wide, high = x1 - x0, y1 - y0
            shape = max(wide, high) / max(1.0, min(wide, high))
            if found != label or min(wide, high) < 70 or not 1.35 < shape < 1.75:
                continue
            inset = 0.03 * min(wide, high)
            rows, columns = (
                slice(round(low + inset), round(high_ - inset))
                for low, high_ in ((y0, y1), (x0, x1))
            )
            crop = picture[rows, columns]
            alpha = np.zeros(crop.shape[:2], np.uint8)
            corner = max(2, min(crop.shape[:2]) // 16)
            cv2.rectangle(alpha, (corner, 0), (crop.shape[1] - corner, crop.shape[0]), 255, -1)
            cv2.rectangle(alpha, (0, corner), (crop.shape[1], crop.shape[0] - corner), 255, -1)
            out.append(np.dstack([crop, alpha]))
    return out

"""Feeds the training: sample number i is the same picture in every run with the same seed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from models.train.assign import LEAST_HALF_SIDE
from models.train.camera import degrade
from models.train.compose import compose
from models.train.grid import SIZE, points
from models.train.labels import LEARNT, NUM_LEARNT, Known
from models.train.losses import Target
from models.train.picture import Cutout, Floats, Picture, Rng
from models.train.sample import Codes, Ints, Sample, view
from models.train.sets import DataError, Item, card_cut_outs, cut_outs, read_all

# How often each kind of sample is drawn, beside the others. "composed" is made on the fly.
SHARES: Final = {
    "scenes": 0.34,
    "composed": 0.34,
    "coco_unlabelled": 0.17,
    "phone": 0.08,
    "office_cctv_train": 0.06,
    "pen": 0.04,
    "mouse": 0.03,
    "webcam_phone_wallet_airpods": 0.02,
    "idcard": 0.02,
}
# Composed desks on a photograph, and of which sets: rooms, and the tables that phones lie on.
PHOTOGRAPHED: Final = 0.7
BACKGROUNDS: Final = ("coco_unlabelled", "phone")
# With fewer rendered scenes than this they are drawn less often, lest they be learnt by heart.
ENOUGH_SCENES: Final = 250
# Close-ups are shown small, among others: on a desk these things are never the whole picture.
# A ceiling camera's phones are tiny already: it is looked at closer instead.
MOSAIC: Final = {
    "scenes": 0.15,
    "composed": 0.1,
    "coco_unlabelled": 0.15,
    "office_cctv_train": 0.1,
}
MOSAIC_ELSE: Final = 0.6
CLOSER: Final = {"office_cctv_train": (0.9, 1.7)}
USUAL, SMALLER = (0.85, 1.5), (0.35, 1.1)
# Share of a labelled box, about its middle, where nothing is taken from the teacher.
CORE: Final = 0.6


@dataclass(frozen=True)
class Stock:
    """All that samples are made of."""

    sets: dict[str, list[Item]]
    phones: list[Cutout]
    pens: list[Cutout]
    cards: list[Cutout]


def demand_scenes(stock: Stock) -> None:
    """Raise `DataError` if there are no rendered desks."""
    if not stock.sets["scenes"]:
        raise DataError("there are no rendered desks: run `make scenes`")


def read_stock(shared: Path, scenes: Path) -> Stock:
    """Read all sets, and cut out what lies on composed desks. Raises `DataError`."""
    sets = read_all(shared, scenes)
    return Stock(
        sets,
        cut_outs(sets["phone"], LEARNT.index("phone"), (0.45, 1.0), 150),
        cut_outs(sets["pen"], LEARNT.index("pen"), (0.04, 0.9), 60),
        card_cut_outs(sets["idcard"], 150),
    )


@dataclass(frozen=True)
class Shown:
    """What the network is shown.

    Attributes:
        picture: [512, 512, 3] BGR.
        boxes: [n, 4] corners in pixels.
        labels: [n] as those of a `Sample`.
        known: [N, C] of `Known`: what is known of each learnt class at each point.
    """

    picture: Picture
    boxes: Floats
    labels: Ints
    known: Codes


class Feed:
    """Samples `start` to `start + count` of a seed's endless row."""

    def __init__(self, stock: Stock, seed: int, start: int, count: int) -> None:
        self._stock, self._seed, self._start, self._count = stock, seed, start, count
        names = [n for n in SHARES if n == "composed" or stock.sets.get(n)]
        few = min(1.0, len(stock.sets.get("scenes", ())) / ENOUGH_SCENES)
        weights = np.array([SHARES[n] * (few if n == "scenes" else 1.0) for n in names])
        self._names, self._weights = names, weights / weights.sum()
        self._at = points().numpy()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        """Picture uint8 [3, 512, 512] in BGR, and its labels."""
        rng = np.random.default_rng((self._seed, self._start + index))
        name = self._draw(rng)
        if rng.random() < MOSAIC.get(name, MOSAIC_ELSE):
            shown = self._mosaic(name, rng)
        else:
            zoom = CLOSER.get(name, USUAL if name in MOSAIC else SMALLER)
            one = view(drawn(self._stock, name, rng), rng, (SIZE, SIZE), zoom)
            known = np.tile(one.known, (len(self._at), 1))
            shown = Shown(one.picture, one.boxes, one.labels, known)
        picture = torch.from_numpy(degrade(shown.picture, rng)).permute(2, 0, 1).contiguous()
        return picture, target_of(shown, self._at)

    def _draw(self, rng: Rng) -> str:
        return self._names[int(rng.choice(len(self._names), p=self._weights))]

    def _mosaic(self, first: str, rng: Rng) -> Shown:
        """Four views in one picture, each with its own knowledge."""
        cut_x, cut_y = (int(rng.uniform(0.35, 0.65) * SIZE) for _ in range(2))
        canvas = np.zeros((SIZE, SIZE, 3), np.uint8)
        known = np.zeros((len(self._at), NUM_LEARNT), np.uint8)
        boxes, labels = [], []
        corners = [(0, 0), (cut_x, 0), (0, cut_y), (cut_x, cut_y)]
        for place, (x, y) in enumerate(corners):
            w, h = (cut_x if x == 0 else SIZE - cut_x), (cut_y if y == 0 else SIZE - cut_y)
            name = first if place == 0 else self._draw(rng)
            zoom = (0.9, 2.0) if name in MOSAIC else (0.6, 1.15)
            part = view(drawn(self._stock, name, rng), rng, (w, h), zoom)
            canvas[y : y + h, x : x + w] = part.picture
            inside = (
                (self._at[:, 0] >= x)
                & (self._at[:, 0] < x + w)
                & (self._at[:, 1] >= y)
                & (self._at[:, 1] < y + h)
            )
            known[inside] = part.known
            boxes.append(part.boxes + np.array([x, y, x, y], np.float32))
            labels.append(part.labels)
        return Shown(canvas, np.concatenate(boxes), np.concatenate(labels), known)


def drawn(stock: Stock, name: str, rng: Rng) -> Sample:
    """Any picture of a set; of "composed" a desk made on the fly, on a photograph or not."""
    if name != "composed":
        items = stock.sets[name]
        return items[int(rng.integers(len(items)))].read()
    real = None
    if rng.random() < PHOTOGRAPHED:
        real = drawn(stock, str(rng.choice(BACKGROUNDS)), rng)
    return compose(rng, real, stock.phones, stock.pens, cards=stock.cards)


def target_of(shown: Shown, at: Floats) -> Target:
    """Labels, with the teacher silenced in their middle, and what is unsure left open.

    Args:
        shown: What they are of.
        at: Points [N, 3].
    """
    known = shown.known.copy()
    for box, label in zip(shown.boxes, shown.labels, strict=True):
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        distance = np.abs(at[:, :2] - middle)
        if label < 0:
            near = (distance <= half.clip(min=LEAST_HALF_SIDE)).all(-1)
            known[near, ~label] = Known.IGNORE
            continue
        core = (distance <= half * CORE).all(-1)
        part = known[core]
        part[part == Known.TEACHER] = Known.LABELLED
        known[core] = part
    sure = shown.labels >= 0
    return Target(
        torch.from_numpy(shown.boxes[sure]),
        torch.from_numpy(shown.labels[sure]),
        torch.from_numpy(known),
    )


def batches(feed: Feed, size: int) -> "DataLoader[tuple[Tensor, list[Target]]]":
    """A feed's samples in their order, `size` at a time, made ahead by a process of its own."""
    return DataLoader(feed, size, collate_fn=collate, num_workers=1, prefetch_factor=4)


def collate(batch: list[tuple[Tensor, Target]]) -> tuple[Tensor, list[Target]]:
    """Pictures [B, 3, 512, 512] uint8 and their labels."""
    return torch.stack([p for p, _ in batch]), [t for _, t in batch]

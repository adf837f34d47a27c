"""What the look for small phones is taught on: views, and what the frozen part makes of them.

All that it reads is frozen, so that each view is looked at once and its maps are kept on disk. They
are kept of a window about a phone, where there is one: the maps of a whole picture have 3 MB.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from models.train.camera import degrade
from models.train.feed import SMALLER, USUAL, Stock, demand_scenes, drawn
from models.train.graph import (
    Array,
    branch_inputs,
    cut,
    digest,
    fit_shapes,
    small_maps,
    thin_branch_of,
    write_weights,
)
from models.train.grid import MEAN, SIZE, STD
from models.train.labels import LEARNT
from models.train.picture import Floats, Picture, Rng
from models.train.sample import Ints, Sample, clip_boxes, turned, unsure, view
from models.train.small import LARGEST, MAPS

PHONE: Final = LEARNT.index("phone")
CEILING: Final = "office_cctv_train"
# Views a picture; sets that are not named label no phones. Everyday pictures are seen four times:
# after one look at each it found phones all over rooms that it did not know.
VIEWS: Final = {
    CEILING: 12,
    "coco_unlabelled": 4,
    "scenes": 1,
    "phone": 0.25,
    "webcam_phone_wallet_airpods": 0.25,
}
COMPOSED, CROWDED = 800, 300  # views of desks made on the fly, and of many small pictures in one
ZOOM: Final = {CEILING: (0.85, 1.7), "phone": (0.15, 0.6), "webcam_phone_wallet_airpods": SMALLER}
WINDOW: Final = 320  # pixels a side
AT_PHONE: Final = 0.75  # share of the windows that are laid over a phone, if there is any
_GRID: Final = 16  # pixels: windows begin at whole cells of the coarsest map

Maps = dict[str, npt.NDArray[np.float16]]


@dataclass(frozen=True)
class Window:
    """A part of a view.

    Attributes:
        maps: By the names of `small.MAPS`: [C, h, w].
        boxes: [n, 4] corners of phones in pixels of the window.
        labels: [n] of them; those of phones that are too large for this look are `unsure` ones.
    """

    maps: Maps
    boxes: Floats
    labels: Ints


class Frozen:
    """The part of the detector that the look for small phones reads."""

    def __init__(self, coco: onnx.ModelProto, weights: Mapping[str, Array]) -> None:
        names = small_maps(coco)
        source = coco.graph.input[0].name
        inputs = branch_inputs(coco)
        trunk = cut(coco, [source], [*inputs, names["fine"]])
        fit_shapes(trunk, SIZE)
        branch = thin_branch_of(coco)
        write_weights(branch, weights)
        head = cut(branch, [i.name for i in branch.graph.input], [names["head"]])
        self._graphs = trunk.SerializeToString(), head.SerializeToString()
        self._source, self._inputs, self._names = source, inputs, names

    @cached_property
    def _sessions(self) -> tuple[ort.InferenceSession, ort.InferenceSession]:
        """Made by the process that asks: they are nothing to be handed on to another."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        trunk, head = (ort.InferenceSession(graph, options) for graph in self._graphs)
        return trunk, head

    def see(self, picture: Picture) -> dict[str, Array]:
        """A picture [512, 512, 3] BGR -> the maps of it, [C, h, w]."""
        x = (picture.astype(np.float32) - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
        feed = {self._source: np.ascontiguousarray(x.transpose(2, 0, 1)[None])}
        outputs = [*self._inputs, self._names["fine"]]
        trunk, head = self._sessions
        seen = dict(zip(outputs, trunk.run(None, feed), strict=True))
        read = {i.name: seen[i.name] for i in head.get_inputs()}
        seen[self._names["head"]] = head.run(None, read)[0]
        return {name: np.asarray(seen[self._names[name]][0], np.float32) for name in MAPS}


def jobs_of(stock: Stock) -> list[tuple[str, int]]:
    """All views: of what kind, and its number among them."""
    jobs = [(n, i) for n, times in VIEWS.items() for i in range(int(len(stock.sets[n]) * times))]
    made = (("composed", COMPOSED), ("crowded", CROWDED))
    return jobs + [(name, i) for name, count in made for i in range(count)]


def _view(stock: Stock, kind: str, number: int, rng: Rng) -> Sample:
    if kind == "crowded":
        return _crowded(stock, rng)
    if kind == "composed":
        sample = drawn(stock, kind, rng)
    else:
        sample = stock.sets[kind][int(number / VIEWS[kind])].read()
    if kind == CEILING:
        sample = turned(sample, int(rng.integers(4)))
    return view(sample, rng, (SIZE, SIZE), ZOOM.get(kind, USUAL))


def _crowded(stock: Stock, rng: Rng) -> Sample:
    """Four or nine small pictures in one: desks as seen from far away."""
    side = int(rng.integers(2, 4))
    edges = np.linspace(0, SIZE, side + 1).astype(int)
    canvas = np.zeros((SIZE, SIZE, 3), np.uint8)
    boxes, labels = [], []
    for y0, y1 in pairwise(edges):
        for x0, x1 in pairwise(edges):
            kind = str(rng.choice(["scenes", "composed", "coco_unlabelled"], p=[0.45, 0.4, 0.15]))
            sample = drawn(stock, kind, rng)
            part = view(sample, rng, (int(x1 - x0), int(y1 - y0)), (0.8, 1.6))
            canvas[y0:y1, x0:x1] = part.picture
            boxes.append(part.boxes + np.array([x0, y0, x0, y0], np.float32))
            labels.append(part.labels)
    # All three know phones alike, and nothing else is asked of this.
    return Sample(canvas, np.concatenate(boxes), np.concatenate(labels), sample.known)


def window_of(frozen: Frozen, sample: Sample, rng: Rng) -> Window:
    """Look at a view, as a worse camera sees it, and keep a window of what was seen."""
    ours = (sample.labels == PHONE) | (sample.labels == unsure(PHONE))
    boxes, labels = sample.boxes[ours], sample.labels[ours]
    large = (boxes[:, 2:] - boxes[:, :2]).max(-1, initial=0) > LARGEST
    labels = np.where(large, unsure(PHONE), labels)  # before a window makes small pieces of it
    x, y = (int(v) for v in rng.integers(0, (SIZE - WINDOW) // _GRID + 1, 2))
    sure = np.flatnonzero(labels >= 0)
    if len(sure) and rng.random() < AT_PHONE:
        box = boxes[sure[int(rng.integers(len(sure)))]]
        corner = (box[:2] + box[2:]) / 2 - rng.uniform(0.15, 0.85, 2) * WINDOW
        x, y = (int(v) for v in np.clip(corner / _GRID, 0, (SIZE - WINDOW) // _GRID).round())
    shift = np.array([x, y, x, y], np.float32) * _GRID
    boxes, labels = clip_boxes(boxes - shift, labels, WINDOW, WINDOW)
    maps = {}
    for name, seen in frozen.see(degrade(sample.picture, rng)).items():
        cells = seen.shape[-1] * _GRID // SIZE  # of the map in one step of the window
        rows, columns = (slice(v * cells, v * cells + WINDOW // _GRID * cells) for v in (y, x))
        maps[name] = seen[:, rows, columns].astype(np.float16)
    return Window(maps, boxes, labels)


class Keeper:
    """Makes the windows of all views, each once; the same ones in every run with the same seed."""

    def __init__(self, stock: Stock, frozen: Frozen, folder: Path, seed: int) -> None:
        """Prepare to make them, or to find them made.

        Args:
            stock: What they are of.
            frozen: What looks at them.
            folder: Where they are kept; another `mark` needs another folder.
            seed: Of everything drawn.

        Raises:
            DataError: If there are no rendered desks to draw from.
        """
        demand_scenes(stock)
        folder.mkdir(parents=True, exist_ok=True)
        self._stock, self._frozen, self._folder, self._seed = stock, frozen, folder, seed
        self._jobs = jobs_of(stock)

    def __len__(self) -> int:
        return len(self._jobs)

    def __getitem__(self, index: int) -> Path:
        """The window's file, which is made if it is not there."""
        kind, number = self._jobs[index]
        path = self._folder / f"{kind}-{number}.npz"
        if not path.is_file():
            rng = np.random.default_rng((self._seed, crc32(kind.encode()), number))
            window = window_of(self._frozen, _view(self._stock, kind, number, rng), rng)
            fresh = path.with_suffix(".new")
            with fresh.open("wb") as file:
                held: dict[str, Any] = {
                    "boxes": window.boxes,
                    "labels": window.labels,
                } | window.maps
                np.savez(file, **held)
            fresh.replace(path)
        return path


def mark(weights: Mapping[str, Array], seed: int) -> str:
    """A short name of what windows depend on, beside the sets: branch, seed, how they are made."""
    told = hashlib.sha256(repr((seed, VIEWS, COMPOSED, CROWDED, ZOOM, WINDOW, AT_PHONE)).encode())
    told.update(digest(weights).encode())
    return told.hexdigest()[:8]


def read_window(path: Path) -> Window:
    """Read a kept window."""
    with np.load(path) as held:
        return Window({name: held[name] for name in MAPS}, held["boxes"], held["labels"])

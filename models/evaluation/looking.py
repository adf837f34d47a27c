"""What a model finds in pictures: raw scores, kept on disk so that a second run is fast."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from rich.console import Console
from rich.progress import track

from cleandesk.detector import Detections, Detector
from cleandesk.detector.decode import MOST_DETECTIONS
from models.evaluation.sets import ROOT, EvaluationError, PictureSet

Image = npt.NDArray[np.uint8]
Alter = Callable[[Image], Image]

BUILD: Final = ROOT / "build" / "evaluation"
SHIPPED: Final = ROOT / "models" / "desk" / "manifest.yaml"
FP32: Final = "fp32"
FLOOR: Final = 0.02  # average precision wants the weak ones too


class Model(Protocol):
    """Whatever finds our classes in a picture."""

    @property
    def key(self) -> str:
        """Differs between models that may find different things."""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes it knows."""

    def find(self, image: Image) -> Detections:
        """Return all that scores at least `FLOOR`, uncalibrated."""


@dataclass(frozen=True)
class Frames:
    """Pictures to look at: any number of them, made one by one.

    Attributes:
        key: Differs when the pictures do.
        title: For people.
        count: How many there are.
        images: Makes them, uint8 [height, width, 3], blue-green-red.
    """

    key: str
    title: str
    count: int
    images: Callable[[], Iterator[Image]]


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises:
        EvaluationError: If it cannot be read.
    """
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EvaluationError(f"{path}: cannot be read ({error}); name another file") from error
    if not isinstance(read, dict):
        raise EvaluationError(f"{path}: holds no mapping; name another file")
    return read


def write_yaml(content: dict[str, Any], path: Path, head: str = "") -> None:
    """Write a YAML file in the order of its keys, after a comment."""
    text = head + yaml.safe_dump(content, sort_keys=False, width=100)
    path.write_text(text, encoding="utf-8")


#: What of a manifest decides what is found; the hash stands for the file.
_GRAPH: Final = ("sha256", "classes", "input", "decoder", "strides", "reg_max", "nms_iou")


class RawModel:
    """The desk model with the scores of its graph, whatever its manifest makes of them.

    Attributes:
        key: Differs between models that may find different things.
        sha256: Of the weights in fp32, by which the operating point knows them.
    """

    def __init__(self, manifest: Path = SHIPPED, precision: str = FP32) -> None:
        """Load it from a copy of its manifest that knows one file and no calibration.

        Args:
            manifest: Of the model.
            precision: Which of its files to run, whatever this machine is faster with.

        Raises:
            EvaluationError: If there is no such manifest, or none with this precision.
            ModelError: If manifest or weights cannot be used.
        """
        read = read_yaml(manifest)
        self.sha256 = str(read.get("sha256", ""))
        variants = {v["precision"]: v for v in read.pop("variants", None) or []}
        if precision != FP32:
            if precision not in variants:
                raise EvaluationError(f"{manifest}: has no {precision} file; leave the option out")
            read |= {k: variants[precision][k] for k in ("file", "sha256")}
        read.pop("calibration", None)
        graph = {k: read.get(k) for k in _GRAPH}
        mark = hashlib.sha256(yaml.safe_dump(graph, sort_keys=True).encode()).hexdigest()[:12]
        self.key = f"{read.get('name', 'model')}-{precision}-{mark}"
        read["file"] = str(manifest.resolve().parent / str(read.get("file", "")))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / manifest.name
            copy.write_text(yaml.safe_dump(read, sort_keys=False), encoding="utf-8")
            self._detector = Detector.load(copy, threads=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's classes."""
        return self._detector.names

    def find(self, image: Image) -> Detections:
        """Return all that scores at least `FLOOR`."""
        return self._detector.detect(image, min_score=FLOOR)


def read_image(path: Path) -> Image:
    """Read a picture file.

    Raises:
        EvaluationError: If it is none.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise EvaluationError(f"{path}: not a picture; copy the set again")
    return np.asarray(image, np.uint8)


def frames_of(pictures: PictureSet, alter: Alter | None = None, how: str = "") -> Frames:
    """The pictures of a set, altered if wanted.

    Args:
        pictures: Where from.
        alter: What is done to each.
        how: Names it.
    """

    def images() -> Iterator[Image]:
        for picture in pictures.pictures:
            image = read_image(picture.path)
            yield alter(image) if alter else image

    marks = []
    for picture in pictures.pictures:
        if not picture.path.is_file():
            raise EvaluationError(f"{picture.path}: no such picture; copy the set again")
        stat = picture.path.stat()
        marks.append(f"{picture.path.name} {stat.st_size} {stat.st_mtime_ns}")
    mark = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]
    title = f"{pictures.name} {how}".strip()
    return Frames(f"{title.replace(' ', '-')}-{mark}", title, len(pictures.pictures), images)


class Eye:
    """Looks once, and remembers."""

    def __init__(self, folder: Path, *, quiet: bool = False, fresh: bool = False) -> None:
        """Prepare to look.

        Args:
            folder: Where what was found is kept.
            quiet: No progress bars.
            fresh: Look again, even if it was looked before.
        """
        self._folder, self._quiet, self._fresh = folder, quiet, fresh
        self._done: set[Path] = set()

    def look(self, model: Model, frames: Frames) -> list[Detections]:
        """Return what a model finds in each picture."""
        path = self._folder / model.key / f"{frames.key}-{MOST_DETECTIONS}.npz"
        if path.is_file() and (not self._fresh or path in self._done):
            return _read(path, model.names)
        bar = Console(stderr=True)
        shown = track(
            frames.images(),
            f"{model.key}: {frames.title}",
            total=frames.count,
            console=bar,
            disable=self._quiet,
        )
        found = [model.find(image) for image in shown]
        _write(path, found)
        self._done.add(path)
        return found


def _write(path: Path, found: list[Detections]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as stream:
        np.savez_compressed(
            stream,
            counts=np.array([len(f) for f in found], np.int64),
            sizes=np.array([f.size for f in found], np.int64).reshape(-1, 2),
            boxes=np.concatenate([f.boxes for f in found] or [np.zeros((0, 4), np.float32)]),
            scores=np.concatenate([f.scores for f in found] or [np.zeros(0, np.float32)]),
            class_ids=np.concatenate([f.class_ids for f in found] or [np.zeros(0, np.int64)]),
        )
    os.replace(draft, path)  # noqa: PTH105 - a reader sees the whole file or none


def _read(path: Path, names: tuple[str, ...]) -> list[Detections]:
    with np.load(path) as kept:
        cuts = np.cumsum(kept["counts"])[:-1]
        columns = (np.split(kept[k], cuts) for k in ("boxes", "scores", "class_ids"))
        sizes = [(int(w), int(h)) for w, h in kept["sizes"]]
        rows = zip(*columns, sizes, strict=True) if sizes else iter(())
        return [Detections(b, s, c, names, size) for b, s, c, size in rows]

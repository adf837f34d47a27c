"""Labelled pictures to judge by, read from COCO-style folders."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from models.evaluation.split import half_of
from models.scenes.classes import CLASSES
from models.train.labels import our_name
from models.train.sets import HELD_OUT

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Row = tuple[str, list[float], bool]  # a label: name, corners, whether it is to be ignored

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ROOT.parent / "shared"
ROOMS: Final = SHARED / "data" / "coco_desk_dev"
OFFICES: Final = SHARED / "data" / "office_cctv_train"
PENS: Final = SHARED / "data" / "pen_overhead"
STATIONERY: Final = SHARED / "data" / "stationery"
SCENES: Final = ROOT / "build" / "scenes" / "val"
PHOTOGRAPHS: Final = ROOT / "build" / "photographs"
EXTRA: Final = Path(__file__).with_name("coco_desk_dev.extra.json")
SHEETS: Final = Path(__file__).with_name("stationery.extra.json")
PHOTOGRAPHED: Final = Path(__file__).with_name("photographs.json")
SPLIT: Final = Path(__file__).with_name("split.json")

#: The longest side that "small" and "large" are meant for.
SIDE: Final = 640


class EvaluationError(RuntimeError):
    """Something to evaluate, or to evaluate with, cannot be had."""


@dataclass(frozen=True)
class Labelled:
    """What is truly there of one class in one picture.

    Attributes:
        boxes: float32 [n, 4], x1, y1, x2, y2.
        ignored: bool [n]: what is found there is neither right nor wrong (COCO's crowds).
    """

    boxes: Floats
    ignored: Flags

    @classmethod
    def of(cls, rows: list[tuple[list[float], bool]]) -> Self:
        """Make one from boxes and their flags."""
        boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
        return cls(boxes, np.array([ignored for _, ignored in rows], np.bool_))


NOTHING: Final = Labelled.of([])


@dataclass(frozen=True)
class Picture:
    """One labelled picture.

    Attributes:
        path: Of the file.
        size: Width and height, pixels.
        things: By class.
        others: By name: labelled things that are no class of ours, look-alikes among them.
    """

    path: Path
    size: tuple[int, int]
    things: dict[str, Labelled]
    others: dict[str, Labelled]

    def of(self, name: str) -> Labelled:
        """What there is of a class."""
        return self.things.get(name, NOTHING)

    @property
    def shrink(self) -> float:
        """Factor of areas, to what they were if the longest side had 640 pixels."""
        return (SIDE / max(self.size)) ** 2


@dataclass(frozen=True)
class PictureSet:
    """Pictures from one source.

    Attributes:
        name: For people and for the cache.
        pictures: In the order of their names.
        labelled: Classes that are labelled wherever they are.
    """

    name: str
    pictures: tuple[Picture, ...]
    labelled: frozenset[str]

    def part(self, name: str, files: frozenset[str]) -> Self:
        """Only the pictures with these file names."""
        chosen = tuple(p for p in self.pictures if p.path.name in files)
        return replace(self, name=f"{self.name}-{name}", pictures=chosen)

    def count(self, name: str) -> int:
        """How many things of a class are labelled, ignored ones left out."""
        return sum(int((~p.of(name).ignored).sum()) for p in self.pictures)


def _load(path: Path, fix: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path}: cannot be read ({error}); {fix}") from error


def _row(name: str, note: Any) -> Row:
    x, y, w, h = note["bbox"]
    return our_name(name), [x, y, x + w, y + h], bool(note.get("iscrowd"))


def _notes(data: Any) -> dict[str, list[Row]]:
    """By file name: every label."""
    names = {c["id"]: c["name"] for c in data["categories"]}
    files = {i["id"]: i["file_name"] for i in data["images"]}
    out: dict[str, list[Row]] = defaultdict(list)
    for note in data["annotations"]:
        out[files[note["image_id"]]].append(_row(names[note["category_id"]], note))
    return out


def _extra_notes(data: Any) -> dict[str, list[Row]]:
    """The same from a file that names picture and class in every label."""
    out: dict[str, list[Row]] = defaultdict(list)
    for note in data["annotations"]:
        out[note["file_name"]].append(_row(note["category"], note))
    return out


def _by_name(rows: list[Row]) -> dict[str, Labelled]:
    grouped: dict[str, list[tuple[list[float], bool]]] = defaultdict(list)
    for name, box, ignored in rows:
        grouped[name].append((box, ignored))
    return {name: Labelled.of(mine) for name, mine in grouped.items()}


def _lookalikes(path: Path) -> list[Row]:
    """Read the things without a class that a rendered picture's own label file tells of."""
    if not path.is_file():
        return []
    found = _load(path, "render it again").get("lookalikes", [])
    return [_row(thing["name"], thing) for thing in found]


def read_set(name: str, folder: Path, extra: Path | None = None) -> PictureSet:
    """Read `images/`, `instances.json` and, where there are any, `labels/*.json` of a folder.

    Args:
        name: What to call it.
        folder: Of the set.
        extra: More labels for the same pictures, each with `file_name`, `category` and `bbox`.

    Raises:
        EvaluationError: If there is no such set, or it is broken.
    """
    fix = (
        f"render scenes with `python -m models.scenes {folder}`, or name a folder with images/ and "
        "instances.json"
    )
    data = _load(folder / "instances.json", fix)
    notes, more = _notes(data), {}
    labelled = {our_name(c["name"]) for c in data["categories"]}
    if extra is not None:
        added = _load(extra, "it belongs to the repository: check it out again")
        more = _extra_notes(added)
        labelled |= {c["name"] for c in added["categories"]}
    pictures = []
    for image in sorted(data["images"], key=lambda i: str(i["file_name"])):
        file = image["file_name"]
        rows = notes.get(file, []) + more.get(file, [])
        rows += _lookalikes(folder / "labels" / f"{Path(file).stem}.json")
        things = _by_name([r for r in rows if r[0] in CLASSES])
        others = _by_name([r for r in rows if r[0] not in CLASSES])
        size = (int(image["width"]), int(image["height"]))
        pictures.append(Picture(folder / "images" / file, size, things, others))
    return PictureSet(name, tuple(pictures), frozenset(labelled & set(CLASSES)))


def rooms(*, extra: bool = True) -> PictureSet:
    """COCO's real rooms, with our own labels of what COCO has no class for if wanted."""
    return read_set("coco_desk_dev", ROOMS, EXTRA if extra else None)


def half(which: str, *, extra: bool = True) -> PictureSet:
    """The `choose` or the `report` half of the real rooms."""
    split = _load(SPLIT, "it belongs to the repository: check it out again")
    return rooms(extra=extra).part(which, frozenset(split[which]))


def sheets() -> PictureSet:
    """Real sheets and notebooks seen from close by, under pencils, rulers and rubbers.

    The training once learnt from these pictures' pens, and never from their sheets and notebooks.
    """
    read = read_set(STATIONERY.name, STATIONERY, SHEETS)
    ours = frozenset({"paper", "notebook"})
    pictures = tuple(
        replace(p, things={name: p.of(name) for name in ours & p.things.keys()})
        for p in read.pictures
    )
    return replace(read, name="stationery-sheets", pictures=pictures, labelled=ours)


def photographs() -> PictureSet:
    """Photographs of real sheets, each on a table, that other people took to scan or read them.

    Raises:
        EvaluationError: If they were not fetched, or with other labels than ours of today.
    """
    listing = PHOTOGRAPHS / "instances.json"
    if not listing.is_file() or listing.read_bytes() != PHOTOGRAPHED.read_bytes():
        raise EvaluationError(
            f"{PHOTOGRAPHS}: not there, or from before; fetch it with `make photographs`"
        )
    return read_set("photographs", PHOTOGRAPHS)


def kept_from_training() -> dict[str, PictureSet]:
    """Real sources whose labels no training saw: an office's ceiling, pens on a bench, sheets.

    Photographs of sheets on tables only where they were fetched.
    """
    offices = read_set(OFFICES.name, OFFICES)
    camera = HELD_OUT["office_cctv_train"]
    ceiling = frozenset(p.path.name for p in offices.pictures if camera in p.path.name)
    fetched = (PHOTOGRAPHS / "instances.json").is_file()
    return {
        "ceiling": offices.part("kept", ceiling),
        "pens": read_set(PENS.name, PENS),
        "sheets": sheets(),
        **({"photographs": photographs()} if fetched else {}),
    }


def scenes(which: str = "") -> PictureSet:
    """The held-out rendered desks; only what occurs in them counts as labelled.

    Args:
        which: Only the half, `choose` or `report`, that the names tell, as for the real pictures.
    """
    read = read_set("scenes-val", SCENES)
    labelled = frozenset(n for n in read.labelled if read.count(n))
    files = {p.path.name for p in read.pictures if half_of(p.path.name) == which}
    whole = replace(read, labelled=labelled)
    return whole.part(which, frozenset(files)) if which else whole

"""How well the desk model sees: `python -m models.evaluate --set coco_desk_dev`."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cleandesk.detector import Detections, Detector
from models.train.labels import class_index
from models.train.metrics import Figures, Found, Labelled, figures

ROOT: Final = Path(__file__).resolve().parents[1]
SETS: Final = {
    "coco_desk_dev": ROOT.parent / "shared" / "data" / "coco_desk_dev",
    "scenes": ROOT / "build" / "scenes" / "val",
}
LEAST_SCORE: Final = 0.02  # average precision wants the weak ones too


class EvaluationError(RuntimeError):
    """The pictures to evaluate on cannot be read."""


@dataclass(frozen=True)
class Truth:
    """One labelled picture: by class index, what is there."""

    path: Path
    classes: dict[int, Labelled]


def read_truth(folder: Path, names: tuple[str, ...]) -> list[Truth]:
    """Read `images/` and `instances.json` of a COCO-style folder.

    Args:
        folder: Of the set.
        names: The model's classes.

    Raises:
        EvaluationError: If there is no such set.
    """
    listing = folder / "instances.json"
    if not listing.is_file():
        raise EvaluationError(
            f"{listing}: no such file; render scenes with `python -m models.scenes {folder}`, or "
            "name a folder with images/ and instances.json"
        )
    data = json.loads(listing.read_text(encoding="utf-8"))
    ours = {c["id"]: class_index(c["name"]) for c in data["categories"]}
    notes: dict[int, list[tuple[int, list[float], bool]]] = {i["id"]: [] for i in data["images"]}
    for note in data["annotations"]:
        label = ours.get(note["category_id"])
        if label is not None:
            x, y, w, h = note["bbox"]
            corners = [x, y, x + w, y + h]
            notes[note["image_id"]].append((label, corners, bool(note.get("iscrowd"))))
    return [
        Truth(folder / "images" / image["file_name"], _by_class(notes[image["id"]], len(names)))
        for image in data["images"]
    ]


def _by_class(notes: list[tuple[int, list[float], bool]], classes: int) -> dict[int, Labelled]:
    out = {}
    for index in range(classes):
        mine = [(corners, crowd) for label, corners, crowd in notes if label == index]
        boxes = np.array([corners for corners, _ in mine], np.float32).reshape(-1, 4)
        out[index] = Labelled(boxes, np.array([crowd for _, crowd in mine], np.bool_))
    return out


def look(detector: Detector, truths: list[Truth], *, quiet: bool) -> Iterator[Detections]:
    """What the model finds in each picture."""
    for truth in track(truths, "looking", console=Console(stderr=True), disable=quiet):
        picture = cv2.imread(str(truth.path), cv2.IMREAD_COLOR)
        if picture is None:
            raise EvaluationError(f"{truth.path}: not a picture; copy the set again")
        yield detector.detect(np.asarray(picture, np.uint8), min_score=LEAST_SCORE)


def evaluate(detector: Detector, truths: list[Truth], *, quiet: bool = True) -> dict[str, Figures]:
    """Figures by class, at the thresholds of the model's manifest."""
    pairs: dict[int, list[tuple[Found, Labelled]]] = {i: [] for i in range(len(detector.names))}
    for truth, found in zip(truths, look(detector, truths, quiet=quiet), strict=True):
        for index, mine in pairs.items():
            rows = found.class_ids == index
            mine.append((Found(found.boxes[rows], found.scores[rows]), truth.classes[index]))
    return {
        detector.names[index]: figures(mine, detector.manifest.threshold_of(detector.names[index]))
        for index, mine in pairs.items()
    }


def show(results: dict[str, Figures], thresholds: dict[str, float], title: str) -> Table:
    """A table for people."""
    table = Table(title=title)
    for column in ("class", "labelled", "AP50", "AP", "score", "precision", "recall", "false/pic"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for name, f in results.items():
        cells = (f.ap50, f.ap, thresholds[name], f.precision, f.recall, f.false_per_picture)
        shown = ["-" if np.isnan(v) else f"{v:.2f}" for v in cells]
        table.add_row(name, str(f.labelled), *shown)
    return table


def main(
    which: Annotated[
        str, typer.Option("--set", help=f"{', '.join(SETS)}, or a folder.")
    ] = "coco_desk_dev",
    manifest: Annotated[Path | None, typer.Option(help="Another model's manifest.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print average precision, and precision and recall at the shipped thresholds, by class."""
    detector = Detector.load(manifest)
    folder = SETS.get(which, Path(which))
    try:
        truths = read_truth(folder, detector.names)
        results = evaluate(detector, truths, quiet=as_json)
    except EvaluationError as error:
        typer.echo(f"evaluate: {error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        # NaN is no JSON: a class that is not in the set has no figures.
        plain = {
            name: {k: None if np.isnan(v) else v for k, v in asdict(f).items()}
            for name, f in results.items()
        }
        typer.echo(json.dumps({"set": which, "pictures": len(truths), "classes": plain}))
        return
    thresholds = {name: detector.manifest.threshold_of(name) for name in results}
    Console().print(show(results, thresholds, f"{which}: {len(truths)} pictures"))


if __name__ == "__main__":
    typer.run(main)

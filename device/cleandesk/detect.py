"""`cleandesk detect`: what the model sees in picture files."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from cleandesk import annotate, pictures
from cleandesk.detector import Detections, Detector


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in one picture.

    Attributes:
        believed: bool [n], whether each detection reaches the model's own threshold.
    """

    path: Path
    detections: Detections
    believed: NDArray[np.bool_]

    def to_json(self) -> str:
        """Return one line of JSON: image, and of each detection class, score, box and belief."""
        found: list[dict[str, Any]] = [
            {
                "class": name,
                "score": round(score, 4),
                "box": [round(v, 2) for v in box],
                "believed": believed,
            }
            for (name, score, box), believed in zip(
                self.detections, self.believed.tolist(), strict=True
            )
        ]
        return json.dumps({"image": str(self.path), "detections": found})

    def to_table(self) -> Table:
        """Return the same for a terminal."""
        width, height = self.detections.size
        table = Table(title=f"{self.path}  {width}x{height}", title_justify="left")
        for heading in ("class", "score", "x1", "y1", "x2", "y2"):
            table.add_column(heading, justify="left" if heading == "class" else "right")
        for name, score, box in self.detections:
            table.add_row(name, f"{score:.2f}", *(f"{v:.0f}" for v in box))
        return table


class Looker:
    """Runs a detector over picture files."""

    def __init__(self, detector: Detector, *, score: float | None, folder: Path | None) -> None:
        """Prepare to look.

        Args:
            detector: What finds things.
            score: Least score; None: the manifest's own, class by class.
            folder: Where annotated pictures go; None: nowhere.

        Raises:
            OSError: If the folder cannot be made.
        """
        manifest = detector.manifest
        self._own = np.array([manifest.threshold_of(n) for n in detector.names], np.float32)
        self._least = self._own if score is None else np.full_like(self._own, score)
        self._detector = detector
        self._folder = folder
        self._taken: set[Path] = set()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def look(self, paths: Sequence[Path]) -> Iterator[Seen | Exception]:
        """Yield what each picture shows; an error in place of one that could not be had."""
        for path in pictures.find(paths):
            if isinstance(path, pictures.PictureError):
                yield path
                continue
            try:
                yield self._look(path)
            except (pictures.PictureError, OSError) as error:
                yield error

    def _look(self, path: Path) -> Seen:
        image = pictures.read(path)
        found = self._detector.detect(image, min_score=float(self._least.min()))
        found = found.where(found.scores >= self._least[found.class_ids])
        if self._folder is not None:
            annotate.write(annotate.draw(image, found), self._target(self._folder, path))
        return Seen(path, found, found.scores >= self._own[found.class_ids])

    def _target(self, folder: Path, path: Path) -> Path:
        """Return a name that this run has not used, and that no photograph has."""
        target, number = folder / f"{path.stem}{pictures.DRAWN}", 1
        while target in self._taken:
            number += 1
            target = folder / f"{path.stem}-{number}{pictures.DRAWN}"
        self._taken.add(target)
        if target.exists() and target.samefile(path):
            raise pictures.PictureError(
                f"{path}: drawing would overwrite it; name another folder to draw into"
            )
        return target

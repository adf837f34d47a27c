"""What the detector found in one frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detections:
    """Objects of one frame, best first.

    Attributes:
        boxes: float32 [n, 4]: x1, y1, x2, y2 in pixels of the original picture.
        scores: float32 [n], 0-1.
        class_ids: int64 [n], indices into `names`.
        names: The model's classes.
        size: The picture's width and height, pixels.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    names: tuple[str, ...]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.class_ids.shape != (n,):
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape} and class_ids "
                f"{self.class_ids.shape} are not [n, 4], [n], [n]"
            )

    @classmethod
    def none(cls, names: tuple[str, ...], size: tuple[int, int]) -> Self:
        """Return the detections of a picture in which nothing was found."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int64),
            names,
            size,
        )

    def moved(self, origin: tuple[int, int], size: tuple[int, int]) -> Self:
        """Return the same objects in the coordinates of the picture that these were cropped from.

        Args:
            origin: Where the crop's upper left corner lies in it, pixels.
            size: Its width and height, pixels.
        """
        x, y = origin
        offset = np.array([x, y, x, y], np.float32)
        return replace(self, boxes=self.boxes + offset, size=size)

    def where(self, wanted: NDArray[np.bool_]) -> Self:
        """Return those that are wanted, bool [n]."""
        return replace(
            self,
            boxes=self.boxes[wanted],
            scores=self.scores[wanted],
            class_ids=self.class_ids[wanted],
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[tuple[str, float, tuple[float, float, float, float]]]:
        """Yield class, score and box of each."""
        for box, score, class_id in zip(self.boxes, self.scores, self.class_ids, strict=True):
            x1, y1, x2, y2 = (float(v) for v in box)
            yield self.names[class_id], float(score), (x1, y1, x2, y2)

"""The detector: a picture goes in, detections come out."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector.decode import NanoDetPlus
from cleandesk.detector.detections import Detections
from cleandesk.detector.errors import ModelError
from cleandesk.detector.letterbox import Fit, Letterbox
from cleandesk.detector.manifest import Manifest, default_manifest
from cleandesk.detector.precision import Wanted, Weights, choose, cpuinfo
from cleandesk.detector.session import Session, read_manifest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as the model's input. It is gone when its place is used for the next one.

    Attributes:
        place: Which of the model's inputs holds it.
        fit: How the picture lies in it.
        small: The same as a picture, uint8 [height, width, 3], blue-green-red.
    """

    place: int
    fit: Fit
    small: NDArray[np.uint8]


class Detector:
    """One model, ready to look at pictures.

    `detect` is the whole of it. A loop that is in a hurry has one thread `prepare` the next picture
    in one place while another thread has the model work on the one before, in the other place.
    Each of the methods is for one thread at a time.

    Attributes:
        manifest: Of the model.
        weights: Which of its files was loaded, and why.
    """

    def __init__(self, manifest: Manifest, weights: Weights, session: Session) -> None:
        self.manifest = manifest
        self.weights = weights
        self._session = session
        self._letterboxes = [Letterbox(manifest.input, tensor) for tensor in session.inputs]
        self._decoder = NanoDetPlus(manifest)

    @classmethod
    def load(
        cls, manifest: Path | None = None, *, threads: int | None = None, precision: Wanted = "auto"
    ) -> Self:
        """Load the model that a manifest describes.

        Args:
            manifest: Path of the manifest; default: the one that came with the software.
            threads: For the model; default: all cores but one.
            precision: Which of its files; auto: the one that this CPU is faster with.

        Raises:
            ModelError: If manifest or weights are missing, wrong, or do not fit each other.
        """
        path = manifest or default_manifest()
        read = read_manifest(path)
        weights = choose(read, path, precision, cpuinfo())
        session = Session(read, weights, threads=threads)
        log.info(
            "model loaded",
            extra={
                "model": f"{read.name} {read.version}",
                "precision": weights.precision,
                "why": weights.why,
                "sha256": weights.sha256,
            },
        )
        return cls(read, weights, session)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's classes."""
        return self.manifest.classes

    def detect(self, image: NDArray[np.uint8], *, min_score: float) -> Detections:
        """Find what lies on the desk.

        Args:
            image: uint8 [height, width, 3], blue-green-red; not changed.
            min_score: Weaker detections are left out.

        Returns:
            Detections in pixels of `image`, best first.

        Raises:
            ValueError: If `image` is no such picture.
            ModelError: If the model gives values that are no numbers.
        """
        prepared = self.prepare(image)
        return self.read(self.infer(prepared), prepared, min_score=min_score)

    def prepare(self, image: NDArray[np.uint8], place: int = 0) -> Prepared:
        """Make the model's input of a picture.

        Args:
            image: uint8 [height, width, 3], blue-green-red; not changed, and not needed after.
            place: 0 or 1.

        Raises:
            ValueError: If `image` is no such picture.
        """
        letterbox = self._letterboxes[place]
        return Prepared(place, letterbox.put(image), letterbox.small)

    def infer(self, prepared: Prepared) -> NDArray[np.float32]:
        """Run the model; other threads go on meanwhile.

        Returns:
            The model's output, for `read`; overwritten by the next call.
        """
        output: NDArray[np.float32] = self._session.run(prepared.place)[0]
        return output

    def read(
        self,
        output: NDArray[np.float32],
        prepared: Prepared,
        *,
        min_score: float | Sequence[float],
    ) -> Detections:
        """Return what the model's output says of the picture it was made of, as `detect` does.

        Args:
            output: Of `infer`.
            prepared: What it was made of.
            min_score: Weaker detections are left out. One for all classes, or one for each: a class
                that needs more than 1 is not looked for.

        Raises:
            ModelError: If it holds values that are no numbers.
        """
        try:
            boxes, scores, class_ids = self._decoder.decode(output, min_score)
        except FloatingPointError as error:
            raise ModelError(
                self.weights.file, str(error), "the weights are broken: install the model anew"
            ) from error
        fit = prepared.fit
        return Detections(fit.to_picture(boxes), scores, class_ids, self.names, fit.size)

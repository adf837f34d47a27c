"""The detector: a picture goes in, detections come out."""

import logging
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector.decode import NanoDetPlus
from cleandesk.detector.detections import Detections
from cleandesk.detector.errors import ModelError
from cleandesk.detector.letterbox import Letterbox
from cleandesk.detector.manifest import Manifest, default_manifest
from cleandesk.detector.precision import Wanted, Weights, choose, cpuinfo
from cleandesk.detector.session import Session, read_manifest

log = logging.getLogger(__name__)


class Detector:
    """One model, ready to look at pictures. For one thread at a time.

    Attributes:
        manifest: Of the model.
        weights: Which of its files was loaded, and why.
    """

    def __init__(self, manifest: Manifest, weights: Weights, session: Session) -> None:
        self.manifest = manifest
        self.weights = weights
        self._session = session
        self._letterbox = Letterbox(manifest.input, session.input)
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
        fit = self._letterbox.put(image)
        output = self._session.run()
        try:
            boxes, scores, class_ids = self._decoder.decode(output[0], min_score)
        except FloatingPointError as error:
            raise ModelError(
                self.weights.file, str(error), "the weights are broken: install the model anew"
            ) from error
        return Detections(fit.to_picture(boxes), scores, class_ids, self.names, fit.size)

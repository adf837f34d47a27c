"""The detector: a picture goes in, detections come out."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cleandesk.detector.decode import NanoDetPlus
from cleandesk.detector.detections import Detections
from cleandesk.detector.errors import ModelError
from cleandesk.detector.letterbox import Letterbox
from cleandesk.detector.manifest import Manifest, default_manifest
from cleandesk.detector.session import Session, read_manifest


class Detector:
    """One model, ready to look at pictures. For one thread at a time."""

    def __init__(self, manifest: Manifest, session: Session) -> None:
        self.manifest = manifest
        self._session = session
        self._letterbox = Letterbox(manifest.input, session.input)
        self._decoder = NanoDetPlus(manifest)

    @classmethod
    def load(cls, manifest: Path | None = None, *, threads: int | None = None) -> Self:
        """Load the model that a manifest describes.

        Args:
            manifest: Path of the manifest; default: the one that came with the software.
            threads: For the model; default: all cores but one.

        Raises:
            ModelError: If manifest or weights are missing, wrong, or do not fit each other.
        """
        read = read_manifest(manifest or default_manifest())
        return cls(read, Session(read, threads=threads))

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
                self.manifest.file, str(error), "the weights are broken: install the model anew"
            ) from error
        return Detections(fit.to_picture(boxes), scores, class_ids, self.names, fit.size)

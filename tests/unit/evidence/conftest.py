"""A frame with a phone and a sheet on a desk, and what makes stills of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector
from cleandesk.evidence.faces import FaceFinder

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector.load(threads=1)


@pytest.fixture(scope="session")
def faces() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="session")
def desk() -> NDArray[np.uint8]:
    """Return a frame of the demo's clip, in which a phone and a sheet lie on the desk."""
    clip = cv2.VideoCapture(str(ROOT / "models" / "demo" / "desk.mp4"))
    clip.set(cv2.CAP_PROP_POS_FRAMES, 120)
    read, frame = clip.read()
    clip.release()
    assert read
    return np.asarray(frame, np.uint8)


@pytest.fixture(scope="session")
def seen(detector: Detector, desk: NDArray[np.uint8]) -> Detections:
    return detector.detect(desk, min_score=0.5)


@pytest.fixture(scope="session")
def people_at_a_table() -> NDArray[np.uint8]:
    """Return a real picture with faces, 640x427."""
    path = SHARED / "data" / "coco_desk_dev" / "images" / "000000006771.jpg"
    if not path.is_file():
        pytest.skip("needs the real pictures in ../shared, which are not here")
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, np.uint8)

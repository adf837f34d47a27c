"""What lies on the desk."""

from cleandesk.detector.detections import Detections
from cleandesk.detector.detector import Detector, Prepared
from cleandesk.detector.errors import ModelError
from cleandesk.detector.manifest import Manifest, default_manifest
from cleandesk.detector.precision import Wanted, Weights
from cleandesk.detector.session import read_manifest

__all__ = [
    "Detections",
    "Detector",
    "Manifest",
    "ModelError",
    "Prepared",
    "Wanted",
    "Weights",
    "default_manifest",
    "read_manifest",
]

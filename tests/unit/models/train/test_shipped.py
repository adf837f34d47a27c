"""The weights in the repository are those that the manifest names."""

import hashlib
from pathlib import Path

import yaml

from models.scenes.classes import CLASSES

DESK = Path(__file__).resolve().parents[4] / "models" / "desk"
MOST_BYTES = 6_000_000


def test_manifest_names_the_weights_beside_it() -> None:
    manifest = yaml.safe_load((DESK / "manifest.yaml").read_text(encoding="utf-8"))
    weights = (DESK / manifest["file"]).read_bytes()
    assert hashlib.sha256(weights).hexdigest() == manifest["sha256"]
    assert len(weights) <= MOST_BYTES
    assert tuple(manifest["classes"]) == CLASSES
    assert set(manifest["thresholds"]) == set(CLASSES)

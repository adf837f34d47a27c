"""Writes the weights and the manifest that the box checks before it trusts them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import onnx
import yaml

from models.scenes.classes import CLASSES
from models.train.join import STRIDES

VERSION = "0.2.0"
LICENCE = "Apache-2.0"


def save(
    model: onnx.ModelProto, folder: Path, thresholds: Mapping[str, float], source: str
) -> Path:
    """Write `desk.onnx` and `manifest.yaml` into `folder`.

    Args:
        model: Graph with output [1, 7147, 19 + 32], see `models.train.join`.
        folder: Where both files go; made if missing.
        thresholds: Least score to believe, for every class of `CLASSES`.
        source: Where the weights come from, for people.

    Returns:
        Path of the manifest.
    """
    missing = [c for c in CLASSES if c not in thresholds]
    if missing:
        raise ValueError(f"no threshold for {missing}; give one for every class")
    folder.mkdir(parents=True, exist_ok=True)
    weights = model.SerializeToString()
    (folder / "desk.onnx").write_bytes(weights)
    manifest = {
        "schema": 1,
        "name": "desk",
        "version": VERSION,
        "file": "desk.onnx",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "classes": list(CLASSES),
        "input": {
            "width": 416,
            "height": 416,
            "mean": [103.53, 116.28, 123.675],
            "std": [57.375, 57.12, 58.395],
            "colour": "bgr",
            "resize": "stretch",
        },
        "decoder": "nanodet_plus",
        "strides": list(STRIDES),
        "reg_max": 7,
        "nms_iou": 0.6,
        "threshold": 0.4,
        "thresholds": {c: round(float(thresholds[c]), 3) for c in CLASSES},
        "licence": LICENCE,
        "source": source,
    }
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest, sort_keys=False, width=100), encoding="utf-8")
    return path

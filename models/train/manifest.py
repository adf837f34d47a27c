"""Writes the weights and the manifest that the box checks before it trusts them."""

import hashlib
from pathlib import Path
from typing import Any, Final

import onnx
import yaml

from models.scenes.classes import CLASSES
from models.train.join import INPUT, STRIDES

VERSION: Final = "0.2.0"
LICENCE: Final = "Apache-2.0"
THRESHOLD: Final = 0.5  # until an operating point was chosen for these very weights
CHOSEN: Final = "operating_point.yaml"


def save(model: onnx.ModelProto, folder: Path, source: str) -> Path:
    """Write `desk.onnx` and `manifest.yaml` into `folder`.

    Thresholds, calibration and what is unverified come from `operating_point.yaml` in the folder,
    if that was chosen for these weights (`python -m models.evaluation choose`).

    Args:
        model: Graph with output [1, 10816, 19 + 32], see `models.train.join`.
        folder: Where both files go; made if missing.
        source: Where the weights come from, for people.

    Returns:
        Path of the manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = model.SerializeToString()
    (folder / "desk.onnx").write_bytes(weights)
    sha256 = hashlib.sha256(weights).hexdigest()
    manifest = {
        "schema": 1,
        "name": "desk",
        "version": VERSION,
        "file": "desk.onnx",
        "sha256": sha256,
        "classes": list(CLASSES),
        "input": {
            "width": INPUT,
            "height": INPUT,
            "mean": [103.53, 116.28, 123.675],
            "std": [57.375, 57.12, 58.395],
            "colour": "bgr",
            "resize": "stretch",
        },
        "decoder": "nanodet_plus",
        "strides": list(STRIDES),
        "reg_max": 7,
        "nms_iou": 0.6,
        "threshold": THRESHOLD,
        **chosen(folder / CHOSEN, sha256),
        "licence": LICENCE,
        "source": source,
    }
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest, sort_keys=False, width=100), encoding="utf-8")
    return path


def chosen(path: Path, sha256: str) -> dict[str, Any]:
    """What an operating point says, if it is there and of the weights with this hash."""
    if not path.is_file():
        return {}
    point = yaml.safe_load(path.read_text(encoding="utf-8"))
    if point["model"] != sha256:
        return {}
    return {key: point[key] for key in ("thresholds", "calibration", "unverified")}

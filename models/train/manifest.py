"""Writes the weights and the manifest that the box checks before it trusts them."""

import hashlib
from pathlib import Path
from typing import Any, Final

import onnx
import yaml

from models.scenes.classes import CLASSES
from models.train.grid import MEAN, SIZE, STD
from models.train.join import STRIDES

VERSION: Final = "0.8.0"
LICENCE: Final = "Apache-2.0"
THRESHOLD: Final = 0.5


def save(model: onnx.ModelProto, folder: Path, source: str) -> Path:
    """Write `desk.onnx` and `manifest.yaml` into `folder`.

    Every class has the same threshold until `python -m models.evaluation choose` knows better.

    Args:
        model: Graph with output [1, 19 + 32, 14912], see `models.train.join`.
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
            "width": SIZE,
            "height": SIZE,
            "mean": list(MEAN),
            "std": list(STD),
            "colour": "bgr",
            "resize": "stretch",
        },
        "decoder": "nanodet_plus",
        "strides": list(STRIDES),
        "reg_max": 7,
        "nms_iou": 0.6,
        "threshold": THRESHOLD,
        "licence": LICENCE,
        "source": source,
    }
    path = folder / "manifest.yaml"
    _write(manifest, path)
    return path


def add_int8(path: Path, file: Path) -> None:
    """Name an int8 file, which lies beside the manifest, as a variant in it."""
    held = yaml.safe_load(path.read_text(encoding="utf-8"))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    variant = {"precision": "int8", "file": file.name, "sha256": sha256, "needs": "dot_product"}
    _write(held | {"variants": [variant]}, path)


def _write(content: dict[str, Any], path: Path) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=100), encoding="utf-8")

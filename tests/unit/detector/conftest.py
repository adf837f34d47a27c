"""The model of this repository, manifests that are changed, and a public model to compare with."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleandesk.detector import Manifest, default_manifest, read_manifest

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def desk() -> Manifest:
    return read_manifest(default_manifest())


@pytest.fixture(scope="session")
def simple(desk: Manifest) -> Manifest:
    """Return a manifest of eleven classes and one branch, whose scores are taken as they are."""
    data = desk.model_dump(by_alias=True) | {
        "classes": [f"class-{number}" for number in range(11)],
        "input": desk.input.model_dump() | {"width": 416, "height": 416},
        "strides": [8, 16, 32, 64],
        "thresholds": {},
        "calibration": {},
        "unverified": [],
    }
    return Manifest.model_validate(data)


@pytest.fixture
def write(tmp_path: Path, desk: Manifest) -> Write:
    """Write our model's manifest with some keys changed; `weights` makes a file of its own."""

    def write(*, weights: bytes | None = None, **changes: Any) -> Path:
        data = desk.model_dump(mode="json", by_alias=True) | changes
        if weights is not None:
            (tmp_path / "own.onnx").write_bytes(weights)
            data |= {"file": "own.onnx", "sha256": hashlib.sha256(weights).hexdigest()}
            data |= {"variants": []} | changes
        path = tmp_path / "manifest.yaml"
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the real pictures and public models in ../shared, which are not here")
    return SHARED

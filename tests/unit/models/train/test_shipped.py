"""The weights in the repository are those that the manifest names."""

import hashlib
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import yaml

from cleandesk.detector import read_manifest
from cleandesk.detector.calibration import Calibration
from models.scenes.classes import CLASSES

DESK = Path(__file__).resolve().parents[4] / "models" / "desk"
START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
MOST_BYTES = 6_000_000


def test_manifest_names_the_weights_beside_it() -> None:
    manifest = yaml.safe_load((DESK / "manifest.yaml").read_text(encoding="utf-8"))
    weights = (DESK / manifest["file"]).read_bytes()
    assert hashlib.sha256(weights).hexdigest() == manifest["sha256"]
    assert len(weights) <= MOST_BYTES
    assert tuple(manifest["classes"]) == CLASSES
    assert set(manifest["thresholds"]) == set(CLASSES)


@pytest.mark.parametrize("limit", ["LOUDEST", "DOUBT"])
def test_what_small_phones_are_told_by_reaches_no_threshold_and_is_all_that_is_weakened(
    limit: str,
) -> None:
    for name in ("onnx", "torch"):
        pytest.importorskip(name, reason=f"{name} is in the extra `train` only")
    join = importlib.import_module("models.train.join")
    manifest = read_manifest(DESK / "manifest.yaml")
    most = np.array([getattr(join, limit)], np.float32)
    said = Calibration(manifest).apply(most, np.array([CLASSES.index("phone")]))
    assert said < manifest.threshold_of("phone")


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is in the extra `train` only"
)
def test_the_checkpoints_that_came_with_the_code_give_the_shipped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = importlib.import_module("models.train.__main__")
    monkeypatch.setattr(command, "BUILD", tmp_path)  # where nothing was trained
    command.export(tmp_path / "out")
    made = (tmp_path / "out" / "desk.onnx").read_bytes()
    assert made == (DESK / "desk.onnx").read_bytes()

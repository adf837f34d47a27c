"""The manifest takes over an operating point of these very weights, and of no others."""

from pathlib import Path

import pytest
import yaml

onnx = pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.scenes.classes import CLASSES  # noqa: E402
from models.train import manifest  # noqa: E402


def saved(folder: Path) -> dict[str, object]:
    graph = onnx.helper.make_graph([], "empty", [], [])
    path = manifest.save(onnx.helper.make_model(graph), folder, "a test")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def choose(folder: Path, model: object) -> None:
    point = {
        "model": model,
        "thresholds": dict.fromkeys(CLASSES, 0.7),
        "calibration": {c: {"scale": 2.0, "offset": 0.5} for c in CLASSES},
        "unverified": ["card"],
        "evidence": {},
    }
    (folder / manifest.CHOSEN).write_text(yaml.safe_dump(point), encoding="utf-8")


def test_without_an_operating_point_every_class_has_the_same_threshold(tmp_path: Path) -> None:
    written = saved(tmp_path)
    assert written["threshold"] == manifest.THRESHOLD
    assert not {"thresholds", "calibration", "unverified"} & set(written)


def test_an_operating_point_of_these_weights_is_taken_over(tmp_path: Path) -> None:
    choose(tmp_path, saved(tmp_path)["sha256"])
    written = saved(tmp_path)
    assert written["thresholds"] == dict.fromkeys(CLASSES, 0.7)
    assert written["unverified"] == ["card"]
    assert "evidence" not in written


def test_one_of_other_weights_is_not(tmp_path: Path) -> None:
    choose(tmp_path, "0" * 64)
    assert "thresholds" not in saved(tmp_path)

"""The operating point is read as it was written, and belongs to its weights."""

from pathlib import Path

import pytest

from models.evaluation import operating_point
from models.evaluation.calibrate import IDENTITY, Curve
from models.evaluation.operating_point import OperatingPoint
from models.evaluation.sets import EvaluationError
from tests.unit.models.evaluation.makers import A, B, found


def test_it_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    operating_point.write(
        {
            "thresholds": {"phone": 0.7, "pen": 0.9},
            "calibration": {"phone": {"scale": 2.0, "offset": -0.5}},
            "unverified": ["pen"],
        },
        path,
    )
    read = operating_point.read(path, ("phone", "pen"))
    assert read == OperatingPoint(
        {"phone": 0.7, "pen": 0.9}, {"phone": Curve(2.0, -0.5), "pen": IDENTITY}, ("pen",)
    )


def test_a_manifest_without_calibration_serves_too(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("threshold: 0.4\nthresholds: {phone: 0.6}\n", encoding="utf-8")
    read = operating_point.read(path, ("phone", "pen"))
    assert read.thresholds == {"phone": 0.6, "pen": 0.4}
    assert read.calibration["pen"] == IDENTITY


def test_a_class_without_threshold_is_named(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text("thresholds: {phone: 0.6}\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"pen.*choose"):
        operating_point.read(path, ("phone", "pen"))


def test_calibrated_finds_are_best_first_again() -> None:
    curves = {"phone": Curve(1, -3), "paper": Curve(1, 3)}
    point = OperatingPoint({}, curves | dict.fromkeys(("notebook", "person"), IDENTITY), ())
    (seen,) = point.detections([found(("phone", A, 0.6), ("paper", B, 0.5))])
    assert [(name, box) for name, _, box in seen] == [("paper", tuple(B)), ("phone", tuple(A))]
    assert seen.scores[0] > 0.9
    assert seen.scores[1] < 0.2

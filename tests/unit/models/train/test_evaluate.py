"""The evaluation reads labels as the model's classes, and says what is wrong with a set."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from cleandesk.detector import Detector
from models.evaluate import EvaluationError, evaluate, main, read_truth
from models.scenes.classes import CLASSES


def make_set(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "a.png"), np.full((48, 64, 3), 128, np.uint8))
    data = {
        "images": [{"id": 4, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "book"}, {"id": 2, "name": "zebra"}],
        "annotations": [
            {"image_id": 4, "category_id": 1, "bbox": [1, 2, 30, 20], "iscrowd": 1},
            {"image_id": 4, "category_id": 1, "bbox": [10, 20, 30, 20], "iscrowd": 0},
            {"image_id": 4, "category_id": 2, "bbox": [0, 0, 5, 5], "iscrowd": 0},
        ],
    }
    (folder / "instances.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def test_truth_is_read_by_class(tmp_path: Path) -> None:
    (truth,) = read_truth(make_set(tmp_path / "set"), CLASSES)
    books = truth.classes[CLASSES.index("notebook")]
    assert books.boxes.tolist() == [[1, 2, 31, 22], [10, 20, 40, 40]]
    assert books.crowd.tolist() == [True, False]
    assert sum(len(labelled.boxes) for labelled in truth.classes.values()) == 2


def test_an_empty_desk_gives_no_right_and_no_false_answers(tmp_path: Path) -> None:
    detector = Detector.load()
    results = evaluate(detector, read_truth(make_set(tmp_path / "set"), detector.names))
    assert results["notebook"].labelled == 1
    assert results["notebook"].recall == 0
    assert results["phone"].labelled == 0
    assert math.isnan(results["phone"].ap50)
    assert {f.false_per_picture for f in results.values()} == {0.0}


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set")
    (folder / "images" / "a.png").unlink()
    detector = Detector.load()
    with pytest.raises(EvaluationError, match=r"a\.png"):
        evaluate(detector, read_truth(folder, detector.names))


def test_a_missing_set_ends_with_its_name_and_a_fix(tmp_path: Path) -> None:
    app = Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--set", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "instances.json" in result.output
    assert "models.scenes" in result.output


def test_json_is_for_programs(tmp_path: Path) -> None:
    app = Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--json", "--set", str(make_set(tmp_path / "set"))])
    report = json.loads(result.stdout)
    assert report["pictures"] == 1
    assert report["classes"]["phone"]["ap50"] is None
    assert report["classes"]["notebook"]["labelled"] == 1

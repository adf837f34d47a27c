"""The whole detector, on real pictures against a public model's own decoding."""

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleandesk.detector import Detector, Manifest, ModelError, default_manifest

Write = Callable[..., Path]
PICTURES = 12


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(threads=1)


def _reference(shared: Path) -> Any:
    spec = importlib.util.spec_from_file_location("decode", shared / "teachers" / "decode.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_finds_what_the_public_decoder_finds(
    shared: Path, write: Write, simple: Manifest
) -> None:
    reference = _reference(shared)
    weights = (shared / "teachers" / "nanodet_plus_m_416.onnx").read_bytes()
    path = write(
        weights=weights,
        classes=reference.COCO,
        input=simple.input.model_dump(mode="json"),
        strides=[8, 16, 32, 64],
        thresholds={},
        calibration={},
        unverified=[],
    )
    ours = Detector.load(path, threads=1)
    theirs = reference.make("nanodet_plus_m_416")
    folder = shared / "data" / "coco_desk_dev" / "images"
    found = 0
    for path in sorted(folder.glob("*.jpg"))[:PICTURES]:
        image = cv2.imread(str(path))
        assert image is not None
        seen, wanted = ours.detect(np.asarray(image, np.uint8), min_score=0.3), theirs(image, 0.3)
        assert len(seen) == len(wanted), path.name
        order = np.lexsort((seen.class_ids, -seen.scores))
        wanted = wanted[np.lexsort((wanted[:, 5], -wanted[:, 4]))]
        np.testing.assert_array_equal(seen.class_ids[order], wanted[:, 5], path.name)
        np.testing.assert_allclose(seen.scores[order], wanted[:, 4], atol=1e-3)
        np.testing.assert_allclose(seen.boxes[order], wanted[:, :4], atol=0.5)
        found += len(seen)
    assert found > PICTURES


def _picture(shared: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(shared / "data" / "coco_desk_dev" / "images" / "000000000139.jpg"))
    assert image is not None
    return np.asarray(image, np.uint8)


def test_it_answers_the_same_each_time_in_pixels_of_the_picture(
    detector: Detector, shared: Path
) -> None:
    image = _picture(shared)
    first = detector.detect(image, min_score=0.2)
    detector.detect(image[:, ::-1].copy(), min_score=0.2)
    again = detector.detect(image, min_score=0.2)
    assert len(first) > 0
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert first.size == (image.shape[1], image.shape[0])
    assert (first.boxes >= 0).all()
    assert (first.boxes <= [*first.size, *first.size]).all()
    assert (np.diff(first.scores) <= 0).all()


def test_a_larger_copy_of_a_picture_has_larger_boxes(detector: Detector, shared: Path) -> None:
    image = _picture(shared)
    double = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    small = detector.detect(image, min_score=0.5)
    large = detector.detect(np.asarray(double, np.uint8), min_score=0.5)
    assert small.class_ids[0] == large.class_ids[0]
    np.testing.assert_allclose(large.boxes[0] / 2, small.boxes[0], atol=8)


def test_an_earlier_answer_is_not_changed_by_the_next(detector: Detector, shared: Path) -> None:
    image = _picture(shared)
    first = detector.detect(image, min_score=0.2)
    boxes, scores = first.boxes.copy(), first.scores.copy()
    detector.detect(np.zeros_like(image), min_score=0.0)
    np.testing.assert_array_equal(first.boxes, boxes)
    np.testing.assert_array_equal(first.scores, scores)


def test_scores_that_are_no_numbers_are_an_error_and_not_a_clean_desk(
    write: Write, desk: Manifest
) -> None:
    huge = desk.input.model_dump() | {"mean": [-3e38, -3e38, -3e38], "std": [1.0, 1.0, 1.0]}
    broken = Detector.load(write(input=huge), threads=1, precision="fp32")
    with pytest.raises(ModelError, match="no numbers"):
        broken.detect(np.zeros((10, 10, 3), np.uint8), min_score=0.5)


def test_names_are_the_manifests_and_the_hash_is_the_loaded_files(detector: Detector) -> None:
    assert detector.names == detector.manifest.classes
    content = detector.weights.file.read_bytes()
    assert detector.weights.sha256 == hashlib.sha256(content).hexdigest()
    assert default_manifest().name == "manifest.yaml"


def test_the_int8_file_is_loaded_where_it_is_wanted(
    write: Write, tmp_path: Path, desk: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    content = desk.file.read_bytes() + b"\x82\x07\x00"  # the same graph in another file
    (tmp_path / "desk.int8.onnx").write_bytes(content)
    variant = {
        "precision": "int8",
        "file": "desk.int8.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "needs": "dot_product",
    }
    path = write(variants=[variant])
    with caplog.at_level("INFO", logger="cleandesk.detector"):
        forced = Detector.load(path, threads=1, precision="int8")
    assert forced.weights.file == tmp_path / "desk.int8.onnx"
    assert forced.weights.sha256 == variant["sha256"]
    (said,) = caplog.records
    assert said.message == "model loaded"
    assert {"precision": "int8", "sha256": variant["sha256"]}.items() <= vars(said).items()
    plain = Detector.load(path, threads=1, precision="fp32")
    assert plain.weights.sha256 == desk.sha256


def test_a_damaged_int8_file_is_named(write: Write, tmp_path: Path) -> None:
    (tmp_path / "desk.int8.onnx").write_bytes(b"damaged")
    variant = {
        "precision": "int8",
        "file": "desk.int8.onnx",
        "sha256": "0" * 64,
        "needs": "dot_product",
    }
    with pytest.raises(ModelError, match="the manifest says 000") as caught:
        Detector.load(write(variants=[variant]), threads=1, precision="int8")
    assert caught.value.place == tmp_path / "desk.int8.onnx"


def test_calibration_changes_scores_and_nothing_else(
    write: Write, desk: Manifest, shared: Path
) -> None:
    image = _picture(shared)
    raw = Detector.load(write(calibration={}), threads=1, precision="fp32")
    line = {"scale": 1.5, "offset": -0.5}
    path = write(calibration=dict.fromkeys(desk.classes, line))
    calibrated = Detector.load(path, threads=1, precision="fp32")
    before = raw.detect(image, min_score=0.2)
    odds = 1.5 * np.log(before.scores / (1 - before.scores)) - 0.5
    least = float(1 / (1 + np.exp(-(1.5 * np.log(0.2 / 0.8) - 0.5))))
    after = calibrated.detect(image, min_score=least)
    np.testing.assert_array_equal(after.boxes, before.boxes)
    np.testing.assert_allclose(after.scores, 1 / (1 + np.exp(-odds)), rtol=1e-4)


def test_detections_can_be_narrowed(detector: Detector, shared: Path) -> None:
    found = detector.detect(_picture(shared), min_score=0.2)
    weakest = float(found.scores.min())
    strong = found.where(found.scores > weakest)
    assert 0 < len(strong) < len(found)
    assert list(strong) == [d for d in found if d[1] > weakest]


def test_one_picture_is_prepared_while_another_waits_to_be_read(
    detector: Detector, shared: Path
) -> None:
    image = _picture(shared)
    turned = image[:, ::-1].copy()
    expected = [detector.detect(one, min_score=0.2) for one in (image, turned)]
    both = [detector.prepare(one, place) for place, one in enumerate((image, turned))]
    for prepared, wanted in zip(both, expected, strict=True):
        found = detector.read(detector.infer(prepared), prepared, min_score=0.2)
        np.testing.assert_array_equal(found.boxes, wanted.boxes)
        np.testing.assert_array_equal(found.scores, wanted.scores)
    assert not np.array_equal(expected[0].boxes, expected[1].boxes)
    np.testing.assert_array_equal(both[0].small, cv2.resize(image, both[0].small.shape[1::-1]))

"""Manifests: what they must say, and how a wrong one is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleandesk.detector import Manifest, ModelError, default_manifest, read_manifest

Write = Callable[..., Path]
INT8 = {"precision": "int8", "file": "b.onnx", "sha256": "b" * 64, "needs": "dot_product"}


def test_the_shipped_model_is_found_and_complete(desk: Manifest) -> None:
    assert default_manifest().is_file()
    assert desk.file.is_file()
    assert desk.file.parent == default_manifest().parent
    assert {"phone", "paper", "notebook", "pen", "cup", "person"} <= set(desk.classes)
    assert desk.licence == "Apache-2.0"
    assert all(0 < desk.threshold_of(name) < 1 for name in desk.classes)


def test_a_class_has_its_own_threshold_or_the_common_one(write: Write) -> None:
    manifest = read_manifest(write(threshold=0.3, thresholds={"pen": 0.7}))
    assert (manifest.threshold_of("pen"), manifest.threshold_of("cup")) == (0.7, 0.3)


@pytest.mark.parametrize(
    ("size", "strides", "points"),
    [
        ((416, 416), [8, 16, 32, 64], 3598),
        ((416, 416), [8, 16, 32, 64, 8, 16, 32], 7147),
        ((416, 416), [8, 16, 32, 64, 8, 16, 32, 64], 7196),
        ((320, 192), [8, 16, 32], 1260),
        ((100, 50), [64], 2),
    ],
)
def test_points_are_counted_as_the_model_makes_them(
    write: Write, desk: Manifest, size: tuple[int, int], strides: list[int], points: int
) -> None:
    spec = desk.input.model_dump() | {"width": size[0], "height": size[1]}
    manifest = read_manifest(write(input=spec, strides=strides))
    assert manifest.points == points
    assert manifest.output_shape == (1, len(desk.classes) + 32, points)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"classes": ["phone", "cup", "phone"], "thresholds": {}}, "'phone' stands a second time"),
        ({"classes": [], "thresholds": {}}, "has 0 entries"),
        ({"thresholds": {"fone": 0.5}}, "did you mean 'phone'"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"decoder": "yolo"}, "'yolo' is not allowed; use one of nanodet_plus"),
        ({"licences": "MIT"}, "licences: unknown key"),
        ({"strides": [0]}, "0 is out of range"),
        ({"version": 1.0}, 'put it in quotes: "1.0"'),
        ({"licence": None}, "licence: it is empty"),
        ({"unverified": ["pen", "fone"]}, "unverified[1]: the model has no such class"),
        ({"unverified": ["pen", "pen"]}, "unverified[1]: 'pen' stands a second time"),
        ({"calibration": {"fone": {"scale": 1, "offset": 0}}}, "did you mean 'phone'"),
        ({"calibration": {"pen": {"scale": 0, "offset": 0}}}, "scale: 0 is out of range"),
        ({"calibration": {"pen": {"scale": 1}}}, "calibration.pen.offset: it is missing"),
        ({"calibration": {"pen": {"scale": 1, "offset": float("nan")}}}, "pen.offset: "),
        ({"variants": [INT8, INT8]}, "variants[1]: 'int8' stands a second time"),
        ({"variants": [INT8 | {"precision": "int4"}]}, "'int4' is not allowed"),
        ({"variants": [INT8 | {"needs": "a_gpu"}]}, "'a_gpu' is not allowed"),
        ({"variants": [INT8 | {"sha256": "b"}]}, "64 hexadecimal digits"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_fix(
    write: Write, change: dict[str, Any], reason: str
) -> None:
    path = write(**change)
    with pytest.raises(ModelError) as caught:
        read_manifest(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_a_manifest_need_not_say_changes_nothing(write: Write) -> None:
    manifest = read_manifest(write(variants=[], calibration={}, unverified=[]))
    assert (manifest.variants, manifest.calibration, manifest.unverified) == ((), {}, ())


def test_a_variants_file_lies_beside_the_manifest(write: Write, tmp_path: Path) -> None:
    (variant,) = read_manifest(write(variants=[INT8])).variants
    assert (variant.precision, variant.file) == ("int8", tmp_path / "b.onnx")


def test_std_of_zero_is_refused(write: Write, desk: Manifest) -> None:
    with pytest.raises(ModelError, match=r"input\.std\[1\]: 0\.0 is out of range"):
        read_manifest(write(input=desk.input.model_dump() | {"std": [1.0, 0.0, 1.0]}))


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such file"):
        read_manifest(tmp_path / "manifest.yaml")

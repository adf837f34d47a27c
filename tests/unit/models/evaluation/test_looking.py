"""What was looked at once is not looked at again; scores are the graph's own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from cleandesk.detector import Detector
from models.evaluation.looking import FLOOR, SHIPPED, Eye, Frames, Image, RawModel, frames_of
from models.evaluation.sets import EvaluationError, read_set
from tests.unit.models.evaluation.makers import A, B, Counting, make_set


def frames(count: int = 3) -> Frames:
    def images() -> Iterator[Image]:
        for _ in range(count):
            yield np.zeros((8, 8, 3), np.uint8)

    return Frames("some", "some", count, images)


def test_a_second_look_is_remembered(tmp_path: Path) -> None:
    model = Counting(("phone", A, 0.9), ("paper", B, 0.4))
    first = Eye(tmp_path, quiet=True).look(model, frames())
    again = Eye(tmp_path, quiet=True).look(model, frames())
    assert model.looks == 3
    for one, other in zip(first, again, strict=True):
        assert list(one) == list(other)
        assert (one.names, one.size) == (other.names, other.size)


def test_pictures_without_finds_keep_their_place(tmp_path: Path) -> None:
    model = Counting()
    Eye(tmp_path, quiet=True).look(model, frames())
    assert [len(f) for f in Eye(tmp_path, quiet=True).look(model, frames())] == [0, 0, 0]


def test_no_pictures_are_no_finds(tmp_path: Path) -> None:
    for _ in range(2):
        assert Eye(tmp_path, quiet=True).look(Counting(), frames(0)) == []


def test_a_fresh_look_forgets_but_looks_once(tmp_path: Path) -> None:
    model = Counting(("phone", A, 0.9))
    Eye(tmp_path, quiet=True).look(model, frames())
    eye = Eye(tmp_path, quiet=True, fresh=True)
    eye.look(model, frames())
    eye.look(model, frames())
    assert model.looks == 6


def test_models_do_not_share_what_they_found(tmp_path: Path) -> None:
    Eye(tmp_path, quiet=True).look(Counting(("phone", A, 0.9), key="one"), frames())
    other = Eye(tmp_path, quiet=True).look(Counting(key="other"), frames())
    assert sum(len(f) for f in other) == 0


def test_changed_pictures_are_looked_at_again(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s")
    before = frames_of(read_set("s", folder)).key
    (folder / "images" / "a.png").write_bytes(b"another")
    assert frames_of(read_set("s", folder)).key != before


def test_a_picture_that_is_gone_or_broken_is_named(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s")
    (folder / "images" / "a.png").write_bytes(b"no picture")
    read = read_set("s", folder)
    with pytest.raises(EvaluationError, match=r"a\.png: not a picture"):
        list(frames_of(read).images())
    (folder / "images" / "a.png").unlink()
    with pytest.raises(EvaluationError, match=r"a\.png: no such picture"):
        frames_of(read)


def test_scores_are_raw_whatever_the_manifest_says_of_calibration(tmp_path: Path) -> None:
    manifest = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    manifest["file"] = str(SHIPPED.parent / manifest["file"])
    manifest.pop("calibration", None)
    plain = tmp_path / "plain.yaml"
    plain.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    manifest["calibration"] = {"phone": {"scale": 3.0, "offset": -1.0}}
    bent = tmp_path / "bent.yaml"
    bent.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    image = np.random.default_rng(2).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    detector = Detector.load(plain, threads=1, precision="fp32")
    expected = detector.detect(image, min_score=FLOOR)
    model = RawModel(bent)
    assert list(model.find(image)) == list(expected)
    assert model.key == RawModel(plain).key


def test_what_was_found_outlives_new_thresholds(tmp_path: Path) -> None:
    manifest = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    manifest["file"] = str(SHIPPED.parent / manifest["file"])
    manifest["thresholds"] = {"phone": 0.99}
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    assert RawModel(other).key == RawModel(SHIPPED).key


def test_a_precision_that_the_model_lacks_is_an_error(tmp_path: Path) -> None:
    manifest = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    manifest.pop("variants", None)
    plain = tmp_path / "plain.yaml"
    plain.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"plain\.yaml: has no int8 file"):
        RawModel(plain, "int8")


def test_a_variant_is_another_model_of_the_same_name(tmp_path: Path) -> None:
    manifest = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    manifest["file"] = str(SHIPPED.parent / manifest["file"])
    content = SHIPPED.parent.joinpath(manifest["file"]).read_bytes()
    (tmp_path / "small.onnx").write_bytes(content)
    variant = {"precision": "int8", "file": "small.onnx", "sha256": manifest["sha256"]}
    manifest["variants"] = [variant]
    both = tmp_path / "both.yaml"
    both.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    fp32, int8 = RawModel(both), RawModel(both, "int8")
    assert fp32.sha256 == int8.sha256
    assert fp32.key != int8.key

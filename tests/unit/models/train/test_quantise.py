"""The int8 file: which layers it quantises, from which pictures, and that it still runs."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from cleandesk.detector import Detector, default_manifest, read_manifest
from models.train.labels import LEARNT
from models.train.manifest import add_int8
from models.train.quantise import quantise, spread, stays_float
from models.train.sample import codes
from models.train.sets import DataError, Item, read_set


@pytest.mark.parametrize(
    ("node", "stays"),
    [
        ("Conv_0", True),
        ("Conv_136", True),
        ("LeakyRelu_139", False),
        ("Conv_190", False),
        ("b.Conv_190", False),
        ("b.Conv_289", True),
        ("Reshape_t7", True),
        ("Concat_output", True),
    ],
)
def test_all_before_the_last_stage_heads_and_tail_stay_in_float(node: str, stays: bool) -> None:  # noqa: FBT001
    assert stays_float(node) is stays


def set_of(folder: Path, count: int) -> list[Item]:
    images = folder / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(count)
    for number in range(count):
        picture = rng.integers(0, 256, (60, 80, 3), np.uint8)
        cv2.imwrite(str(images / f"{number}.png"), picture)
    return read_set(folder, codes(labelled=LEARNT), listed=False)


def test_pictures_come_evenly_from_all_sets(tmp_path: Path) -> None:
    sets = [set_of(tmp_path / name, count) for name, count in (("a", 8), ("b", 4))]
    names = [f"{i.path.parents[1].name}/{i.path.stem}" for i in spread(sets, 8)]
    assert names == ["a/0", "a/2", "a/4", "a/6", "b/0", "b/1", "b/2", "b/3"]
    with pytest.raises(DataError, match="a set of 4 pictures is too small for 5"):
        spread(sets, 10)


def test_the_int8_file_is_smaller_and_answers_nearly_alike(tmp_path: Path) -> None:
    shipped = read_manifest(default_manifest())
    target = tmp_path / "desk.int8.onnx"
    items = set_of(tmp_path / "set", 4)
    quantise(shipped, items, target)
    assert target.stat().st_size < 0.6 * shipped.file.stat().st_size
    manifest = tmp_path / "manifest.yaml"
    text = default_manifest().read_text(encoding="utf-8")
    manifest.write_text(text, encoding="utf-8")
    (tmp_path / shipped.file.name).write_bytes(shipped.file.read_bytes())
    add_int8(manifest, target)
    picture = items[0].read().picture
    answers = []
    for precision in ("fp32", "int8"):
        detector = Detector.load(manifest, threads=1, precision=precision)
        answers.append(detector.infer(detector.prepare(picture)).copy())
    difference = np.abs(answers[0] - answers[1])[: len(shipped.classes)]
    assert 0 < difference.mean() < 0.01

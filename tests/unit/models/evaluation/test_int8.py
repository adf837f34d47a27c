"""Int8 has to be as good to a point, and faster; else the manifest does not name it."""

from pathlib import Path

import pytest
import yaml

from models.evaluation.int8 import Verdict, side_by_side, withdraw
from models.evaluation.measures import Together


def _both(fp32: float, int8: float) -> tuple[Together, Together]:
    return Together(fp32, 1.0, 0.2), Together(int8, 1.0, 0.2)


@pytest.mark.parametrize(
    ("int8", "good"), [(0.45, True), (0.441, True), (0.439, False), (0.46, True)]
)
def test_a_point_may_be_lost(int8: float, good: bool) -> None:  # noqa: FBT001
    assert Verdict({"rooms": _both(0.45, int8), "scenes": _both(0.5, 0.5)}, (20, 15)).good is good


def test_each_set_counts() -> None:
    assert not Verdict({"rooms": _both(0.45, 0.45), "scenes": _both(0.5, 0.4)}, (20, 15)).good


def test_faster_is_faster() -> None:
    assert Verdict({}, (20, 15)).faster
    assert not Verdict({}, (20, 20)).faster


def test_both_are_run_in_turns() -> None:
    order: list[str] = []
    side_by_side([lambda: order.append("a"), lambda: order.append("b")])
    turns = "".join(order)
    assert turns.count("a") == turns.count("b")
    assert turns.count("ab") > 5


def test_withdrawing_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yaml"
    (tmp_path / "m.int8.onnx").write_bytes(b"weights")
    variant = {"precision": "int8", "file": "m.int8.onnx", "sha256": "0", "needs": "dot_product"}
    manifest.write_text(
        yaml.safe_dump({"name": "m", "variants": [variant], "threshold": 0.5}), encoding="utf-8"
    )
    withdraw(manifest)
    assert yaml.safe_load(manifest.read_text(encoding="utf-8")) == {"name": "m", "threshold": 0.5}
    assert not (tmp_path / "m.int8.onnx").exists()

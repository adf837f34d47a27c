"""Weights come back from their file beside their branch only."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")
pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import beside  # noqa: E402
from models.train.graph import GraphError  # noqa: E402

BRANCH = {"a": np.zeros(3, np.float32), "b": np.ones(2, np.float32)}


def test_they_come_back_beside_their_branch_whatever_its_order(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "small.pt"
    beside.save({"x": torch.arange(4.0, requires_grad=True)}, BRANCH, path)
    again = beside.load(path, dict(reversed(BRANCH.items())), remedy="small")
    assert torch.equal(again["x"], torch.arange(4.0))
    assert [p.name for p in path.parent.iterdir()] == ["small.pt"]


def test_beside_another_branch_or_without_a_file_it_is_said_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "small.pt"
    with pytest.raises(GraphError, match=r"no such file; run `python -m models\.train small`"):
        beside.load(path, BRANCH, remedy="small")
    beside.save({"x": torch.ones(1)}, BRANCH, path)
    with pytest.raises(GraphError, match=r"another branch; run `python -m models\.train small`"):
        beside.load(path, BRANCH | {"b": np.zeros(2, np.float32)}, remedy="small")

"""A convolution in two halves says nearly what it said, and by how much it differs is known."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import graph
from models.train.quantise import stays_float
from models.train.thin import RANKS, halves, second_of

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"


def test_halves_are_the_best_approximation_of_so_many_channels() -> None:
    weight = np.random.default_rng(0).normal(size=(12, 20, 1, 1)).astype(np.float32)
    narrow, widen = halves(weight, 5)
    assert narrow.shape == (5, 20, 1, 1)
    assert widen.shape == (12, 5, 1, 1)
    off = weight[..., 0, 0] - widen[..., 0, 0] @ narrow[..., 0, 0]
    strength = np.linalg.svd(weight[..., 0, 0], compute_uv=False)
    assert np.linalg.norm(off) == pytest.approx(np.linalg.norm(strength[5:]), rel=1e-4)


def test_with_all_channels_nothing_is_lost() -> None:
    weight = np.random.default_rng(1).normal(size=(8, 20, 1, 1)).astype(np.float32)
    narrow, widen = halves(weight, 8)
    assert np.allclose(widen[..., 0, 0] @ narrow[..., 0, 0], weight[..., 0, 0], atol=1e-5)


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
def test_the_branch_has_both_halves_and_no_other_convolution_of_their_names() -> None:
    branch = graph.branch_of(graph.load(START))
    weights = graph.conv_weights(branch)
    names = [n.name for n in branch.graph.node]
    assert len(names) == len(set(names))
    for name, rank in RANKS.items():
        assert weights[f"{name}.weight"].shape[0] == weights[f"{second_of(name)}.weight"].shape[1]
        assert weights[f"{name}.weight"].shape[0] == rank
        assert not stays_float(f"b.{name}")
        assert not stays_float(f"b.{second_of(name)}")

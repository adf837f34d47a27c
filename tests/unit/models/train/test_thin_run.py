"""A thin branch learns what the whole one says, and belongs to it alone."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")
pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import graph, kept  # noqa: E402
from models.train.graph import GraphError  # noqa: E402
from models.train.grid import SIZE  # noqa: E402
from models.train.labels import LEARNT, NUM_LEARNT  # noqa: E402
from models.train.network import Detector, fill, module, to_arrays  # noqa: E402
from models.train.thin import split  # noqa: E402
from models.train.thin_run import NAME, ThinPlan, hear, learn, load, unlike  # noqa: E402

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
PAPER = LEARNT.index("paper")


def answer(score: float, box: float = 0.0) -> Any:
    """Logits of one stride: paper at the first of four places, nothing elsewhere."""
    out = torch.full((1, NUM_LEARNT + 32, 2, 2), -6.0)
    out[:, NUM_LEARNT:] = box
    out[0, PAPER, 0, 0] = score
    return out


def test_a_score_that_is_sure_weighs_more_than_one_that_is_not() -> None:
    wanted = answer(3.0)
    assert float(unlike([wanted], [wanted])) == 0
    unsure = wanted.clone()
    unsure[0, PAPER, 1, 1] += 1  # where nothing is seen
    lost = float(unlike([answer(2.0)], [wanted]))
    assert lost > 20 * float(unlike([unsure], [wanted])) > 0
    assert float(unlike([answer(3.0, box=1.0)], [wanted])) == pytest.approx(0.25, rel=1e-4)


# onnx2torch indexes in a way that newer torch warns of.
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")
@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
@pytest.mark.skipif(
    importlib.util.find_spec("onnx2torch") is None, reason="onnx2torch is there for training only"
)
def test_a_thin_branch_comes_nearer_to_the_whole_one() -> None:
    torch.manual_seed(0)
    coco = graph.load(START)
    whole, thin = Detector(coco), module(graph.thin_branch_of(coco))
    noise = torch.randint(0, 256, (2, 3, SIZE // 64, SIZE // 64), dtype=torch.uint8)
    pictures = torch.nn.functional.interpolate(noise.float(), SIZE, mode="bilinear").byte()
    fill(thin, split(whole.weights(), hear(whole, [pictures])))
    features = whole.see(pictures).features
    with torch.no_grad():
        wanted = whole.branch(*features)
        before = unlike(thin(*features), wanted)
    learn(thin, whole, [pictures] * 6, ThinPlan(steps=6, batch=2))
    with torch.no_grad():
        after = unlike(thin(*features), wanted)
    assert 0 < after < 0.9 * before


def test_weights_of_another_branch_are_refused(tmp_path: Path) -> None:
    whole = {"Conv_1.weight": np.ones(3, np.float32)}
    tensors = {"Conv_1.weight": torch.arange(4.0)}
    kept.save(tensors, whole, tmp_path / NAME)
    assert np.array_equal(
        load(tmp_path / NAME, whole)["Conv_1.weight"], to_arrays(tensors)["Conv_1.weight"]
    )
    with pytest.raises(GraphError, match=r"models\.train thin"):
        load(tmp_path / NAME, {"Conv_1.weight": np.zeros(3, np.float32)})

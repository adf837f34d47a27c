"""A thin branch learns what the whole one says, and belongs to it alone."""

import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")
pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import graph, thin_run  # noqa: E402
from models.train.feed import Stock  # noqa: E402
from models.train.grid import SIZE, points  # noqa: E402
from models.train.labels import LEARNT, NUM_LEARNT  # noqa: E402
from models.train.network import Detector, answer_of, to_torch  # noqa: E402
from models.train.sample import codes  # noqa: E402
from models.train.sets import DataError, Item  # noqa: E402
from models.train.thin import split  # noqa: E402
from models.train.thin_run import BOXES, ThinPlan, hear, learn, load, train, unlike  # noqa: E402

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
PAPER = LEARNT.index("paper")
FINE, COARSE = 100, len(points()) - 100  # places at stride 8 and at stride 32

# onnx2torch indexes in a way that newer torch warns of.
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")
needs_start = pytest.mark.skipif(
    not START.is_file(), reason="the starting weights are not beside the repository (../shared)"
)
needs_onnx2torch = pytest.mark.skipif(
    importlib.util.find_spec("onnx2torch") is None, reason="onnx2torch is there for training only"
)


def answer(place: int, score: float = 3.0, box: float = 0.0) -> Any:
    """Logits of all places: paper at one of them, nothing elsewhere."""
    out = torch.full((1, len(points()), NUM_LEARNT + 32), -8.0)
    out[..., NUM_LEARNT:] = 0
    out[0, place, PAPER] = score
    out[0, place, NUM_LEARNT:] = box
    return out


@pytest.mark.parametrize("place", [FINE, COARSE])
def test_what_is_sure_weighs_more_than_what_is_not_at_every_stride(place: int) -> None:
    wanted = answer(place)
    assert float(unlike(wanted, wanted)) == 0
    beside = wanted.clone()
    beside[0, place + 1, PAPER] += 1  # where nothing is seen
    lost = float(unlike(answer(place, score=2.0), wanted))
    assert lost > 20 * float(unlike(beside, wanted)) > 0
    moved = wanted.clone()
    moved[0, place + 1, NUM_LEARNT:] += 1
    assert float(unlike(answer(place, box=1.0), wanted)) > 20 * float(unlike(moved, wanted)) > 0


def test_a_whole_box_that_is_off_weighs_less_than_its_score() -> None:
    everywhere = torch.full((1, len(points()), NUM_LEARNT + 32), 9.0)
    score, box = everywhere.clone(), everywhere.clone()
    score[..., :NUM_LEARNT] += 1
    box[..., NUM_LEARNT:] += 1
    assert float(unlike(score, everywhere)) == pytest.approx(3, rel=1e-4)  # of three strides
    assert float(unlike(box, everywhere)) == pytest.approx(3 * BOXES, rel=1e-4)


def picture(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
    return cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)


@needs_start
@needs_onnx2torch
def test_what_is_split_by_what_it_says_is_near_and_learns_to_come_nearer() -> None:
    torch.manual_seed(0)
    coco = graph.load(START)
    whole, blind = Detector(coco), to_torch(graph.thin_branch_of(coco))
    shown = torch.stack([torch.from_numpy(picture(seed)).permute(2, 0, 1) for seed in (1, 2)])
    model = graph.thin_branch_of(coco)
    graph.write_weights(model, split(whole.weights(), hear(whole, [shown])))
    thin, seen = to_torch(model), whole.see(shown)
    with torch.no_grad():
        wanted = whole.answer(seen)
        by_weights, by_words = (float(unlike(answer_of(b, seen), wanted)) for b in (blind, thin))
    learn(thin, whole, [shown] * 6, ThinPlan(steps=6, batch=2))
    with torch.no_grad():
        learnt = float(unlike(answer_of(thin, seen), wanted))
    assert by_words < by_weights / 2
    assert 0 < learnt < 0.9 * by_words


@needs_start
@needs_onnx2torch
def test_a_run_writes_weights_that_fit_the_thin_branch_and_name_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(3))
    item = Item(tmp_path / "a.png", ((40, 30, 120, 90),), (PAPER,), codes(labelled=LEARNT))
    stock = Stock({"scenes": [item], "coco_unlabelled": [item], "phone": [item]}, [], [], [])
    monkeypatch.setattr(thin_run, "read_stock", lambda *_: stock)
    monkeypatch.setattr("models.train.feed.SHARES", {"scenes": 1.0})
    coco = graph.load(START)
    whole = graph.conv_weights(graph.branch_of(coco))
    plan = ThinPlan(heard=2, steps=2, batch=1)
    path = train(coco, whole, plan, tmp_path, tmp_path / "build" / "train")
    graph.write_weights(graph.thin_branch_of(coco), load(path, whole))  # complains of shapes
    other = whole | {"Conv_212.bias": whole["Conv_212.bias"] + 1}
    with pytest.raises(graph.GraphError, match=r"models\.train thin"):
        load(path, other)

    stock.sets["scenes"].clear()
    with pytest.raises(DataError, match="make scenes"):
        train(coco, whole, plan, tmp_path, tmp_path / "build" / "train")

"""Head surgery on the real starting graph."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.scenes.classes import CLASSES  # noqa: E402
from models.train import graph, thin  # noqa: E402
from models.train.grid import MEAN, SIZE, STD  # noqa: E402
from models.train.join import DOUBT, LOUDEST, corrected, join  # noqa: E402
from models.train.labels import COCO, COCO_OF, KEPT, LEARNT, NUM_LEARNT  # noqa: E402
from models.train.small import MAPS, SmallPhones  # noqa: E402

TEACHERS = Path(__file__).resolve().parents[5] / "shared" / "teachers"
START = TEACHERS / "nanodet_plus_m_416.onnx"
needs_start = pytest.mark.skipif(
    not START.is_file(), reason="the starting weights are not beside the repository (../shared)"
)


def test_the_branch_starts_from_corrections_and_from_stand_ins() -> None:
    weight = np.arange(1, 113, dtype=np.float32).reshape(112, 1, 1, 1)
    bias = np.arange(1, 113, dtype=np.float32)
    rows, biases = graph.learnt_rows(weight, bias)
    assert rows.shape == (NUM_LEARNT + 32, 1, 1, 1)
    phone, pen = LEARNT.index("phone"), LEARNT.index("pen")
    assert rows[phone, 0, 0, 0] == biases[phone] == 0
    assert rows[pen, 0, 0, 0] == (weight[COCO["knife"]] + weight[COCO["toothbrush"]]) / 2
    assert biases[pen] == (bias[COCO["knife"]] + bias[COCO["toothbrush"]]) / 2 - graph.UNKNOWN_BIAS
    assert biases[NUM_LEARNT:].tolist() == bias[80:].tolist()


def test_a_missing_file_says_what_it_is() -> None:
    with pytest.raises(graph.GraphError, match="starting model"):
        graph.load(Path("no-such.onnx"))


def untrained() -> dict[str, graph.Array]:
    held: dict[str, graph.Array] = SmallPhones().eval().folded()
    return held


def without_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the graph take the branch's weakest word as it is."""
    monkeypatch.setattr("models.train.join.DOUBT", 1e-9)


def answers(model: Any, picture: Any) -> Any:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra `device` only")
    session = ort.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: picture})[0][0]


@needs_start
def test_the_joined_graph_answers_as_the_original_for_what_it_keeps() -> None:
    start = graph.load(START)
    rng = np.random.default_rng(0)
    weights = {
        name: value + rng.normal(0, 0.05, value.shape).astype(np.float32)
        for name, value in graph.conv_weights(graph.thin_branch_of(start)).items()
    }
    picture = rng.normal(size=(1, 3, 416, 416)).astype(np.float32)
    before = answers(start, picture)
    after = answers(join(start, weights, untrained(), size=416), picture).T
    points = len(before)
    assert after.shape == (points + 52**2 + 26**2 + 13**2 + 52**2, len(CLASSES) + 32)
    for name in KEPT:
        column = after[:, CLASSES.index(name)]
        assert np.array_equal(column[:points], before[:, list(COCO_OF[name])].max(1))
        assert column[points:].max() == 0
    assert np.array_equal(after[:points, len(CLASSES) :], before[:, 80:])
    assert after[:points, :NUM_LEARNT].max() == 0


@needs_start
def test_an_untrained_branch_changes_nothing_that_the_original_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thin, "RANKS", {})  # what is split says only nearly the same
    without_doubt(monkeypatch)
    start = graph.load(START)
    picture = np.random.default_rng(1).normal(size=(1, 3, 416, 416)).astype(np.float32)
    before = answers(start, picture)
    weights = graph.conv_weights(graph.thin_branch_of(start))
    after = answers(join(start, weights, untrained(), size=416), picture).T
    branch = after[len(before) : -(52**2)]
    for name in ("phone", "notebook"):
        want = before[: len(branch), COCO_OF[name][0]]
        assert np.allclose(branch[:, LEARNT.index(name)], want, atol=1e-6)
    assert np.array_equal(branch[:, len(CLASSES) :], before[: len(branch), 80:])


# onnx2torch indexes in a way that newer torch warns of; what it computes is checked here.
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")
@needs_start
def test_torch_and_the_joined_graph_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    without_doubt(monkeypatch)
    torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")
    if importlib.util.find_spec("onnx2torch") is None:
        pytest.skip("onnx2torch is installed for training only")
    start = graph.load(START)
    network = importlib.import_module("models.train.network")
    net = network.Detector(start, graph.thin_branch_of(start))
    picture = np.random.default_rng(2).integers(0, 256, (1, 3, SIZE, SIZE), np.uint8)
    with torch.no_grad():
        ours = net.answer(net.see(torch.from_numpy(picture)))[0]
    mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    joined = join(start, net.weights(), untrained(), correction=1)
    theirs = answers(joined, (picture - mean) / std).T[-len(ours) - 64**2 : -(64**2)]
    assert np.allclose(ours[:, :NUM_LEARNT].sigmoid(), theirs[:, :NUM_LEARNT], atol=1e-4)
    assert np.allclose(ours[:, NUM_LEARNT:], theirs[:, len(CLASSES) :], atol=1e-2)


@needs_start
def test_what_the_look_for_small_phones_reads_is_as_wide_in_the_starting_graph() -> None:
    start = graph.load(START)
    weights = graph.conv_weights(start)
    read = graph.small_maps(start)
    widths = {}
    for name, tensor in read.items():
        shapes = [
            weights[f"{n.name}.weight"].shape
            for n in start.graph.node
            if n.op_type == "Conv" and tensor in n.input
        ]
        # One that filters each map by itself says how many there are, as one that mixes does.
        widths[name] = {shape[0] if shape[1] == 1 else shape[1] for shape in shapes}
    assert widths == {name: {channels} for name, channels in MAPS.items()}


@needs_start
def test_small_phones_are_answered_for_at_the_last_points_and_nothing_else_is() -> None:
    start = graph.load(START)
    weights = graph.conv_weights(graph.thin_branch_of(start))
    small = untrained()
    picture = np.random.default_rng(4).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)
    found = answers(join(start, weights, small), picture).T[-(64**2) :, : len(CLASSES)]
    phone = CLASSES.index("phone")
    assert found[:, phone].min() > 0
    assert np.delete(found, phone, 1).max() == 0

    small["answer.bias"][0] = 30  # as sure as can be
    found = answers(join(start, weights, small), picture).T[-(64**2) :, phone]
    assert np.allclose(found, LOUDEST)


@needs_start
def test_only_the_weak_word_of_the_branch_on_phones_at_the_finest_stride_is_weakened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = graph.load(START)
    weights = graph.conv_weights(graph.thin_branch_of(start))
    finest = graph.head_convs(start)[0].name
    weights[f"{finest}.bias"][LEARNT.index("phone")] = 11  # so that some are sure, and some not
    picture = np.random.default_rng(5).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)
    small = untrained()
    doubted = answers(join(start, weights, small), picture)
    without_doubt(monkeypatch)
    plain = answers(join(start, weights, small), picture)
    changed = np.argwhere(plain != doubted)
    first = 64**2 + 32**2 + 16**2 + 8**2
    assert set(changed[:, 0]) == {CLASSES.index("phone")}
    assert set(changed[:, 1]) <= set(range(first, first + 64**2))
    before, after = (x[CLASSES.index("phone"), first : first + 64**2] for x in (plain, doubted))
    assert before.min() < DOUBT - 0.05
    assert before.max() > DOUBT + 0.05
    assert np.allclose(after, np.minimum(before, before**2 / DOUBT), atol=1e-6)
    assert np.array_equal(after[before > DOUBT], before[before > DOUBT])


@needs_start
def test_weights_of_another_shape_are_refused() -> None:
    start = graph.load(START)
    weights = graph.conv_weights(graph.thin_branch_of(start))
    first = next(iter(weights))
    weights[first] = np.zeros((1, 3, 3, 3), np.float32)
    with pytest.raises(graph.GraphError, match=first.replace(".", r"\.")):
        join(start, weights, untrained())


@needs_start
def test_another_size_of_the_input_gives_as_many_points() -> None:
    start = graph.load(START)
    picture = np.zeros((1, 3, 512, 512), np.float32)
    weights = graph.conv_weights(graph.thin_branch_of(start))
    found = answers(join(start, weights, untrained()), picture)
    assert found.shape[1] == 2 * (64**2 + 32**2 + 16**2) + 8**2 + 64**2


def test_half_a_correction_is_half_of_its_rows_and_all_of_the_others() -> None:
    weights = {"head.weight": np.ones((NUM_LEARNT + 32, 2), np.float32)}
    half = corrected(weights, ["head"], 0.5)["head.weight"]
    assert half[LEARNT.index("phone")].tolist() == [0.5, 0.5]
    assert half[LEARNT.index("paper")].tolist() == [1, 1]
    assert weights["head.weight"].min() == 1

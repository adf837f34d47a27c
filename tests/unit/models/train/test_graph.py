"""Head surgery on the real starting graph."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.scenes.classes import CLASSES  # noqa: E402
from models.train import graph  # noqa: E402
from models.train.labels import COCO_BOOK, COCO_OF, NUM_CLASSES  # noqa: E402

TEACHERS = Path(__file__).resolve().parents[5] / "shared" / "teachers"
START = TEACHERS / "nanodet_plus_m_416.onnx"
needs_start = pytest.mark.skipif(
    not START.is_file(), reason="the starting weights are not beside the repository (../shared)"
)


def test_rows_of_the_head_go_where_their_class_is() -> None:
    weight = np.arange(112, dtype=np.float32).reshape(112, 1, 1, 1)
    bias = np.arange(112, dtype=np.float32)
    rows, biases = graph.remap_rows(weight, bias)
    assert rows.shape == (NUM_CLASSES + 32, 1, 1, 1)
    for name, coco in COCO_OF.items():
        assert rows[CLASSES.index(name), 0, 0, 0] == coco
        assert biases[CLASSES.index(name)] == coco
    assert biases[CLASSES.index("paper")] == COCO_BOOK - graph.UNKNOWN_BIAS
    assert biases[NUM_CLASSES:].tolist() == bias[80:].tolist()


def test_a_missing_file_says_what_it_is() -> None:
    with pytest.raises(graph.GraphError, match="starting model"):
        graph.load(Path("no-such.onnx"))


@needs_start
def test_remapped_model_answers_as_the_original_for_known_classes() -> None:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra `device` only")
    start = graph.load(START)
    ours = graph.remap_head(start)
    x = np.random.default_rng(0).normal(size=(1, 3, 416, 416)).astype(np.float32)
    before, after = (
        ort.InferenceSession(m.SerializeToString()).run(None, {"data": x})[0][0]
        for m in (start, ours)
    )
    assert after.shape == (3598, NUM_CLASSES + 32)
    for name, coco in COCO_OF.items():
        assert np.array_equal(after[:, CLASSES.index(name)], before[:, coco])
    assert np.array_equal(after[:, NUM_CLASSES:], before[:, 80:])


@needs_start
def test_weights_written_back_unchanged_give_the_same_graph() -> None:
    ours = graph.remap_head(graph.load(START))
    again = graph.write_weights(ours, graph.conv_weights(ours))
    assert again.SerializeToString() == ours.SerializeToString()


@needs_start
def test_weights_of_another_shape_are_refused() -> None:
    ours = graph.remap_head(graph.load(START))
    weights = graph.conv_weights(ours)
    weights["Conv_0.weight"] = np.zeros((1, 3, 3, 3), np.float32)
    with pytest.raises(graph.GraphError, match=r"Conv_0\.weight"):
        graph.write_weights(ours, weights)


def test_blended_weights_lie_between() -> None:
    start, trained = {"w": np.zeros(3, np.float32)}, {"w": np.full(3, 2, np.float32)}
    assert graph.blend(start, trained, 0.25)["w"].tolist() == [0.5, 0.5, 0.5]
    with pytest.raises(ValueError, match=r"1\.5"):
        graph.blend(start, trained, 1.5)

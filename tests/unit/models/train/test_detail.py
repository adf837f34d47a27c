"""The branch's way to fine detail starts as nothing, and reaches what the branch reads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import graph  # noqa: E402
from models.train.detail import FINE_CHANNELS, STEM, STEM_CHANNELS, add_detail  # noqa: E402
from models.train.graph import Array  # noqa: E402
from models.train.quantise import stays_float  # noqa: E402

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
SIDE = 6


def reader() -> Any:
    """A branch that hands on what it reads as its finest features."""
    value = onnx.helper.make_tensor_value_info
    shape = [1, FINE_CHANNELS, SIDE, SIDE]
    node = onnx.helper.make_node("Identity", ["fine"], ["read"], name="Identity_0")
    made = onnx.helper.make_graph(
        [node],
        "branch",
        [value("fine", onnx.TensorProto.FLOAT, shape)],
        [value("read", onnx.TensorProto.FLOAT, shape)],
    )
    opset = [onnx.helper.make_opsetid("", 18)]
    return onnx.helper.make_model(made, opset_imports=opset, ir_version=10)


def read(branch: Any, fine: Array, stem: Array) -> Array:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra `device` only")
    session = ort.InferenceSession(branch.SerializeToString())
    return np.asarray(session.run(None, {"fine": fine, "stem": stem})[0])


def test_it_starts_as_nothing_and_then_adds_what_the_stem_shows_there() -> None:
    branch = reader()
    add_detail(branch, "stem", "fine")
    rng = np.random.default_rng(1)
    fine = rng.normal(size=(1, FINE_CHANNELS, SIDE, SIDE)).astype(np.float32)
    stem = np.zeros((1, STEM_CHANNELS, 2 * SIDE, 2 * SIDE), np.float32)
    stem[..., 0, 0] = 1
    assert np.array_equal(read(branch, fine, stem), fine)
    mix = graph.constants(branch)["mix"]
    graph.put(branch, "mix", np.ones_like(mix))
    added = read(branch, fine, stem) - fine
    assert np.abs(added[..., :2, :2]).min() > 0
    assert np.abs(added[..., 2:, :]).max() == 0


def test_it_stays_in_float_numbers_and_learns_with_the_head() -> None:
    branch = reader()
    add_detail(branch, "stem", "fine")
    convs = [n.name for n in branch.graph.node if n.op_type == "Conv"]
    assert len(convs) == 3
    for name in convs:
        assert stays_float(name)
        assert graph.conv_number(name) >= graph.HEAD


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
def test_stem_and_fine_features_are_as_wide_in_the_starting_graph() -> None:
    model = graph.load(START)
    nodes = {n.name: n for n in model.graph.node}
    stem = nodes[STEM]
    assert stem.op_type == "MaxPool"
    readers = [n for n in model.graph.node if stem.output[0] in n.input]
    weights = graph.conv_weights(model)
    # One reader filters each map by itself, the other mixes all of them.
    shapes = sorted(weights[f"{n.name}.weight"].shape[:2] for n in readers)
    assert (STEM_CHANNELS, 1) in shapes
    assert {shape[1] for shape in shapes} == {1, STEM_CHANNELS}
    fine = graph.branch_inputs(model)[0]
    (active,) = (n for n in model.graph.node if fine in n.output)
    (narrow,) = (n for n in model.graph.node if active.input[0] in n.output)
    assert weights[f"{narrow.name}.weight"].shape[0] == FINE_CHANNELS

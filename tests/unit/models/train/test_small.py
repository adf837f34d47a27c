"""The look for small phones: what ships says what was trained, and what it is taught."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")
onnx = pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import beside  # noqa: E402
from models.train.assign import candidates  # noqa: E402
from models.train.builder import Builder  # noqa: E402
from models.train.graph import GraphError, digest  # noqa: E402
from models.train.grid import BINS, encode_boxes, points  # noqa: E402
from models.train.labels import Known  # noqa: E402
from models.train.quantise import stays_float  # noqa: E402
from models.train.sample import unsure  # noqa: E402
from models.train.small import MAPS, SmallPhones  # noqa: E402
from models.train.small_graph import add_small  # noqa: E402
from models.train.small_run import (  # noqa: E402
    SmallPlan,
    learn,
    load,
    small_loss,
    target_of,
)
from models.train.small_views import CEILING, PHONE, WINDOW, Window, mark  # noqa: E402

CELLS = {"stem": 2.0, "fine": 1.0, "middle": 0.5, "head": 1.0}
AT = points(WINDOW)[: (WINDOW // 8) ** 2]
SMALL, OPEN = [100.0, 120.0, 120.0, 144.0], [200.0, 200.0, 260.0, 230.0]
BRANCH = {"a": np.zeros(3, np.float32), "b": np.ones(2, np.float32)}


def maps(side: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(3)
    return {
        name: torch.randn(2, channels, *[int(side * CELLS[name])] * 2, generator=generator)
        for name, channels in MAPS.items()
    }


def trained() -> SmallPhones:
    """One whose normalisation has seen something."""
    torch.manual_seed(2)
    net = SmallPhones()
    for _ in range(5):
        net({name: 3 * value + 1 for name, value in maps(8).items()})
    net.eval()
    return net


def window(boxes: list[list[float]], labels: list[int]) -> Window:
    return Window({}, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64))


def test_the_graph_says_what_the_trained_head_says() -> None:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra `device` only")
    net, shown = trained(), maps(8)
    build = Builder([])
    answer = add_small(build, net.folded(), {name: name for name in MAPS})
    value = onnx.helper.make_tensor_value_info
    made = onnx.helper.make_graph(
        build.nodes,
        "small",
        [value(name, onnx.TensorProto.FLOAT, list(x.shape)) for name, x in shown.items()],
        [value(answer, onnx.TensorProto.FLOAT, None)],
        build.initializers,
    )
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(made, opset_imports=opset, ir_version=10)
    session = ort.InferenceSession(model.SerializeToString())
    theirs = session.run(None, {name: x.numpy() for name, x in shown.items()})[0]
    with torch.no_grad():
        ours = net(shown).transpose(1, 2).reshape(theirs.shape).numpy()
    assert np.abs(ours).max() > 0.1
    assert np.allclose(ours, theirs, atol=1e-4)
    assert all(stays_float(node.name) for node in build.nodes)


def test_weights_of_another_shape_are_refused_and_so_are_missing_ones() -> None:
    weights = trained().folded()
    short = {name: value for name, value in weights.items() if name != "answer.bias"}
    for broken in (short, weights | {"answer.bias": np.zeros(3, np.float32)}):
        with pytest.raises(GraphError, match=r"answer\.bias"):
            add_small(Builder([]), broken, {name: name for name in MAPS})


def test_a_trained_head_comes_back_from_its_file_and_says_the_same(tmp_path: Path) -> None:
    net = trained()
    beside.save(net.state_dict(), BRANCH, tmp_path / "small.pt")
    again = load(tmp_path / "small.pt", dict(reversed(BRANCH.items())))
    again.eval()
    with torch.no_grad():
        assert torch.equal(net(maps(8)), again(maps(8)))
    with pytest.raises(GraphError, match="another branch"):
        load(tmp_path / "small.pt", BRANCH | {"b": np.zeros(2, np.float32)})


def test_windows_of_another_branch_or_seed_have_another_name() -> None:
    assert mark(BRANCH, 1) == mark(dict(reversed(BRANCH.items())), 1)
    names = {mark(BRANCH, 1), mark(BRANCH, 2), mark(BRANCH | {"b": np.zeros(2, np.float32)}, 1)}
    assert len(names) == 3
    assert digest(BRANCH) != digest({"a": BRANCH["a"]})


def test_a_phone_is_wanted_and_where_one_may_be_is_left_open() -> None:
    target = target_of(window([SMALL, OPEN], [PHONE, unsure(PHONE)]), AT)
    assert target.boxes.tolist() == [SMALL]
    left_open = target.known[:, 0] == Known.IGNORE
    x, y = AT[:, 0], AT[:, 1]
    x0, y0, x1, y1 = OPEN
    inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    assert inside.any()
    assert torch.equal(left_open, inside)


def test_where_nothing_is_labelled_nothing_is_wanted_and_nothing_left_open() -> None:
    target = target_of(window([], []), AT)
    assert len(target.boxes) == 0
    assert not (target.known == Known.IGNORE).any()


def answer(score: float, elsewhere: float, on_open: float, box: list[float]) -> Any:
    """Logits that put this box at every point, and these scores at the phone and beside it."""
    distances = encode_boxes(torch.tensor([box]).expand(len(AT), 4), AT)
    bins = -12.0 * (distances.unsqueeze(-1) - torch.arange(BINS).view(1, 1, BINS)).abs()
    logits = torch.full((len(AT), 1), elsewhere)
    logits[candidates(AT, torch.tensor([SMALL]))[:, 0]] = score
    logits[candidates(AT, torch.tensor([OPEN]))[:, 0]] = on_open
    return torch.cat([logits, bins.flatten(1)], 1)[None]


def test_the_loss_falls_as_the_answer_gets_right_and_ignores_what_is_open() -> None:
    shown = [window([SMALL, OPEN], [PHONE, unsure(PHONE)])]
    wide = [SMALL[0] - 8, SMALL[1] - 8, SMALL[2] + 8, SMALL[3] + 8]
    found = float(small_loss(answer(4, -6, -6, SMALL), shown, AT))
    missed = float(small_loss(answer(-6, -6, -6, SMALL), shown, AT))
    loud = float(small_loss(answer(4, 0, -6, SMALL), shown, AT))
    loose = float(small_loss(answer(4, -6, -6, wide), shown, AT))
    on_open = float(small_loss(answer(4, -6, 6, SMALL), shown, AT))
    assert found < missed / 2
    assert found < loud / 2
    assert found < loose
    assert on_open == pytest.approx(found)


def test_it_learns_from_windows_of_both_kinds_as_the_plan_says(tmp_path: Path) -> None:
    paths = []
    for name, boxes in ((f"{CEILING}-0", [SMALL]), ("composed-0", [])):
        rng = np.random.default_rng(0)
        side = WINDOW // 8
        held: dict[str, Any] = {
            n: rng.normal(size=(channels, *[int(side * CELLS[n])] * 2)).astype(np.float16)
            for n, channels in MAPS.items()
        }
        path = tmp_path / f"{name}.npz"
        labels = np.full(len(boxes), PHONE)
        np.savez(path, boxes=np.array(boxes, np.float32).reshape(-1, 4), labels=labels, **held)
        paths.append(path)
    plan = SmallPlan(steps=2, batch=2)
    one, same = (learn(paths, plan).state_dict() for _ in range(2))
    other = learn(paths, SmallPlan(steps=2, batch=2, seed=2)).state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["answer.weight"], other["answer.weight"])
    assert torch.isfinite(one["answer.weight"]).all()

"""How a run learns: its rate over time, which stages move, and where it goes on."""

import importlib.util
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")

from models.train import graph  # noqa: E402
from models.train.graph import conv_number  # noqa: E402
from models.train.run import WARM_UP, Plan, Run, rate_at  # noqa: E402

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
PLAN = Plan(steps=1000, rate=1e-3)


def test_rate_rises_then_falls_and_never_stops() -> None:
    rates = [rate_at(step, PLAN) for step in range(PLAN.steps + 100)]
    top = rates.index(max(rates))
    assert rates[0] < rates[top] / 50
    assert WARM_UP - 2 <= top <= WARM_UP + 2
    assert all(a >= b for a, b in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(PLAN.rate / 20)


def test_a_longer_plan_keeps_a_resumed_run_faster() -> None:
    assert rate_at(900, Plan(steps=2000, rate=1e-3)) > 3 * rate_at(900, PLAN)


def test_parameters_know_their_place_in_the_graph() -> None:
    assert conv_number("Conv_137.weight") == 137
    assert conv_number("Conv_0.bias") == 0


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
@pytest.mark.skipif(
    importlib.util.find_spec("onnx2torch") is None, reason="onnx2torch is there for training only"
)
def test_the_checkpoint_that_came_with_the_code_fits_it(tmp_path: Path) -> None:
    run = Run(graph.load(START), Plan(), tmp_path, tmp_path / "build")
    run.resume()
    assert 0 < run.state.step <= run.plan.steps
    assert set(run.mean) == {name for name, _ in run.net.branch.named_parameters()}

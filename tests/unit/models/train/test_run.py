"""How a run learns: its rate over time, and which stages move."""

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")

from models.train.graph import conv_number  # noqa: E402
from models.train.run import WARM_UP, Plan, rate_at  # noqa: E402

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

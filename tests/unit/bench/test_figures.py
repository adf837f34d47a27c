"""From results to figures: ratios round by round, and one JSON object that says all of them."""

import json
import math

import pytest
from rich.console import Console

from cleandesk.bench import chart
from cleandesk.bench.figures import BARS, Bar, Collected, by_cpu, figures, to_json
from cleandesk.bench.program import Memory
from cleandesk.bench.report import report
from cleandesk.bench.spec import Part, Result, StageSums

STAGE = StageSums(p50_ms=1, p95_ms=2, p99_ms=3, cpu_ms=0.5, runs=100)


def _result(fps: float, cpu_ms: float, infer_ms: float | None = None) -> Result:
    seconds = 10.0
    frames = round(fps * seconds)
    return Result(
        frames=frames,
        wall_s=seconds,
        cpu_s=cpu_ms * frames / 1000,
        infer_cpu_s=None if infer_ms is None else infer_ms * frames / 1000,
        stages={} if infer_ms is None else {"infer": STAGE, "decode": STAGE},
        threads={"MainThread": 0.9 * cpu_ms * frames / 1000, "link": 0.1},
    )


def _collected() -> Collected:
    collected = Collected(machine={"cpu": "a processor", "cores": 2})
    for bare, loop, plain in ((100.0, 95.0, 80.0), (50.0, 49.0, 35.0), (100.0, 90.0, 90.0)):
        collected.add(Part.BARE, _result(bare, 10.0))
        collected.add(Part.LOOP, _result(loop, 11.5, 10.0))
        collected.add(Part.LOOP_FILE, _result(loop, 13.0, 10.0))
        collected.add(Part.PLAIN_FILE, _result(plain, 16.0))
        collected.add(Part.STILL, _result(5, 3.0, 2.0))
        collected.add(Part.STILL_PLAIN, _result(5, 15.0))
        collected.latencies_s.append([0.03 + 0.0001 * i for i in range(101)])
        collected.starts_s.append(1.5)
    collected.frame_s = 0.033
    collected.same_finds = [True, False, True]
    collected.memory = Memory(
        times=[float(i) for i in range(100)],
        mb=[150.0 + 0.001 * i for i in range(100)],
        frames=[10 * i for i in range(100)],
        peak_mb=151.0,
    )
    return collected


def test_ratios_are_taken_within_a_round() -> None:
    values = figures(_collected())
    assert values["loop_over_bare"] == pytest.approx([0.95, 0.98, 0.9])
    assert values["throughput_over_plain"] == pytest.approx([95 / 80, 49 / 35, 1.0])


def test_overhead_is_what_inference_did_not_spend() -> None:
    assert figures(_collected())["overhead_ms"] == pytest.approx([1.5, 1.5, 1.5])


def test_a_round_with_other_finds_saves_nothing() -> None:
    assert figures(_collected())["still_cpu_saving_over_plain"] == pytest.approx([5.0, 5.0])


def test_latency_counts_from_one_frame_time_on() -> None:
    values = figures(_collected())["latency_beyond_frame_p99_ms"]
    assert values == pytest.approx([1000 * (0.03 + 0.0099 - 0.033)] * 3)


def test_growth_is_told_by_the_hour() -> None:
    assert figures(_collected())["rss_slope_mb_per_h"] == pytest.approx([3.6])


def test_the_json_has_every_figure_as_a_number_with_its_spread() -> None:
    said = json.loads(json.dumps(to_json(_collected()), allow_nan=False))
    assert set(BARS) <= set(said)
    assert all(math.isfinite(said[name]) for name in BARS)
    assert set(said["spread"]) == set(BARS)
    assert said["spread"]["loop_over_bare"] == {"min": 0.9, "median": 0.95, "max": 0.98}
    assert said["stages"]["infer"] == {"p50_ms": 1, "p95_ms": 2, "p99_ms": 3, "cpu_ms": 0.5}
    assert said["machine"] == {"cpu": "a processor", "cores": 2}
    assert said["events"]["count"] == 303
    assert said["memory"]["frames"] == 990
    assert said["bars"]["loop_over_bare"] == {"limit": 0.95, "side": "least", "met": True}


def test_what_was_not_measured_is_null_and_meets_nothing() -> None:
    said = json.loads(json.dumps(to_json(Collected())))
    assert all(said[name] is None for name in BARS)
    assert not any(bar["met"] for bar in said["bars"].values())
    assert said["spread"] == said["stages"] == said["parts"] == {}


@pytest.mark.parametrize(
    ("side", "value", "met"),
    [("least", 2.0, True), ("least", 1.9, False), ("most", 2.0, True), ("most", 2.1, False)],
)
def test_a_bar_is_met_from_its_own_side(side: str, value: float, *, met: bool) -> None:
    bar = Bar("", 2.0, "least" if side == "least" else "most", "something")
    assert bar.met(value) is met


def test_by_cpu_compares_one_inference_with_a_frame_of_the_loops_thread() -> None:
    assert by_cpu(_collected()) == pytest.approx(10 / (0.9 * 11.5), abs=1e-4)
    assert by_cpu(Collected()) is None


def test_the_report_names_each_figure_and_says_which_bars_are_missed() -> None:
    console = Console(width=140, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(report(_collected()))
    said = captured.get()
    assert all(name in said for name in BARS)
    assert "both loops found the same in 2 of 3 rounds" in said
    assert said.count("missed") == sum(
        not one["met"] for one in json.loads(json.dumps(to_json(_collected())))["bars"].values()
    )


@pytest.mark.parametrize("collected", [_collected(), Collected()])
def test_the_chart_is_a_picture_with_something_on_it(collected: Collected) -> None:
    canvas = chart.draw(collected)
    assert canvas.dtype == "uint8"
    assert canvas.shape[1:] == (1200, 3)
    assert (canvas != 255).any()

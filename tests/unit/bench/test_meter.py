"""CPU time is counted for the right thread and stage, and only within the window."""

import threading
import time

import pytest

from cleandesk.bench.meter import CpuTimer, Window, thread_names, threads_cpu


def _work(seconds: float) -> None:
    """Spend CPU time of this thread."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_each_thread_has_its_own_cpu_time() -> None:
    done, leave = threading.Event(), threading.Event()

    def busy() -> None:
        _work(0.1)
        done.set()
        leave.wait(20)

    thread = threading.Thread(target=busy, name="busy one")
    idle = threading.Thread(target=lambda: leave.wait(20), name="idle one")
    thread.start()
    idle.start()
    assert done.wait(20)
    spent, names = threads_cpu(), thread_names()
    leave.set()
    thread.join()
    idle.join()
    by_name = {name: spent[tid] for tid, name in names.items()}
    assert by_name["busy one"] >= 0.1
    assert by_name["idle one"] < by_name["busy one"]
    assert threading.main_thread().native_id in spent


def test_a_stage_that_waits_costs_no_cpu() -> None:
    timer = CpuTimer()
    with timer.stage("waits"):
        time.sleep(0.05)
    with timer.stage("works"):
        _work(0.05)
    assert timer.wall["waits"][0] >= 0.05
    assert timer.cpu["waits"][0] < 0.05 <= timer.cpu["works"][0]
    assert set(timer.percentiles()) == {"waits", "works"}


def test_a_stage_that_fails_is_counted_too() -> None:
    timer = CpuTimer()
    with pytest.raises(RuntimeError), timer.stage("fails"):
        raise RuntimeError
    assert len(timer.wall["fails"]) == len(timer.cpu["fails"]) == 1


def test_a_timer_that_forgot_begins_anew() -> None:
    timer = CpuTimer()
    with timer.stage("one"):
        pass
    timer.forget()
    assert timer.wall == timer.cpu == {}


def test_a_window_leaves_out_its_warm_up_and_ends_once() -> None:
    window = Window(0.05, 0.1)
    calls: list[str] = []
    window.on_begin, window.on_end = lambda: calls.append("begin"), lambda: calls.append("end")
    handed = 0
    while window.frame():
        handed += 1
        time.sleep(0.005)
    assert not window.frame(), "once over, it stays over"
    assert calls == ["begin", "end"]
    begin, end = window.begin, window.end
    assert begin is not None
    assert end is not None
    assert end.wall - begin.wall >= 0.1
    assert 0 < end.frames - begin.frames < handed + 1
    assert end.cpu >= begin.cpu

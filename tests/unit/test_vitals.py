"""Stage times are of the last looks, and a machine that does not tell is no error."""

import threading
from pathlib import Path

import pytest

from cleandesk import vitals


def test_stages_are_reported_by_name_with_ordered_percentiles() -> None:
    timer = vitals.StageTimer()
    for _ in range(20):
        with timer.stage("detect"):
            sum(range(1000))
    times = timer.percentiles()["detect"]
    assert 0 < times.p50_ms <= times.p95_ms


def test_a_stage_that_fails_is_timed_too() -> None:
    timer = vitals.StageTimer()
    with pytest.raises(RuntimeError), timer.stage("commit"):
        raise RuntimeError
    assert "commit" in timer.percentiles()


def test_one_look_has_no_rate() -> None:
    timer = vitals.StageTimer()
    assert timer.looks_per_s() == 0
    timer.looked()
    assert timer.looks_per_s() == 0
    timer.looked()
    assert timer.looks_per_s() > 0


def test_the_share_of_frames_that_needed_no_look() -> None:
    timer = vitals.StageTimer()
    assert timer.skipped_share() == 0
    timer.skipped()
    timer.looked()
    assert timer.skipped_share() == 0.5


def test_times_are_taken_in_several_threads_while_they_are_read() -> None:
    timer = vitals.StageTimer()

    def work(name: str) -> None:
        for _ in range(4000):
            with timer.stage(name):
                pass

    threads = [threading.Thread(target=work, args=(name,)) for name in ("area", "infer")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        timer.percentiles()
    assert set(timer.percentiles()) == {"area", "infer"}


def test_memory_is_that_of_a_running_interpreter() -> None:
    assert 5 < vitals.memory_mb() < 10_000


@pytest.mark.parametrize(("text", "celsius"), [("48312\n", 48.312), ("soon", None)])
def test_temperature(tmp_path: Path, text: str, celsius: float | None) -> None:
    path = tmp_path / "temp"
    path.write_text(text)
    assert vitals.temperature_c(path) == celsius


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", False), ("50000", False), ("50005", True), ("4", True), ("?", None)],
)
def test_throttled_is_about_now_and_not_about_the_past(
    tmp_path: Path, text: str, *, expected: bool | None
) -> None:
    path = tmp_path / "get_throttled"
    path.write_text(text)
    assert vitals.throttled(path) is expected


def test_a_machine_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    assert vitals.temperature_c(tmp_path / "none") is None
    assert vitals.throttled(tmp_path / "none") is None

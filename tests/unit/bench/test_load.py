"""What `make load` reckons from what it saw."""

import math

import pytest

from tests.load.table import slope_mb_an_hour


def test_flat_memory_has_no_slope_whatever_the_start_took() -> None:
    assert slope_mb_an_hour([10.0, 40.0, 70.0, *[90.0] * 60]) == pytest.approx(0)


def test_a_leak_is_told_by_the_hour() -> None:
    leak = [90 + second * 2 / 3600 for second in range(600)]
    assert slope_mb_an_hour(leak) == pytest.approx(2)


def test_too_few_samples_say_nothing() -> None:
    assert math.isnan(slope_mb_an_hour([90.0] * 8))

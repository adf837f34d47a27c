"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 30.0
T = TypeVar("T")


def eventually(
    condition: Callable[[], T | None], what: str = "it", *, within_s: float = PATIENCE_S
) -> T:
    """Wait until something is so, and return it; fail after a time that no working system needs."""
    give_up = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < give_up, f"{what} did not happen in {within_s} s"
        time.sleep(0.01)
    return found

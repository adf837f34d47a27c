"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable

PATIENCE_S = 30.0


def eventually(
    condition: Callable[[], object], what: str = "it", *, within_s: float = PATIENCE_S
) -> None:
    """Wait until something is so; fail after a time that no working system needs."""
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up, f"{what} did not happen in {within_s} s"
        time.sleep(0.01)

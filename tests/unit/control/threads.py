"""Threads of requests that take long: the record is gone a moment before they are."""

import threading


def at_work(command: str) -> bool:
    """Say whether a request of this name is still being done."""
    return any(one.name == command for one in threading.enumerate())

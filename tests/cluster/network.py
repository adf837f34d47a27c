"""Machines of their own for each node: network namespaces, joined by a bridge."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

_BRIDGE = "cdbr0"
_SUBNET = "10.89.7"
#: The tests' own address on the bridge.
HERE = f"{_SUBNET}.254"
_GONE_S = 10.0


def ip(*words: str) -> str:
    """Run `ip`."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class Machine:
    """One network namespace with an address on the bridge."""

    def __init__(self, number: int) -> None:
        self.name = f"cdmq{number}"
        self.address = f"{_SUBNET}.{number}"
        self._outside, self._inside = f"cdmqv{number}", "eth0"

    def join(self) -> None:
        """Make it, and plug it in."""
        ip("netns", "add", self.name)
        ip("link", "add", self._outside, "type", "veth", "peer", self._inside, "netns", self.name)
        ip("link", "set", self._outside, "master", _BRIDGE, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{self.address}/24", "dev", self._inside),
            ("link", "set", self._inside, "up"),
        ):
            ip("-n", self.name, *words)

    def unplug(self) -> None:
        """Pull its cable: nobody is told."""
        ip("link", "set", self._outside, "down")

    def plug(self) -> None:
        """Put the cable back."""
        ip("link", "set", self._outside, "up")

    def part_from(self, others: Sequence["Machine"]) -> None:
        """Let nothing through to others, while clients still reach it."""
        for other in others:
            ip("-n", self.name, "route", "add", "blackhole", f"{other.address}/32")

    def rejoin(self, others: Sequence["Machine"]) -> None:
        """Let it through again."""
        for other in others:
            ip("-n", self.name, "route", "del", "blackhole", f"{other.address}/32")

    def command(self, *words: str) -> list[str]:
        """Return a command as it runs inside."""
        return ["ip", "netns", "exec", self.name, *words]

    def pids(self) -> list[int]:
        """Return the processes that run on it."""
        return [int(pid) for pid in ip("netns", "pids", self.name).split()]

    def crash(self) -> None:
        """Kill everything that runs on it at once (SIGKILL)."""
        give_up = time.monotonic() + _GONE_S
        while pids := self.pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert time.monotonic() < give_up, f"{self.name} does not die"
            time.sleep(0.05)

    def leave(self) -> None:
        """Remove it, with all that runs on it."""
        if self.name in ip("netns", "list").split():
            self.crash()
            # The kernel removes a namespace and its end of the cable some time later.
            subprocess.run(["ip", "link", "del", self._outside], check=False, capture_output=True)
            ip("netns", "del", self.name)


class Network:
    """The bridge and the machines on it; one at a time on a real machine."""

    def __init__(self, count: int) -> None:
        self.machines = [Machine(number) for number in range(1, count + 1)]

    def __enter__(self) -> Self:
        self.remove()
        ip("link", "add", _BRIDGE, "type", "bridge")
        ip("address", "add", f"{HERE}/24", "dev", _BRIDGE)
        ip("link", "set", _BRIDGE, "up")
        for machine in self.machines:
            machine.join()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove what is there, also of a run that was killed."""
        for machine in self.machines:
            machine.leave()
        subprocess.run(["ip", "link", "del", _BRIDGE], check=False, capture_output=True)


def missing() -> str | None:
    """Say why there can be no such network here; None if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        ip("netns", "add", "cdmqtry")
        ip("netns", "del", "cdmqtry")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces here: {getattr(error, 'stderr', error)}"
    return None

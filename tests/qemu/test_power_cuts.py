"""The power goes at any moment, again and again: no event is lost, no file system is damaged."""

import os
import random
import sqlite3
import time
from pathlib import Path

import pytest

from cleandesk.contract.topics import Address
from tests.qemu.machine import PATIENCE_S, Machine, patiently
from tests.qemu.world import BOX, Company, logged
from tests.rig import CLIP
from tests.system.subscriber_rig import Subscriber

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SEED = 20261128
#: A start, on this machine's emulation, and some of its work.
_LONGEST_S = float(os.environ.get("CUT_WITHIN_S", "400"))

pytestmark = [pytest.mark.fault, pytest.mark.timeout((ROUNDS + 4) * PATIENCE_S)]


def test_through_power_cuts_no_event_is_lost(image: Path, tmp_path: Path) -> None:
    machine, dice = Machine(image, tmp_path), random.Random(SEED)
    machine.put(CLIP, "lib/cleandesk/desk.mp4")
    with Company(tmp_path) as company, company.subscriber() as subscriber, machine:
        company.provision(machine, repeat=True)
        machine.start()
        patiently(lambda: logged(subscriber), "the first violation")
        for number in range(ROUNDS):
            after_s = dice.uniform(1, _LONGEST_S)
            time.sleep(after_s)  # the moment of the cut, not a wait for anything
            machine.cut()
            known = len(_numbers(subscriber))
            print(f"cut {number + 1} after {after_s:.0f} s; {known} events logged")  # noqa: T201
            assert machine.faults(tmp_path) == []
            machine.start()
        before = len(_numbers(subscriber))
        patiently(lambda: len(_numbers(subscriber)) > before, "an event after the last cut")
        machine.cut()
        assert machine.faults(tmp_path) == []
        seen = _numbers(subscriber)
        waiting = _outbox(machine, tmp_path)
        assert len({epoch for epoch, _ in seen}) == 1, "the outbox was begun anew"
        numbers = {number for _, number in seen} | waiting
        assert numbers == set(range(1, max(numbers) + 1))
        assert len(seen) == len(set(seen)), "an event was logged twice"
        assert subscriber.ask("losses") == []


def _numbers(subscriber: Subscriber) -> list[tuple[str, int]]:
    """Return epoch and number of each logged event."""
    box = Address(*BOX.split("/")).box
    rows = subscriber.ask("log", "--events", "--box", box)
    return [(row["epoch"], row["seq"]) for row in rows]


def _outbox(machine: Machine, folder: Path) -> set[int]:
    """Return the numbers of the events that the box had not sent yet."""
    for name in ("outbox.db", "outbox.db-wal"):
        machine.take(f"lib/cleandesk/{name}", folder / name)
    with sqlite3.connect(folder / "outbox.db") as connection:
        return {row[0] for row in connection.execute("select seq from events")}

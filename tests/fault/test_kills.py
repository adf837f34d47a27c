"""Box, broker and subscriber are killed at random: every event is logged once, none twice."""

import os
import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cleandesk.contract.health import Health
from cleandesk.contract.messages import Availability
from tests.eventually import eventually
from tests.fault.desk import chosen_pair, record
from tests.mosquitto import needs_mosquitto
from tests.rig import Rig, wait_for_health, wait_for_status
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.fault, needs_mosquitto, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("ROUNDS", "30"))
SEED = 20260105


def _kill_and_restart(rig: Rig, victim: str) -> None:
    if victim == "broker":
        rig.broker.kill()
        rig.broker.start()
    elif victim == "box":
        rig.kill("box")
        rig.start_box()
    else:
        rig.kill("subscriber")
        rig.start_subscriber()


def _ended(rig: Rig) -> Health:
    """Stop the box, with all answered, and return the last that it said of itself.

    At its end it waits for answers for 2 s only: one that comes later it is given in its next life.
    """
    for _ in range(20):
        now = datetime.now(UTC)
        wait_for_health(rig.broker.port, lambda h: h.at > now and h.outbox.depth == 0)  # noqa: B023
        assert rig.stop("box") == 0, rig.words("box")
        wait_for_status(rig.broker.port, lambda one: one.state is Availability.STOPPED)
        health = wait_for_health(rig.broker.port, lambda _: True)
        if health.outbox.depth == 0:
            return health
        rig.start_box()
    raise AssertionError("its last event was never answered before its end")


def test_through_kills_every_event_is_logged_exactly_once(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    chosen = chosen_pair()
    film = record(tmp_path / "desk.avi", chosen)
    rig = make_rig(camera={"source": str(film), "repeat": True}, rules=chosen.rules())
    rig.start_subscriber()
    rig.start_box()
    eventually(rig.violations, "the first violation")
    dice = random.Random(SEED)
    killed: Counter[str] = Counter()
    for _ in range(ROUNDS):
        time.sleep(dice.uniform(0.2, 4.0))
        victim = dice.choice(("box", "broker", "subscriber"))
        _kill_and_restart(rig, victim)
        killed[victim] += 1
    assert set(killed) == {"box", "broker", "subscriber"} or ROUNDS < 10

    health = _ended(rig)
    assert health.outbox.lost == 0

    events = rig.events()
    assert len({event["epoch"] for event in events}) == 1
    seqs = [event["seq"] for event in events]
    assert sorted(seqs) == list(range(1, max(seqs) + 1)), "each seq once, without a gap"
    assert max(seqs) == health.outbox.next_seq - 1, "up to the last one"
    assert len({event["event_id"] for event in events}) == len(events)
    phases = Counter((event["violation_id"], event["phase"]) for event in events)
    assert not [key for key, n in phases.items() if key[1] in {"open", "close"} and n > 1]

    stayed = [v for v in rig.violations() if v["class"] == chosen.stays.class_name]
    assert len(stayed) == 1, "what lies there through it all is one violation with one id"
    assert stayed[0]["closed_at"] is None
    came = [v for v in rig.violations() if v["class"] == chosen.comes.class_name]
    assert len(came) >= 1

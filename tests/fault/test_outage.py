"""The broker is away for the whole run, then back: all is logged, and marked as replayed."""

from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.fault.desk import chosen_pair, record
from tests.mosquitto import needs_mosquitto
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.fault, needs_mosquitto]

LOOPS = 3


def test_events_of_a_run_without_a_broker_are_logged_as_replayed(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    chosen = chosen_pair()
    film = record(tmp_path / "desk.avi", chosen, loops=LOOPS)
    rig = make_rig(camera={"source": str(film), "realtime": False}, rules=chosen.rules())
    rig.broker.stop()
    rig.start_box("--until-end")
    eventually(lambda: "are suspended" in rig.words("box"), "the recording's end", within_s=120)
    rig.broker.start()
    rig.start_subscriber()
    assert rig.wait("box", 60) == 0, rig.words("box")

    events = rig.events()
    opened = [event["class"] for event in events if event["phase"] == "open"]
    assert opened.count(chosen.stays.class_name) == 1
    assert opened.count(chosen.comes.class_name) == LOOPS
    assert [event["seq"] for event in sorted(events, key=lambda e: e["seq"])] == list(
        range(1, len(events) + 1)
    )
    assert all(event["replayed"] for event in events)


def test_events_on_a_standing_connection_are_not_marked(make_rig: MakeRig, tmp_path: Path) -> None:
    chosen = chosen_pair()
    film = record(tmp_path / "desk.avi", chosen)
    rig = make_rig(camera={"source": str(film), "repeat": True}, rules=chosen.rules())
    rig.start_subscriber()
    rig.start_box()
    eventually(lambda: len(rig.events()) >= 3, "three events")
    assert not any(event["replayed"] for event in rig.events()[1:])

"""A subscriber that is frozen, not killed: it holds up the others for seconds, and no longer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber.database import Place
from tests.eventually import eventually
from tests.postgresql import needs_postgresql
from tests.rig import ROOT
from tests.unit.subscriber.make import HandClock, event
from tests.unit.subscriber.test_redundancy import Side

pytestmark = [
    needs_postgresql,
    pytest.mark.parametrize("place", ["postgresql"], indirect=True),
]


@pytest.fixture
def side(place: Place, clock: HandClock) -> Iterator[Side]:
    side = Side(place, clock)
    yield side
    side.engine.dispose()


@pytest.fixture(params=["idle", "writing", "copying"])
def frozen(
    request: pytest.FixtureRequest, place: Place, side: Side
) -> Iterator[subprocess.Popen[str]]:
    """Another process that judges for all, and stands still; in a commit it holds a box's lock."""
    assert isinstance(place, URL)
    side.take(event(1))
    url = place.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.subscriber.frozen_writer", url, request.param],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "frozen\n"
    side.log.leave()  # it was silent while the other one started, on a busy machine for too long
    yield process
    process.kill()
    process.communicate()


def taken(side: Side, seq: int) -> bool:
    """Try to log an event as the service does: with a new connection after a failure."""
    try:
        return side.take(event(seq)) == [AckStatus.COMMITTED]
    except Exception:  # noqa: BLE001 - of the driver, of whichever kind
        side.log.leave()
        return False


def test_a_frozen_one_holds_nothing_for_long_and_ends_when_it_wakes(
    frozen: subprocess.Popen[str], side: Side
) -> None:
    assert not side.look(), "the frozen one judges"
    eventually(lambda: taken(side, 2), "the event in the log")
    eventually(side.look, "a new judge")
    os.kill(frozen.pid, signal.SIGCONT)
    _, words = frozen.communicate(timeout=30)
    assert frozen.returncode == 1
    assert "terminating connection" in words
    assert not side.look(), "judges once, and goes on"
    assert side.log.leads

"""A subscriber that is frozen, not killed: it holds up the others for seconds, and no longer."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from cleandesk.contract.messages import AckStatus
from cleandesk_fleet.subscriber.database import Place, postgresql
from tests.eventually import eventually
from tests.postgresql import needs_postgresql
from tests.rig import ROOT
from tests.unit.subscriber.frozen_writer import SOON_S
from tests.unit.subscriber.make import HandClock, event
from tests.unit.subscriber.side import Side

pytestmark = [
    needs_postgresql,
    pytest.mark.parametrize("place", ["postgresql"], indirect=True),
]


@pytest.fixture
def side(place: Place, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    monkeypatch.setattr(postgresql, "FROZEN_S", SOON_S)
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
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "frozen\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def tried(side: Side, does: Callable[[], object]) -> bool:
    """Try something as the service does: with a new connection after a failure."""
    try:
        return bool(does())
    except SQLAlchemyError:
        side.log.leave()
        return False


def test_a_frozen_one_holds_nothing_for_long_and_ends_when_it_wakes(
    frozen: subprocess.Popen[str], side: Side
) -> None:
    def logged() -> bool:
        return side.take(event(2)) in ([AckStatus.COMMITTED], [AckStatus.DUPLICATE])

    eventually(lambda: tried(side, logged), "the event in the log")
    eventually(lambda: tried(side, side.look), "a new judge")
    os.kill(frozen.pid, signal.SIGCONT)
    _, words = frozen.communicate(timeout=30)
    assert frozen.returncode == 1
    assert "terminating connection" in words

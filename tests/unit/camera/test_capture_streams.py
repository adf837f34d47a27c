"""The capture thread on a real HTTP camera."""

import logging
import random
from dataclasses import replace

import pytest

from cleandesk.camera.capture import ladder_for
from cleandesk.camera.recovery import Ladder
from cleandesk.camera.source import SourceKind
from cleandesk.clock import SystemClock
from cleandesk.contract.messages import CameraFault
from tests.unit.camera.rigs import MakeRig, until
from tests.unit.camera.sources import HttpCamera


def ladder() -> Ladder:
    """Return a stream's own, which is never given up, without its delays."""
    own = ladder_for(SourceKind.STREAM)
    return Ladder(replace(own, first_delay_s=0.001, max_delay_s=0.002), random.random)


def test_a_network_camera_that_stalls_ends_or_is_gone_comes_back(
    rig: MakeRig, http_camera: HttpCamera
) -> None:
    clock = SystemClock()
    stalls = rig(http_camera.url("stalls"), on=clock, timeout_s=0.3, ladder=ladder())
    ends = rig(http_camera.url("ends"), on=clock, timeout_s=10, ladder=ladder())
    until(lambda: stalls.state.reopened >= 1 and stalls.state.frames > 5)
    until(lambda: ends.state.reopened >= 2 and ends.state.frames > 10)

    assert CameraFault.STALLED in stalls.faults
    assert set(ends.faults) == {CameraFault.ENDED, None}
    assert not stalls.state.give_up
    assert not ends.state.ended


def test_a_network_camera_that_sends_one_picture_for_ever_is_frozen(
    rig: MakeRig, http_camera: HttpCamera
) -> None:
    made = rig(http_camera.url("same"), on=SystemClock(), timeout_s=10, frozen_after_s=0.2)
    until(lambda: made.state.fault is CameraFault.FROZEN and made.state.reopened >= 2)
    assert not made.state.give_up
    assert len(http_camera.seen) >= 2


def test_credentials_are_neither_in_the_state_nor_in_the_log(
    rig: MakeRig,
    http_camera: HttpCamera,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = rig(
            http_camera.url("private?pwd=s3cret", user="admin:s3cret@"),
            on=SystemClock(),
            timeout_s=10,
        )
        until(lambda: made.state.reopened >= 2)
    assert made.state.fault is CameraFault.UNAVAILABLE
    captured = capfd.readouterr()
    records = " ".join(str(vars(record)) for record in caplog.records)
    assert "s3cret" not in made.state.detail + records + captured.out + captured.err

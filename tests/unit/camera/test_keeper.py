"""How a camera is kept going: recovery, frozen pictures, and errors that nobody expected."""

import logging

import pytest

from cleandesk.camera import Camera, CaptureState, Frame
from cleandesk.contract.messages import CameraFault
from tests.unit.camera.rigs import MakeRig, ScriptedCamera, until, until_well
from tests.unit.camera.sources import FakeClock, picture


def test_the_newest_frame_of_a_camera_wins(rig: MakeRig, clock: FakeClock) -> None:
    made = rig(lambda: ScriptedCamera(clock))
    until(lambda: made.state.frames >= 20)
    first = made.slot.take(30)
    assert first is not None
    assert first.number >= 19
    assert made.state.dropped >= 18
    assert made.state.fault is None


def test_a_stall_is_flushed_before_the_sensor_is_restarted(rig: MakeRig, clock: FakeClock) -> None:
    camera = ScriptedCamera(clock, None, CameraFault.STALLED, None, CameraFault.STALLED)
    made = rig(lambda: camera)
    until_well(made, 3)

    stalled = CameraFault.STALLED
    assert made.faults == [stalled, None, stalled, None]
    assert camera.calls[:8] == ["open", *["read"] * 4, "close", "open", "read"]
    assert made.state.reopened == 1


def test_a_driver_that_never_recovers_is_given_up_but_still_tried(
    rig: MakeRig, clock: FakeClock
) -> None:
    camera = ScriptedCamera(clock, *[CameraFault.STALLED] * 8)
    made = rig(lambda: camera)
    until_well(made)

    assert [state.give_up for state in made.changes] == [False, True, False]
    assert made.state.fault is None


def test_a_missing_camera_is_waited_for(rig: MakeRig, clock: FakeClock) -> None:
    camera = ScriptedCamera(clock)
    camera.opens = [CameraFault.UNAVAILABLE] * 20
    made = rig(lambda: camera)
    until_well(made)

    assert made.faults == [CameraFault.UNAVAILABLE, None]
    assert made.changes[0].detail == "so unavailable"
    assert made.state.reopened == 20
    assert not any(state.give_up for state in made.changes)


def test_a_camera_that_worked_and_is_gone_for_long_is_given_up(
    rig: MakeRig, clock: FakeClock
) -> None:
    camera = ScriptedCamera(clock, None, CameraFault.UNAVAILABLE)
    camera.opens = [None, *[CameraFault.UNAVAILABLE] * 5]
    made = rig(lambda: camera)
    until_well(made, 2)
    assert any(state.give_up for state in made.changes)


def test_frozen_frames_restart_the_camera_and_are_not_handed_on(
    rig: MakeRig, clock: FakeClock
) -> None:
    class Frozen(ScriptedCamera):
        frozen_after_s = 30

        def read(self, timeout_s: float) -> Frame:
            frame = super().read(timeout_s)
            clock.mono += 10
            stuck = self.calls.count("open") < 4
            return Frame(picture(90) if stuck else frame.image, frame.at, frame.number)

    camera = Frozen(clock)
    made = rig(lambda: camera)
    until_well(made, 9)

    assert made.faults == [CameraFault.FROZEN, None]
    assert made.changes[0].since is not None
    assert made.changes[0].since.mono == 1000
    assert camera.calls[:7] == ["open", *["read"] * 4, "close", "open"]
    assert made.state.reopened == 3
    assert not made.state.give_up


@pytest.mark.parametrize(
    "error", [RuntimeError("driver bug"), MemoryError(), KeyError("lores"), OSError(5, "I/O")]
)
def test_no_exception_of_a_source_ends_the_thread(
    error: Exception, rig: MakeRig, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    camera = ScriptedCamera(clock, error)
    with caplog.at_level(logging.ERROR):
        made = rig(lambda: camera)
        until_well(made)

    assert made.faults == [CameraFault.BROKEN, None]
    assert type(error).__name__ in made.changes[0].detail
    assert any(record.exc_info for record in caplog.records)


def test_a_factory_that_fails_is_tried_again(rig: MakeRig, clock: FakeClock) -> None:
    tries: list[Exception] = [ValueError("first"), RuntimeError("second")]

    def factory() -> Camera:
        if tries:
            raise tries.pop(0)
        return ScriptedCamera(clock)

    made = rig(factory)
    until_well(made)
    assert made.faults == [CameraFault.BROKEN, None]


def test_a_camera_that_cannot_be_closed_is_opened_again(rig: MakeRig, clock: FakeClock) -> None:
    class Sticky(ScriptedCamera):
        def close(self) -> None:
            super().close()
            if self.calls.count("close") == 1:
                raise OSError("will not close")

    made = rig(lambda: Sticky(clock, CameraFault.BROKEN))
    until_well(made)
    assert made.state.reopened == 1


def test_a_listener_that_fails_does_not_stop_the_camera(
    rig: MakeRig, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    def listen(_: CaptureState) -> None:
        raise RuntimeError("listener bug")

    made = rig(lambda: ScriptedCamera(clock, CameraFault.BROKEN), on_change=listen)
    until(lambda: made.state.frames > 0)
    assert "listener" in caplog.text

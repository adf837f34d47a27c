"""The capture thread: seen to hang when it hangs, and stopped at once when asked."""

import threading
from pathlib import Path

import cv2
import pytest

from cleandesk.camera import Camera, Frame
from cleandesk.camera.recovery import Ladder, LadderSettings
from cleandesk.clock import Clock
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from tests.unit.camera.rigs import MakeRig, Rig, ScriptedCamera, until
from tests.unit.camera.sources import FakeClock, picture


class WedgedCamera(ScriptedCamera):
    """Its second read hangs until it is freed, as in a system call that cannot be broken off."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.hangs, self.freed = threading.Event(), threading.Event()

    def read(self, timeout_s: float) -> Frame:
        if self.number == 1:
            self.hangs.set()
            self.freed.wait()
        return super().read(timeout_s)


def test_a_hanging_driver_is_stalled_though_its_thread_cannot_say_so(
    rig: MakeRig, clock: FakeClock
) -> None:
    camera = WedgedCamera(clock)
    made = rig(lambda: camera)
    assert camera.hangs.wait(10)
    assert made.state.fault is None

    clock.mono += 5.5
    state = made.state
    assert state.fault is CameraFault.STALLED
    assert "read has not come back" in state.detail
    assert state.since is not None
    assert state.since.mono == 1000
    assert state.frame_age_s == 5.5
    assert not state.give_up

    clock.mono += 60
    assert made.state.give_up, "only a new process can help"

    assert made.capture.stop(0.05) is False, "stopping says that it hangs, and does not hang"
    with pytest.raises(RuntimeError, match="restart the process"):
        made.capture.start()
    camera.freed.set()
    assert made.capture.stop(30)
    assert made.slot.take(0) is None, "nothing is seen after the stop"


def test_a_hang_while_opening_is_seen_too(rig: MakeRig, clock: FakeClock) -> None:
    class Stuck(ScriptedCamera):
        def open(self) -> None:
            hangs.set()
            freed.wait()

    hangs, freed = threading.Event(), threading.Event()
    made = rig(lambda: Stuck(clock))
    assert hangs.wait(10)
    clock.mono += 6
    assert made.state.fault is CameraFault.STALLED
    assert "open has not come back" in made.state.detail
    freed.set()


def test_stopping_frees_a_thread_that_waits_to_be_read(rig: MakeRig, clip: Path) -> None:
    made = rig(clip, realtime=False)
    until(lambda: made.state.frames == 2)  # one lies ready, the other waits for its place
    assert made.capture.stop(30)
    assert made.slot.take(0) is None
    assert made.state.fault is None, "to be stopped is no fault"


def test_stopping_does_not_wait_for_the_next_paced_frame(rig: MakeRig, tmp_path: Path) -> None:
    for name in "ab":
        data = cv2.imencode(".png", picture(90))[1].tobytes()
        (tmp_path / f"{name}.png").write_bytes(data)
    made = rig(tmp_path, picture_s=86_400)
    until(lambda: made.state.frames == 1)
    assert made.capture.stop(30)


def test_stopping_does_not_wait_for_the_next_try(rig: MakeRig, clock: FakeClock) -> None:
    camera = ScriptedCamera(clock)
    camera.opens = [CameraFault.UNAVAILABLE] * 5
    slow = LadderSettings(first_delay_s=86_400, max_delay_s=86_400)
    made = rig(lambda: camera, ladder=Ladder(slow, lambda: 1.0))
    until(lambda: made.state.fault is not None)
    assert made.capture.stop(30)
    assert camera.calls.count("open") == 1


def test_a_camera_that_cannot_be_closed_has_not_let_go(clock: FakeClock) -> None:
    class Sticky(ScriptedCamera):
        def close(self) -> None:
            raise OSError("will not close")

    made = Rig(lambda: Sticky(clock), CameraSettings(source="/dev/video0"), clock)
    made.capture.start()
    until(lambda: made.state.frames > 0)
    assert not made.capture.stop(30), "who has a break is told the truth"
    assert not made.capture.stop(30)


def test_the_sensor_is_stopped_and_can_be_started_again(rig: MakeRig, clock: FakeClock) -> None:
    made_cameras: list[ScriptedCamera] = []

    def factory() -> Camera:
        made_cameras.append(ScriptedCamera(clock))
        return made_cameras[-1]

    made = rig(factory)
    until(lambda: made.state.frames > 0)
    with pytest.raises(RuntimeError, match="still runs"):
        made.capture.start()
    assert made.capture.stop(30)
    assert made.capture.stop(30), "stopping twice is harmless"
    assert made_cameras[0].calls[-1] == "close"

    before = made.state.frames
    made.capture.start()
    until(lambda: made.state.frames > before)
    assert len(made_cameras) == 2

"""The capture thread on real recordings."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from cleandesk.contract.messages import CameraFault
from tests.unit.camera.rigs import MakeRig, until
from tests.unit.camera.sources import FakeClock, picture, write_clip


def test_no_frame_of_an_unpaced_recording_is_lost(rig: MakeRig, clip: Path) -> None:
    made = rig(clip, realtime=False)
    frames = made.drain()

    assert [frame.number for frame in frames] == list(range(1, 31))
    state = made.state
    assert (state.frames, state.dropped, state.ended) == (30, 0, True)
    assert state.fault is CameraFault.ENDED
    assert state.since == frames[-1].at
    assert made.faults == [CameraFault.ENDED]


def test_a_paced_recording_hands_each_frame_on_when_it_is_due(
    rig: MakeRig, clip: Path, clock: FakeClock
) -> None:
    waits: list[float] = []

    def wait(stop: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        clock.mono += seconds
        return stop.is_set()

    made = rig(clip, wait=wait)
    until(lambda: made.state.ended)

    assert waits == pytest.approx([0.1] * 29)
    state = made.state
    assert state.frames == 30
    last = made.slot.take(0)
    assert last is not None
    assert last.number == 30, "the newest wins"
    assert state.dropped == 29


def test_a_recording_that_ends_is_not_opened_again(rig: MakeRig, clip: Path) -> None:
    made = rig(clip, realtime=False)
    made.drain()
    until(lambda: not [t for t in threading.enumerate() if t.name == "capture"])
    assert made.state.reopened == 0
    assert not made.state.give_up


@pytest.mark.parametrize(
    ("content", "fault"),
    [(None, CameraFault.UNAVAILABLE), (b"no video", CameraFault.BROKEN)],
)
def test_a_bad_recording_is_a_final_fault(
    content: bytes | None, fault: CameraFault, rig: MakeRig, tmp_path: Path
) -> None:
    path = tmp_path / "desk.mp4"
    if content:
        path.write_bytes(content)
    made = rig(path)
    until(lambda: made.state.ended)
    assert made.state.fault is fault
    assert str(path) in made.state.detail


def test_a_recording_goes_black_and_comes_back(rig: MakeRig, tmp_path: Path) -> None:
    dark = np.zeros((120, 160, 3), np.uint8)
    images = [picture(100)] * 20 + [dark] * 80 + [picture(110)] * 20
    made = rig(write_clip(tmp_path / "dark.mp4", images), realtime=False, black_after_s=5)
    frames = made.drain()

    assert made.faults == [CameraFault.BLACK, None, CameraFault.ENDED]
    black = made.changes[0]
    assert black.since is not None
    assert black.since.mono - frames[0].at.mono == pytest.approx(2)
    assert "uncover the lens" in black.detail
    numbers = [frame.number for frame in frames]
    assert numbers == [*range(1, 21), *range(101, 121)], "a dark frame is never taken for a desk"
    assert made.state.frames == 120


def test_a_recording_freezes_only_if_asked(rig: MakeRig, tmp_path: Path) -> None:
    path = tmp_path / "still"
    path.mkdir()
    for name in "abcdefgh":
        data = cv2.imencode(".png", picture(90))[1].tobytes()
        (path / f"{name}.png").write_bytes(data)

    made = rig(path, realtime=False, picture_s=1)
    assert len(made.drain()) == 8
    assert made.faults == [CameraFault.ENDED]

    made = rig(path, realtime=False, picture_s=1, frozen_after_s=5)
    assert len(made.drain()) == 5
    assert made.faults == [CameraFault.FROZEN, CameraFault.ENDED]
    assert made.state.reopened == 0

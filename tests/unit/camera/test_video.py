from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cleandesk.camera import Camera, CameraError, Frame, make_camera
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from tests.unit.camera.sources import NOON, FakeClock, picture, write_clip

SHARED = Path(__file__).parents[3].parent / "shared" / "videos"
#: Frames that each file holds, by `ffprobe -count_frames`.
SHARED_CLIPS = [("bottle-detection.mp4", 1189), ("one-by-one-person-detection.mp4", 1394)]


def opened(path: Path, clock: FakeClock, **settings: object) -> Camera:
    camera = make_camera(
        CameraSettings.model_validate({"source": path.name, **settings}), clock, base=path.parent
    )
    camera.open()
    return camera


def read_all(camera: Camera) -> tuple[list[Frame], CameraError]:
    frames = []
    while True:
        try:
            frames.append(camera.read(1))
        except CameraError as error:
            return frames, error


def test_every_frame_comes_once_in_order_and_then_it_ends(clip: Path, clock: FakeClock) -> None:
    frames, end = read_all(opened(clip, clock))

    assert [frame.number for frame in frames] == list(range(1, 31))
    shades = [float(frame.image.mean()) for frame in frames]
    assert all(a < b for a, b in pairwise(shades))
    assert frames[0].size == (160, 120)
    assert end.fault is CameraFault.ENDED
    assert "ended after 30 frames" in end.detail
    assert "camera.repeat" in end.detail


def test_the_end_stays_the_end(clip: Path, clock: FakeClock) -> None:
    camera = opened(clip, clock)
    read_all(camera)
    assert read_all(camera)[1].fault is CameraFault.ENDED


def test_frames_are_dated_by_the_recordings_own_time(clip: Path, clock: FakeClock) -> None:
    camera = opened(clip, clock)
    first = camera.read(1).at
    clock.mono += 3600  # how long reading takes is of no account
    second = camera.read(1).at

    assert first == clock.__class__().now()
    assert second.mono - first.mono == pytest.approx(0.1)
    assert second.utc - first.utc == timedelta(seconds=0.1)
    assert not second.synced


def test_a_given_start_is_taken_as_the_truth(clip: Path, clock: FakeClock) -> None:
    camera = opened(clip, clock, starts_at="2020-05-01T10:00:00+02:00")
    camera.read(1)
    at = camera.read(1).at

    assert at.utc == datetime(2020, 5, 1, 8, 0, 0, 100_000, tzinfo=UTC)
    assert at.utc.tzinfo is UTC
    assert at.synced
    assert at.mono == pytest.approx(clock.mono + 0.1)


def test_a_repeated_recording_goes_on_counting(clip: Path, clock: FakeClock) -> None:
    camera = opened(clip, clock, repeat=True, starts_at=NOON.isoformat())
    frames = [camera.read(1) for _ in range(75)]

    assert [frame.number for frame in frames] == list(range(1, 76))
    gaps = [b.at.mono - a.at.mono for a, b in pairwise(frames)]
    assert gaps == pytest.approx([0.1] * 74)
    assert frames[60].at.utc - NOON == timedelta(seconds=6)
    assert np.array_equal(frames[0].image, frames[60].image)


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_a_file_that_was_cut_off_is_broken_and_not_just_over(
    suffix: str, tmp_path: Path, clock: FakeClock
) -> None:
    whole = write_clip(tmp_path / f"whole{suffix}", [picture(40 + 5 * i) for i in range(30)])
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    assert read_all(opened(whole, clock))[1].fault is CameraFault.ENDED
    frames, end = read_all(opened(cut, clock))
    assert 0 < len(frames) < 30
    assert end.fault is CameraFault.BROKEN
    assert "cut off" in end.detail
    assert str(cut) in end.detail


def test_a_file_cut_off_before_its_index_is_broken(clip: Path, clock: FakeClock) -> None:
    clip.write_bytes(clip.read_bytes()[:-500])
    with pytest.raises(CameraError, match="cut off before its index") as caught:
        opened(clip, clock)
    assert caught.value.fault is CameraFault.BROKEN


@pytest.mark.parametrize(
    ("content", "fault", "text"),
    [
        (None, CameraFault.UNAVAILABLE, "no such file"),
        (b"", CameraFault.BROKEN, "empty"),
        (b"this is no video\n" * 100, CameraFault.BROKEN, "no video"),
    ],
)
def test_what_is_no_video_is_refused_with_a_reason(
    content: bytes | None, fault: CameraFault, text: str, tmp_path: Path, clock: FakeClock
) -> None:
    path = tmp_path / "desk.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CameraError) as caught:
        opened(path, clock)
    assert caught.value.fault is fault
    assert text in caught.value.detail
    assert str(path) in caught.value.detail


@pytest.mark.parametrize(("name", "count"), SHARED_CLIPS)
def test_real_clips_are_read_whole(name: str, count: int, clock: FakeClock) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"no {name} beside the repository")
    camera = opened(SHARED / name, clock)
    last = -1.0
    for number in range(1, count + 1):
        frame = camera.read(1)
        assert frame.number == number
        assert frame.at.mono > last
        last = frame.at.mono
    with pytest.raises(CameraError) as caught:
        camera.read(1)
    assert caught.value.fault is CameraFault.ENDED

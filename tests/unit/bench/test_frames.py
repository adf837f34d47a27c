"""Frames of a measurement: in one size, in order, counted, and noisy as a sensor's."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from cleandesk.bench import frames
from cleandesk.bench.errors import BenchError
from cleandesk.bench.meter import Window
from tests.rig import CLIP


def _grey(level: int) -> frames.Pixels:
    return np.full((720, 1280, 3), level, np.uint8)


def test_pictures_of_a_clip_come_in_the_size_that_is_measured_at() -> None:
    found = frames.pictures(CLIP, [0, 5])
    assert [image.shape for image in found] == [(720, 1280, 3)] * 2
    first, second = found
    assert not np.array_equal(first, second)


def test_a_picture_of_that_size_is_not_copied() -> None:
    image = _grey(9)
    assert frames.sized(image) is image


def test_a_clip_is_counted_up_to_a_bound() -> None:
    assert frames.count(CLIP, most=20) == 20
    assert frames.count(CLIP) == 700


def test_what_is_no_clip_is_named_with_a_fix(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(BenchError, match=r"clip\.mp4.*--source"):
        frames.count(path)
    with pytest.raises(BenchError, match=r"clip\.mp4"):
        frames.pictures(path, [0])


def test_a_clip_that_is_too_short_is_named() -> None:
    with pytest.raises(BenchError, match="has only 700 pictures"):
        frames.pictures(CLIP, [800])


def test_memory_shows_its_pictures_in_order_again_and_again() -> None:
    memory = frames.Memory([_grey(1), _grey(2)], [0, 0, 1], 0.1)
    memory.open()
    shown = [memory.next() for _ in range(5)]
    assert [int(p.image[0, 0, 0]) for p in shown if p] == [1, 1, 2, 1, 1]
    assert [p.pts_s for p in shown if p] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_video_is_dated_by_the_given_pace() -> None:
    video = frames.SizedVideo(CLIP, 0.5)
    video.open()
    shown = [video.next() for _ in range(3)]
    video.close()
    assert [p.pts_s for p in shown if p] == [0.0, 0.5, 1.0]


def test_a_counted_reader_tells_the_window_of_each_picture() -> None:
    window = Window(0.0, 3600.0)
    counted = frames.Counted(frames.Memory([_grey(1)], [0], 0.1), window)
    counted.open()
    for _ in range(4):
        assert counted.next() is not None
    begin = window.begin
    assert begin is not None
    assert begin.frames == 1


def test_a_feed_reads_like_a_capture_and_begins_again_at_the_end() -> None:
    window = Window(0.0, 3600.0)
    feed = frames.Feed(frames.SizedVideo(CLIP, 0.1), window, paced=False)
    shown = list(islice(iter(feed.read, (False, None)), 702))
    assert len(shown) == 702
    first, again = shown[0][1], shown[700][1]
    assert first is not None
    assert again is not None
    assert np.array_equal(first, again)


def test_a_feed_ends_with_its_window() -> None:
    feed = frames.Feed(frames.Memory([_grey(1)], [0], 0.01), Window(0.0, 0.05), paced=True)
    read = sum(1 for _ in iter(feed.read, (False, None)))
    assert read > 0
    assert feed.read() == (False, None)


def test_noise_differs_from_copy_to_copy_and_not_from_run_to_run() -> None:
    copies = frames.noisy(_grey(100), 4, seed=3)
    again = frames.noisy(_grey(100), 4, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(copies, again, strict=True))
    assert not np.array_equal(copies[0], copies[1])
    difference = copies[0].astype(int) - copies[2].astype(int)
    assert difference.std() == pytest.approx(2 * 2**0.5, rel=0.05)
    assert all(abs(float(image.mean()) - 100) < 1 for image in copies)

from pathlib import Path

import cv2
import numpy as np
import pytest

from cleandesk.camera import Camera, CameraError, make_camera
from cleandesk.contract.messages import CameraFault
from cleandesk.settings import CameraSettings
from tests.unit.camera.sources import FakeClock, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "pictures"
    path.mkdir()
    for value, name in [(40, "a.png"), (80, "b.JPG"), (120, "c.bmp"), (160, "d.webp")]:
        cv2.imwrite(str(path / name), picture(value))
    (path / "notes.txt").write_text("no picture")
    return path


def opened(path: Path, clock: FakeClock, **settings: object) -> Camera:
    camera = make_camera(
        CameraSettings.model_validate({"source": str(path), **settings}), clock, base=Path("/")
    )
    camera.open()
    return camera


def test_pictures_come_sorted_and_spaced(folder: Path, clock: FakeClock) -> None:
    camera = opened(folder, clock, picture_s=2.5)
    frames = [camera.read(1) for _ in range(4)]

    assert [round(float(f.image.mean()), -1) for f in frames] == [60, 100, 140, 180]
    assert [f.at.mono - clock.mono for f in frames] == [0, 2.5, 5, 7.5]
    with pytest.raises(CameraError, match="ended after 4 frames") as caught:
        camera.read(1)
    assert caught.value.fault is CameraFault.ENDED


def test_repeating_goes_on_counting(folder: Path, clock: FakeClock) -> None:
    camera = opened(folder, clock, picture_s=2, repeat=True)
    frames = [camera.read(1) for _ in range(9)]
    assert frames[8].number == 9
    assert frames[8].at.mono - clock.mono == 16
    assert np.array_equal(frames[8].image, frames[0].image)


def test_a_grey_or_deep_picture_becomes_plain_colour(tmp_path: Path, clock: FakeClock) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((10, 20), 60_000, np.uint16))
    image = opened(tmp_path, clock).read(1).image
    assert image.shape == (10, 20, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
def test_a_picture_that_cannot_be_read_is_named(
    content: bytes, folder: Path, clock: FakeClock
) -> None:
    (folder / "b.JPG").write_bytes(content)
    camera = opened(folder, clock)
    camera.read(1)
    with pytest.raises(CameraError) as caught:
        camera.read(1)
    assert caught.value.fault is CameraFault.BROKEN
    assert str(folder / "b.JPG") in caught.value.detail


def test_a_picture_that_vanished_is_named(folder: Path, clock: FakeClock) -> None:
    camera = opened(folder, clock)
    (folder / "a.png").unlink()
    with pytest.raises(CameraError, match=r"a\.png: no such file") as caught:
        camera.read(1)
    assert caught.value.fault is CameraFault.BROKEN


def test_a_folder_without_pictures_says_so(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(CameraError, match="no picture in this folder") as caught:
        opened(tmp_path, clock)
    assert caught.value.fault is CameraFault.UNAVAILABLE

"""`cleandesk detect`, on real files: what it prints, where, and its exit codes."""

import json
import os
import pty
import select
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import Result

from cleandesk.detector import default_manifest, read_manifest
from tests.unit.commandline import PROGRAM, cleandesk, damaged_model

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Draw something that takes no model to be a picture."""
    image = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    path = tmp_path / "photos" / "one.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def real() -> Path:
    folder = SHARED / "data" / "coco_desk_dev" / "images"
    if not folder.is_dir():
        pytest.skip("needs the real pictures in ../shared, which are not here")
    return folder / "000000000139.jpg"


def objects(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_object_a_picture_in_its_own_pixels(real: Path) -> None:
    done = cleandesk("detect", real, "--score", "0.2")
    assert done.exit_code == 0
    (seen,) = objects(done)
    assert seen["image"] == str(real)
    assert seen["detections"]
    names = set(read_manifest(default_manifest()).classes)
    for one in seen["detections"]:
        assert set(one) == {"class", "score", "box", "believed"}
        assert one["class"] in names
        assert 0.2 <= one["score"] <= 1
        x1, y1, x2, y2 = one["box"]
        assert 0 <= x1 < x2 <= 640
        assert 0 <= y1 < y2 <= 426
    assert objects(cleandesk("detect", real, "--score", "0.2", "--json")) == [seen]


def test_without_a_score_the_model_says_what_to_believe(real: Path) -> None:
    (everything,) = objects(cleandesk("detect", real, "--score", "0.01"))
    (believed,) = objects(cleandesk("detect", real))
    manifest = read_manifest(default_manifest())
    assert believed["detections"] == [one for one in everything["detections"] if one["believed"]]
    for one in everything["detections"]:
        over = one["score"] - manifest.threshold_of(one["class"])
        assert one["believed"] == (over >= 0) or abs(over) < 1e-4  # scores are printed rounded
    assert 0 < len(believed["detections"]) < len(everything["detections"])


def test_folders_are_walked_and_the_unreadable_is_named(photo: Path) -> None:
    folder = photo.parent
    (folder / "below").mkdir()
    (folder / "below" / "two.JPG").write_bytes(photo.read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("no picture either", encoding="utf-8")
    done = cleandesk("detect", folder, folder / "gone.png")
    assert done.exit_code == 1
    assert [o["image"] for o in objects(done)] == [str(photo), str(folder / "below" / "two.JPG")]
    said = done.stderr.splitlines()
    assert len(said) == 3
    assert said[0].startswith(f"{folder / 'broken.png'}: not a picture")
    assert said[1].startswith(f"{folder / 'empty.jpg'}: not a picture")
    assert said[2].startswith(f"{folder / 'gone.png'}: cannot be read (No such file")


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    done = cleandesk("detect", tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no picture in this folder" in done.stderr


def test_drawing_writes_one_picture_each_and_overwrites_none(photo: Path, tmp_path: Path) -> None:
    twin = tmp_path / "photos" / "below" / "one.jpg"
    twin.parent.mkdir()
    twin.write_bytes(photo.read_bytes())
    before = photo.read_bytes()
    for _ in range(2):
        done = cleandesk("detect", photo.parent, "--draw", photo.parent)
        assert done.exit_code == 0
        assert len(objects(done)) == 2
    drawn = sorted(p.name for p in photo.parent.glob("*.detected.jpg"))
    assert drawn == ["one-2.detected.jpg", "one.detected.jpg"]
    image = cv2.imread(str(photo.parent / drawn[0]))
    assert image is not None
    assert image.shape == (90, 120, 3)
    assert photo.read_bytes() == before


def test_drawing_never_replaces_the_picture_itself(photo: Path) -> None:
    own = photo.rename(photo.parent / "a.detected.jpg")
    link = photo.parent / "a.jpg"
    link.symlink_to(own)
    before = own.read_bytes()
    done = cleandesk("detect", link, "--draw", photo.parent)
    assert done.exit_code == 1
    assert "would overwrite it" in done.stderr
    assert own.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_an_error(photo: Path) -> None:
    done = cleandesk("detect", photo, "--draw", photo / "below")
    assert done.exit_code == 1
    assert "cannot be made" in done.stderr


def test_another_model_can_be_named_and_a_wrong_one_is_refused(photo: Path, tmp_path: Path) -> None:
    assert cleandesk("detect", photo, "--manifest", default_manifest()).exit_code == 0
    done = cleandesk("detect", photo, "--manifest", damaged_model(tmp_path))
    assert done.exit_code == 2
    assert "its sha256 is" in done.stderr


@pytest.mark.parametrize(
    ("name", "flag"),
    [("grey", cv2.COLOR_BGR2GRAY), ("alpha", cv2.COLOR_BGR2BGRA), ("deep", None)],
)
def test_grey_alpha_and_16_bit_pictures_work(
    real: Path, tmp_path: Path, name: str, flag: int | None
) -> None:
    image = cv2.imread(str(real))
    assert image is not None
    other = image.astype(np.uint16) * 257 if flag is None else cv2.cvtColor(image, flag)
    path = tmp_path / f"{name}.png"
    cv2.imwrite(str(path), other)
    (seen,) = objects(cleandesk("detect", path))
    (plain,) = objects(cleandesk("detect", real))
    first, wanted = seen["detections"][0], plain["detections"][0]
    assert first["class"] == wanted["class"]
    np.testing.assert_allclose(first["box"], wanted["box"], atol=15)


def test_a_turned_picture_is_seen_upright(real: Path, tmp_path: Path) -> None:
    image = cv2.imread(str(real))
    assert image is not None
    turned = tmp_path / "turned.jpg"
    _, encoded = cv2.imencode(".jpg", cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    raw = encoded.tobytes()
    turned.write_bytes(raw[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + raw[2:])
    (seen,) = objects(cleandesk("detect", turned))
    (plain,) = objects(cleandesk("detect", real))
    first, wanted = seen["detections"][0], plain["detections"][0]
    assert first["class"] == wanted["class"]
    np.testing.assert_allclose(first["box"], wanted["box"], atol=15)


def _on_a_terminal(*words: str) -> str:
    """Run the program with a terminal as its standard output and return what it shows."""
    ours, its = pty.openpty()
    environment = os.environ | {"COLUMNS": "120", "TERM": "dumb"}
    with subprocess.Popen([*PROGRAM, *words], stdout=its, env=environment) as process:
        os.close(its)
        shown = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
        process.wait(60)
    os.close(ours)
    return shown.decode()


def test_people_get_a_table_unless_they_ask_for_json(real: Path) -> None:
    table = _on_a_terminal("detect", str(real))
    assert "640x426" in table
    assert "score" in table
    with pytest.raises(json.JSONDecodeError):
        json.loads(table)
    assert json.loads(_on_a_terminal("detect", str(real), "--json"))["detections"]

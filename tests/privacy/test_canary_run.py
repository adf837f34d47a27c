"""A whole box whose camera shows a canary outside the area: it is nowhere but in that camera."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cleandesk.settings import Zone
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.privacy import canary, memory
from tests.privacy.canary import AREA, KINDS, Image, with_canary, write_video
from tests.privacy.listener import everything_published
from tests.rig import CLIP, presence, wait_for_health
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto]

#: The demo's desk without its edges; a phone lies in it from 9 s on.
DESK = Zone(polygon=[(0.1, 0.1), (0.9, 0.1), (0.9, 0.88), (0.5, 0.92), (0.1, 0.88)])
#: What is above it.
TOP = Zone(polygon=[(0, 0), (1, 0), (1, 0.2), (0, 0.2)])
FPS = 5


def _clip(path: Path, begin_s: float, end_s: float) -> Path:
    """Write a part of the demo's clip, with a canary around the desk."""
    video = cv2.VideoCapture(str(CLIP))
    step = round(video.get(cv2.CAP_PROP_FPS) / FPS)
    video.set(cv2.CAP_PROP_POS_MSEC, begin_s * 1000)
    images: list[Image] = []
    for number in range(round((end_s - begin_s) * FPS) * step):
        assert video.grab()
        if number % step == 0:
            _, image = video.retrieve()
            images.append(with_canary(np.asarray(image, np.uint8), DESK, seed=1))
    video.release()
    write_video(path, images, FPS)
    return path


def test_it_is_in_no_message_no_file_and_no_log(make_rig: MakeRig, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir()
    clip = _clip(shown / "clip.avi", 8, 15)
    rig = make_rig(
        camera={"source": str(clip), "realtime": False},
        rules=[presence("phone")],
        area=DESK.model_dump(mode="json"),
    )
    with everything_published(rig.broker.port) as heard:
        rig.start_subscriber()
        rig.start_box("--until-end")
        assert rig.wait("box") == 0, rig.words("box")
        violations = rig.violations()
        rig.stop("subscriber")
    rig.broker.stop()
    assert [row["class"] for row in violations] == ["phone"], "something was seen and said"

    files = [path for path in tmp_path.rglob("*") if path.is_file() and shown not in path.parents]
    names = {path.name for path in files}
    assert {"outbox.db", "log.db", "box.err", "subscriber.err", "mosquitto.db"} <= names
    texts = {str(path): path.read_bytes() for path in files} | {"broker": b"\n".join(heard)}
    assert b"no-phone" in texts["broker"]
    found = [
        place
        for mark in canary.marks(canary.first_picture(str(clip)))
        for words in canary.in_other_words(mark)
        for place, text in texts.items()
        if words in text
    ]
    assert found == []


def test_what_lies_outside_is_never_a_violation(make_rig: MakeRig, tmp_path: Path) -> None:
    """The phone itself is the canary: with an area that leaves it out it does not exist."""
    clip = _clip(tmp_path / "clip.avi", 9, 14)
    rig = make_rig(
        camera={"source": str(clip), "realtime": False},
        rules=[presence("phone")],
        area=TOP.model_dump(mode="json"),
    )
    rig.start_subscriber()
    rig.start_box("--until-end")
    assert rig.wait("box") == 0, rig.words("box")
    assert rig.violations() == []


def _waiting_box(make_rig: MakeRig, source: str, area: Zone | None) -> int:
    """Start a box that soon waits for its camera; returns its process's id."""
    rig = make_rig(
        # Of recordings the second picture is due much later.
        camera={"source": source, "timeout_s": 600, "picture_s": 600},
        rules=[presence("phone")],
        area=area and area.model_dump(mode="json"),
    )
    rig.start_box()
    wait_for_health(rig.broker.port, lambda health: health.camera.frames >= 1)
    return rig.pid("box")


@pytest.mark.parametrize("kind", KINDS)
def test_in_memory_it_is_only_where_the_source_puts_its_picture(
    make_rig: MakeRig, tmp_path: Path, kind: str
) -> None:
    with canary.source(kind, tmp_path, silent=True) as source:
        marks = canary.marks(canary.first_picture(source))
        pid = _waiting_box(make_rig, source, AREA)
        eventually(lambda: memory.copies(pid, *marks) <= 1, "no copy but the decoder's own")


def test_without_an_area_it_is_in_memory_more_than_once(make_rig: MakeRig, tmp_path: Path) -> None:
    with canary.source("stream", tmp_path, silent=True) as source:
        marks = canary.marks(canary.first_picture(source))
        pid = _waiting_box(make_rig, source, None)
        eventually(lambda: memory.copies(pid, *marks) > 1, "the copy that is looked at")

"""The picamera2 source on the real Picamera2 and libcamera: the demo's violations come out.

What of Picamera2 is replaced, `virtual_camera.py` says at its top. What a Raspberry Pi's sensor,
pipeline and memory do is not shown here.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from demo.outcome import Logged, overlap
from demo.scenario import FORBIDDEN, rules
from models.scenes.truth import Truth, Visit
from tests.eventually import eventually
from tests.image.rootfs import ensure
from tests.mosquitto import needs_mosquitto
from tests.rig import CLIP, TRUTH, Rig

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif("PICAMERA2" not in os.environ, reason="two minutes: `make test-picamera2`"),
]

PROGRAM = Path(__file__).with_name("virtual_camera.py")
CAMERAS = "usr/share/libcamera/pipeline/virtual"
CAMERA = """
"Virtual0":
  supported_formats:
    - {width: 640, height: 480, frame_rates: [10]}
  frames: {path: "/frames"}
  model: "The demo's desk"
"""
_SAME_PLACE = 0.3


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    camera: dict[str, object] = {"source": "picamera2", "width": 640, "height": 480}
    rig = Rig(tmp_path, camera=camera, rules=rules())
    rig.broker.start()
    yield rig
    rig.close()


def _pictures(folder: Path) -> None:
    """Write the demo's clip as the pictures that the virtual camera shows, over and over."""
    folder.mkdir()
    reader = cv2.VideoCapture(str(CLIP))
    for number in range(10_000):
        found, image = reader.read()
        if not found:
            return
        cv2.imwrite(str(folder / f"{number}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 95])


@pytest.fixture
def box(rig: Rig) -> Iterator[Path]:
    """Run the box in the Debian that has libcamera; returns what it says."""
    _pictures(rig.home / "frames")
    (rig.home / "virtual.yaml").write_text(CAMERA, encoding="utf-8")
    said = rig.home / "box.err"
    # libcamera looks whether it could make buffers itself; Picamera2 brings its own.
    script = (
        f"mkdir -p /{CAMERAS} && cp {rig.home}/virtual.yaml /{CAMERAS} && touch /dev/udmabuf && "
        f"exec /opt/cleandesk/bin/python /virtual_camera.py run --config {rig.box_config}"
    )
    with said.open("wb") as words:
        running = subprocess.Popen(
            [
                *("timeout", "--kill-after=5", "600", "systemd-nspawn", "--quiet"),
                *(f"--directory={ensure()}", "--volatile=overlay", "--console=pipe"),
                *("--register=no", "--keep-unit", "--kill-signal=SIGTERM"),
                *(f"--bind={rig.home}", f"--bind-ro={rig.home}/frames:/frames"),
                *(f"--bind-ro={PROGRAM}:/virtual_camera.py", "sh", "-c", script),
            ],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )
    yield said
    running.send_signal(signal.SIGTERM)
    running.wait(60)


def _tells_of(logged: Logged, visit: Visit, truth: Truth) -> bool:
    width, height = truth.size
    x1, y1, x2, y2 = visit.box
    place = (x1 / width, y1 / height, x2 / width, y2 / height)
    return logged.class_name == visit.class_name and overlap(logged.place, place) > _SAME_PLACE


def test_the_demo_s_violations_come_out_of_a_camera(rig: Rig, box: Path) -> None:
    truth = Truth.model_validate_json(TRUTH.read_text(encoding="utf-8"))
    visits = [visit for visit in truth.visits if visit.class_name in FORBIDDEN]
    rig.start_subscriber()

    def logged() -> list[Logged]:
        return [Logged.model_validate(row) for row in rig.violations()]

    def all_closed() -> bool:
        return sum(one.closed_at is not None for one in logged()) >= len(visits)

    eventually(all_closed, f"{len(visits)} violations, each closed", within_s=400)
    found = logged()
    print(*(f"{one.opened_at:%H:%M:%S} {one.class_name}" for one in found), sep="\n")  # noqa: T201
    assert len(found) == len(visits), "one violation for each thing that lay there, and no other"
    for visit in visits:
        assert sum(_tells_of(one, visit, truth) for one in found) == 1, visit.id
    assert "libcamera v" in box.read_text(encoding="utf-8", errors="replace")

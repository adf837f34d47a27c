"""A camera that cannot be believed is a fault that people see; bad input gets a clear error."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from cleandesk.contract.messages import Availability, CameraFault, PrivacyState
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import CLIP, Rig, presence, wait_for_health, wait_for_privacy, wait_for_status
from tests.system.conftest import MakeRig
from tests.unit.camera.sources import picture, write_clip

pytestmark = [pytest.mark.system, needs_mosquitto]


def _fault(rig: Rig) -> CameraFault | None:
    health = wait_for_health(rig.broker.port, lambda h: h.camera.fault is not None)
    privacy = wait_for_privacy(rig.broker.port, lambda p: p.state is PrivacyState.FAULT)
    assert privacy.reason == health.camera.fault
    return health.camera.fault


def test_a_missing_camera_is_published_and_the_box_stays_on_the_line(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": "/dev/video99"}, rules=[presence("phone")])
    rig.start_box()
    assert _fault(rig) is CameraFault.UNAVAILABLE
    assert wait_for_status(rig.broker.port, lambda s: s.state is Availability.ONLINE)
    assert rig.alive("box")
    assert "/dev/video99" in rig.words("box")


def test_a_truncated_video_is_published_as_a_fault(make_rig: MakeRig, tmp_path: Path) -> None:
    half = tmp_path / "half.mp4"
    half.write_bytes(CLIP.read_bytes()[: CLIP.stat().st_size // 2])
    rig = make_rig(camera={"source": str(half), "realtime": False}, rules=[presence("phone")])
    rig.start_box()
    assert _fault(rig) is CameraFault.BROKEN
    assert rig.alive("box")


def test_a_run_to_the_end_of_a_truncated_video_fails(make_rig: MakeRig, tmp_path: Path) -> None:
    half = tmp_path / "half.mp4"
    half.write_bytes(CLIP.read_bytes()[: CLIP.stat().st_size // 2])
    rig = make_rig(camera={"source": str(half), "realtime": False}, rules=[presence("phone")])
    rig.start_box("--until-end")
    assert rig.wait("box", 60) == 1
    assert "half.mp4" in rig.words("box")


def test_a_fault_after_a_restart_of_the_process_raises_its_alarm(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": str(CLIP), "repeat": True}, rules=[presence("phone")])
    rig.start_subscriber()
    rig.start_box()
    wait_for_health(rig.broker.port, lambda h: h.camera.frames > 20)
    rig.kill("box")
    settings = yaml.safe_load(rig.box_config.read_text())
    settings["camera"] = {"source": "/dev/video99"}
    rig.box_config.write_text(yaml.safe_dump(settings, sort_keys=False))
    rig.start_box()
    eventually(
        lambda: "fault" in {alarm["kind"] for alarm in rig.ask("alarms", "--format", "jsonl")},
        "the alarm about the camera",
    )


def test_a_recording_of_the_dark_is_a_fault(make_rig: MakeRig, tmp_path: Path) -> None:
    folder = tmp_path / "dark"
    folder.mkdir()
    cv2.imwrite(str(folder / "dark.png"), np.full((120, 160, 3), 2, np.uint8))
    camera = {"source": str(folder), "repeat": True, "black_after_s": 1.0}
    rig = make_rig(camera=camera, rules=[presence("phone")])
    rig.start_box()
    assert _fault(rig) is CameraFault.BLACK


def test_a_picture_that_stands_still_is_a_fault(make_rig: MakeRig, tmp_path: Path) -> None:
    folder = tmp_path / "still"
    folder.mkdir()
    image = np.random.default_rng(1).integers(60, 200, (120, 160, 3), np.uint8)
    cv2.imwrite(str(folder / "still.png"), image)
    camera = {"source": str(folder), "repeat": True, "frozen_after_s": 1.0}
    rig = make_rig(camera=camera, rules=[presence("phone")])
    rig.start_box()
    assert _fault(rig) is CameraFault.FROZEN


def test_a_recording_that_ends_is_a_fault_and_not_a_clean_desk(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "short.mp4", [picture(60 + 5 * shade) for shade in range(20)])
    rig = make_rig(camera={"source": str(clip), "realtime": False}, rules=[presence("phone")])
    rig.start_box()
    assert _fault(rig) is CameraFault.ENDED


def test_a_stopped_box_says_so(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": "/dev/video99"}, rules=[presence("phone")])
    rig.start_box()
    wait_for_status(rig.broker.port, lambda s: s.state is Availability.ONLINE)
    assert rig.stop("box") == 0
    assert wait_for_status(rig.broker.port, lambda s: s.state is Availability.STOPPED)
    assert wait_for_privacy(rig.broker.port, lambda p: p.state is not PrivacyState.WORKING)


def test_a_killed_box_is_reported_offline_by_its_last_will(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": "/dev/video99"}, rules=[presence("phone")])
    rig.start_box()
    wait_for_status(rig.broker.port, lambda s: s.state is Availability.ONLINE)
    rig.kill("box")
    assert wait_for_status(rig.broker.port, lambda s: s.state is Availability.OFFLINE)


def test_a_model_that_does_not_fit_its_manifest_is_refused(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    (tmp_path / "desk.onnx").write_bytes(b"not a model")
    manifest = tmp_path / "manifest.yaml"
    shipped = Path(__file__).resolve().parents[2] / "models" / "desk" / "manifest.yaml"
    manifest.write_bytes(shipped.read_bytes())
    rig = make_rig(
        camera={"source": str(CLIP)},
        rules=[presence("phone")],
        detector={"manifest": str(manifest), "precision": "fp32"},
    )
    rig.start_box()
    assert rig.wait("box", 30) in {1, 2}
    words = rig.words("box")
    assert "desk.onnx" in words
    assert "sha256" in words
    assert "Traceback" not in words


def test_a_rule_for_a_class_that_the_model_lacks_is_refused(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": str(CLIP)}, rules=[presence("phonee")])
    rig.start_box()
    assert rig.wait("box", 30) == 2
    words = rig.words("box")
    assert "phonee" in words
    assert "Traceback" not in words


def test_a_misspelt_key_stops_the_box_with_its_line(make_rig: MakeRig) -> None:
    rig = make_rig(camera={"source": str(CLIP)}, rules=[presence("phone")])
    settings = yaml.safe_load(rig.box_config.read_text())
    settings["looks_per_z"] = settings.pop("looks_per_s")
    rig.box_config.write_text(yaml.safe_dump(settings, sort_keys=False))
    line = 1 + rig.box_config.read_text().splitlines().index("looks_per_z: 5")
    rig.start_box()
    assert rig.wait("box", 30) == 2
    words = rig.words("box")
    assert "looks_per_s" in words
    assert f"box.yaml:{line}" in words

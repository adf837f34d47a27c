"""A box whose card is worn: files written by half, and no room."""

from pathlib import Path

import pytest

from cleandesk.contract.config_messages import ConfigOutcome
from cleandesk.contract.messages import Availability, PrivacyState
from tests.company import desire, reported
from tests.mosquitto import needs_mosquitto
from tests.rig import (
    CLIP,
    Rig,
    frame_of,
    presence,
    wait_for_health,
    wait_for_privacy,
    wait_for_status,
)
from tests.system.conftest import MakeRig

pytestmark = [pytest.mark.system, needs_mosquitto]
EXIT_RESTART_ME = 75


def _make(make_rig: MakeRig, tmp_path: Path, **settings: object) -> Rig:
    return make_rig(
        camera={"source": str(frame_of(CLIP, 15.0, tmp_path / "pictures")), "repeat": True},
        rules=[presence("phone")],
        **settings,
    )


def _looks(rig: Rig) -> None:
    wait_for_status(rig.broker.port, lambda one: one.state is Availability.ONLINE)
    wait_for_health(rig.broker.port, lambda one: one.camera.frames > 0)


@pytest.mark.parametrize(
    "name", ["outbox.db", "outbox.db.config", "outbox.db.starts", "outbox.db.worker"]
)
def test_a_box_whose_file_was_written_by_half_is_back_and_says_what_it_did_about_it(
    make_rig: MakeRig, tmp_path: Path, name: str
) -> None:
    rig = _make(make_rig, tmp_path)
    rig.start_box()
    _looks(rig)
    desire(rig, 1, {"rules": [presence("phone", severity="high")]})
    reported(rig, ConfigOutcome.ACCEPTED, 1)
    rig.kill("box")
    path = rig.home / name
    if name == "outbox.db.worker":
        path.write_bytes(b"0" * 64 + b"\n{")
    whole = path.read_bytes()
    assert whole
    path.write_bytes(whole[: len(whole) // 2])
    for beside in (f"{name}-wal", f"{name}-shm"):
        (rig.home / beside).unlink(missing_ok=True)
    rig.start_box()
    wait_for_status(rig.broker.port, lambda one: one.state is Availability.ONLINE)
    if name == "outbox.db.worker":
        wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
    else:
        _looks(rig)
    assert reported(rig, ConfigOutcome.ACCEPTED, 1).running_version == 1, (
        "the broker had it still, where the box's own was lost"
    )
    assert rig.alive("box")


def test_on_a_full_card_a_configuration_is_rejected_and_the_box_goes_on(
    make_rig: MakeRig, tmp_path: Path, small_disk: Path
) -> None:
    rig = _make(make_rig, tmp_path, outbox={"path": str(small_disk / "outbox.db")})
    rig.start_box()
    _looks(rig)
    filler = small_disk / "filler"
    _fill(filler)
    desire(rig, 1, {"rules": [presence("phone", severity="high")]})
    said = reported(rig, ConfigOutcome.REJECTED, 1)
    assert said.running_version is None
    assert "the disk does not take it" in said.problems[0].reason
    rig.kill("box")
    rig.start_box()
    reported(rig, ConfigOutcome.REJECTED, 1)
    _looks(rig)
    filler.unlink()
    desire(rig, 2, {"rules": [presence("phone", severity="low")]})
    assert reported(rig, ConfigOutcome.ACCEPTED, 2).running_version == 2


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)) == 4096:
                pass
        except OSError:
            return

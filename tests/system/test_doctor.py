"""The doctor on the real broker with its production rules: each failure is caused, and named."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.doctor_messages import DoctorCode
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Channel, Command, Side
from cleandesk.doctor.broker import BROKER_CODES
from cleandesk.doctor.camera import CAMERA_CODES
from cleandesk_fleet.provision.authorities import Authorities, Issuer
from tests.eventually import eventually
from tests.mosquitto import free_port, needs_mosquitto
from tests.rig import ADDRESS
from tests.system.broker_rig import Member
from tests.system.doctor_rig import NAME, Bed
from tests.unit.commandline import damaged_model

pytestmark = [pytest.mark.system, needs_mosquitto]


def test_of_a_box_that_is_well_nothing_fails_and_each_code_is_said_once(
    bed: Bed, witness: Member
) -> None:
    said = bed.doctor()
    assert said.failed() == set()
    assert sorted(check["code"] for check in said.body["checks"]) == sorted(DoctorCode)
    assert said.body["asked"] == "here"
    assert said.body["aiming"] == f"https://cleandesk-{ADDRESS.box}.local/aim"
    tried = {*BROKER_CODES, *CAMERA_CODES} - {DoctorCode.CAMERA_FROZEN, DoctorCode.CAMERA_MOVED}
    assert {said.result(code) for code in tried} == {"passed"}
    # What it says in the box's name is that it does not run, and an answer to nobody.
    eventually(lambda: len(witness.topics()) > 1, "what the doctor says")
    assert witness.topics() == {
        ADDRESS.topic(Channel.STATUS),
        ADDRESS.command(Command.DOCTOR, Side.RESPONSE),
    }
    status = next(m for m in witness.received if m.topic == ADDRESS.topic(Channel.STATUS))
    assert Status.model_validate_json(status.payload).state is Availability.STOPPED


def test_a_broker_that_is_down_is_unreachable(bed: Bed) -> None:
    bed.broker.stop()
    said = bed.doctor()
    assert said.failed() == {"broker_unreachable"}
    assert said.result(DoctorCode.OTHER_BOX_ALLOWED) == "not_tried"


def test_a_port_where_nothing_listens_and_a_name_that_is_none_are_unreachable(bed: Bed) -> None:
    bed.settings["broker"] = {"host": "localhost", "port": free_port()}
    assert bed.doctor().failed() == {"broker_unreachable"}
    bed.settings["broker"] = {"host": "broker.invalid", "port": 8883}
    assert bed.doctor().failed() == {"broker_unreachable"}


def test_a_broker_of_another_authority_is_untrusted(bed: Bed, tmp_path: Path) -> None:
    other = Authorities(tmp_path / "other", tmp_path / "other" / "root.key")
    other.make(b"a throw-away passphrase", datetime.now(UTC))
    bed.files = bed.files.model_copy(update={"ca": other.root})
    assert bed.doctor().failed() == {"broker_untrusted"}


def test_a_certificate_that_the_broker_does_not_know_is_refused(bed: Bed) -> None:
    own = bed.files
    bed.files = bed.broker.issue(Issuer.PEOPLE, NAME)
    assert bed.doctor().failed() == {"broker_refused"}
    bed.files = own
    assert bed.doctor().failed() - {"no_subscriber"} == set()


def test_an_expired_certificate_is_told_twice_by_the_box_and_by_the_broker(bed: Bed) -> None:
    bed.files = bed.broker.issue(Issuer.BOXES, NAME, lasts=timedelta(seconds=-1))
    said = bed.doctor()
    assert said.failed() == {"certificate_expired", "broker_refused"}
    assert said.result(DoctorCode.CERTIFICATE_EXPIRING) == "not_tried"


def test_a_certificate_of_another_box_is_told_and_may_write_nothing_of_ours(bed: Bed) -> None:
    bed.files = bed.broker.issue(Issuer.BOXES, "s1/another")
    assert bed.doctor().failed() == {"certificate_wrong_box", "own_topic_denied"}


def test_a_key_that_others_may_read_is_told(bed: Bed, witness: Member) -> None:
    assert witness.up
    assert bed.files.key is not None
    bed.files.key.chmod(0o640)
    assert bed.doctor().failed() == {"identity_exposed"}


def test_files_that_are_not_there_are_a_missing_identity(bed: Bed, tmp_path: Path) -> None:
    bed.files = TlsSettings(ca=bed.files.ca, cert=tmp_path / "no.pem", key=tmp_path / "no.key")
    said = bed.doctor()
    assert said.failed() == {"identity_missing"}
    assert said.result(DoctorCode.BROKER_UNREACHABLE) == "not_tried"


def test_rules_that_deny_a_boxs_own_topic_are_told(bed: Bed) -> None:
    bed.other_rules("pattern write cleandesk/v1/%u/status\n", "")
    said = bed.doctor()
    assert said.failed() == {"own_topic_denied"}
    assert ADDRESS.topic(Channel.STATUS) in said.checks["own_topic_denied"]["said"]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (f"user {NAME}\ntopic write cleandesk/v1/#\n", "took a message on another box's topic"),
        (f"user {NAME}\ntopic read cleandesk/v1/#\n", "delivers what boxes may not read"),
    ],
)
def test_rules_that_let_a_box_at_others_topics_are_told(bed: Bed, rule: str, told: str) -> None:
    first = "pattern write cleandesk/v1/%u/status\n"
    bed.other_rules(first, f"{rule}{first}")
    said = bed.doctor()
    assert said.failed() - {"no_subscriber"} == {"other_box_allowed"}
    assert told in said.checks["other_box_allowed"]["said"]


def test_nobody_who_is_subscribed_is_told(bed: Bed) -> None:
    assert bed.doctor().failed() == {"no_subscriber"}


def test_a_model_that_a_byte_is_missing_of_is_told(
    bed: Bed, tmp_path: Path, witness: Member
) -> None:
    assert witness.up
    bed.settings["detector"] = {"manifest": str(damaged_model(tmp_path))}
    assert bed.doctor().failed() == {"model_hash"}
    bed.settings["detector"] = {"manifest": str(tmp_path / "none.yaml")}
    assert bed.doctor().failed() == {"model_missing"}


def test_a_full_disk_is_told(bed: Bed, small_disk: Path, witness: Member) -> None:
    assert witness.up
    bed.settings["outbox"] = {"path": str(small_disk / "outbox.db")}
    said = bed.doctor()
    assert said.failed() == {"disk_full"}, "1 MB is too little"
    assert "1 MB free" in said.checks["disk_full"]["said"]
    (small_disk / "filler").write_bytes(os.urandom(1 << 20))
    said = bed.doctor()
    assert said.failed() == {"disk_full"}
    assert "No space left on device" in said.checks["disk_full"]["said"]


def test_a_disk_that_is_read_only_is_told(bed: Bed, small_disk: Path, witness: Member) -> None:
    assert witness.up
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    bed.settings["outbox"] = {"path": str(small_disk / "outbox.db")}
    assert bed.doctor().failed() == {"disk_read_only"}


def test_a_camera_that_is_not_there_is_told(bed: Bed, witness: Member) -> None:
    assert witness.up
    bed.settings["camera"] = {"source": "/dev/video99"}
    said = bed.doctor()
    assert said.failed() == {"camera_unavailable"}
    assert said.result(DoctorCode.CAMERA_DARK) == "not_tried"

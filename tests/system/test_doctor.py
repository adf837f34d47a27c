"""The doctor on the real broker with its production rules: each failure is caused, and named."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker import free_ports
from broker.local import BOXES
from cleandesk import clock
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.doctor_messages import DoctorCode
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Channel, Command, Side
from cleandesk.doctor.broker import BROKER_CODES
from cleandesk.doctor.camera import CAMERA_CODES
from cleandesk_fleet.provision.authorities import Authorities, Issuer
from tests.company import Company, company_of
from tests.eventually import eventually
from tests.mosquitto import free_port, needs_mosquitto
from tests.rig import ADDRESS, BIN, CLIP, WHOLE, Rig, presence, wait_for_privacy, wait_for_status
from tests.system.broker_rig import OPERATORS, Member, WitnessedBroker
from tests.system.conftest import MakeRig
from tests.unit.commandline import damaged_model

pytestmark = [pytest.mark.system, needs_mosquitto]

NAME = str(ADDRESS)
PRESENT = {DoctorCode.CLOCK_NOT_SYNCED} if not clock.clock_synced() else set()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[WitnessedBroker]:
    home = tmp_path / "site"
    home.mkdir()
    with WitnessedBroker(home, OPERATORS, free_ports()) as running:
        yield running


@pytest.fixture
def witness(broker: WitnessedBroker) -> Iterator[Member]:
    with broker.witness() as running:
        yield running


class Bed:
    """A box on the production broker; it does not run."""

    def __init__(self, home: Path, broker: WitnessedBroker, **changes: Any) -> None:
        self.home, self.broker = home, broker
        self.files = broker.issue(Issuer.BOXES, NAME)
        self.settings: dict[str, Any] = {
            "site": ADDRESS.site,
            "box": ADDRESS.box,
            "camera": {"source": str(CLIP)},
            "zones": {"desk": WHOLE},
            "rules": [presence("phone")],
            "broker": {"host": "localhost", "port": broker.port(BOXES)},
            "outbox": {"path": str(home / "outbox.db")},
        } | changes

    def doctor(self, *words: str) -> "Said":
        """Run the real command, as JSON."""
        tls = {
            "ca": str(self.files.ca),
            "cert": str(self.files.cert),
            "key": str(self.files.key),
        }
        settings = self.settings | {"broker": {"tls": tls} | self.settings["broker"]}
        path = self.home / "box.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return Said.of(path, *words)

    def other_rules(self, old: str, new: str) -> None:
        """Have the broker run by other rules."""
        rules = self.broker.files / "boxes.acl"
        text = rules.read_text(encoding="utf-8")
        assert old in text
        self.broker.stop()
        rules.write_text(text.replace(old, new), encoding="utf-8")
        self.broker.start()


class Said:
    """What the doctor said."""

    def __init__(self, code: int, body: dict[str, Any]) -> None:
        self.code, self.body = code, body
        self.checks = {check["code"]: check for check in body["checks"]}

    @classmethod
    def of(cls, config: Path, *words: str) -> "Said":
        made = subprocess.run(
            [BIN / "cleandesk", "doctor", "--json", "-c", config, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert made.returncode in (0, 1), made.stderr
        return cls(made.returncode, json.loads(made.stdout))

    def failed(self) -> set[str]:
        """Return the codes of what failed, but for what this machine always fails."""
        wrong = {code for code, one in self.checks.items() if one["result"] == "failed"}
        assert all(self.checks[code]["fix"] for code in wrong)
        assert self.code == bool(wrong)
        return wrong - PRESENT

    def result(self, code: DoctorCode) -> str:
        return str(self.checks[code]["result"])


@pytest.fixture
def bed(tmp_path: Path, broker: WitnessedBroker) -> Bed:
    return Bed(tmp_path, broker)


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


# --- beside a box that runs


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    return make_rig(
        camera={"source": str(CLIP), "repeat": True, "realtime": True},
        rules=[presence("phone", dwell_s=0.5)],
    )


@pytest.fixture
def company(rig: Rig) -> Iterator[Company]:
    with company_of(rig.broker.port) as company:
        yield company


def _online(rig: Rig) -> None:
    wait_for_status(rig.broker.port, lambda one: one.state is Availability.ONLINE)


def _checks(answer: dict[str, Any]) -> dict[str, str]:
    return {check["code"]: check["result"] for check in answer["checks"]}


#: What a broker without certificates and rules cannot pass.
OPEN_BROKER = {"identity_missing", "other_box_allowed"}


def test_a_box_that_runs_is_asked_and_answers_without_letting_go_of_anything(
    rig: Rig, company: Company
) -> None:
    rig.start_subscriber()
    rig.start_box()
    _online(rig)
    eventually(rig.events, "an event")
    connected = rig.words("box").count("connected to the broker")
    said = Said.of(rig.box_config)
    assert said.body["asked"] == "box"
    assert said.failed() == OPEN_BROKER
    assert said.result(DoctorCode.CAMERA_OUT_OF_FOCUS) == "passed"
    assert said.result(DoctorCode.CAMERA_MOVED) == "not_tried"
    assert said.result(DoctorCode.NO_SUBSCRIBER) == "passed"

    asked = company.ask(Command.DOCTOR, {}, b"1")
    assert asked["outcome"] == "done"
    assert set(_checks(asked)) == set(DoctorCode)
    assert {code for code, result in _checks(asked).items() if result == "failed"} == (
        OPEN_BROKER | PRESENT
    )
    assert company.ask(Command.DOCTOR, {}, b"1") == asked
    assert rig.words("box").count("connected to the broker") == connected
    assert rig.alive("box")
    ledger = subprocess.run(
        [BIN / "cleandesk", "ledger", "-c", rig.box_config, "--json"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    entries = [json.loads(line) for line in ledger.splitlines()]
    answers = [one for one in entries if one["topic"].endswith("cmd/doctor/response")]
    assert [json.loads(one["payload"]) for one in answers] == [asked]


def test_the_aim_is_remembered_on_demand_as_signs_and_a_note(rig: Rig) -> None:
    rig.start_box()
    _online(rig)
    said = Said.of(rig.box_config, "--aimed")
    assert said.result(DoctorCode.CAMERA_MOVED) == "passed"
    kept = (rig.home / "outbox.db.aim").read_bytes()
    assert re.fullmatch(rb'[0-9a-f]{64}\n\{"form":1,"aim":"[+0-]{195}"\}', kept)
    ledger = subprocess.run(
        [BIN / "cleandesk", "ledger", "-c", rig.box_config],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "note: aim_remembered" in ledger
    rig.stop("box")
    beside = Said.of(rig.box_config)
    assert beside.body["asked"] == "here"
    assert beside.result(DoctorCode.CAMERA_MOVED) == "passed"


def test_without_a_box_that_runs_no_aim_is_remembered(rig: Rig) -> None:
    made = subprocess.run(
        [BIN / "cleandesk", "doctor", "--aimed", "-c", rig.box_config],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 1
    assert "the box must run" in made.stderr
    assert not (rig.home / "outbox.db.aim").exists()


def test_in_a_break_the_camera_is_left_alone_whether_the_box_runs_or_not(
    rig: Rig, company: Company
) -> None:
    rig.start_box()
    _online(rig)
    company.ask(Command.BREAK, {"reason": "rest"}, b"1")
    wait_for_privacy(rig.broker.port, lambda one: one.state.value == "break")
    asked = company.ask(Command.DOCTOR, {}, b"2")
    said = Said.of(rig.box_config)
    rig.stop("box")
    beside = Said.of(rig.box_config)
    assert (said.body["asked"], beside.body["asked"]) == ("box", "here")
    for body in (asked, said.body, beside.body):
        checks = {check["code"]: check for check in body["checks"]}
        assert {checks[code]["result"] for code in CAMERA_CODES} == {"not_tried"}
        assert {checks[code]["said"] for code in CAMERA_CODES} == {"on break"}


def test_in_safe_mode_the_box_answers_by_mqtt_and_is_left_alone_by_the_command(
    make_rig: MakeRig,
) -> None:
    rig = make_rig(
        camera={"source": str(CLIP), "repeat": True},
        rules=[presence("phone")],
        safe_mode={"after_starts": 1, "healthy_after_s": 3600},
    )
    rig.start_box()
    _online(rig)
    rig.kill("box")
    rig.start_box()
    wait_for_status(rig.broker.port, lambda one: one.safe_mode is not None)
    with company_of(rig.broker.port) as company:
        asked = _checks(company.ask(Command.DOCTOR, {}, b"1"))
    assert asked["safe_mode"] == "failed"
    assert {asked[code] for code in CAMERA_CODES} == {"not_tried"}
    assert asked["broker_unreachable"] == "passed"
    said = Said.of(rig.box_config)
    assert said.body["asked"] == "beside"
    assert said.result(DoctorCode.SAFE_MODE) == "failed"
    assert {said.result(code) for code in (*CAMERA_CODES, *BROKER_CODES)} == {"not_tried"}
    assert rig.alive("box")
    _online(rig)


def test_events_that_nobody_answers_are_told_when_patience_is_over(rig: Rig) -> None:
    rig.start_box()
    _online(rig)

    def told() -> bool:
        return Said.of(rig.box_config).result(DoctorCode.NO_ACK) == "failed"

    eventually(told, "patience's end", within_s=150)
    assert "no_subscriber" in Said.of(rig.box_config).failed()


def test_a_camera_that_goes_dark_while_the_box_runs_is_told(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "dark.png"), np.full((360, 640, 3), 4, np.uint8))
    rig = make_rig(
        camera={"source": str(folder), "repeat": True, "black_after_s": 1},
        rules=[presence("phone")],
    )
    rig.start_box()
    _online(rig)
    assert Said.of(rig.box_config).failed() - {"no_subscriber"} == OPEN_BROKER | {"camera_dark"}

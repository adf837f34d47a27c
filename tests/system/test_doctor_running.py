"""The doctor beside a box that runs: it is asked, and nothing is taken from it."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from cleandesk.contract.doctor_messages import DoctorCode
from cleandesk.contract.messages import Availability, PrivacyState
from cleandesk.contract.topics import Channel, Command
from cleandesk.doctor.broker import BROKER_CODES
from cleandesk.doctor.camera import CAMERA_CODES
from tests.company import Company, company_of
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import ADDRESS, BIN, CLIP, Rig, presence, wait_for_privacy, wait_for_status
from tests.system.broker_rig import Member
from tests.system.conftest import MakeRig
from tests.system.doctor_rig import PRESENT, Bed, Said

pytestmark = [pytest.mark.system, needs_mosquitto]


def _patient(rig: Rig) -> Rig:
    """Have the box's doctor wait longer for the broker's word: as long as for an answer."""
    broker = yaml.safe_load(rig.box_config.read_text(encoding="utf-8"))["broker"]
    rig.change_box(broker=broker | {"ack_timeout_s": 10.0})
    return rig


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    return _patient(
        make_rig(
            camera={"source": str(CLIP), "repeat": True, "realtime": True},
            rules=[presence("phone", dwell_s=0.5)],
        )
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
    wait_for_privacy(rig.broker.port, lambda one: one.state is PrivacyState.BREAK)
    asked = company.ask(Command.DOCTOR, {}, b"2")
    said = Said.of(rig.box_config)
    rig.stop("box")
    beside = Said.of(rig.box_config)
    assert (said.body["asked"], beside.body["asked"]) == ("box", "here")
    for body in (asked, said.body, beside.body):
        checks = {check["code"]: check for check in body["checks"]}
        assert {checks[code]["result"] for code in CAMERA_CODES} == {"not_tried"}
        assert {checks[code]["said"] for code in CAMERA_CODES} == {"on break"}


def test_in_safe_mode_the_box_answers_by_mqtt_and_to_the_command(make_rig: MakeRig) -> None:
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
        look = company.ask(Command.SPOT_CHECK, {}, b"2")
    assert (look["outcome"], look["detail"]) == ("off", "safe mode: no camera is opened")
    assert asked["safe_mode"] == "failed"
    assert {asked[code] for code in CAMERA_CODES} == {"not_tried"}
    assert asked["broker_unreachable"] == "passed"
    said = Said.of(rig.box_config)
    assert said.body["asked"] == "box"
    assert said.result(DoctorCode.SAFE_MODE) == "failed"
    assert {said.result(code) for code in CAMERA_CODES} == {"not_tried"}
    assert said.result(DoctorCode.BROKER_UNREACHABLE) == "passed"


def test_a_box_that_cannot_be_asked_is_left_alone(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = make_rig(camera={"source": str(CLIP), "repeat": True}, rules=[presence("phone")])
    rig.start_box()
    _online(rig)
    (tmp_path / "page.sock").unlink()
    said = Said.of(rig.box_config)
    assert said.body["asked"] == "beside"
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
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "dark.png"), np.full((360, 640, 3), 4, np.uint8))
    rig = _patient(
        make_rig(
            camera={"source": str(folder), "repeat": True, "black_after_s": 1},
            rules=[presence("phone")],
        )
    )
    rig.start_box()
    _online(rig)
    assert Said.of(rig.box_config).failed() - {"no_subscriber"} == OPEN_BROKER | {"camera_dark"}


@contextmanager
def _running(bed: Bed) -> Iterator[None]:
    """Run a box on the production broker; it must have connected once, and end well."""
    bed.settings["camera"] = {"source": str(CLIP), "repeat": True}
    words = bed.home / "box.err"
    with words.open("wb") as file:
        box = subprocess.Popen([BIN / "cleandesk", "run", "-c", bed.write()], stderr=file)
    try:
        yield
        assert box.poll() is None
        assert words.read_text(encoding="utf-8").count("connected to the broker") == 1
    finally:
        box.terminate()
        assert box.wait(40) == 0


def test_on_the_production_broker_a_box_that_runs_finds_nothing_wrong_and_keeps_its_connection(
    bed: Bed, witness: Member
) -> None:
    with _running(bed):
        eventually(lambda: ADDRESS.topic(Channel.PRIVACY) in witness.topics(), "the box")
        for _ in range(2):
            said = Said.of(bed.home / "box.yaml")
            assert said.body["asked"] == "box"
            assert said.failed() == set()
            assert {said.result(code) for code in BROKER_CODES} == {"passed"}
            assert "135" in said.checks["other_box_allowed"]["said"]
            assert "nothing of another's" in said.checks["other_box_allowed"]["said"]


def test_a_box_that_runs_sees_that_it_may_read_others_and_takes_nothing_of_it(bed: Bed) -> None:
    first = "pattern write cleandesk/v1/%u/status\n"
    bed.other_rules(first, f"pattern read cleandesk/v1/+/+/status\n{first}")
    other = ADDRESS.topic(Channel.STATUS).replace(ADDRESS.box, "another-box")
    bed.settings["health_every_s"] = 1
    with bed.broker.witness() as witness, _running(bed):
        witness.say(other, b"not for this box", retain=True)
        eventually(lambda: ADDRESS.topic(Channel.PRIVACY) in witness.topics(), "the box")
        for _ in range(2):
            said = Said.of(bed.home / "box.yaml")
            assert "other_box_allowed" in said.failed()
            assert "delivers what boxes may not read" in said.checks["other_box_allowed"]["said"]
        looked = len(_health(witness))
        eventually(lambda: len(_health(witness)) > looked, "what the box says afterwards")
        assert _health(witness)[-1]["requests"]["ignored"] == 0, "none was taken for a request"


def _health(witness: Member) -> list[dict[str, Any]]:
    topic = ADDRESS.topic(Channel.HEALTH)
    return [json.loads(one.payload) for one in witness.received if one.topic == topic]

"""`cleandesk-provision verify`: what a box says of itself, and what is seen from the laptop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.local import BOXES
from cleandesk.contract.commands import Outcome
from cleandesk.contract.doctor_messages import (
    CheckResult,
    DoctorCheck,
    DoctorCode,
    DoctorResponse,
)
from cleandesk.contract.mqtt import Publication, Received, Session
from cleandesk.contract.topics import Address, Channel, Command, Side
from cleandesk_fleet.provision.errors import BrokerError
from cleandesk_fleet.provision.glancing import glance
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import ROOT
from tests.system.provision_rig import Enrolled, Site
from tests.system.running_box import RunningBox

pytestmark = [pytest.mark.system, needs_mosquitto]

HEALTH = (ROOT / "tests" / "contract" / "messages" / "health-fault.json").read_text()
STATUS = (ROOT / "tests" / "contract" / "messages" / "status-online.json").read_text()


def verify(site: Site, name: str, *arguments: object, code: int = 1) -> dict[str, Any]:
    """Verify a box; returns the checks by their code."""
    said = site.run_any("verify", name, *arguments)
    assert said.code == code, said
    return {one["code"]: one for one in said.json["checks"]} | {"all": said.json}


def results(found: dict[str, Any], *codes: str) -> list[str]:
    return [found[code]["result"] for code in codes]


@contextmanager
def answering(box: Enrolled, answer: DoctorResponse | None, health: str) -> Iterator[None]:
    """Be a box that says this when it is asked."""
    address = Address(*box.name.split("/"))
    taken: set[int] = set()

    def take(asked: Received) -> None:
        if answer is not None:
            topic, its = address.command(Command.DOCTOR, Side.RESPONSE), asked.correlation
            session.publish(Publication(topic, answer.to_json(), correlation=its))

    session = Session(
        box.site.broker.settings(BOXES, box.files),
        box.name,
        subscriptions=[address.command(Command.DOCTOR, Side.REQUEST)],
        on_message=take,
        on_puback=lambda mid, _: taken.add(mid),
    )
    session.start()
    try:
        eventually(lambda: session.connected, "the box's connection")
        said = {
            session.publish(Publication(address.topic(channel), word.encode(), retain=True))
            for channel, word in ((Channel.STATUS, STATUS), (Channel.HEALTH, health))
        }
        eventually(lambda: said <= taken, "that the broker has what it says")
        yield
    finally:
        session.stop()


def says(*checks: DoctorCheck) -> DoctorResponse:
    return DoctorResponse(
        outcome=Outcome.DONE, at=datetime.now(UTC), clock_synced=True, checks=list(checks)
    )


def health(age: timedelta, *, synced: bool = True) -> str:
    moment = (datetime.now(UTC) - age).isoformat()
    return json.dumps(json.loads(HEALTH) | {"at": moment, "clock_synced": synced})


def _has_told(box: RunningBox) -> bool:
    """Say whether the broker has the box's `health`: that comes a moment after its connection."""
    address = box.box.address
    with suppress(BrokerError):
        return glance(box.site.fleet().admin(), [address])[address].health is not None
    return False


def test_a_running_box_is_looked_at_from_both_sides(site: Site, tmp_path: Path) -> None:
    box = RunningBox(site, "s1/looked-at", tmp_path)
    box.started()
    try:
        eventually(lambda: _has_told(box), "its health")
        said = site.run_any("verify", box.name)
    finally:
        box.close()
    checks = said.json["checks"]
    failed = {one["code"] for one in checks if one["result"] == "failed"}
    assert said.code == (1 if failed else 0)
    assert failed <= {"clock_not_synced", "no_subscriber", "disk_full"}, "this machine's own"
    assert said.json["aiming_view"] == "https://cleandesk-looked-at.local/aim"
    shown = {one["code"]: one for one in checks}
    assert box.serial in shown["certificate_unknown"]["said"]
    assert shown["camera_dark"]["by"] == "box"
    assert all(bool(one["fix"]) == (one["result"] == "failed") for one in checks)
    trail = site.run("list", "audit")["audit"]
    assert ("asked what is wrong", box.name) in [(row["did"], row["subject"]) for row in trail]


def test_a_well_box_ends_with_0_and_each_that_failed_with_1(site: Site) -> None:
    box = site.enrol("s1/well")
    serial = site.run("list", "certificates")["certificates"][-1]["serial"]
    well = DoctorCheck(
        code=DoctorCode.IDENTITY_MISSING, result=CheckResult.PASSED, said=f"certificate {serial}"
    )
    dark = DoctorCheck(
        code=DoctorCode.CAMERA_DARK, result=CheckResult.FAILED, said="1 %", fix="light"
    )
    other = well.model_copy(update={"said": "certificate 0123456789abcdef0123"})
    young, old = health(timedelta(seconds=20)), health(timedelta(hours=2))
    with answering(box, says(well), young):
        found = verify(site, box.name, code=0)
        assert {one["result"] for one in found["all"]["checks"]} == {"passed"}
    with answering(box, says(well, dark), young):
        assert results(verify(site, box.name), "camera_dark") == ["failed"]
    with answering(box, says(other), young):
        assert results(verify(site, box.name), "certificate_unknown") == ["failed"]
    with answering(box, says(well), old):
        assert results(verify(site, box.name), "health_old", "offline") == ["failed", "passed"]
    with answering(box, says(well), health(timedelta(minutes=30))):
        # A site may have its health come each hour.
        assert results(verify(site, box.name, code=0), "health_old") == ["not_tried"]
    with answering(box, says(well), health(timedelta(days=9), synced=False)):
        assert results(verify(site, box.name, code=0), "health_old") == ["not_tried"]
    with answering(box, None, young):
        found = verify(site, box.name, "--wait", 2)
        assert results(found, "offline", "no_answer") == ["passed", "failed"]
        assert "journalctl" in found["no_answer"]["fix"]


def test_what_keeps_a_box_away_is_named(site: Site) -> None:
    box = site.enrol("s1/away")
    found = verify(site, box.name)
    assert results(found, "broker_away", "offline", "no_answer") == [
        "passed",
        "failed",
        "not_tried",
    ]
    assert "was never on the line" in found["offline"]["said"]
    site.broker.stop()
    try:
        found = verify(site, box.name)
    finally:
        site.broker.start()
    assert results(found, "broker_away", "offline") == ["failed", "not_tried"]
    site.run("revoke", box.name)
    found = verify(site, box.name)
    assert results(found, "not_enrolled", "no_certificate", "not_renewed") == [
        "failed",
        "failed",
        "not_tried",
    ]
    assert "no box s1/nobody" in site.run("verify", "s1/nobody", code=3)["error"]


def test_rules_that_are_too_wide_or_too_tight_are_named(site: Site) -> None:
    box, rules = site.enrol("s1/rules"), site.home / "broker" / "boxes.acl"
    shipped = rules.read_text()
    try:
        rules.write_text(f"{shipped}\npattern read cleandesk/v1/#\n")
        assert results(verify(site, box.name), "rules_tight", "rules_wide") == ["passed", "failed"]
        rules.write_text(shipped.replace("pattern write cleandesk/v1/%u/violation", ""))
        found = verify(site, box.name)
        assert results(found, "rules_tight", "rules_wide") == ["failed", "passed"]
        assert found["rules_tight"]["said"] == "write cleandesk/v1/s1/rules/violation"
        rules.unlink()
        assert results(verify(site, box.name), "rules_tight") == ["not_tried"]
    finally:
        rules.write_text(shipped)

"""Model, clock, disk, heat and certificate, on real files."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from cleandesk.clock import Instant
from cleandesk.contract.doctor_messages import CheckResult, DoctorCheck, DoctorCode
from cleandesk.doctor.certificate import dates
from cleandesk.doctor.findings import FIXES
from cleandesk.doctor.machine import clock, disk, heat, model
from cleandesk.model.running import shelf_of
from cleandesk.vitals import Heat
from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.pki import Span
from tests.signed_models import signed
from tests.unit.commandline import damaged_model
from tests.unit.control.make import own
from tests.unit.model.test_shelf import SIGNER, put

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def failed(checks: list[DoctorCheck]) -> set[str]:
    return {str(one.code) for one in checks if one.result is CheckResult.FAILED}


def results(checks: list[DoctorCheck]) -> list[str]:
    return [one.result.value for one in checks]


def test_every_code_has_a_fix_that_a_message_takes() -> None:
    assert set(FIXES) == set(DoctorCode)
    assert all(0 < len(fix) <= 200 for fix in FIXES.values())


def test_the_shipped_model_is_whole() -> None:
    checks = model(own())
    assert results(checks) == ["passed", "passed"]
    assert ", shipped: sha256" in checks[1].said


def test_a_fetched_model_is_the_one_that_is_looked_at(tmp_path: Path) -> None:
    settings = own(outbox={"path": tmp_path / "outbox.db"})
    fetched = put(shelf_of(settings), signed(tmp_path, "1.0", SIGNER))
    shelf_of(settings).change(lambda kept: kept.updated(fetched))
    assert "desk 1.0, trial: sha256" in model(settings)[1].said


def test_weights_of_another_hash_and_weights_that_are_gone_are_told_apart(tmp_path: Path) -> None:
    manifest = damaged_model(tmp_path)
    wanted = own(detector={"manifest": manifest})
    assert failed(model(wanted)) == {"model_hash"}
    (tmp_path / yaml.safe_load(manifest.read_text())["file"]).unlink()
    assert failed(model(wanted)) == {"model_missing"}
    nowhere = own(detector={"manifest": tmp_path / "no.yaml"})
    assert results(model(nowhere)) == ["failed", "not_tried"]


def test_a_clock_that_nobody_set_is_told() -> None:
    assert clock(Instant(1.0, NOW, synced=True)).result is CheckResult.PASSED
    told = clock(Instant(1.0, datetime(1970, 1, 1, tzinfo=UTC), synced=False))
    assert (told.result, told.code) == (CheckResult.FAILED, DoctorCode.CLOCK_NOT_SYNCED)
    assert "1970-01-01" in told.said


def test_a_disk_with_room_passes_and_keeps_nothing(tmp_path: Path) -> None:
    assert results(disk(tmp_path)) == ["passed"] * 3
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_cannot_be_written(tmp_path: Path) -> None:
    assert failed(disk(tmp_path / "none")) == {"disk_read_only"}


def test_a_disk_that_is_read_only_is_told_from_a_full_one(small_disk: Path) -> None:
    assert failed(disk(small_disk)) == {"disk_full"}, "1 MB is too little"
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert failed(disk(small_disk)) == {"disk_read_only"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Heat(50.0, throttled=False), ["passed", "passed"]),
        (Heat(80.0, throttled=False), ["failed", "passed"]),
        (Heat(79.9, throttled=True), ["passed", "failed"]),
        (Heat(None, None), ["not_tried", "not_tried"]),
    ],
)
def test_heat_is_told_where_the_machine_tells_it(seen: Heat, expected: list[str]) -> None:
    assert results(heat(seen)) == expected


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    return pki.self_signed(pki.new_key(), "s1/b1", Span(NOW, NOW + timedelta(days=90)), ["x"])


@pytest.mark.parametrize(
    ("day", "wrong"),
    [
        (-1, {"certificate_not_yet_valid"}),
        (1, set()),
        (70, set()),
        (76, {"certificate_expiring"}),
        (91, {"certificate_expired"}),
    ],
)
def test_a_certificates_dates_are_held_against_the_moment(
    certificate: x509.Certificate, day: int, wrong: set[str]
) -> None:
    checks = dates(certificate, NOW + timedelta(days=day))
    assert failed(checks) == wrong
    assert len(checks) == 3

"""The archive for those who help: what is planted anywhere around a box is not in it."""

import base64
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cleandesk.clock import SystemClock
from cleandesk.contract.doctor_messages import DoctorCode
from cleandesk.contract.topics import Address
from cleandesk.doctor import diag
from cleandesk.doctor.findings import failed, passed
from cleandesk.doctor.visit import Asked, Report
from cleandesk.identity import keys
from cleandesk.link import Paper
from cleandesk.settings import BoxSettings
from cleandesk_fleet.provision import pki
from tests.unit.link.make import outbox
from tests.unit.worker.make import SetClock

TOKEN = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
PASSWORD, PIN = "hunter2-of-the-camera", "583926"
PAYLOAD = "the worker objects: it was my doctor who rang"
JPEG = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
KEY = keys.as_pem(pki.new_key())


def settings(home: Path) -> BoxSettings:
    return BoxSettings.model_validate(
        {
            "site": "s1",
            "box": "b1",
            "camera": {"source": f"rtsp://viewer:{PASSWORD}@camera.local/live"},
            "zones": {"desk": {"polygon": [[0, 0], [1, 0], [1, 1]]}},
            "rules": [{"kind": "presence", "name": "r", "classes": ["phone"], "zone": "desk"}],
            "broker": {
                "host": "broker",
                "tls": {
                    "ca": home / "ca.pem",
                    "cert": home / "box.pem",
                    "key": home / "box.pem",
                },
            },
            "outbox": {"path": home / "outbox.db"},
        }
    )


@pytest.fixture
def planted(tmp_path: Path) -> BoxSettings:
    """A box's folder with a canary of each kind in each file that one could take."""
    (tmp_path / "box.pem").write_bytes(KEY)
    (tmp_path / "claim.json").write_text(json.dumps({"token": TOKEN}), encoding="utf-8")
    (tmp_path / "page-label").write_text(PIN, encoding="utf-8")
    made = outbox(tmp_path / "outbox.db")
    topic = "cleandesk/v1/s1/b1/cmd/break/response"
    made.say(Paper(topic, "aa", json.dumps({"note": PAYLOAD}).encode()))
    made.say(Paper.still(Address("s1", "b1"), "f" * 32, "e" * 32, JPEG))
    made.note("pin_changed", PAYLOAD)
    made.close()
    return settings(tmp_path)


LOG = [
    json.dumps({"level": "info", "event": "connected to the broker", "client_id": "x"}),
    json.dumps({"level": "info", "event": "an answer", "payload": PAYLOAD}),
    json.dumps({"level": "error", "event": f"bad token {TOKEN}", "error": f"key {KEY.decode()}"}),
    f"ValueError: rtsp://viewer:{PASSWORD}@camera.local",
    f"  {TOKEN}",
    *KEY.decode().splitlines(),
    json.dumps([PAYLOAD.encode().hex()]),
]


def canaries() -> list[bytes]:
    body = [line for line in KEY.decode().splitlines() if not line.startswith("-")]
    return [
        TOKEN.encode(),
        PASSWORD.encode(),
        PIN.encode(),
        PAYLOAD.encode(),
        JPEG[:3],
        base64.b64encode(JPEG)[:8],
        PAYLOAD.encode().hex().encode(),
        b"PRIVATE KEY",
        *(line.encode() for line in body),
    ]


def report(box: BoxSettings) -> Report:
    checks = [passed(DoctorCode.SAFE_MODE, "it runs"), failed(DoctorCode.TOO_HOT, "91 °C")]
    return Report(box, Asked.HERE, checks)


def files(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as opened:
        members = {one.name: opened.extractfile(one) for one in opened.getmembers()}
        return {name: file.read() for name, file in members.items() if file}


def test_no_canary_is_in_the_archive(
    planted: BoxSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    (tmp_path / "journal").write_text("\n".join(LOG) + "\n", encoding="utf-8")
    program.write_text(f"#!/bin/sh\ncat {tmp_path / 'journal'}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    archive = tmp_path / "out.tar.gz"
    diag.write(report(planted), archive, SystemClock())
    assert archive.stat().st_mode & 0o777 == 0o600
    whole = b"".join(files(archive).values())
    assert b"connected to the broker" in whole
    assert b"camera.local" in whole
    for canary in canaries():
        assert canary not in whole, canary


def test_it_says_what_helps(planted: BoxSettings, tmp_path: Path) -> None:
    archive = tmp_path / "out.tar.gz"
    diag.write(report(planted), archive, SystemClock())
    made = {name.split("/")[1]: content for name, content in files(archive).items()}
    assert set(made) == {
        "versions.json",
        "settings.json",
        "doctor.json",
        "outbox.json",
        "log.txt",
    }
    assert json.loads(made["doctor.json"])["ok"] is False
    told = json.loads(made["settings.json"])
    assert told["broker"]["tls"] == {"set": ["ca", "cert", "key"]}
    assert told["camera"]["source"] == "rtsp://camera.local/live"
    numbers = json.loads(made["outbox.json"])
    assert numbers["entries"] == {"cmd": 1, "note": 1, "still": 1}
    assert numbers["ledger_good"] is True


def test_a_link_that_somebody_has_laid_is_replaced_and_not_followed(
    planted: BoxSettings, tmp_path: Path
) -> None:
    (tmp_path / "passwd").write_text("root")
    (tmp_path / "out.tar.gz").symlink_to(tmp_path / "passwd")
    diag.write(report(planted), tmp_path / "out.tar.gz", SetClock())
    assert (tmp_path / "passwd").read_text() == "root"
    found = (tmp_path / "out.tar.gz").lstat()
    assert (stat.S_ISREG(found.st_mode), stat.S_IMODE(found.st_mode)) == (True, 0o600)


def test_a_place_that_takes_nothing_is_told(planted: BoxSettings, tmp_path: Path) -> None:
    with pytest.raises(diag.DiagError, match="--out"):
        diag.write(report(planted), tmp_path / "none" / "out.tar.gz", SetClock())


def test_a_box_that_has_not_run_has_no_numbers(tmp_path: Path) -> None:
    made = diag.contents(report(settings(tmp_path)), SetClock(), [])
    assert "unreadable" in json.loads(made["outbox.json"])


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('{"event": "violation open", "rule": "no-phone", "level": "info"}', "violation open"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        (
            '  File "/opt/cleandesk/lib/python3.11/site-packages/cleandesk/box.py", line 12',
            "/opt/cleandesk/lib/python3.11/site-packages/cleandesk/box.py",
        ),
    ],
)
def test_what_happened_stays_readable(line: str, kept: str) -> None:
    assert kept in diag.scrubbed(line)
    assert "no-phone" not in diag.scrubbed(line)

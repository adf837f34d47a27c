"""A box on the production broker, and what `cleandesk doctor` says of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from broker.local import BOXES
from cleandesk import clock
from cleandesk.contract.doctor_messages import DoctorCode
from cleandesk_fleet.provision.authorities import Issuer
from tests.rig import ADDRESS, BIN, CLIP, WHOLE, presence
from tests.system.broker_rig import WitnessedBroker

NAME = str(ADDRESS)
#: What this machine fails by itself.
PRESENT = set[str]() if clock.clock_synced() else {"clock_not_synced"}


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

    def write(self) -> Path:
        """Write the settings; returns their file."""
        tls = {
            "ca": str(self.files.ca),
            "cert": str(self.files.cert),
            "key": str(self.files.key),
        }
        settings = self.settings | {"broker": {"tls": tls} | self.settings["broker"]}
        path = self.home / "box.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    def doctor(self, *words: str) -> "Said":
        """Run the real command, as JSON."""
        return Said.of(self.write(), *words)

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

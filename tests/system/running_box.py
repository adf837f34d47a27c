"""A claimed box that runs: its own process, on the real broker and the real enrolment service."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

import yaml

from cleandesk.contract.commands import RotateKeyResponse
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Address, Channel, Command, Side
from cleandesk_fleet.provision.authorities import Issuer
from tests.eventually import eventually
from tests.rig import BIN, CLIP, TRUTH, WHOLE, frame_of, presence
from tests.system.broker_rig import Member
from tests.system.claim_rig import Box
from tests.system.provision_rig import Site


def a_phone(folder: Path) -> Path:
    """Return a folder with one picture of a desk with a phone on it."""
    visits = json.loads(TRUTH.read_text(encoding="utf-8"))["visits"]
    phone = next(visit for visit in visits if visit["class"] == "phone")
    return frame_of(CLIP, (phone["from_s"] + phone["to_s"]) / 2, folder)


class RunningBox:
    """One box, from its claim on; what it says is in `words`."""

    def __init__(self, site: Site, name: str, folder: Path, **more: object) -> None:
        self.site, self.name, self.folder = site, name, folder
        self.address = Address(*name.split("/"))
        self.box = Box(site, name, folder)
        self.box.claim()
        path = self.box.home.settings
        settings: dict[str, Any] = yaml.safe_load(path.read_text())
        settings["broker"] |= {"retry_min_s": 0.1, "retry_max_s": 0.5, "ack_timeout_s": 1}
        settings |= {
            "camera": {"source": str(a_phone(folder / "pictures")), "repeat": True},
            "rules": [presence("phone")],
            "zones": {"desk": WHOLE},
            "outbox": {"path": str(folder / "outbox.db")},
            "health_every_s": 1,
            "safe_mode": {"after_starts": 1000},
        } | more
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it; returns at once."""
        with (self.folder / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [BIN / "cleandesk", "run", "--config", self.box.home.settings],
                stdout=words,
                stderr=words,
                cwd=self.folder,
            )
        return self

    def started(self) -> Self:
        """Start it, and wait until it is on the line."""
        before = self.connects
        self.start()
        eventually(lambda: self.connects > before, "the box's connection")
        return self

    @property
    def connects(self) -> int:
        """How often it connected, in all its lives."""
        return self.words.count("connected to the broker")

    @property
    def words(self) -> str:
        """What it said."""
        path = self.folder / "words"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def serial(self) -> str:
        """Its present certificate's serial number."""
        return self.box.home.current().serial

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def stop(self) -> int:
        """End it in order; returns its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(40)

    def ledger(self) -> list[dict[str, Any]]:
        """Return the answers to `rotate-key` in the box's ledger."""
        made = subprocess.run(
            [BIN / "cleandesk", "ledger", "--config", self.box.home.settings, "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
        )
        rows = [json.loads(line) for line in made.stdout.splitlines()]
        return [row for row in rows if row["topic"].endswith("rotate-key/response")]

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

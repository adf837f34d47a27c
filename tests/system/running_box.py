"""A claimed box that runs: its own process, on the real broker and the real enrolment service."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import yaml

from broker.local import PEOPLE
from cleandesk.config import load
from cleandesk.contract.connection import TlsSettings
from cleandesk.settings import BoxSettings
from tests.eventually import eventually
from tests.rig import BIN, CLIP, TRUTH, WHOLE, frame_of, presence
from tests.system.claim_rig import Box
from tests.system.provision_rig import Site

_LOG = BIN / "cleandesk-subscriber"


def a_phone(folder: Path) -> Path:
    """Return a folder with one picture of a desk with a phone on it."""
    visits = json.loads(TRUTH.read_text(encoding="utf-8"))["visits"]
    phone = next(visit for visit in visits if visit["class"] == "phone")
    return frame_of(CLIP, (phone["from_s"] + phone["to_s"]) / 2, folder)


def a_desk_that_changes(folder: Path) -> dict[str, object]:
    """Return settings of a box that sees a phone come and go all the time."""
    a_phone(folder)
    cv2.imwrite(str(folder / "nothing.png"), np.full((720, 1280, 3), 128, np.uint8))
    rule = presence("phone", dwell_s=0.5, clear_after_s=0.5, hits=1, of=1)
    source = {"source": str(folder), "repeat": True, "picture_s": 2.0}
    return {"camera": source, "rules": [rule], "gate": "off"}


class RunningBox:
    """One box, from its claim on; what it says is in `words`.

    After eight of `ack_timeout_s` a box to which nobody answers connects anew: a test without a
    subscriber that counts connections needs a long one.
    """

    def __init__(self, site: Site, name: str, folder: Path, **more: object) -> None:
        self.site, self.name, self.folder = site, name, folder
        self.box = Box(site, name, folder)
        self.box.claim()
        path = self.box.home.settings
        settings: dict[str, Any] = yaml.safe_load(path.read_text())
        settings["broker"] |= {"retry_min_s": 0.1, "retry_max_s": 0.5}
        settings["broker"]["ack_timeout_s"] = more.pop("ack_timeout_s", 5)
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

    @property
    def record(self) -> Path:
        """The file in which it keeps a request for a new key."""
        return self.folder / "outbox.db.rotation"

    @property
    def files(self) -> TlsSettings:
        """What it connects by."""
        tls = load(self.box.home.settings, BoxSettings).broker.tls
        assert tls is not None
        return tls

    def answers(self) -> list[dict[str, Any]]:
        """Return its answers to requests for a new key, from its ledger."""
        made = subprocess.run(
            [BIN / "cleandesk", "ledger", "--config", self.box.home.settings, "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [json.loads(line) for line in made.stdout.splitlines()]
        return [row for row in rows if "rotate-key" in row["topic"]]

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


class Log:
    """A subscriber with a certificate of its own, and its log."""

    def __init__(self, site: Site, home: Path) -> None:
        self._home, self._config = home, home / "subscriber.yaml"
        site.run("operator", "add", "log", "--role", "subscriber", "--out", home)
        files = {"ca": str(site.fleet().authorities.root)}
        files |= {"cert": str(home / "log.pem"), "key": str(home / "log.key")}
        link = {"host": "localhost", "port": site.broker.port(PEOPLE), "tls": files}
        settings = {"schema": 1, "broker": link, "store": {"path": "log.db"}}
        self._config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self._home / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [_LOG, "run", "--config", self._config],
                stdout=words,
                stderr=words,
            )
        heard = self._home / "words"
        eventually(lambda: "connected to the broker" in heard.read_text(), "the subscriber")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(40)

    def events(self) -> list[dict[str, Any]]:
        """Return the log's events in their order."""
        return sorted(self.ask("log", "--events", "--limit", "100000"), key=lambda row: row["seq"])

    def ask(self, *command: str) -> list[dict[str, Any]]:
        """Run one of the commands that print JSON lines."""
        done = subprocess.run(
            [_LOG, *command, "--db", self._home / "log.db", "--format", "jsonl"],
            capture_output=True,
            text=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

"""What the tests of control share: a box's own file, a model, and messages."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cleandesk.clock import Instant
from cleandesk.control import Configuration
from cleandesk.detector import Manifest, default_manifest, read_manifest
from cleandesk.settings import BoxSettings
from tests.unit.worker.make import BOOT, START

NOW = Instant(1000.0, START, synced=True)
RULE = {"kind": "presence", "name": "no-phone", "classes": ["phone"], "zone": "desk"}
DESK = {"polygon": [[0, 0], [1, 0], [1, 1]]}
OWN = {
    "site": "site",
    "box": "box",
    "zones": {"desk": DESK},
    "rules": [RULE],
    "broker": {"host": "127.0.0.1"},
}


@cache
def manifest() -> Manifest:
    """Return the shipped model's manifest."""
    return read_manifest(default_manifest())


def own(**more: object) -> BoxSettings:
    """Return a box's own file."""
    return BoxSettings.model_validate(OWN | more)


def configuration(folder: Path, boot: str = BOOT, **more: object) -> Configuration:
    """Return what a box runs by, as after a start."""
    return Configuration(own(**more), manifest(), folder / "outbox.db.config", boot)


def desired(version: int, **config: Any) -> bytes:
    """Return a `config/desired`."""
    return json.dumps({"schema": 1, "version": version, "config": config}).encode()


def accept(subject: Configuration, payload: bytes, now: Instant = NOW) -> bool:
    """Have a configuration judged, and taken if it is good; say whether it was."""
    proposal = subject.judge(payload)
    if proposal is not None:
        subject.take(proposal, now)
    return proposal is not None

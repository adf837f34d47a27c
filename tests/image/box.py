"""A box's files on the machine, as a claim leaves them."""

import yaml

from tests.image.machine import Machine
from tests.rig import CLIP, WHOLE, presence

BOX = "cleandesk.service"
SETTINGS = "/etc/cleandesk/cleandesk.yaml"
#: Where the machine has the demo's clip.
CLIP_THERE = f"--bind-ro={CLIP}:/desk.mp4"


def settings(**more: object) -> str:
    """Return a box's settings, YAML; nobody listens at its broker's address."""
    return yaml.safe_dump(
        {
            "schema": 1,
            "site": "test",
            "box": "desk-1",
            "camera": {"source": "/desk.mp4", "repeat": True},
            "zones": {"desk": WHOLE},
            "rules": [presence("phone")],
            "broker": {"host": "127.0.0.1", "port": 1883, "retry_max_s": 1},
            "outbox": {"path": "/var/lib/cleandesk/outbox.db"},
            "page": {"socket": "/run/cleandesk/page.sock", "group": "cleandesk-page"},
        }
        | more
    )


def install(machine: Machine, **more: object) -> None:
    """Give the box its settings."""
    machine.write(SETTINGS, settings(**more), owner="cleandesk")

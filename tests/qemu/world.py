"""What a box needs of others, on the host: enrolment service, broker, subscriber."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from broker.local import PEOPLE
from cleandesk.contract.connection import TlsSettings
from demo.outcome import Logged
from demo.scenario import rules
from tests.qemu.machine import HOST, Machine
from tests.rig import WHOLE
from tests.system.provision_rig import Site
from tests.system.subscriber_rig import Subscriber

BOX = "s1/desk-1"
CLIP_ON_BOX = "/var/lib/cleandesk/desk.mp4"


class Company(Site):
    """A site whose box comes by another name than this machine has for itself."""

    def __init__(self, home: Path) -> None:
        limits = {"requests_per_minute": 10_000, "refusals_per_hour": 10_000}
        super().__init__(home, broker={"host": HOST}, enrolment={"host": HOST, **limits})

    def context(self, files: TlsSettings | None = None) -> ssl.SSLContext:
        """Return what trusts the service's certificate, which has the box's name for it."""
        made = super().context(files)
        made.check_hostname = False
        return made

    @contextmanager
    def subscriber(self) -> Iterator[Subscriber]:
        """Run a subscriber, with a certificate of its own."""
        out = self.home / "people"
        self.run("operator", "add", "log", "--role", "subscriber", "--out", out)
        link = {
            "host": "localhost",
            "port": self.broker.port(PEOPLE),
            "tls": {
                "ca": str(self.broker.authorities.root),
                "cert": str(out / "log.pem"),
                "key": str(out / "log.key"),
            },
        }
        with Subscriber(self.home, 0, broker=link) as running:
            yield running.started()

    def provision(
        self, machine: Machine, more: Mapping[str, object] | None = None, **camera: object
    ) -> None:
        """Make a box, and write its card as a technician does.

        Args:
            machine: Is off.
            more: Of the box's settings.
            camera: Of its camera's.
        """
        template = self.home / "template.yaml"
        content = settings(**camera) | dict(more or {})
        template.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        self.run("box", "new", BOX)
        self.run("sd", BOX, machine.card, "--settings", template)


def settings(**camera: object) -> dict[str, Any]:
    """Return the demo's settings, with its clip as the camera, for a slow machine."""
    return {
        "schema": 1,
        "site": "s1",
        "box": "any",
        "camera": {"source": CLIP_ON_BOX, "realtime": False, **camera},
        "looks_per_s": LOOKS_PER_S,
        "zones": {"desk": WHOLE},
        "rules": rules(),
        "broker": {"host": "any", "port": 1, "retry_min_s": 0.5, "retry_max_s": 5},
        "outbox": {"path": "/var/lib/cleandesk/outbox.db"},
        "health_every_s": 60,
    }


#: Of the clip's time; emulation needs seconds for each.
LOOKS_PER_S = 1.0


def logged(subscriber: Subscriber) -> list[Logged]:
    """Return the violations that the subscriber logged, oldest first."""
    return sorted((Logged.model_validate(row) for row in subscriber.ask("log")), key=_opened)


def _opened(violation: Logged) -> datetime:
    return violation.opened_at

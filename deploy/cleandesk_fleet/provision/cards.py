"""What a box is given on its card, and how that is kept until the card is written.

On the boot partition, in the folder `cleandesk`:

```
claim.json       site, box, the service's address, the token and its end, the digests of the two
                 files that may be cut short and still be read; secret, worth one box once
enrolment.pem    the service's certificate: this one and no other is trusted for enrolment
ca.pem           the root, for the broker
cleandesk.yaml   the box's settings
page-label       the label's PIN, hashed, for the worker's page
```
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from cleandesk import config_yaml, whole_file
from cleandesk.config import load
from cleandesk.contract.topics import Address
from cleandesk.settings import BoxSettings
from cleandesk_fleet.provision.boxes import Claim
from cleandesk_fleet.provision.errors import UnknownNameError
from cleandesk_fleet.provision.label import Label, write_pdf, write_png

FOLDER = "cleandesk"
#: Where a box keeps what it enrolled with, beside its settings. Key and certificate are one file:
#: no power cut leaves one without the other.
_IDENTITY = {
    "ca": "identity/ca.pem",
    "cert": "identity/box.pem",
    "key": "identity/box.pem",
    "clock": "identity/clock",
}
#: Where the box's unit lets it write, and what its page's unit joins it by: see deploy/systemd.
_STATE = Path("/var/lib/cleandesk")
_PAGE = {"socket": "/run/cleandesk/page.sock", "group": "cleandesk-page"}
#: A certificate that was written by half is none; of these a half may be valid.
_DIGESTED = ("cleandesk.yaml", "page-label")


@dataclass(frozen=True, slots=True)
class Desk:
    """The folder with what waits for a box: its label, and its claim until it has come up.

    Attributes:
        folder: Of all boxes; each has its own below it, by site and name.
    """

    folder: Path

    def of(self, address: Address) -> Path:
        """Return one box's folder."""
        return self.folder / address.site / address.box

    def put(self, claim: Claim, label: Label, label_hash: str, service: str) -> Path:
        """Keep a box's label and claim; returns their folder."""
        folder = self.of(claim.address)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_png(label, folder / "label.png")
        write_pdf([folder / "label.png"], folder / "label.pdf")
        content = {
            "schema": 1,
            "site": claim.address.site,
            "box": claim.address.box,
            "service": service,
            "token": claim.token,
            "expires_at": claim.expires_at.isoformat(timespec="seconds"),
        }
        whole_file.write(folder / "page-label", f"{label_hash}\n".encode(), whole_file.SECRET)
        text = json.dumps(content, indent=2) + "\n"
        whole_file.write(folder / "claim.json", text.encode(), whole_file.SECRET)
        return folder

    def holds(self, address: Address) -> bool:
        """Say whether a box's claim lies here."""
        return (self.of(address) / "claim.json").exists()

    def claim(self, address: Address, now: datetime) -> Mapping[str, bytes]:
        """Return the files that a box's claim consists of, by name.

        Raises:
            UnknownNameError: If there is none, or it is over.
        """
        folder = self.of(address)
        fix = f"run `cleandesk-provision box new {address} --again`"
        try:
            files = {name: (folder / name).read_bytes() for name in ("claim.json", "page-label")}
        except OSError as error:
            raise UnknownNameError(
                f"{error.filename}: {error.strerror}: no claim waits for {address}; {fix}"
            ) from error
        if datetime.fromisoformat(json.loads(files["claim.json"])["expires_at"]) <= now:
            raise UnknownNameError(f"the claim of {address} is over; {fix}")
        return files

    def claimed(self, address: Address) -> None:
        """Remove a claim that was used; the label stays, to be printed."""
        (self.of(address) / "claim.json").unlink(missing_ok=True)

    def forget(self, address: Address) -> None:
        """Remove what waits for a box."""
        folder = self.of(address)
        if folder.is_dir():
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()


def sealed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a card's files, the claim with the digests of those that cannot tell a cut.

    Args:
        files: All that goes on the card, by name, without digests.
    """
    claim = json.loads(files["claim.json"])
    claim["sha256"] = {name: hashlib.sha256(files[name]).hexdigest() for name in _DIGESTED}
    return {**files, "claim.json": (json.dumps(claim, indent=2) + "\n").encode()}


def settings_of(template: Path, address: Address, host: str, port: int, scratch: Path) -> bytes:
    """Return a box's settings, made from a template that is valid for any box.

    Args:
        template: A box's settings, YAML. Its site, box and broker are replaced, a relative path of
            the outbox begins where the box may write, and the page's socket is its unit's.
        address: The box.
        host: The broker's name.
        port: Its listener for boxes.
        scratch: A folder in which the result is checked.

    Raises:
        ConfigError: If the result is not valid.
    """
    load(template, BoxSettings)
    # Plain YAML 1.1 would take `on` and 17:30 for something else.
    settings: dict[str, Any] = config_yaml.read(template).data
    broker = {**settings.get("broker", {}), "host": host, "port": port, "tls": _IDENTITY}
    settings |= {"site": address.site, "box": address.box, "broker": broker}
    outbox = settings.get("outbox", {})
    settings["outbox"] = {**outbox, "path": str(_STATE / outbox.get("path", "outbox.db"))}
    settings["page"] = {**_PAGE, **settings.get("page", {})}
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    made = scratch / "cleandesk.yaml"
    made.write_text(text, encoding="utf-8")
    load(made, BoxSettings)
    return text.encode()

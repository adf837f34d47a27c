"""A box's card and home, and the box's own side of enrolment, for tests on the real service."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from cleandesk.contract.topics import Address
from cleandesk.identity.chain import Identity
from cleandesk.identity.claiming import Claiming
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.home import Home
from cleandesk.identity.proof import prove
from cleandesk.identity.renewal import Renewal
from cleandesk_fleet.provision import cards, pki
from cleandesk_fleet.provision.pki import Span
from tests.box_clock import BoxClock
from tests.system.provision_rig import Site

TEMPLATE = Path(__file__).resolve().parents[2] / "device" / "cleandesk.yaml"
KILLED = 9


class Box:
    """One box with a card in it."""

    def __init__(self, site: Site, name: str, folder: Path, *, new: bool = True) -> None:
        self.site, self.name = site, name
        self.address = Address(*name.split("/"))
        self.card, self.home = folder / "boot" / "cleandesk", Home(folder / "etc")
        self.clock = BoxClock()
        if new:
            site.run("box", "new", name)
        self.write_card()

    def write_card(self) -> None:
        """Write the card, as `sd` does, but for the card."""
        fleet, address = self.site.fleet(), self.address
        place = fleet.settings.broker
        self.card.mkdir(parents=True, exist_ok=True)
        files = {
            **fleet.desk.claim(address, datetime.now(UTC)),
            "cleandesk.yaml": cards.settings_of(
                TEMPLATE, address, place.host, place.boxes_port, self.card
            ),
            "ca.pem": fleet.authorities.root.read_bytes(),
            "enrolment.pem": fleet.enrolment[0].read_bytes(),
        }
        for name, content in cards.sealed(files).items():
            (self.card / name).write_bytes(content)

    def claim(self, proof: Callable[..., str] = prove) -> Identity:
        """Claim in this process; returns who the box is."""
        return Claiming(self.card, self.home, self.clock, proof).run()[1]

    def refused(self, code: Code) -> IdentityError:
        """Try to claim; returns the error, which must have this code and not tell the token."""
        with pytest.raises(IdentityError) as caught:
            self.claim()
        error = caught.value
        assert error.code is code, error
        assert error.reason
        assert error.fix
        assert json.loads((self.card / "claim.json").read_text())["token"] not in str(error)
        return error

    def renew(self, *, now: bool = True) -> tuple[bool, Identity]:
        """Renew in this process."""
        return Renewal(self.home, self.clock).run(now=now)

    def cut(self, at: int, work: Callable[[], object]) -> bool:
        """Work in a process that is gone at its n-th operation; returns whether it was."""
        child = os.fork()
        if child == 0:
            try:
                sys.addaudithook(_Cut(at, self.card.parents[1]))
                work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, this process ends here
                os.write(2, f"{error!r}\n".encode())
                os._exit(1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, KILLED), code
        return code == KILLED

    def signed(self) -> list[str]:
        """Return the serial numbers of all that was ever signed for this box."""
        rows = self.site.run("list", "certificates")["certificates"]
        return [row["serial"] for row in rows if row["name"] == self.name]

    def alarms(self) -> list[str]:
        """Return what the service raised about this box."""
        rows = self.site.run("list", "alarms")["alarms"]
        return [row["did"] for row in rows if row["subject"] == self.name]

    def run(
        self, *words: object, under: Sequence[object] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run the real command, under another one if so wanted."""
        program = Path(sys.executable).parent / "cleandesk"
        return subprocess.run(
            [*map(str, under), program, *map(str, words), "--home", self.home.folder, "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def pinned(begins: datetime, ends: datetime) -> tuple[pki.PrivateKey, x509.Certificate]:
    """Return a key and a certificate that a service could be known by."""
    key = pki.new_key()
    return key, pki.self_signed(key, "x", Span(begins, ends), ["localhost"])


class _Cut:
    """Ends the process before the n-th change below a folder, or connection."""

    _EVENTS = frozenset(
        {"open", "os.remove", "os.rename", "os.mkdir", "os.chown", "socket.connect"}
    )

    def __init__(self, at: int, folder: Path) -> None:
        self._left, self._folder = at, os.fspath(folder)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in self._EVENTS:
            return
        if event == "open" and not int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR):
            return
        first = arguments[0]
        ours = isinstance(first, str | Path) and os.fspath(first).startswith(self._folder)
        if not ours and event != "socket.connect":
            return
        self._left -= 1
        if not self._left:
            os._exit(KILLED)

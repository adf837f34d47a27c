"""A running box that is sent updates by the real commands, service and broker; its updater."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from cleandesk.contract.bundle import rauc
from cleandesk.contract.health import Health
from cleandesk.contract.topics import Command
from cleandesk.contract.update_messages import BoxUpdate
from cleandesk.update.commit import Places
from cleandesk.update.drop import BUNDLE, Drop
from cleandesk.update.install import Outcome, install
from cleandesk_fleet.provision.asking import Line
from cleandesk_fleet.provision.errors import BrokerError
from image import updates
from image.release import Release
from tests.rig import BIN, ROOT
from tests.signed_bundles import a_bundle
from tests.signer import Signer
from tests.started import COMMITTED
from tests.system.provision_rig import Site
from tests.system.running_box import RunningBox

RUNS = "0.1.200"


class Releases:
    """Who signs updates for the boxes of a site, and where they lie."""

    def __init__(self, site: Site, home: Path) -> None:
        self.site, self._home = site, home
        self.signer = Signer(home / "signer")
        self.trust()

    def trust(self) -> None:
        """Have the site publish what this signer signs, and nothing else."""
        self.site.publishes(self.signer.authority)

    def publish(self, version: str, *, kib: int = 100, **more: Any) -> Mapping[str, Any]:
        """Make a bundle and put it where boxes fetch it; returns what was said of it."""
        path = a_bundle(self._home / "bundles", version, self.signer, kib=kib, **more)
        return self.site.run("update", "publish", path)


class Image:
    """What an image has on a box: RAUC's settings, who is trusted, the updater and its folder."""

    def __init__(self, folder: Path, signer: Signer, version: str = RUNS) -> None:
        self.folder, self._signer = folder, signer
        (folder / "told").mkdir(parents=True)
        self.starts_with(version)

    def starts_with(self, version: str) -> None:
        """Have another system be there at the next start of the box."""
        root = self.folder / "root"
        updates.trust(root, Release(version, "c" * 40, 1767225600), self._signer.authority)
        settings = (root / "etc/rauc/system.conf").read_text()
        keyring = self.folder / "keyring.pem"
        keyring.write_bytes(self._signer.authority.read_bytes())
        settings = settings.replace("path=/etc/rauc/keyring.pem", f"path={keyring}")
        (self.folder / "system.conf").write_text(settings)
        (self.folder / "cmdline").write_text(COMMITTED)
        # This machine's RAUC may know no least version.
        known = [line for line in settings.splitlines() if not line.startswith("min-bundle")]
        (self.folder / "rauc.conf").write_text("\n".join(known) + "\n")

    def update(self, drop: Path, *, box: Path) -> Outcome:
        """Install what was handed over, as the unit does; what RAUC itself would write is not.

        Raises:
            UpdateError: If it is refused.
        """

        def run(words: Sequence[str]) -> str:
            if words[0] == "install":
                assert words[1] == str(drop / BUNDLE)
                return ""
            system = str(self.folder / "system.conf")
            known = str(self.folder / "rauc.conf")
            return rauc([known if word == system else word for word in words])

        settings = self.folder / "no-box-is-waited-for"
        places = Places(self.folder / "card", self.folder / "told", box, settings, drop)
        return install(places, system=self.folder / "system.conf", run=run)


class UpdateBox(RunningBox):
    """A box with an image's files, that fetches as fast as it is told to."""

    def __init__(self, site: Site, name: str, folder: Path, signer: Signer, **more: object) -> None:
        self.per_s = float(more.pop("per_s", 1e9))  # type: ignore[arg-type]
        super().__init__(site, name, folder, **more)
        self.image = Image(folder / "image", signer)
        self.drop = Drop(folder / "update")
        self.drop.folder.mkdir()
        self.request = folder / "outbox.db.update"

    def start(self) -> Self:
        """Start it; returns at once."""
        program = [sys.executable, "-m", "tests.system.box_with_updates", str(self.image.folder)]
        with (self.folder / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [*program, str(self.per_s), "run", "--config", str(self.box.home.settings)],
                stdout=words,
                stderr=words,
                cwd=ROOT,
            )
        return self

    def send(self, version: str, *more: object, code: int = 0) -> Mapping[str, Any]:
        """Have it take an update; returns its line of the table."""
        done = self.site.run_any("update", "send", self.name, version, *more)
        assert done.code == code, done
        row: Mapping[str, Any] = done.json["boxes"][0]
        return row

    def update(self) -> Outcome:
        """Have its updater work."""
        return self.image.update(self.drop.folder, box=self.folder)

    def tells(self) -> BoxUpdate | None:
        """Return what its newest `health` tells of its software; None: nobody can tell just now."""
        health = self._health()
        return None if health is None else health.update

    def frames(self) -> int:
        """Return how many frames its camera has given it, by its newest `health`."""
        health = self._health()
        return 0 if health is None else health.camera.frames

    def _health(self) -> Health | None:
        with (
            suppress(BrokerError),
            Line(self.site.fleet().admin(), self.box.address, Command.UPDATE) as line,
        ):
            return line.health
        return None

    def answers_to(self, command: Command) -> list[dict[str, Any]]:
        """Return its answers to a command, from its ledger."""
        rows = [json.loads(line) for line in self.ledger().splitlines()]
        return [row for row in rows if f"/cmd/{command}/" in row["topic"]]

    def ledger(self) -> str:
        """Return its ledger, a JSON object a line."""
        words = [str(BIN / "cleandesk"), "ledger", "--config", str(self.box.home.settings)]
        done = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True)
        return done.stdout

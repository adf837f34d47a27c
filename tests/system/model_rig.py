"""A running box that is sent models, by the real commands, service and broker."""

import os
import random
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

from cleandesk.contract.model_messages import BoxModel
from cleandesk.contract.topics import Command
from cleandesk.model.shelf import Shelf
from cleandesk_fleet.provision.artefacts import Artefact, publish, sign
from cleandesk_fleet.provision.asking import Line
from tests.eventually import eventually
from tests.rig import BIN
from tests.signed_models import a_model
from tests.system.provision_rig import PASSPHRASE, Site
from tests.system.running_box import RunningBox, a_desk_that_changes

EXIT_RESTART_ME = 75


def put(site: Site, home: Path, version: str, **more: Any) -> Artefact:
    """Sign a model with the fleet's own key, and put it where boxes fetch it."""
    fleet = site.fleet()
    signer = more.pop("signer", None) or fleet.authorities.models_signer(PASSPHRASE.encode())
    folder = a_model(home / f"model-{version}", version, **more)
    made = sign(folder, folder, signer)
    publish(made, fleet.settings.artefacts)
    return made


def a_busy_desk(folder: Path) -> dict[str, object]:
    """Return settings of a box that sees a phone come and go all the time, in many looks."""
    desk = a_desk_that_changes(folder)
    for picture in list(folder.iterdir()):
        for copy in range(4):
            shutil.copy(picture, folder / f"{picture.stem}-{copy}{picture.suffix}")
    return desk | {"camera": {"source": str(folder), "repeat": True, "picture_s": 0.4}}


class ModelBox(RunningBox):
    """A box that is started again whenever it ends for that, as systemd does."""

    def __init__(self, site: Site, name: str, folder: Path, **more: object) -> None:
        quick = {"safe_mode": {"after_starts": 1000, "healthy_after_s": 1}}
        super().__init__(site, name, folder, **(quick | more))
        self.models = folder / "outbox.db.models"
        self.request = folder / "outbox.db.model"
        self._guard, self._closed = threading.Lock(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _keep(self) -> None:
        while not self._closed.wait(0.05):
            with self._guard:
                if self._process is not None and self._process.poll() == EXIT_RESTART_ME:
                    self.start()

    def kill(self) -> None:
        """Kill it (SIGKILL); it is not started again by itself."""
        with self._guard:
            super().kill()

    def stop(self) -> int:
        """End it in order; returns its exit code."""
        with self._guard:
            return super().stop()

    def close(self) -> None:
        """Kill it if it still runs, and keep it no more."""
        self._closed.set()
        self._keeper.join()
        super().close()

    def send(self, one: Artefact | None, code: int = 0) -> dict[str, Any]:
        """Send it a model, or have it go back; returns what the command said."""
        words = ("rollback", self.name) if one is None else ("send", self.name, one.file)
        return self.site.run("model", *words, code=code)

    def sending(self, one: Artefact) -> "subprocess.Popen[str]":
        """Send it a model, in a process of its own."""
        return subprocess.Popen(
            [BIN / "cleandesk-provision", "model", "send", self.name, one.file, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"CLEANDESK_PROVISION": str(self.site.config)},
        )

    def model(self) -> BoxModel | None:
        """Return the model that its newest `health` tells of."""
        with Line(self.site.fleet().admin(), self.box.address, Command.MODEL) as line:
            return None if line.health is None else line.health.model

    def looks_with(self, version: str, state: str) -> BoxModel:
        """Wait until it keeps this model, and tells of it; returns what it tells."""
        eventually(lambda: self.keeps(version, state), f"{version}, {state}")
        found: list[BoxModel | None] = [None]

        def told() -> bool:
            found[0] = self.model()
            return found[0] is not None and (found[0].version, found[0].state) == (version, state)

        eventually(told, "its word")
        assert found[0] is not None
        return found[0]

    def keeps(self, version: str, state: str) -> bool:
        """Say whether this is the model on its shelf."""
        kept = Shelf(self.models).read()
        present = kept.present
        return kept.state == state and (present is None or present.version == version)

    def settled(self, version: str) -> bool:
        """Say whether this model works, or was given up; nothing is on trial."""
        kept = Shelf(self.models).read()
        works = kept.proven is not None and kept.proven.version == version
        lost = kept.given_up is not None and kept.given_up.model.version == version
        return kept.trial is None and (works or lost)

    def whole_models(self) -> list[str]:
        """Return what stands on its shelf, by name."""
        return sorted(path.name for path in self.models.iterdir())


def some_moments(rounds: int, within_s: float, seed: int = 1) -> list[float]:
    """Return moments at which to cut something off, seconds."""
    dice = random.Random(seed)
    return [dice.uniform(0, within_s) for _ in range(rounds)]

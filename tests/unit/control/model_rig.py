"""A box that is asked for another model, without its camera, its broker and its service."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Command, Side
from cleandesk.control import ModelUpdates
from cleandesk.control.model_change import Means
from cleandesk.control.model_updates import LEAST_LOOKS, path_of
from cleandesk.detector import Manifest, read_manifest
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.fetching import Fetching
from cleandesk.identity.home import Home
from cleandesk.link import Paper
from cleandesk.model.running import manifest_of, shelf_of
from cleandesk.model.trying import Took, TryError
from cleandesk.worker.commands import Commands
from cleandesk_fleet.provision.artefacts import Artefact
from cleandesk_fleet.provision.modelling import request_of
from tests.eventually import eventually
from tests.signed_models import NOW, a_root, a_signer, signed
from tests.unit.control.make import configuration, own
from tests.unit.control.threads import at_work
from tests.unit.worker.make import SetClock

ADDRESS = Address("site", "box")
ROOT = a_root()
SIGNER = a_signer(ROOT)


class FromDisk(Fetching):
    """Fetches from a folder."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        super().__init__(Home(folder), clock, patience_s=0)
        self.folder = folder
        self.waits = threading.Event()
        self.waits.set()

    @property
    def root(self) -> x509.Certificate:
        return ROOT.certificate

    def moment(self) -> datetime:
        return NOW

    def fetch(self, name: str, size: int, path: Path, *, mode: int = 0o600) -> None:  # noqa: ARG002
        assert self.waits.wait(30)
        source = self.folder / name
        if not source.exists():
            raise IdentityError(Code.REFUSED, name, "there is no such file", "publish it")
        path.write_bytes(source.read_bytes()[:size])


@dataclass
class Rig:
    """A box that is asked for another model, and what it said and did."""

    folder: Path
    claimed: bool = True
    took_s: float = 0.01
    times: float = 2.0
    settings: dict[str, Any] = field(default_factory=dict)
    said: list[Paper] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    restarts: list[bool] = field(default_factory=list)
    tried: list[Path] = field(default_factory=list)
    software_on_trial: bool = False

    def __post_init__(self) -> None:
        self.own = own(outbox={"path": self.folder / "outbox.db"}, **self.settings)
        self.clock = SetClock()
        self.shelf = shelf_of(self.own)
        self.source = FromDisk(self.folder / "service", self.clock)
        self.source.folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Begin as a new process."""
        self.configuration = configuration(self.folder, **self.settings)
        self.commands = Commands(ADDRESS, self.clock, self.said.append, room=1e6)
        runs = read_manifest(manifest_of(self.own))
        self.updates = ModelUpdates(self.own, runs, self.clock, self._means())
        self.updates.serve(self.commands)
        self.updates.begin(self.commands)

    def _means(self) -> Means:
        return Means(
            shelf=self.shelf,
            fetching=self.source if self.claimed else None,
            objections=self._objections,
            slowest_s=lambda: 0.5,
            try_out=self._try,
            note=lambda name, text: self.notes.append(f"{name}: {text}"),
            restart=lambda: self.restarts.append(True),
            software_on_trial=lambda: self.software_on_trial,
        )

    def _objections(self, model: Manifest) -> Sequence[Any]:
        return self.configuration.objections(model)

    def _try(self, path: Path) -> Took:
        self.tried.append(path)
        if self.took_s < 0:
            raise TryError("it does not see the phone of its own picture")
        return Took(self.took_s, self.times)

    def publish(self, version: str, **more: Any) -> Artefact:
        one = signed(self.folder, version, more.pop("signer", SIGNER), **more)
        (self.source.folder / one.file).write_bytes(one.content)
        return one

    def send(self, body: bytes, correlation: bytes) -> None:
        topic = ADDRESS.command(Command.MODEL, Side.REQUEST)
        self.commands.take(Received(topic, body, correlation=correlation), self.clock.now())

    def ask(self, one: Artefact | None, **changes: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        number = len(self.said)
        self.clock.move(700)  # there are six an hour
        request = request_of(one).model_copy(update=changes)
        self.send(request.to_json(), b"%d" % number)
        eventually(lambda: len(self.said) > number, "the answer")
        eventually(lambda: not at_work(Command.MODEL.value), "the end")
        assert not path_of(self.own.outbox.path).exists(), "what was answered is forgotten"
        answer: dict[str, Any] = json.loads(self.said[-1].payload)
        return answer

    def refused(self, one: Artefact | None, **changes: Any) -> str:
        before, restarts = self.shelf.read(), len(self.restarts)
        answer = self.ask(one, **changes)
        assert answer["outcome"] == "failed"
        assert (self.shelf.read(), len(self.restarts)) == (before, restarts)
        assert "model" not in answer
        return str(answer["detail"])

    def taken(self, one: Artefact | None) -> dict[str, Any]:
        restarts = len(self.restarts)
        answer = self.ask(one)
        assert answer["outcome"] == "done", answer
        eventually(lambda: len(self.restarts) == restarts + 1, "the restart")
        self.start()
        model: dict[str, Any] = answer["model"]
        return model

    def prove(self) -> None:
        for _ in range(LEAST_LOOKS + 1):
            self.updates.looked(self.clock.now())
            self.clock.move(60)

    @property
    def runs(self) -> str:
        return self.updates.running.version

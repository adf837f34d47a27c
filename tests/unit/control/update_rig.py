"""A box that is asked to take an update, without its camera, its broker, its service and RAUC."""

import json
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Address, Command, Side
from cleandesk.contract.update_messages import UpdateRequest
from cleandesk.control.software import Where
from cleandesk.control.updates import Means, Updates, record_of
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.fetching import Fetching
from cleandesk.identity.home import Home
from cleandesk.link import Paper
from cleandesk.update.drop import Drop
from cleandesk.update.told import Step, Teller
from cleandesk.worker.commands import Commands
from tests.eventually import eventually
from tests.started import COMMITTED
from tests.unit.control.threads import at_work
from tests.unit.worker.make import BOOT, SetClock

ADDRESS = Address("site", "box")
RUNS, NEWER, OLDER = "0.1.200", "0.1.300", "0.1.100"
OTHER_BOOT = "f" * 32


class FromFolder(Fetching):
    """Fetches from a folder; it waits where it is told to, in the middle of the file."""

    def __init__(self, folder: Path, clock: SetClock) -> None:
        super().__init__(Home(folder), clock, patience_s=0)
        self.folder, self.fetched = folder, 0
        self.waits = threading.Event()
        self.waits.set()
        self.fails: Exception | None = None

    def fetch(self, name: str, size: int, path: Path, *, mode: int = 0o600) -> None:
        source = self.folder / name
        if not source.exists():
            raise IdentityError(Code.REFUSED, name, "there is no such file", "publish it")
        content = source.read_bytes()[:size]
        begin = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            path.chmod(mode)
            file.write(content[begin : size // 2])
            file.flush()
            assert self.waits.wait(30)
            if self.fails is not None:
                raise self.fails
            file.write(content[file.tell() :])
        self.fetched += 1


@dataclass
class Rig:
    """A box that is asked for an update, and what it said."""

    folder: Path
    claimed: bool = True
    said: list[Paper] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    free: int = 10**12

    def __post_init__(self) -> None:
        self.clock = SetClock()
        self.outbox = self.folder / "outbox.db"
        self.drop = Drop(self.folder / "update")
        self.told = self.folder / "told"
        self.system = self.folder / "system.conf"
        self.keyring, self.cmdline = self.folder / "keyring", self.folder / "cmdline"
        self.committed = self.folder / "committed"
        for path in (self.drop.folder, self.told, self.folder / "service"):
            path.mkdir()
        self.keyring.touch()
        self.cmdline.write_text(COMMITTED)
        self.source = FromFolder(self.folder / "service", self.clock)
        self.runs(RUNS)
        self.start()

    def runs(self, version: str) -> None:
        """Have another system run."""
        self.system.write_text(f"[system]\ncompatible=box\nmin-bundle-version={version}\n")

    def start(self, boot: str = BOOT) -> None:
        """Begin as a new process."""
        drop = Drop(self.drop.folder)
        drop.free = lambda: self.free  # type: ignore[method-assign]
        self.commands = Commands(ADDRESS, self.clock, self.said.append, room=1e6)
        means = Means(
            drop=drop,
            fetching=self.source if self.claimed else None,
            note=lambda name, text: self.notes.append(f"{name}: {text}"),
            boot=boot,
            where=Where(self.system, self.keyring, self.cmdline, self.committed, self.told),
        )
        self.updates = Updates(self.outbox, self.clock, means)
        self.updates.serve(self.commands)
        self.updates.begin(self.commands)

    @property
    def record(self) -> Path:
        """The file that remembers a request."""
        return record_of(self.outbox)

    def publish(self, version: str = NEWER, content: bytes = b"bundle" * 100) -> UpdateRequest:
        """Put a bundle where boxes fetch it; returns the request for it."""
        name = f"cleandesk-{version}.raucb"
        (self.source.folder / name).write_bytes(content)
        return UpdateRequest(
            artefact=name,
            version=version,
            sha256=sha256(content).hexdigest(),
            size=len(content),
        )

    def send(self, body: bytes, correlation: bytes) -> None:
        """Ask; returns at once."""
        topic = ADDRESS.command(Command.UPDATE, Side.REQUEST)
        self.commands.take(Received(topic, body, correlation=correlation), self.clock.now())

    def ask(self, request: UpdateRequest, **changes: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        number = len(self.said)
        self.clock.move(700)  # there are six an hour
        self.send(request.model_copy(update=changes).to_json(), b"%d" % number)
        eventually(lambda: len(self.said) > number, "the answer")
        eventually(lambda: not at_work(Command.UPDATE.value), "the end")
        assert not self.record.exists(), "what was answered is forgotten"
        answer: dict[str, Any] = json.loads(self.said[-1].payload)
        return answer

    def refused(self, request: UpdateRequest, outcome: str = "failed", **changes: Any) -> str:
        """Ask for what must not be taken; returns why it is not."""
        handed = self.drop.handed
        answer = self.ask(request, **changes)
        assert answer["outcome"] == outcome, answer
        assert self.drop.handed == handed
        return str(answer["detail"])

    def updater(self, boot: str = BOOT) -> Teller:
        """Return what the updater tells by."""
        return Teller(self.told, RUNS, boot)

    def installs(self, version: str = NEWER) -> None:
        """Have the updater take what lies there, up to the start that follows."""
        for step in (Step.WAITING, Step.INSTALLING, Step.INSTALLED):
            self.updater().tell(step, version)
        self.drop.bundle.unlink()

    @property
    def health(self) -> dict[str, Any]:
        """What it tells of its software."""
        told = self.updates.running
        assert told is not None
        return told.model_dump(mode="json", exclude_none=True)

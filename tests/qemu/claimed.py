"""A card whose box has claimed, to be copied by each test; who signs for updates of that box."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.scenario import rules
from image import updates
from tests.qemu.machine import Machine
from tests.qemu.world import Company
from tests.rig import CLIP
from tests.signer import Signer

NEWER = "99.0.1"
ONLINE = "connected to the broker"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A box that was claimed, who it belongs to, and who signs for its updates.

    Attributes:
        company: It runs.
        card: The box's, which is off.
        signer: Both slots trust it, and the company publishes what it signed.
        slot: The root file system of the card's image.
    """

    company: Company
    card: Path
    signer: Signer
    slot: Path

    def machine(self, folder: Path) -> Machine:
        """Return a machine with a copy of the card."""
        return Machine(self.card, folder)

    def bundle(self, product: Path, slot: Path | None = None, version: str = NEWER) -> Path:
        """Make a signed update."""
        updates.bundle(slot or self.slot, version, self.signer.cert, str(self.signer.key), product)
        return product


@contextmanager
def claimed_box(image: Path, home: Path) -> Iterator[Claimed]:
    """Have a box claim, and its company run on.

    No rule's dwell ends, so that its card can be copied: no copy has anything to tell the broker.
    """
    signer = Signer(home / "signer")
    machine = Machine(image, home)
    machine.put(CLIP, "lib/cleandesk/desk.mp4")
    machine.trust(signer.authority)
    never = [rule | {"dwell_s": 3600.0} for rule in rules()]
    with Company(home) as company, company.subscriber():
        company.publishes(signer.authority)
        with machine:
            company.provision(machine, {"rules": never}, repeat=True)
            machine.start()
            machine.says(ONLINE)
        assert machine.faults(home) == []
        yield Claimed(company, machine.card, signer, image.with_name("root.ext4"))


def since(began: float, what: str) -> None:
    """Print how long something took."""
    print(f"{time.monotonic() - began:6.0f} s  {what}")  # noqa: T201

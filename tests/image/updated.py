"""A booted Debian with two slots and RAUC, whose boot loader is the test."""

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import RESULT
from image import debian, disk, updates
from image.release import Release
from image.slots import COMMITTED, Disk, State
from tests.image import box as boxes
from tests.image.machine import Machine
from tests.signer import Signer

UPDATE, COMMIT = "cleandesk-update.service", "cleandesk-commit.service"
WATCHED = "cleandesk-update.path"
CARD, FETCHED = "/boot/firmware/cleandesk", "/var/lib/cleandesk/update"
TOLD = "/var/lib/cleandesk-update/told"
RELEASE = Release("0.1.200", "c" * 40, 1767225600)
NEWER, OLDER = "0.1.300", "0.1.100"
SLOT_MIB = 8
_NUMBERS = itertools.count()
_LINKS = "/dev/disk/by-partuuid"
_POLICY = Path("etc/dbus-1/system.d/cleandesk-rauc.conf")


class Box(Machine):
    """A machine with two slots, whose boot loader is the test."""

    def __init__(self, home: Path, card: Path, signer: Signer) -> None:
        super().__init__(home, "--capability=all", boxes.CLIP_THERE)
        self._home, self.card, self.signer = home, card, signer

    def prepare(self, loops: list[str]) -> None:
        """Give it the card, and RAUC's settings as the image has them."""
        whole, first, second = loops
        for number in range(8):
            self.run("mknod", "-m", "660", f"/dev/loop{number}", "b", "7", str(number), check=False)
        self.run("mknod", "-m", "660", "/dev/loop-control", "c", "10", "237", check=False)
        # What slots.py takes for the disk of a partition is the folder that the kernel has it in.
        self.run("rm", "-rf", "/dev/block")
        self.run("mknod", "-m", "660", "/dev/block", "b", "7", whole.removeprefix("/dev/loop"))
        self.run("mkdir", "-p", _LINKS, "/var/lib/rauc", CARD)
        self.run("chown", "root:cleandesk-update", CARD)
        self.run("chmod", "770", CARD)
        for number, loop in ((2, first), (3, second)):
            self.run("ln", "-sf", loop, f"{_LINKS}/{disk.DISK_ID:08x}-{number:02}")
        root = self._home / "root"
        updates.trust(root, RELEASE, self.signer.authority)
        settings = (root / "etc/rauc/system.conf").read_text()
        self.write("/etc/rauc/system.conf", settings.replace("=verity", "=plain"))
        self.write("/etc/rauc/keyring.pem", self.signer.authority.read_text())
        self.write(f"/{_POLICY}", (debian.HERE / "root" / _POLICY).read_text())
        slots = (debian.HERE / "slots.py").read_text()
        self.write("/usr/lib/cleandesk/slots", slots, mode="755")
        for unit in (UPDATE, "cleandesk-rollback.service"):
            start = "ExecStartPost" if unit == UPDATE else "ExecStart"
            again = "test ! -e /run/cleandesk-update/installed || touch /run/starts-anew"
            again = again if unit == UPDATE else "touch /run/starts-anew"
            self.drop_in(unit, "[Service]", f"{start}=", f"{start}=+/bin/sh -c '{again}'")
        # Of a `plain` bundle RAUC makes sure that nobody else writes to it.
        lease = (f"{kind}=CAP_LEASE" for kind in ("AmbientCapabilities", "CapabilityBoundingSet"))
        self.write(
            f"/run/systemd/system/{UPDATE}.d/80-plain.conf", "\n".join(("[Service]", *lease))
        )
        self.drop_in("rauc.service", "[Service]", "BindReadOnlyPaths=/cmdline:/proc/cmdline")
        self.systemctl("reload", "dbus.service")
        self.starts("a")

    def starts(self, slot: str, *, trial: bool = False) -> None:
        """Have a slot run from now on."""
        part = 2 + "ab".index(slot)
        words = [f"root=PARTUUID={disk.DISK_ID:08x}-{part:02}", f"rauc.slot={slot}"]
        words += ["cleandesk.trial"] if trial else []
        self.write("/cmdline", " ".join(words))
        # In a container systemd takes the words that it was started with for the kernel's.
        self.write("/started-with", "\0".join(["init", *words, ""]))
        self.run("umount", "--quiet", "/proc/1/cmdline", check=False)
        self.run("mount", "--bind", "/started-with", "/proc/1/cmdline")
        self.run("systemctl", "stop", "rauc.service", check=False)
        self.run("rm", "-f", "/run/starts-anew", str(COMMITTED))

    def bundle(
        self,
        slot: Path,
        version: str = NEWER,
        *,
        by: Signer | None = None,
        compatible: str = updates.COMPATIBLE,
    ) -> Path:
        """Make a bundle that needs no device mapper."""
        folder = self._home / f"bundle-{next(_NUMBERS)}"
        folder.mkdir()
        (folder / "root.img").write_bytes(slot.read_bytes())
        (folder / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n\n"
            "[image.rootfs]\nfilename=root.img\n"
        )
        signer, product = by or self.signer, folder.with_suffix(".raucb")
        signed = [f"--cert={signer.cert}", f"--key={signer.key}"]
        subprocess.run(
            ["rauc", *signed, "bundle", str(folder), str(product)], check=True, capture_output=True
        )
        return product

    def put(self, bundle: Path, name: str = BUNDLE) -> str:
        """Lay a bundle on the card; returns where."""
        target = self.path(f"{CARD}/{name}")
        target.write_bytes(bundle.read_bytes())
        return f"{CARD}/{name}"

    def hand_over(self, bundle: Path, *, verity: bool = False) -> None:
        """Have the box's user do what the box does with what it fetched."""
        incoming, user = f"{FETCHED}/incoming", ["setpriv", "--reuid=cleandesk", "--clear-groups"]
        self.path(incoming).write_bytes(bundle.read_bytes())
        # Of a `plain` bundle RAUC wants to be the owner; `verity` is guarded block by block.
        owner = "cleandesk" if verity else "root"
        self.run("chown", f"{owner}:cleandesk-update", incoming)
        self.run("chmod", "640", incoming)
        self.run(*user, "mv", incoming, f"{FETCHED}/{BUNDLE}")

    def told_to_the_box(self) -> str:
        """What the box's user reads of the updater's work."""
        return self.run("setpriv", "--reuid=cleandesk", "--clear-groups", "cat", TOLD).stdout

    def said(self) -> str:
        """What stands on the card."""
        return self.run("cat", f"{CARD}/{RESULT}").stdout

    def there(self, path: str | Path) -> bool:
        """Say whether there is a file."""
        return self.run("test", "-e", str(path), check=False).returncode == 0

    @property
    def slots(self) -> State:
        """What is on the card."""
        return Disk(self.card).read()

    def slot(self, number: int) -> bytes:
        """Return what is in a slot."""
        with self.card.open("rb") as file:
            file.seek(_start(number))
            return file.read(SLOT_MIB * disk.MIB)


def _start(number: int) -> int:
    return disk.PARTS[0].start * disk.MIB + number * SLOT_MIB * disk.MIB


@contextmanager
def _loop(card: Path, *options: str) -> Iterator[str]:
    command = ["losetup", "--find", "--show", *options, str(card)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield name
    finally:
        subprocess.run(["losetup", "--detach", name], check=True)


@contextmanager
def on_a_card(home: Path) -> Iterator[Box]:
    """Run one on a card of its own, with slot a committed."""
    card = home / "card"
    card.write_bytes(bytes(_start(2)))
    Disk(card).write(State("a"))
    size = ["--sizelimit", str(SLOT_MIB * disk.MIB)]
    with ExitStack() as stack:
        loops = [stack.enter_context(_loop(card))]
        loops += [
            stack.enter_context(_loop(card, "--offset", str(_start(number)), *size))
            for number in range(2)
        ]
        box = stack.enter_context(Box(home, card, Signer(home / "signer")))
        box.prepare(loops)
        yield box
        box.run("systemctl", "stop", "rauc.service", check=False)

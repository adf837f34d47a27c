#!/usr/bin/python3
"""Which root slot boots, and whether an update is committed: the state that boot.cmd reads.

As RAUC's custom boot loader backend: `get-primary`, `set-primary SLOT`, `get-state SLOT`,
`set-state SLOT good|bad`, and `get-current`. A commit leaves a mark for the units.
It stands alone, since RAUC starts it on the box.
"""

import os
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

SECTOR = 512
#: Sectors of the two copies, as in boot.cmd: at 4 and 8 MiB, each in erase blocks of its own.
FIRST, SECOND = 0x2000, 0x4000
SLOTS = ("a", "b")
#: How often an update may be started before it is committed.
TRIES = 3
_CRC = 4
#: There once what runs is committed: whatever was started on trial is so until then.
COMMITTED = Path("/run/cleandesk-slot/committed")


class SlotError(Exception):
    """The state cannot be read or changed so."""


@dataclass(frozen=True, slots=True)
class State:
    """What boot.cmd goes by.

    Attributes:
        slot: The committed one.
        trial: The one with an update that nobody has committed, or empty.
        tries: How often the trial may still be started.
    """

    slot: str = "a"
    trial: str = ""
    tries: int = 0

    def pack(self) -> bytes:
        """Return it as U-Boot's `env export -c` writes it: one sector."""
        pairs = [f"slot={self.slot}"]
        if self.trial:
            pairs += [f"trial={self.trial}"]
        pairs += [f"tries={self.tries:x}"]
        body = "\0".join(pairs).encode() + b"\0\0"
        body = body.ljust(SECTOR - _CRC, b"\0")
        return zlib.crc32(body).to_bytes(_CRC, "little") + body

    @classmethod
    def unpack(cls, sector: bytes) -> "State | None":
        """Return what a sector says; None if it is damaged."""
        body = sector[_CRC:]
        if zlib.crc32(body).to_bytes(_CRC, "little") != sector[:_CRC]:
            return None
        pairs = dict(
            pair.split("=", 1) for pair in body.split(b"\0\0", 1)[0].decode("ascii").split("\0")
        )
        slot, trial = pairs.get("slot", ""), pairs.get("trial", "")
        if slot not in SLOTS or trial not in ("", *SLOTS):
            return None
        return cls(slot, trial, int(pairs.get("tries", "0"), 16))

    @property
    def primary(self) -> str:
        """The slot that boots next."""
        return self.trial if self.trial and self.tries else self.slot

    def with_primary(self, slot: str) -> "State":
        """Return it with a slot to be tried; the committed one needs no trial."""
        if slot == self.slot:
            return State(slot)
        return replace(self, trial=slot, tries=TRIES)

    def marked(self, slot: str, *, good: bool) -> "State":
        """Return it with a slot committed, or given up.

        Raises:
            SlotError: If the committed slot is to be given up: then nothing could boot.
        """
        if good:
            return State(slot)
        if slot == self.slot:
            raise SlotError(f"slot {slot} is the committed one and stays: commit another one first")
        return State(self.slot)

    def is_good(self, slot: str) -> bool:
        """Say whether a slot may be booted."""
        return slot == self.slot or (slot == self.trial and self.tries > 0)


class Disk:
    """The two copies on a disk, or in a file that becomes one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> State:
        """Return the state: of the first copy that is whole; as boot.cmd does, slot a if none is.

        Raises:
            OSError: If the disk cannot be read.
        """
        first, second = self._copies()
        return first or second or State()

    def write(self, state: State) -> None:
        """Replace the state; a power cut leaves the old one or the new one.

        Raises:
            OSError: If the disk does not take it.
        """
        first, _ = self._copies()
        if first is not None:
            self._put(SECOND, first)
        self._put(FIRST, state)
        if first is None:
            self._put(SECOND, state)

    def _copies(self) -> tuple[State | None, State | None]:
        with self._path.open("rb", buffering=0) as file:
            first, second = (
                os.pread(file.fileno(), SECTOR, sector * SECTOR) for sector in (FIRST, SECOND)
            )
        return State.unpack(first), State.unpack(second)

    def _put(self, sector: int, state: State) -> None:
        with self._path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), state.pack(), sector * SECTOR)
            os.fsync(file.fileno())


def booted(cmdline: str) -> str:
    """Return the slot that runs, by the kernel's command line.

    Raises:
        SlotError: If it does not say.
    """
    for word in cmdline.split():
        name, _, slot = word.partition("=")
        if name == "rauc.slot" and slot in SLOTS:
            return slot
    raise SlotError("the kernel's command line names no rauc.slot: did boot.scr start it?")


def disk_of(cmdline: str, by_partuuid: Path, block: Path) -> Path:
    """Return the disk that the root slot lies on.

    Args:
        cmdline: The kernel's.
        by_partuuid: udev's links to partitions.
        block: The kernel's folder of partitions and disks.

    Raises:
        SlotError: If it cannot be told.
    """
    for word in cmdline.split():
        if word.startswith("root=PARTUUID="):
            partition = (by_partuuid / word.removeprefix("root=PARTUUID=")).resolve()
            disk = (block / partition.name).resolve().parent
            return Path("/dev") / disk.name
    raise SlotError("the kernel's command line names no root=PARTUUID=")


def main(words: Sequence[str]) -> str:
    """Do what RAUC asks for; returns the answer.

    Raises:
        SlotError: If it asks for something else, or for what cannot be.
        OSError: If the disk cannot be used.
    """
    cmdline = Path("/proc/cmdline").read_text(encoding="ascii")
    if list(words) == ["get-current"]:
        return booted(cmdline)
    disk = Disk(disk_of(cmdline, Path("/dev/disk/by-partuuid"), Path("/sys/class/block")))
    said = answer(disk, words)
    note(disk.read(), booted(cmdline), COMMITTED)
    return said


def note(state: State, running: str, mark: Path) -> None:
    """Leave the mark where what runs is committed; its folder is RAUC's unit's.

    Raises:
        OSError: If that cannot be done.
    """
    if running == state.slot:
        mark.touch()


def answer(disk: Disk, words: Sequence[str]) -> str:
    """Read or change the state; returns the answer.

    Raises:
        SlotError: If the words are none that RAUC uses, or ask for what cannot be.
        OSError: If the disk cannot be used.
    """
    state = disk.read()
    match list(words):
        case ["get-primary"]:
            return state.primary
        case ["get-state", slot] if slot in SLOTS:
            return "good" if state.is_good(slot) else "bad"
        case ["set-primary", slot] if slot in SLOTS:
            disk.write(state.with_primary(slot))
        case ["set-state", slot, ("good" | "bad") as mark] if slot in SLOTS:
            disk.write(state.marked(slot, good=mark == "good"))
        case _:
            raise SlotError(f"{' '.join(words) or 'nothing'}: see the head of {__file__}")
    return ""


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]), end="")  # noqa: T201 - this is how RAUC hears it
    except (SlotError, OSError) as problem:
        print(f"slots: {problem}", file=sys.stderr)  # noqa: T201 - and this
        sys.exit(1)

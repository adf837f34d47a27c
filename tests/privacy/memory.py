"""The memory of a running process, searched for bytes by Linux's /proc/PID/maps and mem."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)")
_CHUNK = 16 * 2**20
#: Pages of the kernel's own that cannot be read by way of the file.
_UNREADABLE = ("[vvar]", "[vvar_vclock]", "[vsyscall]")


@dataclass(frozen=True, slots=True)
class Region:
    """A mapping of a process.

    Attributes:
        start: Its first address.
        end: The address after its last.
        access: Such as `rw-p`.
        name: The mapped file's path, `[heap]` and the like, or nothing for anonymous memory.
    """

    start: int
    end: int
    access: str
    name: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where bytes were found."""

    address: int
    pattern: bytes
    region: Region


def regions(pid: int) -> list[Region]:
    """Return what a process has mapped, in the order of the addresses."""
    lines = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    matches = [_LINE.fullmatch(line) for line in lines]
    assert all(matches), "a line of maps that is not understood"
    return [
        Region(int(found[1], 16), int(found[2], 16), found[3], found[4])
        for found in matches
        if found
    ]


def mapped_files(pid: int) -> set[Path]:
    """Return the files that a process has mapped, its libraries among them."""
    return {Path(region.name) for region in regions(pid) if region.name.startswith("/")}


def find(pid: int, *patterns: bytes) -> list[Hit]:
    """Return every place in a process's memory that holds some of these bytes.

    What is a file's unchanged content, such as a library's code, is left out. Stop the process
    first (SIGSTOP), or what moves meanwhile may be missed or found twice. The caller must be its
    ancestor, or root.
    """
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        return [
            hit
            for region in regions(pid)
            if "r" in region.access and region.name not in _UNREADABLE
            if "w" in region.access or not region.name.startswith("/")
            for hit in _search(memory, region, patterns)
        ]


def copies(pid: int, *patterns: bytes) -> int:
    """Return how often a process's memory holds the one of these bytes that it holds most often.

    The process rests meanwhile.
    """
    os.kill(pid, signal.SIGSTOP)
    try:
        found = Counter(hit.pattern for hit in find(pid, *patterns))
    finally:
        os.kill(pid, signal.SIGCONT)
    return max(found.values(), default=0)


def _search(memory: BinaryIO, region: Region, patterns: Sequence[bytes]) -> Iterator[Hit]:
    keep = max(map(len, patterns)) - 1
    tail, at = b"", region.start
    while at < region.end:
        memory.seek(at)
        try:
            chunk = memory.read(min(_CHUNK, region.end - at))
        except OSError:
            # A device's memory, or the rest of a file that has become shorter.
            return
        if not chunk:
            return
        text, first = tail + chunk, at - len(tail)
        for pattern in patterns:
            # What lies wholly in the piece before was found there.
            place = text.find(pattern, max(0, len(tail) - len(pattern) + 1))
            while place >= 0:
                yield Hit(first + place, pattern, region)
                place = text.find(pattern, place + 1)
        at += len(chunk)
        tail = text[-keep:] if keep else b""

"""The search of a process's memory finds what is there, and only that."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pytest

from tests.privacy import memory

#: Keeps the bytes that it is told, in a mapping of its own; it is told them in other ones, so that
#: what it was told is not found.
HOLDER = """
import mmap, sys
room = mmap.mmap(-1, 3 << 20)
for line in sys.stdin:
    place, _, digits = line.partition(" ")
    for at, byte in enumerate(bytes.fromhex(digits)):
        room[int(place) + at] = 255 - byte
    print("done", flush=True)
"""
PATTERN = np.random.default_rng(3).integers(0, 256, 48, np.uint8).tobytes()


class Holder:
    """Another process with bytes in its memory."""

    def __init__(self) -> None:
        self._process = Popen([sys.executable, "-c", HOLDER], stdin=PIPE, stdout=PIPE, text=True)
        self.pid = self._process.pid

    def put(self, place: int, content: bytes) -> None:
        assert self._process.stdin
        assert self._process.stdout
        told = bytes(255 - b for b in content).hex()
        self._process.stdin.write(f"{place} {told}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def holder() -> Iterator[Holder]:
    made = Holder()
    yield made
    made.close()


@pytest.mark.parametrize("chunk", [1 << 24, 4096])
def test_it_finds_what_is_there_also_across_the_pieces_that_it_reads(
    holder: Holder, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_CHUNK", chunk)
    places = (5, 2 * 4096 - 20, (3 << 20) - len(PATTERN))
    for place in places:
        holder.put(place, PATTERN)
    holder.put(2 << 20, b"another word")
    hits = memory.find(holder.pid, PATTERN, b"another word")
    assert [hit.pattern for hit in hits].count(b"another word") == 1
    found = sorted(hit.address for hit in hits if hit.pattern == PATTERN)
    assert [address - found[0] for address in found] == [place - 5 for place in places]


def test_it_finds_nothing_where_nothing_is(holder: Holder) -> None:
    holder.put(0, PATTERN[::-1])
    assert memory.find(holder.pid, PATTERN) == []


def test_every_region_of_a_process_is_listed() -> None:
    regions = memory.regions(os.getpid())
    assert {"[stack]", "[vdso]"} <= {region.name for region in regions}
    assert all(region.start < region.end for region in regions)
    assert any(path.name.startswith("libc.so") for path in memory.mapped_files(os.getpid()))
    assert Path(sys.executable).resolve() in memory.mapped_files(os.getpid())


def test_a_process_that_is_gone_is_an_error() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(OSError, match=str(gone.pid)):
        memory.find(gone.pid, PATTERN)

"""The state of the slots: as U-Boot writes it, through power cuts, and as RAUC asks for it."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.slots import (
    FIRST,
    SECOND,
    SECTOR,
    TRIES,
    Disk,
    SlotError,
    State,
    answer,
    booted,
    disk_of,
    note,
)

STATES = st.builds(
    State, st.sampled_from("ab"), st.sampled_from(["", "a", "b"]), st.integers(0, TRIES)
)


def _empty(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate((SECOND + 1) * SECTOR)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    path = tmp_path / "disk"
    _empty(path)
    return Disk(path)


@given(STATES)
def test_what_is_packed_is_one_sector_and_is_read_again(state: State) -> None:
    packed = state.pack()
    assert len(packed) == SECTOR
    assert State.unpack(packed) == state


@given(STATES, st.integers(0, SECTOR - 1), st.integers(1, 255))
def test_a_damaged_sector_is_none(state: State, at: int, change: int) -> None:
    damaged = bytearray(state.pack())
    damaged[at] ^= change
    assert State.unpack(bytes(damaged)) is None


def test_a_whole_sector_with_an_unknown_slot_is_none() -> None:
    body = b"slot=c\0\0".ljust(SECTOR - 4, b"\0")
    assert State.unpack(zlib.crc32(body).to_bytes(4, "little") + body) is None


def test_an_empty_disk_boots_the_first_slot(disk: Disk) -> None:
    assert disk.read() == State("a")


@given(
    old=STATES, new=STATES, damaged=st.sampled_from([None, FIRST, SECOND]), cut=st.integers(0, 2)
)
def test_a_power_cut_leaves_the_old_state_or_the_new_one(
    tmp_path_factory: pytest.TempPathFactory,
    old: State,
    new: State,
    damaged: int | None,
    cut: int,
) -> None:
    path = tmp_path_factory.mktemp("cut") / "disk"
    _empty(path)
    disk = _Cut(path)
    disk.write(old)
    disk.write(old)
    if damaged is not None:
        disk.tear(damaged)
    disk.left = cut
    disk.write(new)
    assert Disk(path).read() in (old, new)
    disk.left = 2
    disk.write(new)
    assert Disk(path).read() == new


class _Cut(Disk):
    """Loses power within a write: the sector holds neither the old nor the new."""

    left = 99

    def tear(self, sector: int) -> None:
        with self._path.open("r+b") as file:
            file.seek(sector * SECTOR)
            file.write(b"\xff" * SECTOR)

    def _put(self, sector: int, state: State) -> None:
        if self.left > 0:
            super()._put(sector, state)
        elif self.left == 0:
            self.tear(sector)
        self.left -= 1


def test_an_update_is_tried_and_then_committed(disk: Disk) -> None:
    assert answer(disk, ["get-primary"]) == "a"
    answer(disk, ["set-primary", "b"])
    assert disk.read() == State("a", "b", TRIES)
    assert answer(disk, ["get-primary"]) == "b"
    answer(disk, ["set-state", "b", "good"])
    assert disk.read() == State("b")
    assert answer(disk, ["get-state", "a"]) == "bad"


def test_an_update_that_is_given_up_leaves_the_committed_slot(disk: Disk) -> None:
    answer(disk, ["set-primary", "b"])
    answer(disk, ["set-state", "b", "bad"])
    assert disk.read() == State("a")
    assert answer(disk, ["get-state", "a"]) == "good"


@pytest.mark.parametrize(
    ("state", "marked"), [(State("a", "b", 2), False), (State("a"), False), (State("b"), True)]
)
def test_a_mark_says_that_what_runs_was_committed(
    tmp_path: Path, state: State, *, marked: bool
) -> None:
    note(state, "b", tmp_path / "committed")
    assert (tmp_path / "committed").exists() == marked


def test_a_trial_without_tries_is_not_what_boots_next() -> None:
    assert State("a", "b", 0).primary == "a"


def test_the_committed_slot_cannot_be_given_up(disk: Disk) -> None:
    with pytest.raises(SlotError, match="stays"):
        answer(disk, ["set-state", "a", "bad"])


@pytest.mark.parametrize("words", [[], ["get-state", "c"], ["set-state", "a", "fine"], ["x"]])
def test_other_words_are_refused(disk: Disk, words: list[str]) -> None:
    with pytest.raises(SlotError):
        answer(disk, words)


def test_the_kernels_command_line_says_what_runs(tmp_path: Path) -> None:
    links, block = tmp_path / "by-partuuid", tmp_path / "block"
    disk = tmp_path / "devices" / "mmcblk0"
    (disk / "mmcblk0p2").mkdir(parents=True)
    links.mkdir()
    block.mkdir()
    (block / "mmcblk0p2").symlink_to(disk / "mmcblk0p2")
    (links / "636c6561-02").symlink_to("/dev/mmcblk0p2")
    line = "root=PARTUUID=636c6561-02 ro rauc.slot=b"
    assert booted(line) == "b"
    assert disk_of(line, links, block) == Path("/dev/mmcblk0")
    with pytest.raises(SlotError, match=r"rauc\.slot"):
        booted("root=PARTUUID=636c6561-02")
    with pytest.raises(SlotError, match="PARTUUID"):
        disk_of("rauc.slot=b", links, block)

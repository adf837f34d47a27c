"""The ledger's chain is checked beside requests, each entry once, and all of it now and then."""

import threading
from pathlib import Path

import pytest

from cleandesk.link import Outbox, Walk
from cleandesk.worker.checking import Checked, Checking
from tests.eventually import eventually
from tests.unit.link.make import outbox
from tests.unit.worker.make import SetClock


class Kept:
    """A ledger of 1,200 notes, three parts of a walk, and where each part of a walk began."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.outbox = SetClock(), outbox(folder / "outbox.db")
        for number in range(1200):
            self.outbox._book.pages.note("pin_changed", str(number), self.clock.now())
        self.outbox.note("paired", "the last one")
        self.began: list[int] = []
        self.go = threading.Event()
        self.go.set()
        follow = self.outbox.follow

        def followed(walk: Walk | None = None) -> tuple[Walk, bool]:
            self.began.append(walk.head.number if walk else 0)
            assert self.go.wait(20)
            return follow(walk)

        monkeypatch.setattr(self.outbox, "follow", followed)
        self.checking = Checking(self.outbox, self.clock)

    def comes_to(self, checked: Checked) -> None:
        eventually(lambda: self.checking.checked() == checked)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(tmp_path, monkeypatch)


def test_nobody_waits_for_a_long_check_and_how_far_it_came_is_told(kept: Kept) -> None:
    kept.go.clear()
    assert kept.checking.checked() == Checked(0, None)
    assert kept.checking.checked() == Checked(0, None)
    eventually(lambda: kept.began)
    assert kept.began == [0], "one thread, however often somebody asks"
    kept.go.set()
    kept.comes_to(Checked(1201, whole=True))


def test_what_was_checked_is_not_checked_with_the_next_request(kept: Kept) -> None:
    kept.comes_to(Checked(1201, whole=True))
    kept.began.clear()
    kept.outbox.note("paired", "one more")
    kept.comes_to(Checked(1202, whole=True))
    assert min(kept.began) == 1201


def test_an_entry_that_is_changed_after_its_check_is_found_within_the_hour(kept: Kept) -> None:
    kept.comes_to(Checked(1201, whole=True))
    change_entry(kept.outbox, 700)
    kept.clock.move(3600)
    kept.comes_to(Checked(699, whole=False))
    kept.clock.move(3600)
    kept.go.clear()
    assert kept.checking.checked() == Checked(699, whole=False), "no all-clear while it is checked"
    kept.go.set()


def test_deleted_entries_are_no_alarm(kept: Kept) -> None:
    kept.comes_to(Checked(1201, whole=True))
    walk, _ = kept.outbox.follow()
    with kept.outbox._guard:
        store = kept.outbox._store
        assert store is not None
        while kept.outbox._book.prune(store, None, 100_000, kept.clock.now()):
            pass
    assert kept.outbox._book.pages.anchor.number > walk.head.number
    verdict, _ = kept.outbox.follow(walk)
    assert (verdict.wrong, verdict.anchor) == (None, kept.outbox._book.pages.anchor)
    kept.comes_to(Checked(1201, whole=True))


def change_entry(box: Outbox, number: int) -> None:
    """Change an entry in the file, behind the outbox's back."""
    assert box._store is not None
    box._store._db.execute("UPDATE ledger SET payload = ? WHERE number = ?", (b"else", number))

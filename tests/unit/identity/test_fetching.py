"""A file is fetched to its last byte, however often the line is cut off; and no further."""

import itertools
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.identity import fetching
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.fetching import Fetching
from cleandesk.identity.home import Home
from tests.unit.worker.make import SetClock

CONTENT = bytes(range(256)) * 40


class Line:
    """A service behind a line that is cut off again and again."""

    def __init__(
        self, *, at_once: int, fails: int = 0, code: Code = Code.SERVICE_AWAY, wait_s: float = 0
    ) -> None:
        self.begins: list[int] = []
        self.asked: list[int] = []
        self._at_once, self.fails, self._code = at_once, fails, code
        self._wait_s = wait_s

    def fetch(self, path: str, begin: int, end: int) -> Iterator[bytes]:
        assert path == "/v1/artefacts/x"
        self.begins.append(begin)
        self.asked.append(end - begin)
        if self.fails:
            self.fails -= 1
            raise IdentityError(self._code, "service", "no", "try again", wait_s=self._wait_s)
        yield CONTENT[begin : min(begin + self._at_once, end)]
        if begin + self._at_once < end:
            raise IdentityError(self._code, "service", "cut off", "try again")


class Rig:
    """A fetcher whose time passes only where it waits."""

    def __init__(self, folder: Path) -> None:
        self.path, self.now = folder / "incoming", 0.0
        self._home = Home(folder)

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    def run(self, line: Any, size: int = len(CONTENT), **more: Any) -> bytes:
        mode = more.pop("mode", 0o600)
        subject = Fetching(
            self._home,
            SetClock(),
            **({"patience_s": 60} | more),
            mono=lambda: self.now,
            pause=self._pause,
        )
        subject._service = lambda: line  # type: ignore[method-assign]
        subject.fetch("x", size, self.path, mode=mode)
        return self.path.read_bytes()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_what_is_cut_off_is_gone_on_with_where_it_was(rig: Rig) -> None:
    line = Line(at_once=3000)
    assert rig.run(line) == CONTENT
    assert line.begins == [0, 3000, 6000, 9000]


def test_it_comes_in_pieces_each_of_which_is_on_the_disk_before_the_next(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PIECE", 4000)
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", lambda _: synced.append(rig.path.stat().st_size))
    line = Line(at_once=1 << 20)
    assert rig.run(line) == CONTENT
    assert line.asked == [4000, 4000, 2240]
    assert synced == [4000, 8000, 10_240]


class _Cut(BaseException):
    """The process is gone."""


class Cuts:
    """A line that is cut off after each of so many bytes, and a process that dies with it."""

    def __init__(self, cuts: list[tuple[int, bool]]) -> None:
        self._cuts = iter(cuts)

    def fetch(self, _: str, begin: int, end: int) -> Iterator[bytes]:
        left, dies = next(self._cuts, (len(CONTENT), False))
        for at in range(begin, end, 700):
            chunk = CONTENT[at : min(at + 700, end)]
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                if dies:
                    raise _Cut
                raise IdentityError(Code.SERVICE_AWAY, "service", "cut off", "try again")


@given(cuts=st.lists(st.tuples(st.integers(0, 4000), st.booleans()), max_size=12))
def test_cut_off_anywhere_and_begun_anew_it_is_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, bool]]
) -> None:
    rig, line = Rig(tmp_path_factory.mktemp("home")), Cuts(cuts)
    for _ in itertools.repeat(None):
        try:
            assert rig.run(line) == CONTENT
            break
        except _Cut:
            assert CONTENT.startswith(rig.path.read_bytes())


def test_a_service_that_is_away_is_waited_for_and_not_for_ever(rig: Rig) -> None:
    assert rig.run(Line(at_once=20_000, fails=5)) == CONTENT
    with pytest.raises(IdentityError) as caught:
        rig.run(Line(at_once=0, fails=1000), len(CONTENT) + 1)
    assert caught.value.code is Code.SERVICE_AWAY
    assert 60 <= rig.now < 90


def test_who_gets_no_answer_asks_less_and_less_often_until_something_comes(rig: Rig) -> None:
    line = Line(at_once=6000, fails=30)
    assert rig.run(line, patience_s=86_400) == CONTENT
    # 2, 4, 8, … 256 and then 300 s, each a little longer.
    assert 510 + 22 * 300 <= rig.now <= 1.25 * (510 + 22 * 300)
    line.fails, before = 1, rig.now
    rig.path.write_bytes(CONTENT[:100])
    assert rig.run(line, patience_s=86_400) == CONTENT
    assert rig.now - before < 3


@pytest.mark.parametrize("code", [Code.SERVICE_UNKNOWN, Code.ANSWER])
def test_who_stands_in_between_is_waited_for_once_there_is_some_of_it(rig: Rig, code: Code) -> None:
    with pytest.raises(IdentityError):
        rig.run(Line(at_once=20_000, fails=1, code=code))
    rig.path.write_bytes(CONTENT[:100])
    assert rig.run(Line(at_once=20_000, fails=3, code=code)) == CONTENT
    with pytest.raises(IdentityError) as caught:
        rig.run(Line(at_once=20_000, fails=1000, code=code), len(CONTENT) + 1)
    assert caught.value.code is code, "and not for ever"


def test_who_is_told_to_come_later_does_and_not_all_at_once(rig: Rig) -> None:
    assert rig.run(Line(at_once=20_000, fails=2, wait_s=100), patience_s=1000) == CONTENT
    assert 200 <= rig.now <= 250
    assert rig.now not in (200, 250)


def test_it_takes_no_more_of_the_line_than_it_may(rig: Rig) -> None:
    assert rig.run(Line(at_once=512), most_per_s=1024) == CONTENT
    took_s, owed_s = rig.now, len(CONTENT) / 1024
    assert owed_s - 1 <= took_s <= owed_s + 1


def test_a_line_that_brings_nothing_is_given_up(rig: Rig) -> None:
    with pytest.raises(IdentityError) as caught:
        rig.run(Line(at_once=0))
    assert caught.value.code is Code.SERVICE_AWAY


def test_a_no_is_a_no(rig: Rig) -> None:
    line = Line(at_once=0, fails=1, code=Code.REFUSED)
    with pytest.raises(IdentityError) as caught:
        rig.run(line)
    assert caught.value.code is Code.REFUSED
    assert line.begins == [0]


def test_it_takes_no_more_than_was_asked_for(rig: Rig) -> None:
    assert rig.run(Line(at_once=10_000), 100) == CONTENT[:100]


def test_who_may_read_it_is_as_was_asked_for_whatever_was_there(rig: Rig) -> None:
    rig.path.touch(0o600)
    rig.run(Line(at_once=20_000), mode=0o640)
    assert stat.S_IMODE(rig.path.stat().st_mode) == 0o640

"""A file is fetched to its last byte, however often the line is cut off; and no further."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.home import Home
from cleandesk.model import fetching
from cleandesk.model.fetching import Fetching
from tests.unit.worker.make import SetClock

CONTENT = bytes(range(256)) * 40


class Line:
    """A service behind a line that is cut off again and again."""

    def __init__(self, *, at_once: int, fails: int = 0, code: Code = Code.SERVICE_AWAY) -> None:
        self.begins: list[int] = []
        self._at_once, self._fails, self._code = at_once, fails, code

    def fetch(self, path: str, begin: int) -> Iterator[bytes]:
        assert path == "/v1/artefacts/x"
        self.begins.append(begin)
        if self._fails:
            self._fails -= 1
            raise IdentityError(self._code, "service", "no", "try again")
        yield CONTENT[begin : begin + self._at_once]
        raise IdentityError(self._code, "service", "cut off", "try again")


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(fetching, "_PAUSE_S", 0.0)
    path = tmp_path / "incoming"

    def run(line: Line, size: int = len(CONTENT), patience_s: float = 60) -> bytes:
        subject = Fetching(Home(tmp_path), SetClock(), patience_s=patience_s)
        monkeypatch.setattr(subject, "_service", lambda: line)
        subject.fetch("x", size, path)
        return path.read_bytes()

    return run


def test_what_is_cut_off_is_gone_on_with_where_it_was(fetch: Any) -> None:
    line = Line(at_once=3000)
    assert fetch(line) == CONTENT
    assert line.begins == [0, 3000, 6000, 9000]


def test_a_service_that_is_away_is_waited_for_and_not_for_ever(fetch: Any) -> None:
    assert fetch(Line(at_once=20_000, fails=5)) == CONTENT
    with pytest.raises(IdentityError) as caught:
        fetch(Line(at_once=0, fails=1000), len(CONTENT) + 1, patience_s=0)
    assert caught.value.code is Code.SERVICE_AWAY


def test_a_line_that_brings_nothing_is_given_up(fetch: Any) -> None:
    with pytest.raises(IdentityError) as caught:
        fetch(Line(at_once=0), patience_s=0)
    assert caught.value.code is Code.SERVICE_AWAY


def test_a_no_is_a_no(fetch: Any) -> None:
    line = Line(at_once=0, fails=1, code=Code.REFUSED)
    with pytest.raises(IdentityError) as caught:
        fetch(line)
    assert caught.value.code is Code.REFUSED
    assert line.begins == [0]


def test_it_takes_no_more_than_was_asked_for(fetch: Any) -> None:
    assert fetch(Line(at_once=10_000), 100) == CONTENT[:100]

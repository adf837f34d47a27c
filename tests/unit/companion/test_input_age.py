"""The age of the last input: what each system says, and what is lacking where none says it."""

import os
import sys
import time
from pathlib import Path

import pytest

from cleandesk.companion import input_age as ages
from cleandesk.companion.errors import NoInputAgeError


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Return a maker of programs that say something, found before the system's own."""
    monkeypatch.setattr(ages, "_PATIENCE_S", 60)  # each is a Python that has to start
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, says: str, code: int = 0) -> None:
        file = tmp_path / name
        stream = "stderr" if code else "stdout"
        file.write_text(
            f"#!{sys.executable}\nimport sys\nsys.{stream}.write({says!r})\nsys.exit({code})\n"
        )
        file.chmod(0o755)

    return make


def test_gnome_says_milliseconds(program) -> None:  # type: ignore[no-untyped-def]
    program("gdbus", "(uint64 12345,)\n")
    assert ages.gnome() == 12.345


def test_macos_says_nanoseconds(program) -> None:  # type: ignore[no-untyped-def]
    program("ioreg", '  |   "HIDIdleTime" = 2500000000\n  |   "HIDPointer" = 1\n')
    assert ages.macos() == 2.5


def test_logind_says_since_when(program) -> None:  # type: ignore[no-untyped-def]
    since = int((time.clock_gettime(time.CLOCK_MONOTONIC) - 300) * 1e6)
    program("loginctl", f"IdleHint=yes\nIdleSinceHintMonotonic={since}\n")
    assert 299 <= ages.logind() <= 360


def test_a_session_that_is_not_idle_is_just_used(program) -> None:  # type: ignore[no-untyped-def]
    program("loginctl", "IdleHint=no\nIdleSinceHintMonotonic=0\n")
    assert ages.logind() == 0.0


@pytest.mark.parametrize(
    ("says", "code", "words"),
    [("no such name", 1, "no such name"), ("(int32 -1,)", 0, "unexpected answer")],
)
def test_a_source_that_does_not_do_says_why(program, says: str, code: int, words: str) -> None:  # type: ignore[no-untyped-def]
    program("gdbus", says, code)
    with pytest.raises(ages.UnavailableError, match=words):
        ages.gnome()


def test_without_a_display_x11_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(ages.UnavailableError):
        ages.x11()


def test_the_first_source_that_answers_counts() -> None:
    def lacking() -> float:
        raise ages.UnavailableError("not here")

    assert ages.input_age({"a": lacking, "b": lambda: 7.0, "c": lambda: 9.0}) == 7.0
    assert ages.input_age({"a": lambda: -0.5}) == 0.0
    with pytest.raises(NoInputAgeError, match=r"not over ssh. Tried: a: not here; b: not here"):
        ages.input_age({"a": lacking, "b": lacking})


def test_on_wayland_the_x_server_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert list(ages.sources_here()) == ["GNOME", "logind"]
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert list(ages.sources_here()) == ["X11", "GNOME", "logind"]


def test_no_source_asks_for_more_than_an_age() -> None:
    text = Path(ages.__file__).read_text(encoding="utf-8")
    for word in ("keycode", "XQueryKeymap", "GetAsyncKeyState", "evdev", "/dev/input", "pynput"):
        assert word not in text

"""Logs: one object a line for machines, lines for people, never a secret or a picture."""

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleandesk.contract import logs

log = logging.getLogger("cleandesk.test")


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    hooks, handlers, level = (sys.excepthook, threading.excepthook), root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def machine() -> io.StringIO:
    stream = io.StringIO()
    logs.configure("debug", stream)
    return stream


def fail(error: Exception) -> None:
    raise error


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_time_level_logger_event_and_fields(machine: io.StringIO) -> None:
    log.info("violation %s", "open", extra={"rule": "no-phone", "score": 0.5})
    (line,) = lines(machine)
    taken = datetime.fromisoformat(line.pop("time"))
    assert abs((datetime.now(UTC) - taken).total_seconds()) < 60
    assert line == {
        "level": "info",
        "logger": "cleandesk.test",
        "event": "violation open",
        "rule": "no-phone",
        "score": 0.5,
    }


def test_configuring_again_replaces_and_the_level_counts(machine: io.StringIO) -> None:
    second = io.StringIO()
    logs.configure("warning", second)
    log.info("not this")
    log.warning("this")
    assert machine.getvalue() == ""
    assert [line["event"] for line in lines(second)] == ["this"]


def test_without_a_stream_it_follows_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    sys.stderr, before = io.StringIO(), sys.stderr
    try:
        log.info("redirected")
        assert '"redirected"' in sys.stderr.getvalue()
    finally:
        sys.stderr = before
    log.info("direct")
    assert '"direct"' in capsys.readouterr().err


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="use one of debug, info"):
        logs.configure("loud")


def test_fields_keep_clear_of_our_own_names(machine: io.StringIO) -> None:
    log.info("event", extra={"time": 1, "event": 2, "level": 3})
    (line,) = lines(machine)
    assert (line["event"], line["time_"], line["event_"], line["level_"]) == ("event", 1, 2, 3)


def test_no_secret_and_no_picture(machine: io.StringIO) -> None:
    log.warning(
        "cannot open rtsp://admin:hunter2@cam/live",
        extra={
            "source": "http://u:hunter2@cam:80/x?y",
            "broker_password": "hunter2",
            "nested": {"api_token": "hunter2", "list": ["rtsp://a:hunter2@b"]},
            "frame": b"\xff\xd8 hunter2",
            "array": memoryview(b"hunter2"),
            "object": type("Camera", (), {"__repr__": lambda _: "hunter2"})(),
            "error": OSError("rtsp://a:hunter2@b: refused"),
        },
    )
    try:
        fail(OSError("rtsp://a:hunter2@b"))
    except OSError:
        log.exception("broken")
    assert "hunter2" not in machine.getvalue()
    first, second = lines(machine)
    assert first["source"] == "http://…@cam:80/x?y"
    assert first["frame"] == "(bytes)"
    assert "Traceback" in second["error"]


class Colour(Enum):
    RED = "red"


def test_values_of_all_kinds_are_written_plainly(machine: io.StringIO) -> None:
    log.info(
        "kinds",
        extra={
            "nan": float("nan"),
            "path": Path("/a"),
            "enum": Colour.RED,
            "moment": datetime(2026, 3, 2, tzinfo=UTC),
            "items": (1, {"a": None}),
            "deep": [[[[[1]]]]],
            "long": "x" * 10_000,
        },
    )
    (line,) = lines(machine)
    assert (line["nan"], line["path"], line["enum"]) == ("nan", "/a", "red")
    assert line["moment"] == "2026-03-02 00:00:00+00:00"
    assert line["items"] == [1, {"a": None}]
    assert line["deep"] == [[["(list)"]]]
    assert len(line["long"]) == 2000


def test_people_get_one_plain_line_that_cannot_be_forged() -> None:
    stream = Terminal()
    logs.configure("info", stream)
    log.error("payload %s", "a\n12:00:00 info forged \x1b[2J", extra={"rule": "no\rphone", "n": 3})
    (line,) = stream.getvalue().splitlines()
    assert "payload a\\n12:00:00 info forged \\x1b[2J rule=no\\rphone n=3" in line
    assert line.endswith("[cleandesk.test]")


def test_people_see_the_trace_below_its_line() -> None:
    stream = Terminal()
    logs.configure("info", stream)
    try:
        fail(RuntimeError("why"))
    except RuntimeError:
        log.exception("broken")
    shown = stream.getvalue().splitlines()
    assert "broken" in shown[0]
    assert shown[-1] == "  RuntimeError: why"


def test_a_thread_that_dies_is_logged_with_its_name(machine: io.StringIO) -> None:
    def die() -> None:
        raise RuntimeError("why")

    thread = threading.Thread(target=die, name="capture")
    thread.start()
    thread.join()
    (line,) = lines(machine)
    assert (line["level"], line["name_of_thread"]) == ("critical", "capture")
    assert "RuntimeError: why" in line["error"]


def test_an_uncaught_error_ends_the_process_with_one_line() -> None:
    code = "from cleandesk.contract import logs; logs.configure(); 1 / 0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "ZeroDivisionError" in json.loads(line)["error"]


def test_warnings_are_logged(machine: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
    assert [line["level"] for line in lines(machine)] == ["warning"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text(),
    st.dictionaries(
        st.text(min_size=1).map("x".__add__),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    ),
)
def test_whatever_is_logged_is_one_object_on_one_line(event: str, extra: dict[str, Any]) -> None:
    stream = io.StringIO()
    logs.configure("info", stream)
    log.info("%s", event, extra=extra)
    written = stream.getvalue()
    assert written.endswith("\n")
    assert written.count("\n") == 1
    assert len(json.loads(written)) == 4 + len(extra)
    written.encode()

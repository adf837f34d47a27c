"""Structured logs: one JSON object a line, or plain lines where a person reads them.

Modules log by `logging.getLogger(__name__)`, with an event's name as the message and what belongs
to it in `extra`. Passwords in addresses are cut out, and binary values (pictures, payloads) are
never written.
"""

import json
import logging
import math
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

from cleandesk.contract.messages import timestamp

LEVELS = ("debug", "info", "warning", "error", "critical")

_OWN = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_SECRET_KEYS = re.compile(r"passw|secret|token|credential|private_key", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MOST_ITEMS = 50
_DEEPEST = 3
_LONGEST_TEXT = 2000


def configure(level: str | int = "info", stream: TextIO | None = None) -> None:
    """Send all logs, and errors that nobody caught, to one stream; again: instead of before.

    Args:
        level: One of `LEVELS`, or a number of `logging`'s.
        stream: Default is standard error. A terminal gets plain lines, all else JSON.

    Raises:
        ValueError: If there is no such level.
    """
    if isinstance(level, str):
        if level.lower() not in LEVELS:
            raise ValueError(f"no log level {level!r}; use one of {', '.join(LEVELS)}")
        level = level.upper()
    handler = _Handler(stream)
    handler.setFormatter(PlainLines() if handler.stream.isatty() else JsonLines())
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream, or to what standard error is at the time: a live view replaces it."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._follows = stream is None

    def emit(self, record: logging.LogRecord) -> None:
        if self._follows:
            self.stream = sys.stderr
        super().emit(record)


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, event, the fields, and the error where there is one.

    A field that is called like one of these gets a `_` behind its name.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        line: dict[str, Any] = {
            "time": timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": clean(record.getMessage()),
        }
        error = _error(self, record)
        if error:
            line["error"] = error
        for key, value in fields(record).items():
            line[f"{key}_" if key in line else key] = value
        return json.dumps(line, ensure_ascii=False, allow_nan=False)


class PlainLines(logging.Formatter):
    """For people: time, level, event, the fields as key=value; an error's trace on lines below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, or more where there is a trace."""
        moment = datetime.fromtimestamp(record.created).astimezone()
        extra = "".join(
            f" {key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for key, value in fields(record).items()
        )
        text = _CONTROL.sub(_escape, f"{clean(record.getMessage())}{extra}")
        error = _error(self, record)
        trace = "".join(f"\n  {_CONTROL.sub(_escape, part)}" for part in error.splitlines())
        return f"{moment:%H:%M:%S} {record.levelname.lower():<8} {text} [{record.name}]{trace}"


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what `extra` added to a record, fit for JSON and without secrets."""
    return {
        key: "(hidden)" if _SECRET_KEYS.search(key) else _plain(value)
        for key, value in record.__dict__.items()
        if key not in _OWN
    }


def clean(text: str) -> str:
    """Return a text without passwords in addresses, cut to a bearable length, all of it Unicode."""
    text = _CREDENTIALS.sub("…@", text).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _plain(value: object, depth: int = 0) -> Any:
    if depth < _DEEPEST and isinstance(value, Mapping):
        shown = list(value.items())[:_MOST_ITEMS]
        return {
            clean(str(k)): "(hidden)" if _SECRET_KEYS.search(str(k)) else _plain(v, depth + 1)
            for k, v in shown
        }
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in list(value)[:_MOST_ITEMS]]
    return _atom(value.value if isinstance(value, Enum) else value)


def _atom(value: object) -> str | int | float | None:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, BaseException):
        return clean(f"{type(value).__name__}: {value}")
    if isinstance(value, str | PurePath | date | time | timedelta | UUID):
        return clean(str(value))
    return f"({type(value).__name__})"


def _error(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    text = _CREDENTIALS.sub("…@", formatter.formatException(record.exc_info))
    return text.encode("utf-8", "backslashreplace").decode()


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("cleandesk").critical("unexpected error", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    logging.getLogger("cleandesk").critical(
        "unexpected error; this thread ended",
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        extra={"name_of_thread": args.thread.name if args.thread else None},
    )

"""How the services off the box begin on the command line, and how they end."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar

import typer
from pydantic import BaseModel

from cleandesk.config import load
from cleandesk.contract import logs

M = TypeVar("M", bound=BaseModel)

LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    typer.Option(help="How much to tell on standard error"),
]


def begin(config: Path, model: type[M], log_level: str) -> M:
    """Return a service's settings, and send its logs to standard error from now on.

    Raises:
        ConfigError: If they cannot be used; the text has each reason and its fix.
    """
    settings = load(config, model)
    logs.configure(log_level)
    return settings


def until_told(stop: Callable[[], None]) -> None:
    """Let SIGTERM and Ctrl-C end a service in order.

    Args:
        stop: What ends it; called within a signal handler.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def fail(error: Exception, *, code: int) -> NoReturn:
    """End with what is wrong on standard error, without a trace."""
    sys.stderr.write(f"{error}\n")
    sys.exit(code)

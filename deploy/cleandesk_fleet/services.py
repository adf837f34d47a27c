"""How the services off the box begin on the command line, and how they end."""

import gc
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

#: So many more objects than at the last look are the time for the next one.
_GROWTH = 50_000

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


def collect_seldom() -> None:
    """Have Python look for garbage in cycles seldom, and never among what is there by now.

    For a service that makes many objects which all live until its work on them is done: each look
    in between goes through all of them in vain. Of an event's cost to a subscriber that was a
    third (`make bench-intake`). What refers to nobody in a circle is freed at once, as ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GROWTH)


def fail(error: Exception, *, code: int) -> NoReturn:
    """End with what is wrong on standard error, without a trace."""
    sys.stderr.write(f"{error}\n")
    sys.exit(code)

"""Starts the real programs, the way a user would, and reads the log back with one of them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.outcome import Logged
from demo.scenario import Files

_BIN = Path(sys.executable).parent
_START_S = 20.0


class DemoError(Exception):
    """One of the programs did not do its part."""


@contextmanager
def subscriber(files: Files) -> Iterator[None]:
    """Run the subscriber until the block ends; it is up when the block begins.

    Raises:
        DemoError: If it ends early; its own words are in `subscriber.log`.
    """
    words = files.folder / "subscriber.log"
    with words.open("wb") as stream:
        process = subprocess.Popen(
            [_BIN / "cleandesk-subscriber", "run", "--config", files.subscriber],
            stdout=stream,
            stderr=stream,
        )
        try:
            _wait_for(files.log, process, words)
            yield
        finally:
            process.terminate()
            process.wait(_START_S)


def run_box(files: Files) -> int:
    """Run the box on this terminal until its recording ends or it is interrupted.

    Returns:
        Its exit code.
    """
    command = [str(_BIN / "cleandesk"), "run", "--config", str(files.box)]
    with (files.folder / "box.log").open("wb") as words:
        process = subprocess.Popen([*command, "--show", "--until-end"], stderr=words)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the terminal has told the box, too: it ends by itself


def read_log(files: Files) -> list[Logged]:
    """Return the violations that the subscriber logged, oldest first."""
    result = subprocess.run(
        [_BIN / "cleandesk-subscriber", "log", "--db", files.log, "--format", "jsonl"],
        check=True,
        capture_output=True,
        text=True,
    )
    logged = [Logged.model_validate_json(line) for line in result.stdout.splitlines()]
    return sorted(logged, key=lambda violation: violation.opened_at)


def _wait_for(database: Path, process: subprocess.Popen[bytes], words: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not database.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoError(f"the subscriber did not start; its last words are in {words}")
        time.sleep(0.05)

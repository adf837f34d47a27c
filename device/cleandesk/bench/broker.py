"""A broker for the measurement: the one that was named, a mosquitto of our own, or the demo's."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleandesk.bench.errors import BenchError

_START_S = 20.0
_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
log_dest none
persistence false
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a broker listens, and what it is."""

    host: str
    port: int
    kind: str


@contextmanager
def broker(folder: Path, given: str | None) -> Iterator[Endpoint]:
    """Run a broker, or take the given one; gone when the block ends.

    Args:
        folder: For its files.
        given: `host:port`; None: a mosquitto if there is one, else the demo's embedded broker.

    Raises:
        BenchError: If there is none.
    """
    if given is not None:
        yield _parsed(given)
        return
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is not None:
        with _mosquitto(program, folder) as port:
            yield Endpoint("127.0.0.1", port, _version(program))
        return
    try:
        from demo.broker import loopback_broker  # noqa: PLC0415 - only a source tree has it
    except ImportError:
        raise BenchError(
            "no broker: install mosquitto ('apt install mosquitto'), or name one by "
            "--broker HOST:PORT"
        ) from None
    with loopback_broker(folder) as port:
        yield Endpoint("127.0.0.1", port, "iotcore, embedded")


def _parsed(given: str) -> Endpoint:
    host, _, port = given.rpartition(":")
    if not (host and port.isdigit()):
        raise BenchError(f"--broker {given!r} is no HOST:PORT; write it like 10.0.0.7:1883")
    return Endpoint(host, int(port), "given")


def _version(program: str) -> str:
    said = subprocess.run(  # noqa: S603 - found on the PATH
        [program, "-h"], capture_output=True, text=True, check=False
    ).stdout
    return next(iter(said.splitlines()), "mosquitto").strip()


@contextmanager
def _mosquitto(program: str, folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(_CONFIG.format(port=port), encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - found on the PATH
        [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(_START_S)


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    give_up = time.monotonic() + _START_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BenchError(
        f"mosquitto does not listen on port {port} (exit code {process.poll()}); try it by hand, "
        "or name a broker by --broker HOST:PORT"
    )

"""What the boxes talk to, all on this machine: broker, database, subscribers; and its cost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from sqlalchemy import func, select

from cleandesk_fleet.subscriber.database import Place, open_reader
from cleandesk_fleet.subscriber.tables import alarms, events
from tests.eventually import eventually
from tests.mosquitto import Mosquitto
from tests.postgresql import PostgreSQL, words_of

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROGRAM = Path(sys.executable).parent / "cleandesk-subscriber"
#: Of PostgreSQL: what is answered is on the disk.
_DURABLE = ("shared_buffers=512MB", "max_wal_size=4GB")
#: As in deploy/broker/mosquitto.conf; the rest of that file is about who may do what. There is
#: one more line: unanswered is what two commits of a subscriber hold.
BROKER = (
    "max_inflight_bytes 67108864",
    "max_queued_messages 50000",
    "autosave_interval 30",
    "max_connections 20000",
)


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log holds in the end."""

    events: int
    distinct: int
    alarms: dict[str, int]


@dataclass
class Programs:
    """Everything but the boxes."""

    broker: Mosquitto
    place: Place
    folder: Path
    server: PostgreSQL | None
    subscribers: list["Subscriber"] = field(default_factory=list)

    def cpu_s(self) -> dict[str, float]:
        """Return the processor time of each part so far, in seconds."""
        return {
            "broker": cpu_s_of(self.broker.pid),
            "subscribers": sum(each.cpu_s() for each in self.subscribers),
            "database": 0.0 if self.server is None else family_cpu_s(self.server.pid),
            "boxes": cpu_s_of(os.getpid()),
        }

    def memory_mb(self) -> float:
        """Return the resident memory of the largest subscriber."""
        return max((each.memory_mb() for each in self.subscribers), default=0.0)

    def logged(self) -> Logged:
        """Count what the log holds."""
        return logged(self.place)


def logged(place: Place) -> Logged:
    """Count what a log holds."""
    with open_reader(place).connect() as connection:
        count, distinct = connection.execute(
            select(func.count(), func.count(events.c.event_id.distinct())).select_from(events)
        ).one()
        open_ones = (
            select(alarms.c.kind, func.count())
            .where(alarms.c.closed_at.is_(None))
            .group_by(alarms.c.kind)
        )
        kinds = dict(tuple(row) for row in connection.execute(open_ones))
    return Logged(count, distinct, kinds)


class Subscriber:
    """One `cleandesk-subscriber run`, one of several on one log or the only one."""

    def __init__(self, folder: Path, name: str, settings: dict[str, object]) -> None:
        self.config, self._words = folder / f"{name}.yaml", folder / f"{name}.log"
        self.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._spent_s = 0.0

    def start(self) -> None:
        """Start it and wait until the broker has it."""
        before = self._connects()
        with self._words.open("ab") as words:
            self._process = subprocess.Popen(
                [_PROGRAM, "run", "--config", self.config], stdout=words, stderr=words
            )
        eventually(lambda: self._connects() > before, "the subscriber's connection")

    def judges(self) -> bool:
        """Say whether it has fallen to it to judge for all."""
        return "judges for all" in self._words.read_text(encoding="utf-8")

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._spent_s = self.cpu_s()
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def cpu_s(self) -> float:
        """Return its processor time, with that of those before a kill."""
        return self._spent_s + (0.0 if self._process is None else cpu_s_of(self._process.pid))

    def memory_mb(self) -> float:
        """Return its resident memory."""
        if self._process is None:
            return 0.0
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def _connects(self) -> int:
        if not self._words.exists():
            return 0
        return self._words.read_text(encoding="utf-8").count("connected to the broker")


@contextmanager
def new_log(folder: Path, database: str) -> Iterator[tuple[Place, PostgreSQL | None]]:
    """Provide where a log may be made, and the server that has it, durable as it is installed."""
    if database != "postgresql":
        yield folder / "log.db", None
        return
    server = PostgreSQL(options=_DURABLE).start()
    try:
        yield server.log(), server
    finally:
        server.close()


@contextmanager
def running(folder: Path, *, database: str, subscribers: int, batch: int) -> Iterator[Programs]:
    """Start everything but the boxes, and end it again."""
    with ExitStack() as stack:
        options = (*BROKER, f"max_inflight_messages {2 * batch}")
        broker = stack.enter_context(Mosquitto(folder, options=options, logs=("error",)))
        place, server = stack.enter_context(new_log(folder, database))
        programs = Programs(broker, place, folder, server)
        for number in range(subscribers):
            store = {"url" if server else "path": words_of(place)}
            settings: dict[str, object] = {
                "schema": 1,
                "broker": {"host": "127.0.0.1", "port": broker.port, "retry_min_s": 0.1},
                "store": store,
                "batch": {"messages": batch},
                "client_id": f"subscriber-{number + 1}",
            }
            if server is not None:
                settings["redundancy"] = {"group": "a-secret-of-the-fleet"}
            one = Subscriber(folder, f"subscriber-{number + 1}", settings)
            stack.callback(one.stop)
            one.start()
            programs.subscribers.append(one)
        if server is not None:
            # Whoever it falls to logs first what boxes said before: that is no event's delay.
            eventually(lambda: any(one.judges() for one in programs.subscribers), "a judge")
        yield programs


def cpu_s_of(pid: int) -> float:
    """Return a process's processor time; 0 if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    user, system = stat.rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) * _TICK_S


def family_cpu_s(pid: int) -> float:
    """Return what a server's own processes took, of those that live."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return cpu_s_of(pid) + sum(cpu_s_of(int(child)) for child in children)

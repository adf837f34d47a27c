"""The real programs on one machine: broker, subscriber and box, each to be killed at will."""

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import cv2
import paho.mqtt.client as mqtt
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from cleandesk.contract.health import Health
from cleandesk.contract.messages import Privacy, Status
from cleandesk.contract.topics import Address, Channel
from tests.eventually import eventually
from tests.leaving import leave
from tests.mosquitto import Mosquitto
from tests.page_client import PageClient

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
CLIP = ROOT / "models" / "demo" / "desk.mp4"
TRUTH = ROOT / "models" / "demo" / "desk.truth.json"
BIN = Path(sys.executable).parent
ADDRESS = Address("test", "desk-1")
WHOLE = {"polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}

Log = list[dict[str, Any]]
M = TypeVar("M", Health, Privacy, Status)


def presence(name: str, **changes: object) -> dict[str, object]:
    """Return a presence rule for one class, quick enough for a test."""
    return {
        "name": f"no-{name}",
        "kind": "presence",
        "classes": [name],
        "zone": "desk",
        "min_score": 0.4,
        "dwell_s": 1.0,
        "clear_after_s": 3.0,
    } | changes


def frame_of(video: Path, seconds: float, folder: Path) -> Path:
    """Write one frame of a clip into a folder that a box can be pointed at."""
    folder.mkdir(exist_ok=True)
    reader = cv2.VideoCapture(str(video))
    reader.set(cv2.CAP_PROP_POS_MSEC, seconds * 1000)
    found, image = reader.read()
    reader.release()
    assert found, f"{video} has no frame at {seconds} s"
    cv2.imwrite(str(folder / "frame.png"), image)
    return folder


class Rig:
    """A site with one box and one subscriber on a real mosquitto.

    Args:
        home: A test's folder; everything lies below it.
        camera: The box's camera settings.
        rules: The box's rules.
        more: Further settings of the box.
    """

    def __init__(
        self,
        home: Path,
        *,
        camera: dict[str, object],
        rules: Sequence[dict[str, object]],
        **more: object,
    ) -> None:
        self.home = home
        self.broker = Mosquitto(home)
        link = {
            "host": "127.0.0.1",
            "port": self.broker.port,
            "retry_min_s": 0.1,
            "retry_max_s": 1.0,
            "ack_timeout_s": 1.0,
        }
        self.box_config = self._write(
            "box.yaml",
            {
                "schema": 1,
                "site": ADDRESS.site,
                "box": ADDRESS.box,
                "camera": camera,
                "looks_per_s": 5,
                "zones": {"desk": WHOLE},
                "rules": list(rules),
                "broker": link,
                "outbox": {"path": str(home / "outbox.db")},
                "health_every_s": 1,
                "safe_mode": {"after_starts": 1000},  # tests kill it at will
            }
            | more,
        )
        self.subscriber_config = self._write(
            "subscriber.yaml", {"schema": 1, "broker": link, "store": {"path": "log.db"}}
        )
        self.temporary = home / "tmp"
        self.temporary.mkdir()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def _write(self, name: str, settings: dict[str, object]) -> Path:
        path = self.home / name
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return path

    def change_box(self, **settings: object) -> None:
        """Write other settings into the box's file, for its next start."""
        self._change(self.box_config, settings)

    def change_subscriber(self, **settings: object) -> None:
        """Write other settings into the subscriber's file, for its next start."""
        self._change(self.subscriber_config, settings)

    def _change(self, path: Path, settings: dict[str, object]) -> None:
        now = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._write(path.name, now | settings)

    def start_subscriber(self) -> None:
        """Start the subscriber; returns once its database is there."""
        self._start("subscriber", "cleandesk-subscriber", "run", "--config", self.subscriber_config)
        eventually((self.home / "log.db").exists, "the subscriber's start")

    def start_box(self, *arguments: str, wrapper: Sequence[str] = ()) -> None:
        """Start the box."""
        self._start(
            "box", "cleandesk", "run", "--config", self.box_config, *arguments, wrapper=wrapper
        )

    def _start(
        self, name: str, program: str, *arguments: object, wrapper: Sequence[str] = ()
    ) -> None:
        with (self.home / f"{name}.err").open("ab") as words:
            self._running[name] = subprocess.Popen(
                [*wrapper, BIN / program, *map(str, arguments)],
                stdout=words,
                stderr=words,
                cwd=self.home,
                env=os.environ | {"HOME": str(self.temporary), "TMPDIR": str(self.temporary)},
            )

    def kill(self, name: str) -> None:
        """Kill box or subscriber (SIGKILL)."""
        process = self._running.pop(name)
        process.kill()
        process.wait(20)

    def stop(self, name: str) -> int:
        """End box or subscriber in order (SIGTERM); returns its exit code."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(40)

    def wait(self, name: str, timeout_s: float = 240) -> int:
        """Wait until box or subscriber ends by itself; returns its exit code."""
        return self._running.pop(name).wait(timeout_s)

    def alive(self, name: str) -> bool:
        """Say whether box or subscriber runs."""
        return self._running[name].poll() is None

    def pid(self, name: str) -> int:
        """Return the process id of box or subscriber, or of what it was wrapped in."""
        return self._running[name].pid

    def words(self, name: str) -> str:
        """Return what box or subscriber said."""
        return (self.home / f"{name}.err").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Kill what still runs."""
        for name in list(self._running):
            self.kill(name)
        self.broker.stop()

    def page(self) -> PageClient:
        """Connect to the box as the worker's page does, once it listens."""

        def connected() -> PageClient | None:
            # The file is there a moment before anybody listens at it.
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return PageClient(self.home / "page.sock")
            return None

        return eventually(connected, "a box that listens at its socket")

    def violations(self) -> Log:
        """Read the log's violations, oldest first, with the subscriber's own command."""
        return self._log()

    def events(self) -> Log:
        """Read the log's events, oldest first."""
        return self._log("--events")

    def _log(self, *arguments: str) -> Log:
        rows = self.ask("log", *arguments, "--format", "jsonl", "--limit", "100000")
        return sorted(rows, key=lambda row: (row["opened_at"], row.get("seq", 0)))

    def ask(self, command: str, *arguments: str) -> Log:
        """Run one of the subscriber's commands that print JSON lines."""
        result = subprocess.run(
            [BIN / "cleandesk-subscriber", command, "--db", self.home / "log.db", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]


def retained(port: int, channel: Channel) -> bytes | None:
    """Return what the broker retains on one of the box's topics."""
    found: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = lambda _client, _data, message: found.put(bytes(message.payload))
    client.connect("127.0.0.1", port)
    client.subscribe(ADDRESS.topic(channel))
    client.loop_start()
    try:
        return found.get(timeout=1)
    except queue.Empty:
        return None
    finally:
        leave(client)


def wait_for_privacy(port: int, condition: Callable[[Privacy], bool]) -> Privacy:
    """Wait until the box's `privacy` says something."""
    return _wait_for(port, Channel.PRIVACY, Privacy, condition)


def wait_for_health(port: int, condition: Callable[[Health], bool]) -> Health:
    """Wait until the box's `health` says something."""
    return _wait_for(port, Channel.HEALTH, Health, condition)


def wait_for_status(port: int, condition: Callable[[Status], bool]) -> Status:
    """Wait until the box's `status` says something."""
    return _wait_for(port, Channel.STATUS, Status, condition)


def _wait_for(port: int, channel: Channel, model: type[M], condition: Callable[[M], bool]) -> M:
    found: list[M] = []

    def arrived() -> bool:
        payload = retained(port, channel)
        if payload:
            message = model.model_validate_json(payload)
            if condition(message):
                found.append(message)
        return bool(found)

    eventually(arrived, f"the awaited {channel.value}")
    return found[0]

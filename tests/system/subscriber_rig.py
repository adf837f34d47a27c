"""A real subscriber's process, and a client in a box's place, on a real broker."""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

import yaml
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cleandesk.contract.topics import Address, Channel
from tests.eventually import PATIENCE_S, eventually
from tests.leaving import leave

PROGRAM = Path(sys.executable).parent / "cleandesk-subscriber"


def _store(changes: dict[str, object]) -> dict[str, object]:
    store = changes.get("store", {})
    assert isinstance(store, dict)
    return store


class Subscriber:
    """One `cleandesk-subscriber run`, with its configuration and log in a folder of its own."""

    def __init__(self, home: Path, port: int, name: str = "subscriber", **changes: object) -> None:
        self.home = home / name
        self.home.mkdir()
        self.config = self.home / "subscriber.yaml"
        self.log = self.home / "log.db"
        #: Where its log is, as `--db` names it.
        self.place = str(_store(changes).get("url", self.log))
        broker = {"host": "127.0.0.1", "port": port, "retry_min_s": 0.1, "retry_max_s": 0.5}
        settings = {"schema": 1, "broker": broker, "store": {"path": "log.db"}} | changes
        self.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def words(self) -> str:
        """What it logged."""
        return (self.home / "words").read_text(encoding="utf-8")

    def start(self) -> Self:
        """Start it; it may not be connected yet."""
        with (self.home / "words").open("ab") as words:
            self._process = subprocess.Popen(
                [PROGRAM, "run", "--config", self.config], stderr=words, stdout=words
            )
        eventually(lambda: "subscriber started" in self.words, "the log")
        return self

    def started(self) -> Self:
        """Start it and wait until it hears."""
        before = self.connects()
        self.start()
        eventually(lambda: self.connects() > before, "the subscriber's connection")
        return self

    def connects(self) -> int:
        """Return how often it connected."""
        words = self.home / "words"
        return words.read_text("utf-8").count("connected to the broker") if words.exists() else 0

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE_S)

    def ask(self, *command: str) -> list[dict[str, Any]]:
        """Read its log by its own command."""
        result = subprocess.run(
            [PROGRAM, *command, "--db", self.place, "--format", "jsonl"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    def numbers(self, box: Address) -> list[int]:
        """Return the numbers of a box's logged events, in the log's order."""
        return [row["seq"] for row in self.ask("log", "--events", "--box", box.box)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


class Box:
    """Sends events and gathers the answers, as a box does: what has no answer is sent again."""

    def __init__(self, port: int, address: Address) -> None:
        self.address = address
        self.answers: dict[str, list[str]] = defaultdict(list)
        self.reasons: dict[str, str] = {}
        self._port = port
        self._ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe(
            address.topic(Channel.ACK), qos=1
        )
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.reconnect_delay_set(1, 1)

    def __enter__(self) -> Self:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        leave(self.client)

    def send(
        self, payload: bytes, channel: Channel = Channel.VIOLATION, *, replayed: bool = False
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if replayed:
            properties.UserProperty = [("replayed", "1")]
        self.client.publish(self.address.topic(channel), payload, qos=1, properties=properties)

    def wait_for(self, answer_id: str, times: int = 1) -> None:
        """Wait until a delivery was answered so often."""
        eventually(lambda: len(self.answers[answer_id]) >= times, f"the answer to {answer_id}")

    def results(self, answer_id: str) -> list[str]:
        """Return every answer to one delivery."""
        return list(self.answers[answer_id])

    def _on_message(self, _: object, __: object, message: MQTTMessage) -> None:
        for answer in json.loads(message.payload):
            # First: who waits for the answer reads the reason then.
            if "reason" in answer:
                self.reasons[answer["id"]] = answer["reason"]
            self.answers[answer["id"]].append(answer["result"])

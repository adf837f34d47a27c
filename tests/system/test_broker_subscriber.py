"""The real subscriber on the production broker, with a certificate of its own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from broker import free_ports
from cleandesk_fleet.provision.authorities import Issuer
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import BIN
from tests.system.broker_rig import OPERATORS, WitnessedBroker
from tests.unit.subscriber.make import event_fields

pytestmark = [pytest.mark.system, needs_mosquitto]

V1 = "cleandesk/v1/test/desk-1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[WitnessedBroker]:
    with WitnessedBroker(tmp_path, OPERATORS, free_ports()) as running:
        yield running


def start(home: Path, broker: WitnessedBroker) -> "subprocess.Popen[bytes]":
    files = broker.issue(Issuer.PEOPLE, "subscriber")
    link = {
        "host": "localhost",
        "port": broker.port(8884),
        "tls": {"ca": str(files.ca), "cert": str(files.cert), "key": str(files.key)},
    }
    config = home / "subscriber.yaml"
    settings = {"schema": 1, "broker": link, "store": {"path": "log.db"}}
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with (home / "subscriber.log").open("ab") as words:
        return subprocess.Popen(
            [BIN / "cleandesk-subscriber", "run", "--config", config], stdout=words, stderr=words
        )


def test_each_event_is_logged_and_answered_also_after_an_absence(
    broker: WitnessedBroker, tmp_path: Path
) -> None:
    events = [event_fields(seq) for seq in (1, 2, 3)]
    ids = [event["event_id"] for event in events]
    running = start(tmp_path, broker)
    try:
        with broker.member("test/desk-1", filters=[f"{V1}/ack"]) as box:

            def acked() -> list[str]:
                said = [json.loads(message.payload) for message in box.received]
                return [result["id"] for results in said for result in results]

            eventually(lambda: box.say(f"{V1}/violation", payload(events[0])) == 0, "a reader")
            eventually(lambda: ids[0] in acked(), "the first answer")
            running.terminate()
            running.wait(30)
            box.say(f"{V1}/violation", payload(events[1]))
            assert ids[1] not in acked()
            running = start(tmp_path, broker)
            eventually(lambda: ids[1] in acked(), "the second answer")
            box.say(f"{V1}/violation", payload(events[2]))
            eventually(lambda: ids[2] in acked(), "the third answer")
    finally:
        running.terminate()
        running.wait(30)


def payload(event: dict[str, object]) -> bytes:
    return json.dumps(event).encode()

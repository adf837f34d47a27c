"""Home Assistant discovery on the production broker: announced, counted, cleared; others' stays."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from broker import free_ports
from cleandesk.contract.messages import Availability
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.roles import Operator, Role
from tests.broker_settings import link_of
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import BIN
from tests.system.broker_rig import Member, WitnessedBroker, mark
from tests.unit.discovery.published import complaints, expanded, render
from tests.unit.discovery.test_entities import STATUS

pytestmark = [pytest.mark.system, needs_mosquitto]

V1, HA = "cleandesk/v1", "homeassistant/device"
ONE, TWO = f"{HA}/cleandesk_s1_b1", f"{HA}/cleandesk_s1_b2"
THEIRS = f"{HA}/0x00158d/config"
PUBLISHERS = (
    Operator("discovery", Role.DISCOVERY),
    Operator("discovery-s1", Role.DISCOVERY, "s1"),
    Operator("home", Role.HOME_ASSISTANT, "s1"),
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[WitnessedBroker]:
    with WitnessedBroker(tmp_path, PUBLISHERS, free_ports()) as running:
        yield running


@pytest.fixture
def home(broker: WitnessedBroker) -> Iterator[Member]:
    """Return a Home Assistant's session, with its role's rights."""
    with broker.member("home", Issuer.PEOPLE, filters=["homeassistant/#", f"{V1}/#"]) as home:
        yield home


@pytest.fixture
def witness(broker: WitnessedBroker) -> Iterator[Member]:
    with broker.member("witness", Issuer.PEOPLE) as witness:
        yield witness


def last(home: Member, topic: str) -> bytes | None:
    """Return the newest message on a topic."""
    said = [one.payload for one in home.received if one.topic == topic]
    return bytes(said[-1]) if said else None


def heard(home: Member, topic: str, payload: bytes) -> None:
    eventually(lambda: last(home, topic) == payload, f"{payload!r} on {topic}")


class Process:
    """`cleandesk-discovery` with a configuration of its own."""

    def __init__(self, broker: WitnessedBroker, folder: Path, name: str = "discovery") -> None:
        link = link_of(broker.port(8884), broker.issue(Issuer.PEOPLE, name))
        self.config = folder / "discovery.yaml"
        settings = {"schema": 1, "broker": link}
        self.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._words = folder / "discovery.log"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._words.open("ab") as words:
            self._running = subprocess.Popen(
                [BIN / "cleandesk-discovery", "run", "--config", self.config],
                stdout=words,
                stderr=words,
            )

    def end(self, *, kill: bool = False) -> None:
        if self._running is not None:
            (self._running.kill if kill else self._running.terminate)()
            assert self._running.wait(30) == (-9 if kill else 0), self._words.read_text()
            self._running = None

    def remove(self, code: int = 0) -> set[str]:
        done = subprocess.run(
            [BIN / "cleandesk-discovery", "remove", "--config", self.config],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return set((done.stderr if code else done.stdout).split()) - {"cleared"}


@pytest.fixture
def process(broker: WitnessedBroker, tmp_path: Path) -> Iterator[Process]:
    made = Process(broker, tmp_path)
    yield made
    made.end(kill=True)


def test_boxes_are_announced_counted_and_cleared_and_others_devices_stay(
    broker: WitnessedBroker, home: Member, witness: Member, process: Process
) -> None:
    stranger = b'{"dev": {"ids": ["0x00158d"]}, "o": {"name": "zigbee2mqtt"}, "cmps": {}}'
    witness.say(THEIRS, stranger, retain=True)
    witness.say(f"{V1}/s1/b1/status", STATUS.to_json(), retain=True)
    witness.say(f"{V1}/s1/b1/active/{'a' * 32}", b"{}", retain=True)
    process.start()
    heard(home, f"{HA}/cleandesk-discovery/state", b"online")
    heard(home, f"{ONE}/state", b'{"open": 1}')
    eventually(lambda: last(home, f"{ONE}/config"), "the announcement")
    announced = expanded(last(home, f"{ONE}/config") or b"")
    assert complaints(announced) == []
    assert announced["device"]["sw_version"] == STATUS.version

    with broker.member("s1/b2") as box:
        box.say(f"{V1}/s1/b2/status", STATUS.to_json(), retain=True)
        heard(home, f"{TWO}/state", b'{"open": 0}')
        box.say(f"{V1}/s1/b2/active/{'b' * 32}", b"{}", retain=True)
        heard(home, f"{TWO}/state", b'{"open": 1}')
        box.say(f"{V1}/s1/b2/active/{'b' * 32}", b"", retain=True)
        heard(home, f"{TWO}/state", b'{"open": 0}')
        _states_are_read_where_they_are_published(box, home)

    witness.say(f"{V1}/s1/b2/status", b"", retain=True)  # as `decommission` does
    heard(home, f"{TWO}/config", b"")
    assert last(home, f"{TWO}/state") == b""

    process.end(kill=True)
    heard(home, f"{HA}/cleandesk-discovery/state", b"offline")
    witness.say(f"{V1}/s1/b1/status", b"", retain=True)  # it went while nobody looked
    witness.say(f"{V1}/s1/b3/status", STATUS.to_json(), retain=True)
    process.start()
    heard(home, f"{ONE}/config", b"")
    eventually(lambda: last(home, f"{HA}/cleandesk_s1_b3/config"), "the third box")
    process.end()
    heard(home, f"{HA}/cleandesk-discovery/state", b"offline")

    mine = {f"{HA}/cleandesk_s1_b3/{end}" for end in ("state", "config")}
    assert process.remove() == mine
    assert process.remove() == set(), "twice is once"
    witness.leave()  # one name is one client
    with broker.member("witness", Issuer.PEOPLE, filters=["homeassistant/#"]) as later:
        eventually(lambda: later.received, "what is retained")
        later.say(f"{HA}/end/state", b"end")
        heard(later, f"{HA}/end/state", b"end")
        kept = {one.topic for one in later.received if one.retain}
    assert kept == {THEIRS}


def _states_are_read_where_they_are_published(box: Member, home: Member) -> None:
    """Follow an announcement as a Home Assistant does: the state topic, then the template."""
    announced = expanded(last(home, f"{TWO}/config") or b"")
    privacy = announced["components"]["privacy"]
    said = b'{"schema":1,"state":"break","reason":"rest","since":"2026-03-02T09:00:00Z"}'
    box.say(privacy["state_topic"], said, retain=True)
    heard(home, privacy["state_topic"], said)
    assert render(privacy["value_template"], said) == "break"
    there = announced["availability"][0]
    gone = STATUS.model_copy(update={"state": Availability.OFFLINE}).to_json()
    box.say(there["topic"], gone, retain=True)
    heard(home, there["topic"], gone)
    assert render(there["value_template"], gone) == "offline"


def test_the_roles_may_do_this_and_nothing_else(broker: WitnessedBroker) -> None:
    forbidden, allowed = mark(), mark()
    private = ("still/" + "a" * 32, "appeal", "idle", "config/reported", "cmd/break/response")
    public = ("status", "health", "privacy", "violation")
    not_theirs = {f"{V1}/s1/b1/{channel}" for channel in private}
    not_theirs |= {f"{V1}/s2/b1/{channel}" for channel in public}
    with (
        broker.member("witness", Issuer.PEOPLE, filters=["#"]) as witness,
        broker.member("discovery-s1", Issuer.PEOPLE, filters=["#"]) as discovery,
        broker.member("home", Issuer.PEOPLE, filters=["#"]) as home,
        broker.member("s1/b1", filters=["homeassistant/#"]) as box,
    ):
        for channel in ("status", "ack", "config/desired", "cmd/break/request"):
            discovery.say(f"{V1}/s1/b1/{channel}", forbidden)
            home.say(f"{V1}/s1/b1/{channel}", forbidden)
        for topic in ("homeassistant/status", f"{ONE}/config", f"{ONE}/state"):
            box.say(topic, forbidden)
        home.say(f"{ONE}/config", forbidden)
        discovery.say("homeassistant/status", forbidden)
        discovery.say("homeassistant/sensor/x/config", forbidden)
        for topic in not_theirs:
            witness.say(topic, forbidden)
        witness.say(f"{V1}/s1/b1/health", b"figures")
        home.say("homeassistant/status", allowed)
        discovery.say(f"{ONE}/config", allowed)
        heard(witness, "homeassistant/status", allowed)
        heard(home, f"{ONE}/config", allowed)
        heard(home, f"{V1}/s1/b1/health", b"figures")
        heard(discovery, f"{ONE}/config", allowed)
        assert not discovery.saw(b"figures")
        assert not home.saw(forbidden)
        assert not discovery.saw(forbidden)
        assert not box.received
        assert {one.topic for one in witness.received if one.payload == forbidden} == not_theirs


def test_without_the_role_nothing_is_cleared_and_that_is_said(
    broker: WitnessedBroker, tmp_path: Path
) -> None:
    assert "'discovery'?" in Process(broker, tmp_path, "home").remove(code=1)

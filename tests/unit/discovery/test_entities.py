"""What a Home Assistant is told fits what it takes, and tells no more than the box publishes."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cleandesk.contract.docs import TOPICS
from cleandesk.contract.messages import Availability, Phase, PrivacyState, Status
from cleandesk.contract.topics import Address, Channel, parse
from cleandesk_fleet.discovery import topics
from cleandesk_fleet.discovery.entities import ENTITIES, announcement, is_ours
from tests.unit.discovery.published import complaints, expanded, render

BOX = Address("s1", "desk-1")
STATUS = Status(state=Availability.ONLINE, boot="b" * 32, version="0.1.0", model="desk 1")
EXAMPLES = Path(__file__).resolve().parents[2] / "contract" / "messages"


def announced() -> dict[str, Any]:
    return expanded(announcement(BOX, STATUS, "ours"))


def component(key: str) -> dict[str, Any]:
    found: dict[str, Any] = announced()["components"][key]
    return found


def state(key: str, message: dict[str, Any]) -> str:
    return render(component(key)["value_template"], json.dumps(message).encode())


def test_it_fits_what_home_assistant_takes() -> None:
    assert complaints(announced()) == []


def _without(path: str) -> dict[str, Any]:
    said = copy.deepcopy(announced())
    *above, last = path.split("/")
    at = said
    for key in above:
        at = at[key]
    del at[last]
    return said


@pytest.mark.parametrize(
    "path",
    [
        "origin",
        "origin/name",
        "device/identifiers",
        "components/open/platform",
        "components/open/unique_id",
        "components/violation/event_types",
        "components/privacy/device_class",
        "components/memory/unit_of_measurement",
        "components/waiting/state_topic",
    ],
)
def test_the_schema_misses_what_is_not_there(path: str) -> None:
    assert complaints(_without(path))


def test_the_schema_refuses_what_home_assistant_does_not_know() -> None:
    for at in ("", "device", "origin"):
        said = announced()
        (said[at] if at else said)["state_tpoic"] = "x"
        assert complaints(said), at
    said = announced()
    said["components"]["privacy"]["state_class"] = "measurement"
    assert complaints(said)


def test_every_id_is_the_boxs_own() -> None:
    ids = [one["unique_id"] for one in announced()["components"].values()]
    assert len(set(ids)) == len(ids) == len(ENTITIES)
    assert all(one.startswith("cleandesk_s1_desk-1_") for one in ids)
    other = expanded(announcement(Address("s1-desk", "1"), STATUS, "ours"))
    assert other["device"]["identifiers"] != announced()["device"]["identifiers"]


def test_everything_is_read_where_the_box_publishes_or_from_the_count() -> None:
    sent = {topic.name for topic in TOPICS if topic.action == "send"}
    for key, one in announced()["components"].items():
        if one["state_topic"] != topics.state(topics.device_id(BOX)):
            topic = parse(one["state_topic"])
            assert topic.address == BOX
            assert topic.channel.value in sent, key
            assert topic.channel in {
                Channel.STATUS,
                Channel.HEALTH,
                Channel.PRIVACY,
                Channel.VIOLATION,
            }


@pytest.mark.parametrize("name", ["health", "privacy", "status", "violation"])
def test_each_template_takes_the_contracts_own_examples(name: str) -> None:
    examples = sorted(EXAMPLES.glob(f"*{name}*.json"))
    assert examples
    for example in examples:
        message = json.loads(example.read_text(encoding="utf-8"))
        for one in ENTITIES:
            if one.channel == name:
                assert "Undefined" not in render(one.template, json.dumps(message).encode())


@pytest.mark.parametrize(
    ("key", "message", "said"),
    [
        ("open", {"open": 0}, "OFF"),
        ("open", {"open": 2}, "ON"),
        ("open_count", {"open": 2}, "2"),
        ("privacy", {"state": "break", "reason": "water"}, "break"),
        ("fault", {"camera": {"fps": 5}}, "OFF"),
        ("fault", {"camera": {"fault": None}}, "OFF"),
        ("fault", {"camera": {"fault": "black"}}, "ON"),
        ("safe_mode", {"state": "online"}, "OFF"),
        ("safe_mode", {"state": "online", "safe_mode": "3 starts"}, "ON"),
        ("temperature", {}, "None"),
        ("temperature", {"temperature_c": 51.5}, "51.5"),
        ("waiting", {"outbox": {"depth": 7}}, "7"),
    ],
)
def test_a_message_makes_a_state(key: str, message: dict[str, Any], said: str) -> None:
    assert state(key, message) == said


def test_a_violations_event_is_what_home_assistant_reads() -> None:
    message = {
        "phase": "open",
        "rule": "no-phone",
        "class": "phone",
        "zone": 'the "desk"',
        "severity": "high",
        "place": [0, 0, 1, 1],
        "score": 0.9,
    }
    said = json.loads(state("violation", message))
    told = {key: message[key] for key in ("rule", "class", "zone", "severity")}
    assert said == {"event_type": "open"} | told
    assert component("violation")["event_types"] == [*Phase]


def test_every_state_of_privacy_is_one_of_the_options_and_no_reason_is_told() -> None:
    assert component("privacy")["options"] == [*PrivacyState]
    assert "reason" not in json.dumps(announced())


@pytest.mark.parametrize(
    ("state_", "said"), [("online", "online"), ("offline", "offline"), ("stopped", "offline")]
)
def test_a_box_is_there_while_its_status_says_online(state_: str, said: str) -> None:
    box, ours = announced()["availability"]
    assert render(box["value_template"], json.dumps({"state": state_}).encode()) == said
    assert ours == {"topic": "homeassistant/device/ours/state"}
    assert announced()["availability_mode"] == "all"


def test_what_is_ours_is_told_from_what_is_anothers() -> None:
    ours = announcement(BOX, STATUS, "ours")
    assert is_ours(ours, "ours")
    assert not is_ours(ours, "theirs")
    assert not is_ours(ours.replace(b'"name":"cleandesk"', b'"name":"zigbee2mqtt"'), "ours")
    for nonsense in (b"", b"null", b"[]", b"\xff", b"[" * 10_000, b'{"o": "cleandesk"}'):
        assert not is_ours(nonsense, "ours")

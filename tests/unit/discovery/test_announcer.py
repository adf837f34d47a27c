"""What is announced and cleared, by what the broker has: never what is somebody else's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract.connection import BrokerSettings
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.publication import Publication, Received
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.discovery import topics
from cleandesk_fleet.discovery.announcer import Announcer
from cleandesk_fleet.discovery.entities import announcement
from cleandesk_fleet.discovery.settings import DiscoverySettings
from tests.unit.discovery.test_entities import BOX, STATUS

OTHER = Address("s2", "desk-2")
VIOLATION = "a" * 32
NAME = "cleandesk-discovery"


class Broker:
    """What a broker retains below `homeassistant/`, and who announces there."""

    def __init__(self, *, clearing: bool = False, **settings: object) -> None:
        made = DiscoverySettings.model_validate({"broker": BrokerSettings()} | settings)
        self.subject = Announcer(made, clearing=clearing)
        self.retained: dict[str, bytes] = {}

    def hear(self, topic: str, payload: bytes, *, retain: bool = False) -> list[str]:
        """Deliver a message; returns the topics that were published to."""
        return self._take(self.subject.take(Received(topic, payload, retain=retain)))

    def connect(self, *before: tuple[str, bytes]) -> list[str]:
        """Connect to a broker that retains this, until all of it was heard."""
        self._take([self.subject.begin()])
        for topic, payload in before:
            self.hear(topic, payload, retain=True)
        return self.hear(topics.state(NAME), b"online")

    def _take(self, published: list[Publication]) -> list[str]:
        for one in published:
            assert one.retain
            assert one.topic.startswith("homeassistant/device/")
            self.retained[one.topic] = one.payload
        return [one.topic for one in published]

    def open_now(self, address: Address = BOX) -> object:
        return json.loads(self.retained[topics.state(topics.device_id(address))])["open"]


def status_of(address: Address, **changes: object) -> tuple[str, bytes]:
    return address.topic(Channel.STATUS), STATUS.model_copy(update=changes).to_json()


def ours(address: Address, status: Status = STATUS, name: str = NAME) -> tuple[str, bytes]:
    return topics.config(address), announcement(address, status, name)


def active(
    address: Address, violation: str = VIOLATION, payload: bytes = b"{}"
) -> tuple[str, bytes]:
    return address.topic(Channel.ACTIVE, violation), payload


def test_boxes_are_announced_once_all_was_heard() -> None:
    broker = Broker()
    assert broker.hear(*status_of(BOX), retain=True) == []
    assert broker.hear(topics.state(NAME), b"online", retain=True) == [], "of an earlier process"
    broker.connect(status_of(BOX), active(BOX), active(BOX, "b" * 32))
    assert broker.retained[topics.config(BOX)] == ours(BOX)[1]
    assert broker.open_now() == 2
    assert broker.hear(*status_of(OTHER)) == [
        topics.state("cleandesk_s2_desk-2"),
        topics.config(OTHER),
    ]


def test_what_is_announced_already_is_not_announced_again_until_it_changes() -> None:
    broker = Broker()
    assert broker.connect(status_of(BOX), ours(BOX)) == [topics.state("cleandesk_s1_desk-1")]
    offline = status_of(BOX, state=Availability.OFFLINE)
    assert topics.config(BOX) not in broker.hear(*offline)
    assert topics.config(BOX) in broker.hear(*status_of(BOX, version="2"))
    assert json.loads(broker.retained[topics.config(BOX)])["dev"]["sw"] == "2"


def test_the_count_follows_what_is_open() -> None:
    broker = Broker()
    broker.connect(status_of(BOX))
    assert broker.open_now() == 0
    broker.hear(*active(BOX))
    assert broker.hear(*active(BOX)) == [], "it is open already"
    assert broker.open_now() == 1
    broker.hear(*active(BOX, payload=b""))
    assert broker.open_now() == 0


def test_a_box_that_is_gone_is_announced_no_more() -> None:
    broker = Broker()
    broker.connect(status_of(BOX))
    cleared = [topics.state("cleandesk_s1_desk-1"), topics.config(BOX)]
    assert broker.hear(BOX.topic(Channel.STATUS), b"") == cleared
    assert {broker.retained[topic] for topic in cleared} == {b""}
    assert broker.hear(*active(BOX)) == []


def test_what_an_earlier_process_announced_of_a_box_that_went_meanwhile_is_cleared() -> None:
    broker = Broker()
    assert broker.connect(ours(BOX), status_of(OTHER)) == [
        topics.state("cleandesk_s2_desk-2"),
        topics.config(OTHER),
        topics.state("cleandesk_s1_desk-1"),
        topics.config(BOX),
    ]
    assert broker.retained[topics.config(BOX)] == b""


def test_boxes_of_sites_that_are_not_asked_for_are_cleared() -> None:
    broker = Broker(sites=["s2"])
    assert "cleandesk/v1/s1/+/status" not in broker.subject._settings.subscriptions()
    broker.connect(ours(BOX), ours(OTHER), status_of(OTHER))
    assert broker.retained[topics.config(BOX)] == b""
    assert topics.config(OTHER) not in broker.retained, "it stands as it is"


THEIRS = [
    ours(BOX, name="another-publisher"),
    (topics.config(BOX), b'{"dev": {}, "o": {"name": "zigbee2mqtt"}, "cmps": {}}'),
    (topics.config(BOX), b"no JSON"),
    ("homeassistant/device/0x00124b/config", ours(BOX)[1]),
    ("homeassistant/device/cleandesk_x/config", ours(BOX)[1]),
    ("homeassistant/device/cleandesk_s1_desk-1_2/config", ours(BOX)[1]),
]


@pytest.mark.parametrize("clearing", [False, True])
@pytest.mark.parametrize("theirs", THEIRS, ids=range(len(THEIRS)))
def test_what_is_anothers_is_neither_cleared_nor_written_over(
    theirs: tuple[str, bytes], *, clearing: bool
) -> None:
    broker = Broker(clearing=clearing)
    broker.connect(theirs)
    assert theirs[0] not in broker.retained
    broker.hear(*status_of(BOX))
    broker.hear(*active(BOX))
    broker.hear(BOX.topic(Channel.STATUS), b"")
    assert broker.retained.get(theirs[0]) is None


def test_clearing_clears_all_of_ours_and_announces_nobody() -> None:
    broker = Broker(clearing=True)
    broker.connect(ours(BOX), ours(OTHER), status_of(BOX))
    broker.hear(*status_of(BOX))
    assert {topic for topic, payload in broker.retained.items() if payload} == {topics.state(NAME)}
    assert topics.config(OTHER) in broker.retained
    assert broker.subject.end() == Publication(topics.state(NAME), b"", retain=True)


def test_a_device_that_somebody_deleted_stays_deleted_until_the_next_connection() -> None:
    broker = Broker()
    broker.connect(status_of(BOX))
    assert broker.hear(topics.config(BOX), b"") == []
    assert topics.config(BOX) in broker.connect(status_of(BOX))


@given(
    topic=st.sampled_from(
        [BOX.topic(Channel.STATUS), topics.config(BOX), BOX.topic(Channel.HEALTH)]
    )
    | st.text(max_size=80),
    payload=st.binary(max_size=80),
    whole=st.booleans(),
)
def test_no_message_does_harm(topic: str, payload: bytes, *, whole: bool) -> None:
    broker = Broker()
    if whole:
        broker.connect()
    broker.hear(topic, payload)
    broker.connect(status_of(OTHER))
    assert topics.config(OTHER) in broker.retained

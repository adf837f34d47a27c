"""Who may write and read what, on the real broker: what is forbidden is not delivered to anybody.

Each test sends what is forbidden, then something allowed by the same way: when that has come, the
other would have come, too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import cleandesk.contract
from broker import free_ports
from cleandesk_fleet.provision.authorities import Issuer
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.system.broker_rig import OPERATORS, Member, WitnessedBroker, mark

pytestmark = [pytest.mark.system, needs_mosquitto]

V1 = "cleandesk/v1"
ID = "0123456789abcdef0123456789abcdef"
WRITES = (
    "status health privacy violation appeal idle config/reported cmd/break/response "
    f"cmd/break/response/me active/{ID} still/{ID}"
).split()
READS = ["ack", "config/desired", "cmd/break/request"]
DOCUMENT = Path(cleandesk.contract.__file__).parent / "schemas" / "asyncapi.yaml"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessedBroker]:
    home = tmp_path_factory.mktemp("broker")
    with WitnessedBroker(home, OPERATORS, free_ports()) as running:
        yield running


@pytest.fixture(scope="module")
def witness(broker: WitnessedBroker) -> Iterator[Member]:
    with broker.witness() as running:
        yield running


def not_delivered(sender: Member, topics: list[str], allowed: str, witness: Member) -> None:
    """Send on forbidden topics, then on one that is allowed: only that comes, and nothing stays."""
    forbidden = mark()
    for topic in topics:
        for retain in (False, True):
            sender.say(topic, forbidden, retain=retain)
    seen = mark()
    assert sender.say(allowed, seen) == 0
    eventually(lambda: witness.saw(seen), "the allowed message")
    assert not witness.saw(forbidden)


def not_received(reader: Member, topics: list[str], allowed: str, witness: Member) -> None:
    """Write on topics that a reader must not read, then on one that it may: only that comes."""
    forbidden = mark()
    for topic in topics:
        assert witness.say(topic, forbidden) == 0
    seen = mark()
    witness.say(allowed, seen)
    eventually(lambda: reader.saw(seen), "the allowed message")
    assert not reader.saw(forbidden)


def contract_topics(action: str) -> list[str]:
    """Return what the contract's document lets a box send or receive."""
    document: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    names = [
        operation["channel"]["$ref"].rsplit("/", 1)[1]
        for operation in document["operations"].values()
        if operation["action"] == action
    ]
    addresses = [document["channels"][name]["address"] for name in names]
    return [
        address.format(site="s1", box="b1", violation_id=ID).removeprefix(f"{V1}/s1/b1/")
        for address in addresses
    ]


def test_a_box_writes_its_own_topics(broker: WitnessedBroker, witness: Member) -> None:
    with broker.member("s1/b1") as box:
        for channel in {*WRITES, *contract_topics("send")}:
            seen = mark()
            assert box.say(f"{V1}/s1/b1/{channel}", seen) in (0, 16), channel
            eventually(lambda seen=seen: witness.saw(seen), channel)  # type: ignore[misc]


def test_a_box_reads_its_own_topics(broker: WitnessedBroker, witness: Member) -> None:
    filters = [f"{V1}/s1/b1/ack", f"{V1}/s1/b1/config/desired", f"{V1}/s1/b1/cmd/+/request"]
    with broker.member("s1/b1", filters=filters) as box:
        for channel in {*READS, *contract_topics("receive")}:
            seen = mark()
            witness.say(f"{V1}/s1/b1/{channel}", seen)
            eventually(lambda seen=seen: box.saw(seen), channel)  # type: ignore[misc]


@pytest.mark.parametrize(
    "other",
    ["s1/b2", "s2/b1", "s2/b2", "s1", "s1/b1/b1", "b1/s1"],
)
def test_a_box_writes_no_topic_of_another_box_or_site(
    broker: WitnessedBroker, witness: Member, other: str
) -> None:
    topics = [f"{V1}/{other}/{channel}" for channel in (*WRITES, *READS)]
    with broker.member("s1/b1") as box:
        not_delivered(box, topics, f"{V1}/s1/b1/status", witness)


def test_a_box_writes_neither_its_ack_nor_its_orders_nor_anything_unknown(
    broker: WitnessedBroker, witness: Member
) -> None:
    unknown = ["", "/ack/x", "/config", "/config/desired/x", "/cmd", "/cmd/response", "/status/x"]
    topics = [f"{V1}/s1/b1{below}" for below in unknown]
    topics += [f"{V1}/s1/b1/{channel}" for channel in READS]
    topics += ["cleandesk/v2/s1/b1/status", "status", "homeassistant/device/x/config"]
    with broker.member("s1/b1") as box:
        not_delivered(box, topics, f"{V1}/s1/b1/status", witness)


def test_a_box_writes_nothing_under_sys(broker: WitnessedBroker) -> None:
    with (
        broker.member("witness", Issuer.PEOPLE, filters=["#", "$SYS/#"]) as witness,
        broker.member("s1/b1") as box,
    ):
        not_delivered(box, ["$SYS/broker/version", "$SYS/cleandesk"], f"{V1}/s1/b1/status", witness)


@pytest.mark.parametrize(
    "filters",
    [
        ["#"],
        ["$SYS/#"],
        ["+/+/+/+/+"],
        [f"{V1}/s1/b2/ack", f"{V1}/s1/b2/config/desired", f"{V1}/s1/b2/cmd/+/request"],
        [f"{V1}/+/b1/ack", f"{V1}/s1/+/ack", f"{V1}/s2/b1/#"],
        ["$share/all/#", f"$share/all/{V1}/s1/b2/ack"],
        [f"{V1}/s1/b1/#"],
    ],
    ids=lambda filters: filters[0],
)
def test_a_box_reads_nothing_but_its_ack_and_its_orders(
    broker: WitnessedBroker, witness: Member, filters: list[str]
) -> None:
    own = [f"{V1}/s1/b1/{channel}" for channel in WRITES]
    others = [f"{V1}/{who}/{c}" for who in ("s1/b2", "s2/b1") for c in (*WRITES, *READS)]
    kept = f"{V1}/s1/b2/config/desired"
    witness.say(kept, b"kept", retain=True)
    with broker.member("s1/b1", filters=[*filters, f"{V1}/s1/b1/ack"]) as box:
        not_received(box, own + others, f"{V1}/s1/b1/ack", witness)
        assert not box.saw(b"kept")
        assert not [topic for topic in box.topics() if topic.startswith("$SYS")]
    witness.say(kept, b"", retain=True)


def test_a_last_will_reaches_no_topic_of_another_box(
    broker: WitnessedBroker, witness: Member
) -> None:
    forbidden, seen = mark(), mark()
    box = broker.member("s1/b1", will=(f"{V1}/s1/b2/status", forbidden)).start()
    eventually(lambda: box.up or box.refusals, "an answer")
    box.cut()
    with broker.member("s1/b3", will=(f"{V1}/s1/b3/status", seen)) as other:
        other.cut()
        eventually(lambda: witness.saw(seen), "a last will that is allowed")
    assert not witness.saw(forbidden)


def test_a_box_cannot_take_the_client_id_of_another(broker: WitnessedBroker) -> None:
    with (
        broker.member("s1/b2") as victim,
        broker.member("subscriber", Issuer.PEOPLE) as subscriber,
        broker.member("s1/b1", client_id="s1/b2") as box,
        broker.member("ops-s1", Issuer.PEOPLE, client_id="subscriber") as ops,
    ):
        assert victim.say(f"{V1}/s1/b2/status") in (0, 16)
        assert subscriber.say(f"{V1}/s1/b2/ack") in (0, 16)
        assert box.up
        assert ops.up
        assert victim.disconnects == subscriber.disconnects == 0


def test_the_subscriber_reads_every_site_and_writes_acks_only(
    broker: WitnessedBroker, witness: Member
) -> None:
    with broker.member("subscriber", Issuer.PEOPLE, filters=["#"]) as subscriber:
        for topic in (f"{V1}/s1/b1/violation", f"{V1}/s2/b9/still/{ID}", f"{V1}/s2/b9/appeal"):
            seen = mark()
            witness.say(topic, seen)
            eventually(lambda seen=seen: subscriber.saw(seen), topic)  # type: ignore[misc]
        topics = [f"{V1}/s1/b1/{channel}" for channel in (*WRITES, *READS[1:])]
        not_delivered(subscriber, topics, f"{V1}/s2/b9/ack", witness)


def test_ops_read_their_own_site_and_write_nothing(
    broker: WitnessedBroker, witness: Member
) -> None:
    with broker.member("ops-s1", Issuer.PEOPLE, filters=["#", "$SYS/#", f"{V1}/s2/#"]) as ops:
        seen = mark()
        witness.say(f"{V1}/s1/b7/violation", seen)
        eventually(lambda: ops.saw(seen), "a violation of their site")
        theirs = [f"{V1}/s2/b1/{channel}" for channel in (*WRITES, *READS)]
        private = [f"{V1}/s1/b1/still/{ID}", f"{V1}/s1/b1/appeal", f"{V1}/s1/b1/idle"]
        not_received(ops, theirs + private, f"{V1}/s1/b1/violation", witness)
        assert not [topic for topic in ops.topics() if topic.startswith("$SYS")]
        forbidden = mark()
        for channel in (*WRITES, *READS):
            ops.say(f"{V1}/s1/b1/{channel}", forbidden)
    with broker.member("s1/b1") as box:
        seen = mark()
        box.say(f"{V1}/s1/b1/status", seen)
        eventually(lambda: witness.saw(seen), "what the box says")
    assert not witness.saw(forbidden)


def test_control_commands_its_own_site_only(broker: WitnessedBroker, witness: Member) -> None:
    with broker.member("control-s1", Issuer.PEOPLE) as control:
        topics = [f"{V1}/s2/b1/cmd/break/request", f"{V1}/s2/b1/config/desired"]
        topics += [f"{V1}/s1/b1/{channel}" for channel in (*WRITES, "ack")]
        not_delivered(control, topics, f"{V1}/s1/b1/cmd/break/request", witness)


def test_a_shared_subscription_reads_no_more_than_its_own(
    broker: WitnessedBroker, witness: Member
) -> None:
    filters = [f"$share/all/{V1}/+/+/{channel}" for channel in ("violation", "appeal", "ack")]
    with broker.member("subscriber", Issuer.PEOPLE, filters=filters) as subscriber:
        not_received(subscriber, [f"{V1}/s1/b1/ack"], f"{V1}/s1/b1/violation", witness)
    with broker.member("s1/b1", filters=[*filters, f"$share/all/{V1}/s1/b1/ack"]) as box:
        others = [f"{V1}/s1/b2/ack", f"{V1}/s1/b2/violation", f"{V1}/s1/b1/violation"]
        not_received(box, others, f"{V1}/s1/b1/ack", witness)


def test_whoever_does_not_know_the_group_takes_no_share_of_it(
    broker: WitnessedBroker, witness: Member
) -> None:
    mine, guessed = (f"$share/{group}/{V1}/+/+/violation" for group in ("4f1c09", "cleandesk"))
    with (
        broker.member("subscriber", Issuer.PEOPLE, filters=[mine]) as subscriber,
        broker.member("s1/b1", filters=[guessed]),
    ):
        for _ in range(20):
            seen = mark()
            witness.say(f"{V1}/s1/b1/violation", seen)
            eventually(lambda seen=seen: subscriber.saw(seen), "every event")  # type: ignore[misc]

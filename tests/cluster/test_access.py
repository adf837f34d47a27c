"""Who may write and read what on the cluster: the same rules as on mosquitto, and the same tests.

RabbitMQ ends the connection of whoever publishes what is denied, or asks for a filter that selects
more than may be read, where mosquitto refuses the one message, and delivers less. So these tests
send each forbidden message by a connection of its own, and ask for each forbidden filter alone.
"""

import pytest

from cleandesk.contract.connection import TlsSettings
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.door import Door
from tests.cluster.rabbitmq import Cluster
from tests.eventually import eventually
from tests.system import test_broker_access as on_mosquitto
from tests.system.broker_rig import Member, mark
from tests.system.test_broker_access import ID, READS, V1, WRITES, not_received

# Word for word the same.
test_a_box_writes_its_own_topics = on_mosquitto.test_a_box_writes_its_own_topics
test_a_box_reads_its_own_topics = on_mosquitto.test_a_box_reads_its_own_topics
test_a_last_will_reaches_no_topic_of_another_box = (
    on_mosquitto.test_a_last_will_reaches_no_topic_of_another_box
)

OTHERS = ("s1/b2", "s2/b1", "s1/b1/b1")


@pytest.fixture(scope="module")
def broker(cluster: Cluster) -> Cluster:
    return cluster


def not_delivered(
    cluster: Cluster, sender: Member, topics: list[str], allowed: str, witness: Member
) -> None:
    """Send on forbidden topics, then on one that is allowed: only that comes."""
    forbidden, seen = mark(), mark()
    for topic in topics:
        publish_forbidden(cluster, sender, topic, forbidden)
    with Member(cluster, sender.issuer, sender.files, sender.name) as again:
        assert again.say(allowed, seen) == 0
        eventually(lambda: witness.saw(seen), "the allowed message")
    assert not witness.saw(forbidden)


def publish_forbidden(cluster: Cluster, sender: Member, topic: str, payload: bytes) -> None:
    """Publish by a connection of its own, which ends by that."""
    with Member(cluster, sender.issuer, sender.files, sender.name) as again:
        again._client.publish(topic, payload, 1)
        eventually(lambda: again.disconnects, f"the end, for {topic}")


def reads_nothing(reader: Member, topics: list[str], witness: Member) -> None:
    """Ask for a forbidden filter, again and again, while something is said: nothing comes."""
    reader.start()
    eventually(lambda: reader.disconnects, "the end of its connection")
    for topic in topics:
        witness.say(topic, b"forbidden")
    twice = reader.disconnects + 2
    eventually(lambda: reader.disconnects >= twice, "two more tries")
    reader.leave()
    assert reader.received == []


@pytest.mark.parametrize("other", OTHERS)
def test_a_box_writes_no_topic_of_another_box_or_site(
    cluster: Cluster, witness: Member, other: str
) -> None:
    topics = [f"{V1}/{other}/{channel}" for channel in (*WRITES, *READS)]
    not_delivered(cluster, cluster.member("s1/b1"), topics, f"{V1}/s1/b1/status", witness)


def test_a_box_writes_neither_its_ack_nor_its_orders_nor_anything_unknown(
    cluster: Cluster, witness: Member
) -> None:
    unknown = ["", "/ack/x", "/config", "/config/desired/x", "/cmd", "/cmd/response", "/status/x"]
    topics = [f"{V1}/s1/b1{below}" for below in unknown]
    topics += [f"{V1}/s1/b1/{channel}" for channel in READS]
    topics += ["cleandesk/v2/s1/b1/status", "status", "$SYS/broker/version"]
    # To RabbitMQ a dot is a slash.
    topics += ["cleandesk.v1.s1.b2.status", f"{V1}/s1.b2/status"]
    not_delivered(cluster, cluster.member("s1/b1"), topics, f"{V1}/s1/b1/status", witness)


@pytest.mark.parametrize(
    "wanted",
    [
        *("#", "+/+/+/+/+", f"{V1}/s1/b2/ack", f"{V1}/s1/b2/config/desired", f"{V1}/+/b1/ack"),
        *(f"{V1}/s1/+/ack", f"{V1}/s2/b1/#", f"{V1}/s1/b1/#", "$share/all/#", "$SYS/#"),
        *(f"$share/all/{V1}/s1/b2/ack", f"$share/all/{V1}/s1/b1/ack", f"{V1}/s1/b1/cmd/#"),
        *("cleandesk.v1.s1.b2.ack", "*.*.*.*.*"),
    ],
)
def test_a_box_reads_nothing_but_its_ack_and_its_orders(
    cluster: Cluster, witness: Member, wanted: str
) -> None:
    box = cluster.member("s1/b1", filters=[wanted])
    topics = [f"{V1}/{who}/{c}" for who in ("s1/b2", "s2/b1") for c in (*WRITES, *READS)]
    reads_nothing(box, [*topics, f"{V1}/s1/b1/status"], witness)
    with cluster.member("s1/b1", filters=[f"{V1}/s1/b1/ack"]) as again:
        not_received(again, topics, f"{V1}/s1/b1/ack", witness)


def test_a_box_cannot_take_the_client_id_of_another(cluster: Cluster) -> None:
    with (
        cluster.member("s1/b2", filters=[f"{V1}/s1/b2/ack"]) as victim,
        cluster.member("subscriber", Issuer.PEOPLE) as subscriber,
    ):
        box = cluster.member("s1/b1", client_id="s1/b2").start()
        ops = cluster.member("ops-s1", Issuer.PEOPLE, client_id="subscriber").start()
        for thief in (box, ops):
            eventually(lambda thief=thief: thief.refusals, "an answer")  # type: ignore[misc]
            assert thief.connects == 0
            thief.leave()
        assert victim.say(f"{V1}/s1/b2/status") == 0
        assert subscriber.say(f"{V1}/s1/b2/ack") == 0
        assert victim.disconnects == subscriber.disconnects == 0


def test_the_subscriber_reads_every_site_and_writes_acks_only(
    cluster: Cluster, witness: Member
) -> None:
    channels = ("violation", "still/+", "appeal")
    filters = [f"{V1}/+/+/{channel}" for channel in channels]
    with cluster.member("subscriber", Issuer.PEOPLE, filters=filters) as subscriber:
        for topic in (f"{V1}/s1/b1/violation", f"{V1}/s2/b9/still/{ID}", f"{V1}/s2/b9/appeal"):
            seen = mark()
            witness.say(topic, seen)
            eventually(lambda seen=seen: subscriber.saw(seen), topic)  # type: ignore[misc]
    topics = [f"{V1}/s1/b1/{channel}" for channel in (*WRITES, *READS[1:])]
    sender = cluster.member("subscriber", Issuer.PEOPLE)
    not_delivered(cluster, sender, topics, f"{V1}/s2/b9/ack", witness)


@pytest.mark.parametrize(
    "wanted", ["#", f"{V1}/s2/#", f"{V1}/+/+/violation", f"{V1}/s1/+/still/+", f"{V1}/s1/+/appeal"]
)
def test_ops_read_no_other_site_and_nothing_that_is_the_subscribers(
    cluster: Cluster, witness: Member, wanted: str
) -> None:
    topics = [f"{V1}/s2/b1/violation", f"{V1}/s1/b1/still/{ID}", f"{V1}/s1/b1/appeal"]
    reads_nothing(cluster.member("ops-s1", Issuer.PEOPLE, filters=[wanted]), topics, witness)


def test_ops_read_their_own_site_and_write_nothing(cluster: Cluster, witness: Member) -> None:
    with cluster.member("ops-s1", Issuer.PEOPLE, filters=[f"{V1}/s1/+/violation"]) as ops:
        theirs = [f"{V1}/s2/b1/{channel}" for channel in (*WRITES, *READS)]
        private = [f"{V1}/s1/b1/still/{ID}", f"{V1}/s1/b1/appeal", f"{V1}/s1/b1/idle"]
        not_received(ops, theirs + private, f"{V1}/s1/b7/violation", witness)
    forbidden = mark()
    for channel in (*WRITES, *READS):
        publish_forbidden(cluster, ops, f"{V1}/s1/b1/{channel}", forbidden)
    with cluster.member("s1/b1") as box:
        seen = mark()
        box.say(f"{V1}/s1/b1/status", seen)
        eventually(lambda: witness.saw(seen), "what the box says")
    assert not witness.saw(forbidden)


def test_control_commands_its_own_site_only(cluster: Cluster, witness: Member) -> None:
    topics = [f"{V1}/s2/b1/cmd/break/request", f"{V1}/s2/b1/config/desired"]
    topics += [f"{V1}/s1/b1/{channel}" for channel in (*WRITES, "ack")]
    sender = cluster.member("control-s1", Issuer.PEOPLE)
    not_delivered(cluster, sender, topics, f"{V1}/s1/b1/cmd/break/request", witness)


def test_an_administrator_puts_a_box_out(cluster: Cluster) -> None:
    with cluster.member("s1/b1") as box, cluster.member("s1/b2") as other:
        Door(cluster.settings(8885, cluster.issue(Issuer.ADMINS, "admin"))).put_out(["s1/b1"])
        eventually(lambda: box.disconnects, "the end of its connection")
        assert other.disconnects == 0


def test_nobody_else_is_taken_for_an_administrator(cluster: Cluster) -> None:
    files: TlsSettings = cluster.issue(Issuer.PEOPLE, "nobody")
    stranger = Member(cluster, Issuer.PEOPLE, files, "nobody").start()
    eventually(lambda: stranger.refusals, "an answer")
    assert stranger.connects == 0
    stranger.leave()
